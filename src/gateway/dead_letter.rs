//! The dead letter file: records that will not be delivered, kept for a person. It holds one JSON value per line.
//!
//! A line counts as written once it is on the disk, because the host may then forget the record. Each line is therefore
//! written in one write and synced; if either fails, it is cut off, at once or before the next write. Many lines share
//! one write, because a sync may take longer than everything else. A person or log rotation may rename or remove the
//! file at any time; the next line starts a new file.

use std::borrow::Cow;
use std::fmt;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::append::{FailedWrite, append};
use super::dead_letter_line::{DeadLetterLine, DeadLetterLines};
use crate::config::{ConfigError, DeadLetters};
use crate::disk::{self, Access, FileId, is_wrong_path, sync_folder};

const KEY: &str = "dead_letter_file";

/// Why a line was not written. In every case the file is as it was before, and the batch must be retried.
#[derive(Debug)]
pub enum DeadLetterError {
    /// The line would exceed `dead_letter_max_bytes`. A person must make room.
    Full {
        /// The file.
        path: PathBuf,
        /// Its size.
        len_bytes: u64,
        /// The size of the line.
        line_bytes: u64,
        /// `dead_letter_max_bytes`.
        max_bytes: u64,
    },
    /// The disk is full or broken, or the file cannot be created.
    Io {
        /// The file.
        path: PathBuf,
        /// The disk's error.
        error: io::Error,
    },
}

impl fmt::Display for DeadLetterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full { path, len_bytes, line_bytes, max_bytes } => write!(
                f,
                "{KEY} {} is full: it has {len_bytes} of at most {max_bytes} bytes and the record needs \
                 {line_bytes}; move the file away or raise dead_letter_max_bytes",
                path.display()
            ),
            Self::Io { path, error } => write!(f, "{KEY} {} cannot be written: {error}", path.display()),
        }
    }
}

impl std::error::Error for DeadLetterError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Full { .. } => None,
            Self::Io { error, .. } => Some(error),
        }
    }
}

/// The file, open for appending.
#[derive(Debug)]
pub struct DeadLetterFile {
    path: PathBuf,
    max_bytes: u64,
    /// `None` while it cannot be opened.
    file: Option<File>,
    /// Why it could not be opened at the start, until that is logged.
    trouble: Option<DeadLetterError>,
    /// A failed write whose bytes could not be cut off. They are in the file, but perhaps not on the disk.
    failed_write: Option<FailedWrite>,
}

impl DeadLetterFile {
    /// Opens the file that the settings name, or creates it; `None` if they name none. The plugin also starts if the disk
    /// is full, read-only or broken, or denies access: see [`DeadLetterFile::take_trouble`].
    ///
    /// # Errors
    /// If no file can ever be at this path.
    pub fn open(settings: &DeadLetters) -> Result<Option<Self>, ConfigError> {
        let Some(path) = settings.file.clone() else { return Ok(None) };
        let (file, trouble) = match open(&path) {
            Ok(file) => (Some(file), None),
            Err(error) if is_wrong_path(&error) => {
                return Err(ConfigError {
                    key: KEY,
                    problem: format!("{} cannot be opened ({error})", path.display()),
                    expected: "a file that can be written, in a folder that exists".into(),
                });
            }
            Err(error) => (None, Some(DeadLetterError::Io { path: path.clone(), error })),
        };
        Ok(Some(Self { path, max_bytes: settings.max_bytes, file, trouble, failed_write: None }))
    }

    /// Why the file could not be opened at the start; returned once. Each write tries again.
    pub fn take_trouble(&mut self) -> Option<DeadLetterError> {
        self.trouble.take()
    }

    /// Appends a line. After `Ok` it is on the disk.
    ///
    /// # Errors
    /// Why it is not on the disk; the file is then as it was.
    pub fn write(&mut self, line: &DeadLetterLine<'_>) -> Result<(), DeadLetterError> {
        let mut lines = DeadLetterLines::within(u64::MAX);
        lines.add(line);
        self.write_all(lines).1.map_or(Ok(()), Err)
    }

    /// The bytes that are left of `dead_letter_max_bytes`.
    pub fn room_bytes(&mut self) -> u64 {
        let max_bytes = self.max_bytes;
        // The write itself will report the error.
        let len_bytes = self.current().and_then(|file| file.metadata()).map_or(0, |metadata| metadata.len());
        max_bytes.saturating_sub(len_bytes)
    }

    /// Appends lines, with one sync if the disk takes all of them. Returns how many are on the disk, counted from the
    /// first, and why the others are not, including those that [`DeadLetterLines::add`] left out.
    pub fn write_all(&mut self, lines: DeadLetterLines) -> (usize, Option<DeadLetterError>) {
        let (mut written, mut step) = (0, lines.len());
        while written < lines.len() {
            let next = lines.len().min(written + step);
            match self.append(lines.lines(written, next)) {
                Ok(()) => written = next,
                // A full disk may have room for some. Bytes that could not be cut off would be repeated by each try.
                Err(_) if step > 1 && self.failed_write.is_none() => step = step.div_ceil(2),
                Err(error) => return (written, Some(error)),
            }
        }
        (written, lines.left_out.map(|left_out| self.no_room(left_out)))
    }

    fn no_room(&mut self, left_out: io::Result<u64>) -> DeadLetterError {
        let (path, max_bytes) = (self.path.clone(), self.max_bytes);
        match left_out {
            Ok(line_bytes) => {
                let len_bytes = max_bytes.saturating_sub(self.room_bytes());
                DeadLetterError::Full { path, len_bytes, line_bytes, max_bytes }
            }
            Err(error) => DeadLetterError::Io { path, error },
        }
    }

    /// Appends all of the lines, or nothing.
    fn append(&mut self, lines: &[u8]) -> Result<(), DeadLetterError> {
        let path = self.path.clone();
        let failed = |error| DeadLetterError::Io { path: path.clone(), error };
        let (max_bytes, failed_write) = (self.max_bytes, self.failed_write);
        let file = self.current().map_err(failed)?;
        let is_left = failed_write.is_some_and(|failed| !failed.undo(file));
        let metadata = file.metadata().map_err(failed)?;
        let len_bytes = metadata.len();
        let mut lines = Cow::from(lines);
        if is_left || !ends_with_newline(file, len_bytes).map_err(failed)? {
            // A crash, the disk or an editor left half a line, which must not run into this one.
            lines.to_mut().insert(0, b'\n');
        }
        let line_bytes = lines.len() as u64;
        if len_bytes.saturating_add(line_bytes) > max_bytes {
            return Err(DeadLetterError::Full { path, len_bytes, line_bytes, max_bytes });
        }
        let written = append(file, &lines, &metadata);
        self.failed_write = written.as_ref().err().and_then(|(failed_write, _)| *failed_write);
        written.map_err(|(_, error)| failed(error))
    }

    /// The file at the path now: a new one if a person moved the open one away.
    fn current(&mut self) -> io::Result<&mut File> {
        if let Some(held) = self.file.take() {
            let held_id = FileId::of(&held.metadata()?);
            if FileId::at(&self.path).is_ok_and(|named_id| named_id == held_id) {
                return Ok(self.file.insert(held));
            }
        }
        let opened = open(&self.path)?;
        Ok(self.file.insert(opened))
    }
}

fn ends_with_newline(file: &File, len_bytes: u64) -> io::Result<bool> {
    let mut last = [b'\n'];
    if len_bytes > 0 {
        file.read_exact_at(&mut last, len_bytes - 1)?;
    }
    Ok(last == [b'\n'])
}

/// Opens the file for its owner only, because records hold names, messages, and sometimes a secret in a message.
fn open(path: &Path) -> io::Result<File> {
    let file = disk::existing_or_new(path, Access::Append)?;
    // The process that created it may have ended before its own sync.
    sync_folder(path)?;
    Ok(file)
}
