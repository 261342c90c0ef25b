//! The ledger's file over the years: moved aside when it is damaged, waited for when the disk is away, made
//! anew when it was taken away.
//!
//! When the file cannot be written, deliveries go on: memory still knows them, the rows wait and are written
//! as soon as the disk is back, and only a crash in between could repeat them, with equal ids.
//!
//! ```text
//! a write fails                   → opened again, the rows that wait are added
//! a sync fails, or the file is    → a new file of all rows that memory holds takes its place
//! gone, replaced or damaged
//! ```

use std::path::{Path, PathBuf};

use super::disk::{FileId, behind_links, with_suffix};
use super::store::{Change, Contents, Store, StoreError};
use super::table::Row;
use crate::time::Stamp;

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
    resume_at_seconds: u64,
    /// What was wrong at the start, until it is told.
    trouble: Option<String>,
}

/// What a start finds.
#[derive(Debug)]
pub struct Opened {
    pub file: File,
    pub contents: Contents,
    pub moved: Option<MovedAside>,
}

/// A damaged file that was moved out of the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MovedAside {
    pub to: PathBuf,
    pub why: String,
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
            trouble: None,
        };
        let place = behind_links(path);
        let mut moved = None;
        let opened = match Store::open(&place) {
            Err(error) if error.is_missing() => begin(&place),
            Err(StoreError::Damaged(why)) => match move_aside(&place, why, now_seconds) {
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
                // What cannot be written can perhaps be read. What cannot be read is delivered again.
                let (id, contents) =
                    Store::peek(&place).map(|(id, contents)| (Some(id), contents)).unwrap_or_default();
                file.saved_in = id.filter(|_| !matches!(error, StoreError::Unsynced(_)));
                contents
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

    fn wait(&mut self, why: String, now_seconds: u64) {
        self.trouble = Some(why);
        self.resume_at_seconds = now_seconds.saturating_add(PAUSE_SECONDS);
    }

    fn hold(&mut self, store: Store) {
        self.saved_in = Some(store.id());
        self.store = Some(store);
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
        self.store.is_none() && self.saved_in.is_none() && !self.is_paused(now_seconds)
    }

    /// Puts these contents, all there are, into a new file.
    ///
    /// # Errors
    /// As [`File::save`].
    pub fn save_all(&mut self, contents: &Contents, now_seconds: u64) -> Result<(), String> {
        let made = self.make(contents, now_seconds);
        if made.is_ok() {
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

    fn paused_unless(&mut self, done: Result<(), String>, now_seconds: u64) -> Result<(), String> {
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
        let change = Change { oldest, rows: &self.unsaved, ended_claims: &self.ended_claims, claims };
        if let Err(error) = store.write(&change) {
            self.let_go();
            return Err(self.explain(&error));
        }
        Ok(())
    }

    fn reopen(&mut self, now_seconds: u64) -> Result<(), String> {
        let place = behind_links(&self.path);
        match Store::open(&place) {
            Ok((store, _)) if Some(store.id()) == self.saved_in => {
                self.store = Some(store);
                return Ok(());
            }
            Err(StoreError::Damaged(why)) => {
                let moved = move_aside(&place, why, now_seconds)?;
                self.saved_in = None;
                let (from, to) = (self.path.display(), moved.to.display());
                return Err(format!("{from} was damaged and moved to {to}; it is made anew soon"));
            }
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

    fn make(&mut self, contents: &Contents, now_seconds: u64) -> Result<(), String> {
        let place = behind_links(&self.path);
        // What is there now may be another instance's. If not, its lock is held until ours has the name.
        let _replaced = match Store::open(&place) {
            Err(StoreError::InUse) => return Err(self.explain(&StoreError::InUse)),
            Err(StoreError::Damaged(why)) => {
                move_aside(&place, why, now_seconds)?;
                None
            }
            opened => opened.ok(),
        };
        let store = Store::make(&place, contents).map_err(|error| self.explain(&error))?;
        self.hold(store);
        Ok(())
    }

    fn explain(&self, error: &StoreError) -> String {
        format!("{} {error}", self.path.display())
    }
}

fn begin(place: &Path) -> Result<(Store, Contents), StoreError> {
    let contents = Contents::default();
    Store::make(place, &contents).map(|store| (store, contents))
}

fn move_aside(path: &Path, why: String, now_seconds: u64) -> Result<MovedAside, String> {
    let time = Stamp::from_unix_seconds(now_seconds)
        .map_or_else(|| now_seconds.to_string(), |at| at.to_string().replace([':', '-'], ""));
    let to = with_suffix(path, &format!(".damaged-{time}"));
    std::fs::rename(path, &to).map_err(|error| {
        format!("{} is damaged ({why}) and cannot be moved aside ({error})", path.display())
    })?;
    Ok(MovedAside { to, why })
}
