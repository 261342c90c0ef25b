//! The dead letter file: what the gateway will never take, kept for a person. One JSON value a line.
//!
//! A letter counts as written only when it lies on the disk: after that the host may forget the record. So
//! a line goes out in one write, is synced, and is taken back whole when either fails. A person may rename
//! or remove the file at any time, as log rotation does; the next letter starts a new one.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::config::{DeadLetters, Mistake};
use crate::ledger::{is_wrong_path, sync_folder};

const KEY: &str = "dead_letter_file";

/// One record that will not be delivered, and why.
#[derive(Debug, Clone, Copy)]
pub struct Letter<'a> {
    /// When it was given up, RFC 3339.
    pub time: &'a str,
    pub id: &'a str,
    /// The gateway's status, when it was the gateway that refused it.
    pub status: Option<u16>,
    pub reason: &'a str,
    /// What the gateway said.
    pub answer: &'a str,
    /// The record as JSON text. Text that is no JSON is kept too, as a string.
    pub record: &'a str,
}

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
    /// Why it could not be opened at the start, until it is told.
    trouble: Option<DeadLetterError>,
    /// A letter failed and could not be taken back. What the kernel shows of it need not be on the disk.
    has_remains: bool,
}

impl DeadLetterFile {
    /// Opens the file of the settings, and makes it when there is none; `None` when none is set. A disk that is
    /// full, read-only, broken or forbidden is no reason not to start: see [`DeadLetterFile::take_trouble`].
    ///
    /// # Errors
    /// When the path is none for a file.
    pub fn open(settings: &DeadLetters) -> Result<Option<Self>, Mistake> {
        let Some(path) = settings.file.clone() else { return Ok(None) };
        let (file, trouble) = match open(&path) {
            Ok(file) => (Some(file), None),
            Err(error) if is_wrong_path(&error) => {
                return Err(Mistake {
                    key: KEY,
                    problem: format!("{} cannot be opened ({error})", path.display()),
                    expected: "a file that can be written, in a folder that exists".into(),
                });
            }
            Err(error) => (None, Some(DeadLetterError::Io { path: path.clone(), error })),
        };
        Ok(Some(Self { path, max_bytes: settings.max_bytes, file, trouble, has_remains: false }))
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
        let path = self.path.clone();
        let failed = |error| DeadLetterError::Io { path: path.clone(), error };
        let mut line = line(letter).map_err(failed)?;
        let (max_bytes, has_remains) = (self.max_bytes, self.has_remains);
        let file = self.current().map_err(failed)?;
        let len_bytes = file.metadata().map_err(failed)?.len();
        if has_remains || !ends_with_newline(file, len_bytes).map_err(failed)? {
            // A crash, the disk or someone's editor left half a line; it must not swallow this one.
            line.insert(0, b'\n');
        }
        let letter_bytes = line.len() as u64;
        if len_bytes.saturating_add(letter_bytes) > max_bytes {
            return Err(DeadLetterError::Full { path, len_bytes, letter_bytes, max_bytes });
        }
        let written = append(file, &line, len_bytes);
        self.has_remains = matches!(written, Err((Remains::Perhaps, _)));
        written.map_err(|(_, error)| failed(error))
    }

    /// The file that has the path's name now: another one when a person moved the one we held away.
    fn current(&mut self) -> io::Result<&mut File> {
        if let Some(held) = self.file.take() {
            let id = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
            let held_id = id(held.metadata()?);
            if fs::metadata(&self.path).is_ok_and(|named| id(named) == held_id) {
                return Ok(self.file.insert(held));
            }
        }
        let opened = open(&self.path)?;
        Ok(self.file.insert(opened))
    }
}

/// Of a line that was not written.
enum Remains {
    Nothing,
    Perhaps,
}

/// One write, one sync; all or nothing, if the disk lets us.
fn append(file: &mut File, line: &[u8], len_before: u64) -> Result<(), (Remains, io::Error)> {
    let (written, error) = match write_once(file, line) {
        Ok(written) if written == line.len() => match file.sync_data() {
            Ok(()) => return Ok(()),
            Err(error) => (written, error),
        },
        Ok(written) => (written, io::Error::new(io::ErrorKind::WriteZero, "the disk took only a part")),
        Err(error) => (0, error),
    };
    // Only what is ours is taken back: another writer (a second instance on the same file) may have
    // appended behind it.
    let ours = len_before.saturating_add(written as u64);
    let is_taken_back = file.metadata().is_ok_and(|metadata| metadata.len() == ours)
        // Not its error but the first one is to be told.
        && file.set_len(len_before).is_ok();
    Err((if is_taken_back { Remains::Nothing } else { Remains::Perhaps }, error))
}

fn write_once(file: &mut File, line: &[u8]) -> io::Result<usize> {
    loop {
        match file.write(line) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
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
    // Opening a pipe would wait for a reader for ever, and what goes into a device is not kept.
    if fs::metadata(path).is_ok_and(|metadata| !metadata.is_file()) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file"));
    }
    let file = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path)?;
    // Whoever made it may have been stopped before this.
    sync_folder(path)?;
    Ok(file)
}

/// The letter as one line. What is no JSON (so that no reader chokes on the file) goes in as a string.
fn line(letter: &Letter<'_>) -> io::Result<Vec<u8>> {
    #[derive(Serialize)]
    struct Head<'a> {
        time: &'a str,
        id: &'a str,
        status: Option<u16>,
        reason: &'a str,
        answer: &'a str,
    }
    let Letter { time, id, status, reason, answer, record } = *letter;
    let mut line = serde_json::to_vec(&Head { time, id, status, reason, answer })?;
    line.pop(); // the closing brace; the record follows
    line.extend_from_slice(b",\"record\":");
    if serde_json::from_str::<serde_json::Value>(record).is_ok() {
        // Raw line breaks in JSON are always between values, where a space does as well.
        line.extend(
            record.trim().bytes().map(|byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { byte }),
        );
    } else {
        serde_json::to_writer(&mut line, record)?;
    }
    line.extend_from_slice(b"}\n");
    Ok(line)
}
