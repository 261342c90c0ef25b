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
    file: File,
}

impl DeadLetterFile {
    /// Opens the file of the settings, and makes it when there is none; `None` when none is set.
    ///
    /// # Errors
    /// When it can be neither opened nor made, or is no regular file.
    pub fn open(settings: &DeadLetters) -> Result<Option<Self>, Mistake> {
        let Some(path) = settings.file.clone() else { return Ok(None) };
        match open(&path) {
            Ok(file) => Ok(Some(Self { path, max_bytes: settings.max_bytes, file })),
            Err(error) => Err(Mistake {
                key: KEY,
                problem: format!("{} cannot be opened ({error})", path.display()),
                expected: "a file that can be written, in a folder that exists".into(),
            }),
        }
    }

    /// Appends a letter. After `Ok` it is on the disk.
    ///
    /// # Errors
    /// When it is not; the file is then as it was.
    pub fn write(&mut self, letter: &Letter<'_>) -> Result<(), DeadLetterError> {
        let failed = |path: &Path, error| DeadLetterError::Io { path: path.to_owned(), error };
        self.follow_rotation().map_err(|error| failed(&self.path, error))?;
        let len_bytes = self.file.metadata().map_err(|error| failed(&self.path, error))?.len();
        let mut line = line(letter).map_err(|error| failed(&self.path, error))?;
        if !self.ends_with_newline(len_bytes) {
            // A crash or someone's editor left half a line; it must not swallow this one.
            line.insert(0, b'\n');
        }
        let letter_bytes = line.len() as u64;
        if len_bytes.saturating_add(letter_bytes) > self.max_bytes {
            let (path, max_bytes) = (self.path.clone(), self.max_bytes);
            return Err(DeadLetterError::Full { path, len_bytes, letter_bytes, max_bytes });
        }
        self.append(&line, len_bytes).map_err(|error| failed(&self.path, error))
    }

    /// One write, one sync; all or nothing.
    fn append(&mut self, line: &[u8], len_before: u64) -> io::Result<()> {
        let (written, error) = match self.write_once(line) {
            Ok(written) if written == line.len() => match self.file.sync_data() {
                Ok(()) => return Ok(()),
                Err(error) => (written, error),
            },
            Ok(written) => (written, io::Error::new(io::ErrorKind::WriteZero, "the disk took only a part")),
            Err(error) => (0, error),
        };
        // Only what is ours is taken back: another writer (a second instance on the same file) may have
        // appended behind it.
        let ours = len_before.saturating_add(written as u64);
        if self.file.metadata().is_ok_and(|metadata| metadata.len() == ours) {
            let _ = self.file.set_len(len_before); // the first error is the one to tell
        }
        Err(error)
    }

    fn write_once(&mut self, line: &[u8]) -> io::Result<usize> {
        loop {
            match self.file.write(line) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => return result,
            }
        }
    }

    /// Opens the path again when it is no longer the file we hold.
    fn follow_rotation(&mut self) -> io::Result<()> {
        let held = self.file.metadata()?;
        let same = fs::metadata(&self.path)
            .is_ok_and(|named| (named.dev(), named.ino()) == (held.dev(), held.ino()));
        if !same {
            self.file = open(&self.path)?;
        }
        Ok(())
    }

    fn ends_with_newline(&self, len_bytes: u64) -> bool {
        let mut last = [b'\n'];
        len_bytes == 0 || self.file.read_exact_at(&mut last, len_bytes - 1).is_err() || last == [b'\n']
    }
}

/// Letters hold what events hold: names, messages, now and then a secret in a message. So the file is for
/// its owner only.
fn open(path: &Path) -> io::Result<File> {
    let existed = match fs::metadata(path) {
        // Opening a pipe would wait for a reader for ever, and what goes into a device is not kept.
        Ok(metadata) if !metadata.is_file() => {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file"));
        }
        Ok(_) => true,
        Err(_) => false,
    };
    let file = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path)?;
    if !existed {
        // A new name is on the disk only after its folder is synced; not every file system offers it.
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let _ = File::open(folder).and_then(|folder| folder.sync_all());
    }
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
