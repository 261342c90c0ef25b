//! What a start finds in the file, and what it can read only later.
//!
//! A disk that cannot be written or read at the start is no reason not to start. But a file that was not read may hold
//! much: it is left as it is, and until it can be read no intent is written and nothing replaces it.

use std::path::Path;

use super::aside::move_aside;
use super::{File, PAUSE_SECONDS};
use crate::ledger::error::LedgerError;
use crate::ledger::key::CheckKey;
use crate::ledger::store::{Contents, Store, StoreError};
use crate::ledger::unusable::MovedAside;

/// What a start finds.
#[derive(Debug)]
pub struct Opened {
    /// Can be used in any case: while the disk is away, it keeps commits in memory.
    pub file: File,
    /// Empty if the file is new, was moved aside, or cannot be read yet.
    pub contents: Contents,
    /// `None` unless the start moved a damaged or newer file aside; the caller logs it.
    pub moved: Option<MovedAside>,
}

impl File {
    /// Opens the file, or makes it, and reads it. A disk that is full, read-only, broken or forbidden is no reason not to
    /// start: see [`File::take_trouble`].
    ///
    /// # Errors
    /// [`LedgerError::Store`], if another instance uses the file or the path cannot be one of a file.
    pub fn open(path: &Path, now_seconds: u64) -> Result<Opened, LedgerError> {
        let mut file = Self {
            path: path.to_owned(),
            store: None,
            saved_in: None,
            unsaved: Vec::new(),
            ended_intents: Vec::new(),
            key: None,
            has_key: false,
            resume_at_seconds: 0,
            unread_since_seconds: None,
            trouble: None,
        };
        let mut moved = None;
        let opened = match Store::open(path) {
            Err(error) if error.is_missing() => begin(path),
            Err(StoreError::Unusable(why)) => match move_aside(path, why, now_seconds) {
                Ok(aside) => {
                    moved = Some(aside);
                    begin(path)
                }
                Err(why) => {
                    file.wait(why, now_seconds);
                    return Ok(Opened { file, contents: Contents::default(), moved });
                }
            },
            opened => opened,
        };
        let contents = match opened {
            Ok((store, contents)) => {
                file.hold(store);
                file.take_key(&contents);
                contents
            }
            Err(error) if error.may_pass() => file.read_only(error, now_seconds),
            Err(error) => return Err(file.with_path(error)),
        };
        file.key = file.key.take().or_else(CheckKey::random);
        file.write_key();
        Ok(Opened { file, contents, moved })
    }

    /// Reads what can perhaps be read of a file that cannot be written.
    fn read_only(&mut self, error: StoreError, now_seconds: u64) -> Contents {
        match Store::peek(&self.path) {
            Ok((id, contents)) => {
                self.saved_in = Some(id).filter(|_| !matches!(error, StoreError::Unsynced(_)));
                self.take_key(&contents);
                self.wait(self.with_path(error), now_seconds);
                contents
            }
            Err(peeked) if peeked.is_missing() => {
                self.wait(self.with_path(error), now_seconds);
                Contents::default()
            }
            Err(_) => {
                self.unread_since_seconds = Some(now_seconds);
                self.wait(self.unreadable(error), now_seconds);
                Contents::default()
            }
        }
    }

    fn take_key(&mut self, contents: &Contents) {
        self.key.clone_from(&contents.key);
        self.has_key = contents.key.is_some();
    }

    /// Gives a file of an older version its key before anything is written beside it. If that fails, a later commit
    /// does it.
    fn write_key(&mut self) {
        let (Some(store), Some(key), false) = (&self.store, &self.key, self.has_key) else { return };
        match store.write_key(key) {
            Ok(()) => self.has_key = true,
            Err(_) => self.close(),
        }
    }

    /// What was wrong with the file at the start, once. Until the disk is back only memory knows what was delivered.
    pub fn take_trouble(&mut self) -> Option<LedgerError> {
        self.trouble.take()
    }

    /// Tries again to read what a start could not, at most once in a pause. `None`: the pause is not over, or the file was
    /// read already. The caller takes the contents in as older than all in memory, and then [`File::wants_all`].
    ///
    /// # Errors
    /// From the disk, or because the file cannot be used and was moved aside.
    pub fn recall(&mut self, now_seconds: u64) -> Result<Option<Contents>, LedgerError> {
        let Some(since_seconds) = self.unread_since_seconds else { return Ok(None) };
        if self.is_paused(now_seconds) {
            return Ok(None);
        }
        let read = match Store::open(&self.path) {
            // The first error is the one to return.
            Err(error) if error.may_pass() => Store::peek(&self.path).map_err(|_| error),
            opened => opened.map(|(store, contents)| (store.id(), contents)),
        };
        let contents = match read {
            Ok((_, contents)) => Ok(contents.carried_over(since_seconds)),
            Err(error) if error.is_missing() => Ok(Contents::default()),
            Err(StoreError::Unusable(why)) => Err(self.move_aside(why, now_seconds)),
            Err(error) => Err(self.unreadable(error)),
        };
        if contents.is_ok() {
            self.unread_since_seconds = None;
            // They are in memory, which numbers them anew.
            self.unsaved.clear();
        }
        self.paused_unless(contents.map(Some), now_seconds)
    }

    fn wait(&mut self, why: LedgerError, now_seconds: u64) {
        self.trouble = Some(why);
        self.resume_at_seconds = now_seconds.saturating_add(PAUSE_SECONDS);
    }

    /// A file that was never read may hold the very record that is about to be sent.
    pub(super) fn wait_until_read(&self) -> Result<(), LedgerError> {
        match self.unread_since_seconds {
            None => Ok(()),
            Some(_) => Err(LedgerError::NotReadYet { path: self.path.clone() }),
        }
    }

    fn unreadable(&self, error: StoreError) -> LedgerError {
        LedgerError::Unreadable { path: self.path.clone(), error }
    }
}

fn begin(path: &Path) -> Result<(Store, Contents), StoreError> {
    let contents = Contents { key: CheckKey::random(), ..Contents::default() };
    Store::make(path, &contents, contents.key.as_ref()).map(|store| (store, contents))
}
