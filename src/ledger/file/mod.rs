//! The ledger's file over the years: moved aside if it is damaged or of a newer version of this plugin, waited for while
//! the disk is away, made anew if it was removed.
//!
//! If the file cannot be written, deliveries go on: memory still knows them, and their commits are written as soon as the
//! disk is back. Only a crash in between could repeat them, with equal ids.
//!
//! ```text
//! a write fails                   → the file is opened again, and the unsaved commits are added
//! a sync fails, or the file is    → a new file of all commits in memory replaces it
//! gone, replaced or damaged
//! a start cannot read it          → it is left as it is and tried again; what it holds is taken in, and then a
//!                                   new file of all commits replaces it
//! ```

mod aside;
mod start;

use std::path::PathBuf;

use super::error::LedgerError;
use super::key::CheckKey;
use super::store::{Change, Contents, Store, StoreError};
use super::unusable::Unusable;
use super::verdict::{Commit, Intent};
use crate::disk::FileId;
use aside::move_aside;
pub use start::Opened;

/// How long the file is left alone after a failed write: to open it again is to read it whole.
const PAUSE_SECONDS: u64 = 5;

/// The file of one table.
#[derive(Debug)]
pub struct File {
    path: PathBuf,
    /// `None` after a write failed: redb has to be opened again.
    store: Option<Store>,
    /// The file that holds what was saved; `None` if there is none.
    saved_in: Option<FileId>,
    /// Commits that are not in the file yet; no more than the table remembers.
    unsaved: Vec<Commit>,
    /// Intents that are still in the file and need not be.
    ended_intents: Vec<u64>,
    /// The key of what is written beside the file: the one that it had, or a new one, which it gets.
    key: Option<CheckKey>,
    /// Whether the key is in the file.
    has_key: bool,
    resume_at_seconds: u64,
    /// Since when it could not be read. It may hold much, so nothing replaces it.
    unread_since_seconds: Option<u64>,
    /// What was wrong at the start, until it is logged.
    trouble: Option<LedgerError>,
}

impl File {
    fn hold(&mut self, store: Store) {
        self.saved_in = Some(store.id());
        self.store = Some(store);
    }

    /// The key of what is written beside the file; `None` if the system has no randomness to give.
    #[must_use]
    pub fn key(&self) -> Option<&CheckKey> {
        self.key.as_ref()
    }

    /// Removes the commits below this number. If that fails, a later commit does it.
    pub fn trim(&mut self, oldest: u64) {
        if self
            .store
            .as_ref()
            .is_some_and(|store| store.write(&Change { oldest, ..Change::default() }).is_err())
        {
            self.close();
        }
    }

    /// Whether a new file of all that the table remembers is to be made now, with [`File::save_all`].
    #[must_use]
    pub fn wants_all(&mut self, now_seconds: u64) -> bool {
        let has_none = self.store.is_none() && self.saved_in.is_none();
        has_none && self.unread_since_seconds.is_none() && !self.is_paused(now_seconds)
    }

    /// Makes a new file of these contents, which are all there are.
    ///
    /// # Errors
    /// As [`File::save`].
    pub fn save_all(&mut self, contents: &Contents, now_seconds: u64) -> Result<(), LedgerError> {
        let made = self.make(contents, now_seconds);
        if made.is_ok() {
            self.has_key = self.key.is_some();
            self.unsaved.clear();
            self.ended_intents.clear();
            self.trouble = None;
        }
        self.paused_unless(made, now_seconds)
    }

    /// Writes the unsaved commits and these, and removes those below `oldest`.
    ///
    /// # Errors
    /// From the disk, or because the file is not the one it was. The commits then wait, and the file is left alone for a
    /// while.
    pub fn save(
        &mut self,
        commits: impl IntoIterator<Item = Commit>,
        oldest: u64,
        now_seconds: u64,
    ) -> Result<(), LedgerError> {
        self.unsaved.extend(commits);
        self.unsaved.retain(|commit| commit.number >= oldest);
        self.look()?;
        if let Some(why) = self.trouble.take() {
            return Err(why);
        }
        let is_done = self.store.is_some() && self.unsaved.is_empty() && self.ended_intents.is_empty();
        if is_done || self.is_paused(now_seconds) || self.wants_all(now_seconds) {
            return Ok(());
        }
        self.wait_until_read()?;
        self.write(&[], oldest, now_seconds)
    }

    /// Writes what is about to be sent, and all unsaved commits. After `Ok` they are on the disk.
    ///
    /// # Errors
    /// As [`File::save`]; and [`LedgerError::Paused`] while the file is left alone.
    pub fn intend(&mut self, intent: &Intent, oldest: u64, now_seconds: u64) -> Result<(), LedgerError> {
        self.look()?;
        if let Some(why) = self.trouble.take() {
            return Err(why);
        }
        self.wait_until_read()?;
        if self.is_paused(now_seconds) {
            return Err(LedgerError::Paused { path: self.path.clone() });
        }
        let written = self.write(std::slice::from_ref(intent), oldest, now_seconds);
        if written.is_err() {
            // It may be on the disk all the same, and then it must not count.
            self.ended_intents.push(intent.number);
        }
        written
    }

    /// The next write removes these intents from the file.
    pub fn end_intents(&mut self, numbers: impl IntoIterator<Item = u64>) {
        self.ended_intents.extend(numbers);
    }

    /// Lets the next [`File::save`] try at once.
    pub fn end_pause(&mut self) {
        self.resume_at_seconds = 0;
    }

    fn is_paused(&mut self, now_seconds: u64) -> bool {
        // A clock that is set back must not make the pause longer.
        self.resume_at_seconds = self.resume_at_seconds.min(now_seconds.saturating_add(PAUSE_SECONDS));
        now_seconds < self.resume_at_seconds
    }

    fn paused_unless<T>(&mut self, done: Result<T, LedgerError>, now_seconds: u64) -> Result<T, LedgerError> {
        self.resume_at_seconds = if done.is_ok() { 0 } else { now_seconds.saturating_add(PAUSE_SECONDS) };
        done
    }

    /// Looks whether the open file still has its name: what is written into a removed one is lost.
    fn look(&mut self) -> Result<(), LedgerError> {
        let Some(store) = &self.store else { return Ok(()) };
        let is_replaced = match FileId::at(&self.path) {
            Ok(id) if id == store.id() => return Ok(()),
            Ok(_) => true,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => false,
            // The folder may not be read, but an open file can be written.
            Err(_) => return Ok(()),
        };
        self.store = None;
        self.saved_in = None;
        Err(LedgerError::Taken { path: self.path.clone(), is_replaced })
    }

    /// Closes the file after a failed write, and forgets it if it is unknown what is on the disk.
    fn close(&mut self) {
        if self.store.take().is_some_and(|store| store.is_doubtful()) {
            self.saved_in = None;
        }
    }

    fn write(&mut self, intents: &[Intent], oldest: u64, now_seconds: u64) -> Result<(), LedgerError> {
        let written = self.try_write(intents, oldest, now_seconds);
        if written.is_ok() {
            self.has_key = self.key.is_some();
            self.unsaved.clear();
            self.ended_intents.clear();
        }
        self.paused_unless(written, now_seconds)
    }

    fn try_write(&mut self, intents: &[Intent], oldest: u64, now_seconds: u64) -> Result<(), LedgerError> {
        if self.store.is_none() {
            self.reopen(now_seconds)?;
        }
        let Some(store) = &self.store else { return Ok(()) };
        let key = self.key.as_ref().filter(|_| !self.has_key);
        let change =
            Change { oldest, commits: &self.unsaved, ended_intents: &self.ended_intents, intents, key };
        if let Err(error) = store.write(&change) {
            self.close();
            return Err(self.with_path(error));
        }
        Ok(())
    }

    fn reopen(&mut self, now_seconds: u64) -> Result<(), LedgerError> {
        match Store::open(&self.path) {
            Ok((store, _)) if Some(store.id()) == self.saved_in => {
                self.store = Some(store);
                return Ok(());
            }
            Err(StoreError::Unusable(why)) => return Err(self.move_aside(why, now_seconds)),
            Err(error) if !error.is_missing() => {
                if matches!(error, StoreError::Unsynced(_)) {
                    self.saved_in = None;
                }
                return Err(self.with_path(error));
            }
            _ => self.saved_in = None,
        }
        Err(LedgerError::Exchanged { path: self.path.clone() })
    }

    /// Moves aside a file that cannot be used. Either way there is an error to log.
    fn move_aside(&mut self, why: Unusable, now_seconds: u64) -> LedgerError {
        match move_aside(&self.path, why, now_seconds) {
            Ok(moved) => {
                self.saved_in = None;
                self.unread_since_seconds = None;
                LedgerError::MovedAside { path: self.path.clone(), moved }
            }
            Err(error) => error,
        }
    }

    fn make(&mut self, contents: &Contents, now_seconds: u64) -> Result<(), LedgerError> {
        // The file there now may be another instance's. If not, its lock is held until ours has the name.
        let _replaced = match Store::open(&self.path) {
            Err(error) if error.is_anothers() => return Err(self.with_path(error)),
            Err(StoreError::Unusable(why)) => {
                move_aside(&self.path, why, now_seconds)?;
                None
            }
            opened => opened.ok(),
        };
        let store =
            Store::make(&self.path, contents, self.key.as_ref()).map_err(|error| self.with_path(error))?;
        self.hold(store);
        Ok(())
    }

    fn with_path(&self, error: StoreError) -> LedgerError {
        LedgerError::Store { path: self.path.clone(), error }
    }
}
