//! The file of the ledger: redb, one row per commit.
//!
//! A row's value is its time, its records packed one after the other, and a checksum over number and
//! value. redb checks its own pages when it repairs after a crash, not on every read; the checksum makes
//! sure that no flipped bit is ever taken for an acknowledgement. A commit is one append with one sync;
//! rows that have left the table leave the file with a later commit.
//!
//! A new file gets its name only when it is whole and synced. redb's own way to begin one takes two syncs,
//! and a machine that loses power between them would find a file that is none.

use std::fmt;
use std::fs;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use redb::backends::InMemoryBackend;
use redb::{
    Database, DatabaseError, ReadableDatabase, ReadableTable, StorageBackend, StorageError, TableDefinition,
    TableError,
};
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::disk::{Disk, FileId, is_wrong_path, sync_folder, with_suffix};
use super::identity::{Identity, Version};
use super::table::{Row, Versioned};

const ROWS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("rows");
/// The same for what is about to be sent.
const CLAIMS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("claims");
/// redb takes a gigabyte by default; rows are written once and read once.
const CACHE_BYTES: usize = 1 << 20;
const RECORD_BYTES: usize = 16 + 8 + 4;
const CHECKSUM_BYTES: usize = 8;

/// Why the file cannot be used.
#[derive(Debug)]
pub enum StoreError {
    /// Another instance, in this process or another, has it open.
    InUse,
    /// It is no ledger, or one that was damaged.
    Damaged(String),
    /// The disk, its permissions, or a path that leads nowhere.
    Io(io::Error),
    /// The disk, in a sync: nobody knows what the file holds now, whatever it shows.
    Unsynced(io::Error),
}

impl StoreError {
    /// Whether there is no such file, or no folder for it.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Io(error) if error.kind() == io::ErrorKind::NotFound)
    }

    /// Whether it is a matter of the disk, which comes and goes, and not of the path.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Io(error) => !is_wrong_path(error),
            Self::Unsynced(_) => true,
            Self::InUse | Self::Damaged(_) => false,
        }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InUse => {
                f.write_str("is in use by another instance; each instance needs a file of its own")
            }
            Self::Damaged(why) => write!(f, "is damaged ({why})"),
            Self::Io(why) | Self::Unsynced(why) => write!(f, "cannot be used ({why})"),
        }
    }
}

/// What a file holds, oldest first.
#[derive(Debug, Default)]
pub struct Contents {
    pub rows: Vec<Row>,
    /// What was about to be sent.
    pub claims: Vec<Row>,
}

/// What one commit of the file does.
#[derive(Debug, Clone, Copy, Default)]
pub struct Change<'a> {
    /// Rows below this number are removed.
    pub oldest: u64,
    /// Rows to add.
    pub rows: &'a [Row],
    pub ended_claims: &'a [u64],
    pub claims: &'a [Row],
}

#[derive(Debug)]
pub struct Store {
    /// `None` only while it is dropped.
    database: Option<Database>,
    id: FileId,
    sync_failed: Arc<AtomicBool>,
}

impl Drop for Store {
    fn drop(&mut self) {
        // redb writes once more as it closes, and where damage has made it panic before it panics again.
        let database = self.database.take();
        let _ = catch_unwind(AssertUnwindSafe(|| drop(database)));
    }
}

impl Store {
    /// Opens a file and reads it. An empty one becomes a ledger.
    ///
    /// # Errors
    /// See [`StoreError`]. Nothing is changed in a file that is damaged or in use.
    pub fn open(path: &Path) -> Result<(Self, Contents), StoreError> {
        let opened = Self::open_file(path, false)?;
        // Whoever made it may have been stopped before this.
        sync_folder(path)?;
        Ok(opened)
    }

    /// Makes a file of these contents, in place of whatever has the name now. It is there whole or not at all.
    ///
    /// # Errors
    /// See [`StoreError`]. What has the name is then still as it was, but for an error of the folder's sync.
    pub fn make(path: &Path, contents: &Contents) -> Result<Self, StoreError> {
        let unfinished = with_suffix(path, ".unfinished");
        let opened = match Self::open_file(&unfinished, true) {
            // Somebody else makes it, and it is not ours to remove.
            Err(StoreError::InUse) => return Err(StoreError::InUse),
            // The power went while one was made.
            Err(StoreError::Damaged(_)) => {
                fs::remove_file(&unfinished)?;
                Self::open_file(&unfinished, true)
            }
            opened => opened,
        };
        let made = opened.and_then(|(store, found)| {
            // Of one that was not finished nothing stays.
            let found: Vec<_> = found.claims.iter().map(|claim| claim.number).collect();
            let Contents { rows, claims } = contents;
            store.write(&Change { oldest: u64::MAX, rows, ended_claims: &found, claims })?;
            fs::rename(&unfinished, path)?;
            sync_folder(path)?;
            Ok(store)
        });
        if made.is_err() {
            // The first error is the one to tell.
            let _ = fs::remove_file(&unfinished);
        }
        made
    }

    /// Reads a file that cannot be written. Asks for no lock, which would be a
    /// write to some.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn peek(path: &Path) -> Result<(FileId, Contents), StoreError> {
        let id = FileId::at(path)?;
        let copy = InMemoryBackend::new();
        let bytes = fs::read(path)?;
        copy.set_len(bytes.len() as u64)?;
        copy.write(0, &bytes)?;
        let contents = Self::read(copy, id, Arc::default())?.1;
        Ok((id, contents))
    }

    fn open_file(path: &Path, makes: bool) -> Result<(Self, Contents), StoreError> {
        let disk = Disk::open(path, makes)?;
        let (id, sync_failed) = (disk.id(), disk.sync_failed());
        match Self::read(disk, id, Arc::clone(&sync_failed)) {
            Err(StoreError::Io(error)) if sync_failed.load(Ordering::Relaxed) => {
                Err(StoreError::Unsynced(error))
            }
            read => read,
        }
    }

    fn read(
        backend: impl StorageBackend,
        id: FileId,
        sync_failed: Arc<AtomicBool>,
    ) -> Result<(Self, Contents), StoreError> {
        // redb answers most damage with an error and some with a panic.
        catch_unwind(AssertUnwindSafe(|| {
            let database = redb::Builder::new().set_cache_size(CACHE_BYTES).create_with_backend(backend)?;
            let store = Self { database: Some(database), id, sync_failed };
            let contents = Contents { rows: store.rows_of(ROWS)?, claims: store.rows_of(CLAIMS)? };
            Ok((store, contents))
        }))
        .unwrap_or_else(|_| Err(StoreError::Damaged("it made the reader panic".to_owned())))
    }

    /// Which file it is.
    #[must_use]
    pub fn id(&self) -> FileId {
        self.id
    }

    /// Whether a sync failed: then what this file shows need not be what is on the disk.
    #[must_use]
    pub fn is_doubtful(&self) -> bool {
        self.sync_failed.load(Ordering::Relaxed)
    }

    fn database(&self) -> Result<&Database, StoreError> {
        self.database.as_ref().ok_or_else(|| StoreError::Io(io::Error::other("it is closed")))
    }

    fn rows_of(&self, table: TableDefinition<'_, u64, &'static [u8]>) -> Result<Vec<Row>, StoreError> {
        let reading = self.database()?.begin_read().map_err(redb::Error::from)?;
        let table = match reading.open_table(table) {
            Ok(table) => table,
            Err(TableError::TableDoesNotExist(_)) => return Ok(Vec::new()),
            Err(error) => return Err(redb::Error::from(error).into()),
        };
        let mut rows = Vec::new();
        for item in table.iter().map_err(redb::Error::from)? {
            let (number, value) = item.map_err(redb::Error::from)?;
            let number = number.value();
            let row = unpack(number, value.value())
                .ok_or_else(|| StoreError::Damaged(format!("row {number} does not match its checksum")))?;
            rows.push(row);
        }
        Ok(rows)
    }

    /// Makes a change, in one commit that is on the disk when this returns.
    ///
    /// # Errors
    /// From the disk. The file then holds what it held before; a store that failed must be opened again.
    pub fn write(&self, change: &Change<'_>) -> Result<(), StoreError> {
        catch_unwind(AssertUnwindSafe(|| {
            let writing = self.database()?.begin_write().map_err(redb::Error::from)?;
            {
                let mut table = writing.open_table(ROWS).map_err(redb::Error::from)?;
                table.retain_in(..change.oldest, |_, _| false).map_err(redb::Error::from)?;
                for row in change.rows {
                    table.insert(row.number, pack(row).as_slice()).map_err(redb::Error::from)?;
                }
            }
            // Most files never have any, and a table costs a page of each commit.
            if !change.claims.is_empty() || !change.ended_claims.is_empty() {
                let mut table = writing.open_table(CLAIMS).map_err(redb::Error::from)?;
                for number in change.ended_claims {
                    table.remove(number).map_err(redb::Error::from)?;
                }
                for claim in change.claims {
                    table.insert(claim.number, pack(claim).as_slice()).map_err(redb::Error::from)?;
                }
            }
            writing.commit().map_err(redb::Error::from)?;
            Ok(())
        }))
        .unwrap_or_else(|_| Err(StoreError::Damaged("it made the writer panic".to_owned())))
    }
}

fn pack(row: &Row) -> Vec<u8> {
    let mut value = Vec::with_capacity(8 + row.records.len() * RECORD_BYTES + CHECKSUM_BYTES);
    value.extend_from_slice(&row.at_seconds.to_le_bytes());
    for record in &row.records {
        value.extend_from_slice(&record.identity.0.to_le_bytes());
        value.extend_from_slice(&record.version.0.to_le_bytes());
        value.extend_from_slice(&record.count.to_le_bytes());
    }
    let checksum = xxh3_64_with_seed(&value, row.number);
    value.extend_from_slice(&checksum.to_le_bytes());
    value
}

/// `None` when the bytes are not what [`pack`] made of this row.
fn unpack(number: u64, value: &[u8]) -> Option<Row> {
    let (content, checksum) = value.split_last_chunk::<CHECKSUM_BYTES>()?;
    if xxh3_64_with_seed(content, number) != u64::from_le_bytes(*checksum) {
        return None;
    }
    let (at_seconds, packed) = content.split_first_chunk::<8>()?;
    let (chunks, rest) = packed.as_chunks::<RECORD_BYTES>();
    let records = chunks.iter().map(|bytes| unpack_record(bytes)).collect::<Option<Vec<_>>>()?;
    rest.is_empty().then_some(Row { number, at_seconds: u64::from_le_bytes(*at_seconds), records })
}

fn unpack_record(bytes: &[u8]) -> Option<Versioned> {
    let (identity, bytes) = bytes.split_first_chunk::<16>()?;
    let (version, count) = bytes.split_first_chunk::<8>()?;
    Some(Versioned {
        identity: Identity(u128::from_le_bytes(*identity)),
        version: Version(u64::from_le_bytes(*version)),
        count: u32::from_le_bytes(*count.first_chunk::<4>()?),
    })
}

impl From<io::Error> for StoreError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<DatabaseError> for StoreError {
    fn from(error: DatabaseError) -> Self {
        match error {
            DatabaseError::DatabaseAlreadyOpen => Self::InUse,
            DatabaseError::Storage(error) => error.into(),
            other => Self::Damaged(other.to_string()),
        }
    }
}

impl From<StorageError> for StoreError {
    fn from(error: StorageError) -> Self {
        match error {
            StorageError::Io(error)
                if !matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof) =>
            {
                Self::Io(error)
            }
            other => Self::Damaged(other.to_string()),
        }
    }
}

impl From<redb::Error> for StoreError {
    fn from(error: redb::Error) -> Self {
        match error {
            redb::Error::Io(error) => StorageError::Io(error).into(),
            redb::Error::PreviousIo => Self::Io(io::Error::other("an earlier write failed")),
            redb::Error::DatabaseAlreadyOpen => Self::InUse,
            other => Self::Damaged(other.to_string()),
        }
    }
}
