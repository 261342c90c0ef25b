//! The open file below the database.
//!
//! A name is on the disk only when its folder was synced. After a sync that failed it is unknown what is on the disk: the
//! kernel reports the failure once, and then shows the pages as if they were written.

use std::fmt;
use std::io;
use std::ops::Bound;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use redb::backends::FileBackend;
use redb::{BackendError, DatabaseError, StorageBackend};

use crate::disk::{self, Access, FileId};

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
