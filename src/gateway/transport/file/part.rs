//! A file that is being written: it is locked, has a temporary name, and a known length of accepted bytes.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::name::{self, Names};
use crate::clock;
use crate::disk::{self, Access, FileId, sync_folder};
use crate::gateway::append::append;
use crate::response::Doubt;

/// A locked file under its temporary name.
#[derive(Debug)]
pub struct PartFile {
    file: File,
    id: FileId,
    path: PathBuf,
    /// Its final name.
    whole: PathBuf,
    is_gzip: bool,
    began: Instant,
    /// The accepted bytes, which are on the disk.
    good_bytes: u64,
    /// The file may hold more bytes than that, or may not be synced.
    is_unsure: bool,
    /// It is to be completed and takes no more batches.
    is_closed: bool,
}

impl PartFile {
    /// Creates a file and syncs its name.
    ///
    /// # Errors
    /// The disk's error; the file is removed then.
    pub fn begin(folder: &Path, names: &mut Names, is_gzip: bool) -> io::Result<Self> {
        let path = name::part(folder, &names.next(clock::wall()), is_gzip);
        // Another program reads it, which often shares our group but not our user.
        let file = disk::new_for_group(&path, Access::Append)?;
        let begun = Self::locked(file, path.clone(), 0).and_then(|part| {
            sync_folder(&path)?;
            part.ok_or_else(|| io::Error::other("another process locked the new file"))
        });
        if begun.is_err() {
            // The next run would otherwise find and complete it.
            let _ = fs::remove_file(&path);
        }
        begun.map(|part| Self { is_unsure: false, ..part })
    }

    /// Locks a file that an earlier run left, to complete it. `None` if another process has it, or it is gone.
    ///
    /// # Errors
    /// The disk's error, also if it supports no locks: the file may be in use.
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
        // Another process may have completed it before it was locked.
        Ok(part.is_there()?.then_some(part))
    }

    /// The file, to find out how much of it is whole.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// Whether its batches are compressed.
    pub fn is_gzip(&self) -> bool {
        self.is_gzip
    }

    /// Sets the length to which it is cut when it is completed.
    pub fn set_good_bytes(&mut self, good_bytes: u64) {
        self.good_bytes = good_bytes;
    }

    /// The accepted bytes.
    pub fn len_bytes(&self) -> u64 {
        self.good_bytes
    }

    /// How long until it reaches this age.
    pub fn left_of(&self, max_age: Duration) -> Duration {
        if self.is_closed {
            return Duration::ZERO;
        }
        max_age.saturating_sub(clock::monotonic().saturating_duration_since(self.began))
    }

    /// Whether it takes a batch of this size. It always takes the first one.
    pub fn takes(&self, body_bytes: u64, is_gzip: bool, max_bytes: u64, max_age: Duration) -> bool {
        let fits = self.good_bytes == 0 || self.good_bytes.saturating_add(body_bytes) <= max_bytes;
        let is_there = self.is_there().unwrap_or(true);
        fits && self.is_gzip == is_gzip && !self.left_of(max_age).is_zero() && is_there
    }

    /// Adds a batch and syncs it. After an error the file must be completed.
    ///
    /// # Errors
    /// The disk's error; the batch is in doubt if its bytes could not be cut off.
    pub fn append(&mut self, bytes: &[u8]) -> Result<(), (Doubt, io::Error)> {
        let before = self.file.metadata().map_err(|error| (Doubt::None, error))?;
        let Err((failed_write, error)) = append(&mut self.file, bytes, &before) else {
            self.good_bytes = before.len().saturating_add(bytes.len() as u64);
            return Ok(());
        };
        let is_undone = match failed_write {
            Some(failed_write) => failed_write.is_empty(),
            // The cut must be on the disk, too.
            None => self.file.sync_data().is_ok(),
        };
        self.is_unsure = !is_undone;
        Err((if is_undone { Doubt::None } else { Doubt::Unanswered }, error))
    }

    /// Gives the file its final name, or removes it if it is empty. It takes no more batches from the first try on.
    ///
    /// # Errors
    /// The disk's error; it can be tried again.
    pub fn complete(&mut self) -> io::Result<()> {
        self.is_closed = true;
        // A person may have removed it.
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
        // If the power fails before this sync, the next run finds the file under its temporary name.
        let _ = sync_folder(&self.whole);
        Ok(())
    }

    /// Checks that its final name is free.
    ///
    /// # Errors
    /// If there is such a file already, or the disk's error.
    pub fn may_have_its_name(&self) -> io::Result<()> {
        // A symlink takes the name too, wherever it leads.
        if FileId::at(&self.whole).map_or_else(absent, |_| Ok(true))? {
            let text = format!("there is a {} already", self.whole.display());
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, text));
        }
        Ok(())
    }

    /// Whether it is still the file with its temporary name.
    fn is_there(&self) -> io::Result<bool> {
        match FileId::at(&self.path) {
            Ok(named) => Ok(named == self.id),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// `false` if the error says that there is no such file.
fn absent(error: io::Error) -> io::Result<bool> {
    if error.kind() == io::ErrorKind::NotFound { Ok(false) } else { Err(error) }
}
