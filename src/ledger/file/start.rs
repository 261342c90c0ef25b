//! What a start finds in the file, and what it can read only later.
//!
//! A disk that cannot be written at the start, or not even read, is no reason not to start. But a file that was
//! not read may hold much: it is left as it is, nothing is claimed and nothing takes its place, until it can be.

use std::path::Path;

use super::{File, PAUSE_SECONDS};
use crate::ledger::disk::{MovedAside, behind_links, move_aside};
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
            resume_at_seconds: 0,
            unread_since_seconds: None,
            trouble: None,
        };
        let place = behind_links(path);
        let mut moved = None;
        let opened = match Store::open(&place) {
            Err(error) if error.is_missing() => begin(&place),
            Err(StoreError::Unusable(why)) => match move_aside(&place, why, now_seconds) {
                Ok(aside) => {
                    moved = Some(aside);
                    begin(&place)
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
                contents
            }
            Err(error) if error.may_pass() => {
                file.wait(file.explain(&error), now_seconds);
                // What cannot be written can perhaps be read.
                match Store::peek(&place) {
                    Ok((id, contents)) => {
                        file.saved_in = Some(id).filter(|_| !matches!(error, StoreError::Unsynced(_)));
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
        Ok(Opened { file, contents, moved })
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
        let place = behind_links(&self.path);
        let read = match Store::open(&place) {
            // The first error is the one to tell.
            Err(error) if error.may_pass() => Store::peek(&place).map_err(|_| error),
            opened => opened.map(|(store, contents)| (store.id(), contents)),
        };
        let contents = match read {
            Ok((_, contents)) => Ok(contents.carried_over(since_seconds)),
            Err(error) if error.is_missing() => Ok(Contents::default()),
            Err(StoreError::Unusable(why)) => Err(self.give_way(&place, why, now_seconds)),
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

fn begin(place: &Path) -> Result<(Store, Contents), StoreError> {
    let contents = Contents::default();
    Store::make(place, &contents).map(|store| (store, contents))
}
