//! The ledger's file over the years: moved aside when it is damaged or of a newer version of this plugin, waited for
//! when the disk is away, made anew when it was taken away.
//!
//! When the file cannot be written, deliveries go on: memory still knows them, the rows wait and are written
//! as soon as the disk is back, and only a crash in between could repeat them, with equal ids.
//!
//! ```text
//! a write fails                   → opened again, the rows that wait are added
//! a sync fails, or the file is    → a new file of all rows that memory holds takes its place
//! gone, replaced or damaged
//! a start cannot read it          → left as it is and tried again; what it holds is taken in, and then a
//!                                   new file of all rows takes its place
//! ```

mod start;

use std::path::PathBuf;

use super::disk::{Unusable, move_aside};
use super::key::Key;
use super::store::{Change, Contents, Store, StoreError};
use super::table::Row;
use crate::disk::FileId;
pub use start::Opened;

/// After a failed write the file is left alone for so long: opening it again reads it whole.
const PAUSE_SECONDS: u64 = 5;

/// The file of one table.
#[derive(Debug)]
pub struct File {
    path: PathBuf,
    /// `None` after a write failed: redb wants to be opened again.
    store: Option<Store>,
    /// The file that has what was saved; `None` when there is none.
    saved_in: Option<FileId>,
    /// Rows that the file has not taken; no more than the table remembers.
    unsaved: Vec<Row>,
    /// Claims that it holds still and need not.
    ended_claims: Vec<u64>,
    /// Of what is written beside the file. The one that it had, or a new one, which it gets.
    key: Option<Key>,
    /// Whether the key is in the file.
    has_key: bool,
    resume_at_seconds: u64,
    /// Since when nobody knows what it holds. That may be much, so nothing takes its place.
    unread_since_seconds: Option<u64>,
    /// What was wrong at the start, until it is logged.
    trouble: Option<String>,
}

impl File {
    fn hold(&mut self, store: Store) {
        self.saved_in = Some(store.id());
        self.store = Some(store);
    }

    /// The key of what is written beside the file; `None` where the system has no randomness to give.
    #[must_use]
    pub fn key(&self) -> Option<&Key> {
        self.key.as_ref()
    }

    /// Removes the rows below this number. When that fails, a later commit does it.
    pub fn trim(&mut self, oldest: u64) {
        if self
            .store
            .as_ref()
            .is_some_and(|store| store.write(&Change { oldest, ..Change::default() }).is_err())
        {
            self.let_go();
        }
    }

    /// Whether a new file is to be made now, which takes all that the table remembers: see
    /// [`File::save_all`].
    #[must_use]
    pub fn wants_all(&mut self, now_seconds: u64) -> bool {
        let has_none = self.store.is_none() && self.saved_in.is_none();
        has_none && self.unread_since_seconds.is_none() && !self.is_paused(now_seconds)
    }

    /// Puts these contents, all there are, into a new file.
    ///
    /// # Errors
    /// As [`File::save`].
    pub fn save_all(&mut self, contents: &Contents, now_seconds: u64) -> Result<(), String> {
        let made = self.make(contents, now_seconds);
        if made.is_ok() {
            self.has_key = self.key.is_some();
            self.unsaved.clear();
            self.ended_claims.clear();
            self.trouble = None;
        }
        self.paused_unless(made, now_seconds)
    }

    /// Writes the rows that wait and these, and removes those below `oldest`.
    ///
    /// # Errors
    /// From the disk, or because the file is not the one it was; text for a person. The rows then wait, and the
    /// file is left alone for a while.
    pub fn save(
        &mut self,
        rows: impl IntoIterator<Item = Row>,
        oldest: u64,
        now_seconds: u64,
    ) -> Result<(), String> {
        self.unsaved.extend(rows);
        self.unsaved.retain(|row| row.number >= oldest);
        self.look()?;
        if let Some(why) = self.trouble.take() {
            return Err(why);
        }
        let is_done = self.store.is_some() && self.unsaved.is_empty() && self.ended_claims.is_empty();
        if is_done || self.is_paused(now_seconds) || self.wants_all(now_seconds) {
            return Ok(());
        }
        self.wait_until_read()?;
        self.write(&[], oldest, now_seconds)
    }

    /// Writes what is about to be sent, and with it all that waits. After `Ok` it is on the disk.
    ///
    /// # Errors
    /// As [`File::save`], and while the file is left alone.
    pub fn claim(&mut self, claim: &Row, oldest: u64, now_seconds: u64) -> Result<(), String> {
        self.look()?;
        if let Some(why) = self.trouble.take() {
            return Err(why);
        }
        self.wait_until_read()?;
        if self.is_paused(now_seconds) {
            return Err(format!("{} could not be written, and is soon tried again", self.path.display()));
        }
        let written = self.write(std::slice::from_ref(claim), oldest, now_seconds);
        if written.is_err() {
            // Whether the disk has taken it is open; should it turn up, it says nothing.
            self.ended_claims.push(claim.number);
        }
        written
    }

    /// These claims leave the file with the next write.
    pub fn end_claims(&mut self, numbers: impl IntoIterator<Item = u64>) {
        self.ended_claims.extend(numbers);
    }

    /// Lets the next [`File::save`] try at once.
    pub fn end_pause(&mut self) {
        self.resume_at_seconds = 0;
    }

    fn is_paused(&mut self, now_seconds: u64) -> bool {
        // A clock set back must not make the pause longer than it is, whoever asks.
        self.resume_at_seconds = self.resume_at_seconds.min(now_seconds.saturating_add(PAUSE_SECONDS));
        now_seconds < self.resume_at_seconds
    }

    fn paused_unless<T>(&mut self, done: Result<T, String>, now_seconds: u64) -> Result<T, String> {
        self.resume_at_seconds = if done.is_ok() { 0 } else { now_seconds.saturating_add(PAUSE_SECONDS) };
        done
    }

    /// Whether the name is still that of the file we hold: what is written into a removed one is lost.
    fn look(&mut self) -> Result<(), String> {
        let Some(store) = &self.store else { return Ok(()) };
        let why = match FileId::at(&self.path) {
            Ok(id) if id == store.id() => return Ok(()),
            Ok(_) => "was replaced",
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => "was removed",
            // Nobody may look, but what is open can be written.
            Err(_) => return Ok(()),
        };
        self.store = None;
        self.saved_in = None;
        Err(format!("{} {why} while it was in use; it is made anew at once", self.path.display()))
    }

    /// Closes the file, and forgets it if nobody knows what is on the disk.
    fn let_go(&mut self) {
        if self.store.take().is_some_and(|store| store.is_doubtful()) {
            self.saved_in = None;
        }
    }

    fn write(&mut self, claims: &[Row], oldest: u64, now_seconds: u64) -> Result<(), String> {
        let written = self.try_write(claims, oldest, now_seconds);
        if written.is_ok() {
            self.has_key = self.key.is_some();
            self.unsaved.clear();
            self.ended_claims.clear();
        }
        self.paused_unless(written, now_seconds)
    }

    fn try_write(&mut self, claims: &[Row], oldest: u64, now_seconds: u64) -> Result<(), String> {
        if self.store.is_none() {
            self.reopen(now_seconds)?;
        }
        let Some(store) = &self.store else { return Ok(()) };
        let key = self.key.as_ref().filter(|_| !self.has_key);
        let change = Change { oldest, rows: &self.unsaved, ended_claims: &self.ended_claims, claims, key };
        if let Err(error) = store.write(&change) {
            self.let_go();
            return Err(self.explain(&error));
        }
        Ok(())
    }

    fn reopen(&mut self, now_seconds: u64) -> Result<(), String> {
        match Store::open(&self.path) {
            Ok((store, _)) if Some(store.id()) == self.saved_in => {
                self.store = Some(store);
                return Ok(());
            }
            Err(StoreError::Unusable(why)) => return Err(self.give_way(why, now_seconds)),
            Err(error) if !error.is_missing() => {
                if matches!(error, StoreError::Unsynced(_)) {
                    self.saved_in = None;
                }
                return Err(self.explain(&error));
            }
            _ => self.saved_in = None,
        }
        Err(format!("{} is not the file it was; it is made anew soon", self.path.display()))
    }

    /// Moves aside a file that cannot be used. Returns what to log.
    fn give_way(&mut self, why: Unusable, now_seconds: u64) -> String {
        match move_aside(&self.path, why, now_seconds) {
            Ok(moved) => {
                self.saved_in = None;
                self.unread_since_seconds = None;
                format!("{} {moved}; it is made anew soon", self.path.display())
            }
            Err(why) => why,
        }
    }

    fn make(&mut self, contents: &Contents, now_seconds: u64) -> Result<(), String> {
        // What is there now may be another's. If not, its lock is held until ours has the name.
        let _replaced = match Store::open(&self.path) {
            Err(error) if error.is_anothers() => return Err(self.explain(&error)),
            Err(StoreError::Unusable(why)) => {
                move_aside(&self.path, why, now_seconds)?;
                None
            }
            opened => opened.ok(),
        };
        let store =
            Store::make(&self.path, contents, self.key.as_ref()).map_err(|error| self.explain(&error))?;
        self.hold(store);
        Ok(())
    }

    fn explain(&self, error: &StoreError) -> String {
        format!("{} {error}", self.path.display())
    }
}
