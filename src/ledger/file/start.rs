//! What a start finds in the file, and what it can read only later.
//!
//! A disk that cannot be written at the start, or not even read, is no reason not to start. But a file that was
//! not read may hold much: it is left as it is, nothing is claimed and nothing takes its place, until it can be.

use std::path::Path;

use super::{File, PAUSE_SECONDS};
use crate::ledger::disk::{MovedAside, move_aside};
use crate::ledger::key::Key;
use crate::ledger::store::{Contents, Store, StoreError};

/// What a start finds.
#[derive(Debug)]
pub struct Opened {
    pub file: File,
    pub contents: Contents,
    pub moved: Option<MovedAside>,
}

impl File {
    /// Opens the file, or makes it, and reads it. A disk that is full, read-only, broken
    /// or forbidden is no reason not to start: see [`File::take_trouble`].
    ///
    /// # Errors
    /// When the file is in use, or the path is none for a file; text for a person.
    pub fn open(path: &Path, now_seconds: u64) -> Result<Opened, String> {
        let mut file = Self {
            path: path.to_owned(),
            store: None,
            saved_in: None,
            unsaved: Vec::new(),
            ended_claims: Vec::new(),
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
            Err(error) if error.may_pass() => {
                file.wait(file.explain(&error), now_seconds);
                // What cannot be written can perhaps be read.
                match Store::peek(path) {
                    Ok((id, contents)) => {
                        file.saved_in = Some(id).filter(|_| !matches!(error, StoreError::Unsynced(_)));
                        file.take_key(&contents);
                        contents
                    }
                    Err(peeked) if peeked.is_missing() => Contents::default(),
                    Err(_) => {
                        file.unread_since_seconds = Some(now_seconds);
                        file.wait(file.unread(&error), now_seconds);
                        Contents::default()
                    }
                }
            }
            Err(error) => return Err(file.explain(&error)),
        };
        file.key = file.key.take().or_else(Key::random);
        file.write_key();
        Ok(Opened { file, contents, moved })
    }

    fn take_key(&mut self, contents: &Contents) {
        self.key.clone_from(&contents.key);
        self.has_key = contents.key.is_some();
    }

    /// Gives a file of an older version its key before anything is written beside it. When that fails, a later commit
    /// does it.
    fn write_key(&mut self) {
        let (Some(store), Some(key), false) = (&self.store, &self.key, self.has_key) else { return };
        match store.write_key(key) {
            Ok(()) => self.has_key = true,
            Err(_) => self.let_go(),
        }
    }

    /// What was wrong with the file at the start, once; text for a person. Memory alone knows then what is
    /// delivered, until the disk is back.
    pub fn take_trouble(&mut self) -> Option<String> {
        self.trouble.take()
    }

    /// Tries again to read what a start could not, at most once in a pause; `None` while that fails, or where it
    /// was read. Whoever gets it takes it in as older than all there is, and then [`File::wants_all`].
    ///
    /// # Errors
    /// From the disk, or because the file is of no use and was moved aside; text for a person.
    pub fn recall(&mut self, now_seconds: u64) -> Result<Option<Contents>, String> {
        let Some(since_seconds) = self.unread_since_seconds else { return Ok(None) };
        if self.is_paused(now_seconds) {
            return Ok(None);
        }
        let read = match Store::open(&self.path) {
            // The first error is the one to tell.
            Err(error) if error.may_pass() => Store::peek(&self.path).map_err(|_| error),
            opened => opened.map(|(store, contents)| (store.id(), contents)),
        };
        let contents = match read {
            Ok((_, contents)) => Ok(contents.carried_over(since_seconds)),
            Err(error) if error.is_missing() => Ok(Contents::default()),
            Err(StoreError::Unusable(why)) => Err(self.give_way(why, now_seconds)),
            Err(error) => Err(self.unread(&error)),
        };
        if contents.is_ok() {
            self.unread_since_seconds = None;
            // Memory has these, and numbers them anew.
            self.unsaved.clear();
        }
        self.paused_unless(contents.map(Some), now_seconds)
    }

    fn wait(&mut self, why: String, now_seconds: u64) {
        self.trouble = Some(why);
        self.resume_at_seconds = now_seconds.saturating_add(PAUSE_SECONDS);
    }

    /// What a file holds that nobody has read may be what is about to be sent.
    pub(super) fn wait_until_read(&self) -> Result<(), String> {
        if self.unread_since_seconds.is_none() {
            return Ok(());
        }
        Err(format!("{} could not be read at the start, nor since", self.path.display()))
    }

    fn unread(&self, error: &StoreError) -> String {
        format!("{} {error}, nor can it be read", self.path.display())
    }
}

fn begin(path: &Path) -> Result<(Store, Contents), StoreError> {
    let contents = Contents { key: Key::random(), ..Contents::default() };
    Store::make(path, &contents, contents.key.as_ref()).map(|store| (store, contents))
}
