//! The ledger's file over the years: moved aside when it is damaged, waited for when the disk is away.
//!
//! When the file cannot be written, deliveries go on: memory still knows them, the rows wait and are written
//! as soon as the disk is back, and only a crash in between could repeat them, with equal ids.

use std::path::{Path, PathBuf};

use super::store::{Store, StoreError};
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
    resume_at_seconds: u64,
}

/// A damaged file that was moved out of the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MovedAside {
    pub to: PathBuf,
    pub why: String,
}

impl File {
    /// Opens the file, or makes it, and reads its rows, oldest first.
    ///
    /// # Errors
    /// When the file is in use, or cannot be opened, made or moved; text for a person.
    pub fn open(path: &Path, now_seconds: u64) -> Result<(Self, Vec<Row>, Option<MovedAside>), String> {
        let (opened, moved) = match Store::open(path) {
            Err(StoreError::Damaged(why)) => {
                let moved = move_aside(path, why, now_seconds)?;
                (Store::open(path), Some(moved))
            }
            opened => (opened, None),
        };
        let (store, rows) = opened.map_err(|error| explain(path, &error))?;
        let path = path.to_owned();
        Ok((Self { path, store: Some(store), unsaved: Vec::new(), resume_at_seconds: 0 }, rows, moved))
    }

    /// Removes the rows below this number.
    ///
    /// # Errors
    /// From the disk; text for a person.
    pub fn trim(&self, oldest: u64) -> Result<(), String> {
        let Some(store) = &self.store else { return Ok(()) };
        store.write(&[], oldest).map_err(|error| explain(&self.path, &error))
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
        if self.unsaved.is_empty() || now_seconds < pause_ends {
            return Ok(());
        }
        match self.write(oldest, now_seconds) {
            Ok(()) => {
                self.unsaved.clear();
                self.resume_at_seconds = 0;
                Ok(())
            }
            Err(why) => {
                self.store = None;
                self.resume_at_seconds = now_seconds.saturating_add(PAUSE_SECONDS);
                Err(why)
            }
        }
    }

    /// Lets the next [`File::save`] try at once.
    pub fn end_pause(&mut self) {
        self.resume_at_seconds = 0;
    }

    fn write(&mut self, oldest: u64, now_seconds: u64) -> Result<(), String> {
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
        let written = store.write(&self.unsaved, oldest).map_err(|error| explain(&self.path, &error));
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
