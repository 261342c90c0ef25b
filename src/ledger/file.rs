//! The ledger's file over the years: moved aside when it is damaged, waited for when the disk is away.
//!
//! When the file cannot be written, deliveries go on: memory still knows them, the rows wait and are written
//! as soon as the disk is back, and only a crash in between could repeat them, with equal ids.

use std::path::{Path, PathBuf};

use super::store::{Change, Store, StoreError};
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
    /// Rows that the file has not taken; no more than the table remembers.
    unsaved: Vec<Row>,
    /// Claims that it holds still and need not.
    ended_claims: Vec<u64>,
    resume_at_seconds: u64,
}

/// What a start finds.
#[derive(Debug)]
pub struct Opened {
    pub file: File,
    /// Oldest first.
    pub rows: Vec<Row>,
    /// What was about to be sent when a crash came.
    pub claims: Vec<Row>,
    pub moved: Option<MovedAside>,
}

/// A damaged file that was moved out of the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MovedAside {
    pub to: PathBuf,
    pub why: String,
}

impl File {
    /// Opens the file, or makes it, and reads it.
    ///
    /// # Errors
    /// When the file is in use, or cannot be opened, made or moved; text for a person.
    pub fn open(path: &Path, now_seconds: u64) -> Result<Opened, String> {
        let (opened, moved) = match Store::open(path) {
            Err(StoreError::Damaged(why)) => {
                let moved = move_aside(path, why, now_seconds)?;
                (Store::open(path), Some(moved))
            }
            opened => (opened, None),
        };
        let (store, rows, claims) = opened.map_err(|error| explain(path, &error))?;
        let file = Self {
            path: path.to_owned(),
            store: Some(store),
            unsaved: Vec::new(),
            ended_claims: Vec::new(),
            resume_at_seconds: 0,
        };
        Ok(Opened { file, rows, claims, moved })
    }

    /// Removes the rows below this number.
    ///
    /// # Errors
    /// From the disk; text for a person.
    pub fn trim(&self, oldest: u64) -> Result<(), String> {
        let Some(store) = &self.store else { return Ok(()) };
        store.write(&Change { oldest, ..Change::default() }).map_err(|error| explain(&self.path, &error))
    }

    /// Writes the rows that wait and these, and removes those below `oldest`.
    ///
    /// # Errors
    /// From the disk; text for a person. The rows then wait, and the file is left alone for a while.
    pub fn save(
        &mut self,
        rows: impl IntoIterator<Item = Row>,
        oldest: u64,
        now_seconds: u64,
    ) -> Result<(), String> {
        self.unsaved.extend(rows);
        self.unsaved.retain(|row| row.number >= oldest);
        // A clock set back must not make the pause longer than it is.
        let pause_ends = self.resume_at_seconds.min(now_seconds.saturating_add(PAUSE_SECONDS));
        if (self.unsaved.is_empty() && self.ended_claims.is_empty()) || now_seconds < pause_ends {
            return Ok(());
        }
        self.write_or_pause(None, oldest, now_seconds)
    }

    /// Writes what is about to be sent, and with it all that waits. After `Ok` it is on the disk.
    ///
    /// # Errors
    /// When it is not, or the file is left alone for a while; text for a person.
    pub fn claim(&mut self, claim: &Row, oldest: u64, now_seconds: u64) -> Result<(), String> {
        let pause_ends = self.resume_at_seconds.min(now_seconds.saturating_add(PAUSE_SECONDS));
        if now_seconds < pause_ends {
            let left = pause_ends - now_seconds;
            return Err(format!(
                "{} could not be written, and is tried again in {left} s",
                self.path.display()
            ));
        }
        self.write_or_pause(Some(claim), oldest, now_seconds)
    }

    /// These claims leave the file with the next write.
    pub fn end_claims(&mut self, numbers: impl IntoIterator<Item = u64>) {
        self.ended_claims.extend(numbers);
    }

    fn write_or_pause(&mut self, claim: Option<&Row>, oldest: u64, now_seconds: u64) -> Result<(), String> {
        match self.write(claim, oldest, now_seconds) {
            Ok(()) => {
                self.unsaved.clear();
                self.ended_claims.clear();
                self.resume_at_seconds = 0;
                Ok(())
            }
            Err(why) => {
                self.store = None;
                self.resume_at_seconds = now_seconds.saturating_add(PAUSE_SECONDS);
                // Whether the disk has taken it is open; should it turn up, it says nothing.
                self.ended_claims.extend(claim.map(|claim| claim.number));
                Err(why)
            }
        }
    }

    /// Lets the next [`File::save`] try at once.
    pub fn end_pause(&mut self) {
        self.resume_at_seconds = 0;
    }

    fn write(&mut self, claim: Option<&Row>, oldest: u64, now_seconds: u64) -> Result<(), String> {
        let store = match self.store.take() {
            Some(store) => store,
            None => match Store::open(&self.path) {
                // Its rows are all in the table already; what they were is lost to a restart only.
                Err(StoreError::Damaged(why)) => {
                    let moved = move_aside(&self.path, why, now_seconds)?;
                    let why =
                        format!("{} was damaged and moved to {}", self.path.display(), moved.to.display());
                    return Err(why);
                }
                opened => opened.map_err(|error| explain(&self.path, &error))?.0,
            },
        };
        let change = Change { rows: &self.unsaved, oldest, claim, ended_claims: &self.ended_claims };
        let written = store.write(&change).map_err(|error| explain(&self.path, &error));
        self.store = Some(store);
        written
    }
}

fn move_aside(path: &Path, why: String, now_seconds: u64) -> Result<MovedAside, String> {
    let time = Stamp::from_unix_seconds(now_seconds)
        .map_or_else(|| now_seconds.to_string(), |at| at.to_string().replace([':', '-'], ""));
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".damaged-{time}"));
    let to = PathBuf::from(name);
    std::fs::rename(path, &to).map_err(|error| {
        format!("{} is damaged ({why}) and cannot be moved aside ({error})", path.display())
    })?;
    Ok(MovedAside { to, why })
}

fn explain(path: &Path, error: &StoreError) -> String {
    format!("{} {error}", path.display())
}
