//! The open file below the database, and moving a file aside.
//!
//! A name is on the disk only when its folder was synced. After a sync that failed it is unknown what is on the disk: the
//! kernel reports the failure once, and then shows the pages as if they were written.

use std::fmt;
use std::fs;
use std::io;
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use redb::backends::FileBackend;
use redb::{BackendError, DatabaseError, StorageBackend};

use super::LedgerError;
use crate::disk::{self, Access, FileId, with_suffix};
use crate::record::identity::rules::RULES;
use crate::time::Stamp;

/// 50,000,000 entries, the most that a setting allows, take 1.4 GB, and a file that shrinks has room left over.
pub const MOST_BYTES: u64 = 8 << 30;

/// An open file.
pub struct Disk {
    file: FileBackend,
    id: FileId,
    sync_failed: Arc<AtomicBool>,
}

impl Disk {
    /// Opens a file for reading and writing. If there is none and `makes` is set, makes an empty one.
    ///
    /// # Errors
    /// From the system, for a file that is not ours ([`disk::FileError`]), and for one that is larger than any ledger.
    pub fn open(path: &Path, makes: bool) -> Result<Self, DatabaseError> {
        let open = if makes { disk::existing_or_new } else { disk::existing };
        let file = open(path, Access::ReadWrite)?;
        let metadata = file.metadata()?;
        is_bounded(metadata.len())?;
        let id = FileId::of(&metadata);
        Ok(Self { file: FileBackend::new(file)?, id, sync_failed: Arc::default() })
    }

    pub fn id(&self) -> FileId {
        self.id
    }

    /// Becomes true with the first sync that fails.
    pub fn sync_failed(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.sync_failed)
    }
}

impl fmt::Debug for Disk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.id.fmt(f)
    }
}

type Border = Bound<u64>;

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.file.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.file.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        let synced = self.file.sync_data();
        if synced.is_err() {
            self.sync_failed.store(true, Ordering::Relaxed);
        }
        synced
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.file.write(offset, data)
    }

    fn close(&self) -> io::Result<()> {
        self.file.close()
    }

    fn try_lock_range(&self, start: Border, end: Border) -> Result<bool, BackendError> {
        self.file.try_lock_range(start, end)
    }

    fn try_lock_shared_range(&self, start: Border, end: Border) -> Result<bool, BackendError> {
        self.file.try_lock_shared_range(start, end)
    }

    fn lock_range(&self, start: Border, end: Border) -> Result<(), BackendError> {
        self.file.lock_range(start, end)
    }

    fn lock_shared_range(&self, start: Border, end: Border) -> Result<(), BackendError> {
        self.file.lock_shared_range(start, end)
    }

    fn unlock_range(&self, start: Border, end: Border) -> Result<(), BackendError> {
        self.file.unlock_range(start, end)
    }

    fn query_lock_range(&self, start: Border, end: Border) -> Result<bool, BackendError> {
        self.file.query_lock_range(start, end)
    }
}

/// # Errors
/// If a file has more bytes than a ledger can have. It counts as damaged.
pub fn is_bounded(len_bytes: u64) -> io::Result<()> {
    if len_bytes <= MOST_BYTES {
        return Ok(());
    }
    let text = format!("it has {len_bytes} bytes, and a ledger has at most {MOST_BYTES}");
    Err(io::Error::new(io::ErrorKind::InvalidData, text))
}

/// Why a file can never be used as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unusable {
    /// It is no ledger, or a damaged one.
    Damaged(String),
    /// A newer version of this plugin wrote it, by these identity rules.
    Newer {
        /// Higher than the number that this version knows.
        rules: u32,
    },
}

impl Unusable {
    fn suffix(&self) -> &'static str {
        match self {
            Self::Damaged(_) => ".damaged",
            Self::Newer { .. } => ".newer",
        }
    }
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Damaged(why) => write!(f, "is damaged ({why})"),
            Self::Newer { rules } => write!(
                f,
                "was written by a newer version of this plugin (identity rules {rules}; this version knows {RULES})"
            ),
        }
    }
}

/// A file that was moved aside. Shown: is damaged (…) and was moved to …
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MovedAside {
    /// `<file>.damaged-<time>` or `<file>.newer-<time>`.
    pub to: PathBuf,
    /// Also decides the suffix.
    pub why: Unusable,
}

impl MovedAside {
    /// What a person can do about it.
    #[must_use]
    pub fn advice(&self) -> &'static str {
        match self.why {
            Unusable::Damaged(_) => "look at the disk",
            Unusable::Newer { .. } => "put it back when the newer version runs again",
        }
    }
}

impl fmt::Display for MovedAside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} and was moved to {}", self.why, self.to.display())
    }
}

/// Moves a file to `<file>.damaged-<time>` or `<file>.newer-<time>`.
///
/// # Errors
/// If it cannot be moved: [`LedgerError::NotMovedAside`].
pub fn move_aside(path: &Path, why: Unusable, now_seconds: u64) -> Result<MovedAside, LedgerError> {
    let time = Stamp::from_unix_seconds(now_seconds)
        .map_or_else(|| now_seconds.to_string(), |at| at.to_string().replace([':', '-'], ""));
    let to = disk::free_name(with_suffix(path, &format!("{}-{time}", why.suffix())));
    match fs::rename(path, &to) {
        Ok(()) => Ok(MovedAside { to, why }),
        Err(error) => Err(LedgerError::NotMovedAside { path: path.to_owned(), why, error }),
    }
}
