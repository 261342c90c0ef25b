//! The dead letter file: what the gateway will never take, kept for a person. One JSON value a line.
//!
//! A letter counts as written only when it lies on the disk: after that the host may forget the record. So
//! a line goes out in one write, is synced, and is taken back whole when either fails, at once or before the next
//! goes out. Many letters go out as one, as a sync may take longer than everything else. A person may rename or
//! remove the file at any time, as log rotation does; the next letter starts a new one.

use std::borrow::Cow;
use std::fmt;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::append::{Remains, append};
use super::letter::{Letter, Letters};
use crate::config::{ConfigError, DeadLetters};
use crate::disk::{self, Access, FileId, is_wrong_path, sync_folder};

const KEY: &str = "dead_letter_file";

/// Why a letter was not written. In every case the file is as it was before, and the batch must be retried.
#[derive(Debug)]
pub enum DeadLetterError {
    /// The letter would not fit below `dead_letter_max_bytes`. A person is needed.
    Full { path: PathBuf, len_bytes: u64, letter_bytes: u64, max_bytes: u64 },
    /// The disk is full or broken, or the file cannot be made.
    Io { path: PathBuf, error: io::Error },
}

impl fmt::Display for DeadLetterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full { path, len_bytes, letter_bytes, max_bytes } => write!(
                f,
                "{KEY} {} is full: it has {len_bytes} of at most {max_bytes} bytes and the letter needs \
                 {letter_bytes}; move the file away or raise dead_letter_max_bytes",
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
    /// Why it could not be opened at the start, until it is logged.
    trouble: Option<DeadLetterError>,
    /// Letters failed and could not be taken back. What the kernel shows of them need not be on the disk.
    remains: Option<Remains>,
}

impl DeadLetterFile {
    /// Opens the file of the settings, and makes it when there is none; `None` when none is set. A disk that is
    /// full, read-only, broken or forbidden is no reason not to start: see [`DeadLetterFile::take_trouble`].
    ///
    /// # Errors
    /// When the path is none for a file.
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
        Ok(Some(Self { path, max_bytes: settings.max_bytes, file, trouble, remains: None }))
    }

    /// Why the file could not be opened at the start, once. Each letter tries again.
    pub fn take_trouble(&mut self) -> Option<DeadLetterError> {
        self.trouble.take()
    }

    /// Appends a letter. After `Ok` it is on the disk.
    ///
    /// # Errors
    /// When it is not; the file is then as it was.
    pub fn write(&mut self, letter: &Letter<'_>) -> Result<(), DeadLetterError> {
        let mut letters = Letters::within(u64::MAX);
        letters.add(letter);
        self.write_all(letters).1.map_or(Ok(()), Err)
    }

    /// What is left of `dead_letter_max_bytes`.
    pub fn room_bytes(&mut self) -> u64 {
        let max_bytes = self.max_bytes;
        // Each write says what is wrong.
        let len_bytes = self.current().and_then(|file| file.metadata()).map_or(0, |metadata| metadata.len());
        max_bytes.saturating_sub(len_bytes)
    }

    /// Appends letters, with one sync where the disk takes all of them. How many are on the disk then, from the
    /// first on, and why not all, those that were left out before included.
    pub fn write_all(&mut self, letters: Letters) -> (usize, Option<DeadLetterError>) {
        let (mut written, mut step) = (0, letters.len());
        while written < letters.len() {
            let next = letters.len().min(written + step);
            match self.append(letters.lines(written, next)) {
                Ok(()) => written = next,
                // A full disk has room for some. What could not be taken back would be there once more each time.
                Err(_) if step > 1 && self.remains.is_none() => step = step.div_ceil(2),
                Err(error) => return (written, Some(error)),
            }
        }
        (written, letters.left_out.map(|left_out| self.no_room(left_out)))
    }

    fn no_room(&mut self, left_out: io::Result<u64>) -> DeadLetterError {
        let (path, max_bytes) = (self.path.clone(), self.max_bytes);
        match left_out {
            Ok(letter_bytes) => {
                let len_bytes = max_bytes.saturating_sub(self.room_bytes());
                DeadLetterError::Full { path, len_bytes, letter_bytes, max_bytes }
            }
            Err(error) => DeadLetterError::Io { path, error },
        }
    }

    /// Appends lines, all of them or nothing.
    fn append(&mut self, lines: &[u8]) -> Result<(), DeadLetterError> {
        let path = self.path.clone();
        let failed = |error| DeadLetterError::Io { path: path.clone(), error };
        let (max_bytes, remains) = (self.max_bytes, self.remains);
        let file = self.current().map_err(failed)?;
        let has_remains = remains.is_some_and(|remains| !remains.take_back(file));
        let metadata = file.metadata().map_err(failed)?;
        let len_bytes = metadata.len();
        let mut lines = Cow::from(lines);
        if has_remains || !ends_with_newline(file, len_bytes).map_err(failed)? {
            // A crash, the disk or someone's editor left half a line; it must not swallow this one.
            lines.to_mut().insert(0, b'\n');
        }
        let letter_bytes = lines.len() as u64;
        if len_bytes.saturating_add(letter_bytes) > max_bytes {
            return Err(DeadLetterError::Full { path, len_bytes, letter_bytes, max_bytes });
        }
        let written = append(file, &lines, &metadata);
        self.remains = written.as_ref().err().and_then(|(remains, _)| *remains);
        written.map_err(|(_, error)| failed(error))
    }

    /// The file that has the path's name now: another one when a person moved the one we held away.
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

/// Letters hold what events hold: names, messages, now and then a secret in a message. So the file is for
/// its owner only.
fn open(path: &Path) -> io::Result<File> {
    let file = disk::existing_or_new(path, Access::Append)?;
    // Whoever made it may have been stopped before this.
    sync_folder(path)?;
    Ok(file)
}
