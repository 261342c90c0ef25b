//! A file that is being written: locked, under a temporary name, and of a length that is known to be good.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::name::{self, Names};
use crate::clock;
use crate::disk::{self, Access, FileId, sync_folder};
use crate::gateway::append::append;
use crate::response::Doubt;

#[derive(Debug)]
pub struct Part {
    file: File,
    id: FileId,
    path: PathBuf,
    /// Its final name.
    whole: PathBuf,
    is_gzip: bool,
    began: Instant,
    /// So much was accepted, and lies on the disk.
    good_bytes: u64,
    /// There may be more in it than that, or it may not be synced.
    is_unsure: bool,
    /// It is to be completed, and takes no more.
    is_closed: bool,
}

impl Part {
    /// Makes a file, whose name is on the disk then.
    ///
    /// # Errors
    /// From the disk; there is no file then.
    pub fn begin(folder: &Path, names: &mut Names, is_gzip: bool) -> io::Result<Self> {
        let path = name::part(folder, &names.next(clock::wall()), is_gzip);
        // It is there to be read by another program, which often has the group in common with us and not the user.
        let file = disk::new_for_group(&path, Access::Append)?;
        let begun = Self::locked(file, path.clone(), 0).and_then(|part| {
            sync_folder(&path)?;
            part.ok_or_else(|| io::Error::other("another one took the new file"))
        });
        if begun.is_err() {
            // Left behind it would be found by the next life.
            let _ = fs::remove_file(&path);
        }
        begun.map(|part| Self { is_unsure: false, ..part })
    }

    /// Takes a file that somebody has left, to be completed. `None`: it is another's, or nobody's any more.
    ///
    /// # Errors
    /// From the disk, and where locks are not to be had: it might be in use.
    pub fn left_at(path: &Path) -> io::Result<Option<Self>> {
        match disk::existing(path, Access::ReadWrite) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            opened => Self::locked(opened?, path.to_owned(), 0),
        }
    }

    fn locked(file: File, path: PathBuf, good_bytes: u64) -> io::Result<Option<Self>> {
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        let Some((whole, is_gzip)) = name::whole(&path) else { return Ok(None) };
        let id = FileId::of(&file.metadata()?);
        let began = clock::monotonic();
        let part =
            Self { file, id, path, whole, is_gzip, began, good_bytes, is_unsure: true, is_closed: false };
        // Before it was locked it may have been completed.
        Ok(part.is_there()?.then_some(part))
    }

    /// For whoever finds out how much of it is whole.
    pub fn file(&self) -> &File {
        &self.file
    }

    pub fn is_gzip(&self) -> bool {
        self.is_gzip
    }

    pub fn set_good_bytes(&mut self, good_bytes: u64) {
        self.good_bytes = good_bytes;
    }

    pub fn len_bytes(&self) -> u64 {
        self.good_bytes
    }

    /// How long until it is so old.
    pub fn left_of(&self, max_age: Duration) -> Duration {
        if self.is_closed {
            return Duration::ZERO;
        }
        max_age.saturating_sub(clock::monotonic().saturating_duration_since(self.began))
    }

    /// Whether a batch may be added to it. The first one always may.
    pub fn takes(&self, body_bytes: u64, is_gzip: bool, max_bytes: u64, max_age: Duration) -> bool {
        let fits = self.good_bytes == 0 || self.good_bytes.saturating_add(body_bytes) <= max_bytes;
        let is_there = self.is_there().unwrap_or(true);
        fits && self.is_gzip == is_gzip && !self.left_of(max_age).is_zero() && is_there
    }

    /// Adds a batch, which is on the disk then. After a failure it is to be completed.
    ///
    /// # Errors
    /// From the disk; in doubt when what was written could not be taken back.
    pub fn append(&mut self, bytes: &[u8]) -> Result<(), (Doubt, io::Error)> {
        let before = self.file.metadata().map_err(|error| (Doubt::None, error))?;
        let Err((remains, error)) = append(&mut self.file, bytes, &before) else {
            self.good_bytes = before.len().saturating_add(bytes.len() as u64);
            return Ok(());
        };
        let nothing_there = match remains {
            Some(remains) => remains.is_nothing(),
            // It is gone for good only when that is on the disk, too.
            None => self.file.sync_data().is_ok(),
        };
        self.is_unsure = !nothing_there;
        Err((if nothing_there { Doubt::None } else { Doubt::Unanswered }, error))
    }

    /// Gives it its final name, or takes it away when there is nothing in it. From the first try on it takes no more.
    ///
    /// # Errors
    /// From the disk; it can be tried again.
    pub fn complete(&mut self) -> io::Result<()> {
        self.is_closed = true;
        // A person may have taken it away.
        if !self.is_there()? {
            return Ok(());
        }
        if self.good_bytes == 0 {
            return fs::remove_file(&self.path);
        }
        if self.is_unsure {
            self.file.set_len(self.good_bytes)?;
            self.file.sync_all()?;
            self.is_unsure = false;
        }
        self.may_have_its_name()?;
        fs::rename(&self.path, &self.whole)?;
        // Should the power go before this is on the disk, the next life finds it under the name that it had.
        let _ = sync_folder(&self.whole);
        Ok(())
    }

    /// Its final name is nobody's.
    ///
    /// # Errors
    /// When there is such a file already, and from the disk.
    pub fn may_have_its_name(&self) -> io::Result<()> {
        // A name is taken by a symlink, too, wherever it leads.
        if FileId::at(&self.whole).map_or_else(is_there_all_the_same, |_| Ok(true))? {
            let text = format!("there is a {} already", self.whole.display());
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, text));
        }
        Ok(())
    }

    /// Whether its name is its own still. A disk that does not say is no answer.
    fn is_there(&self) -> io::Result<bool> {
        match FileId::at(&self.path) {
            Ok(named) => Ok(named == self.id),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// Whether there is something of which the system has nothing else to say.
fn is_there_all_the_same(error: io::Error) -> io::Result<bool> {
    if error.kind() == io::ErrorKind::NotFound { Ok(false) } else { Err(error) }
}
