//! The file of the ledger: redb, one row per commit.
//!
//! A row's value is its time, its records packed one after the other, and a checksum over number and
//! value. redb checks its own pages when it repairs after a crash, not on every read; the checksum makes
//! sure that no flipped bit is ever taken for an acknowledgement. A commit is one append with one sync;
//! rows that have left the table leave the file with a later commit.

use std::fmt;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use redb::{
    Database, DatabaseError, ReadableDatabase, ReadableTable, StorageError, TableDefinition, TableError,
};
use xxhash_rust::xxh3::xxh3_64_with_seed;

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
    /// The disk or its permissions.
    Io(String),
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InUse => {
                f.write_str("is in use by another instance; each instance needs a file of its own")
            }
            Self::Damaged(why) => write!(f, "is damaged ({why})"),
            Self::Io(why) => write!(f, "cannot be used ({why})"),
        }
    }
}

/// What one commit of the file does.
#[derive(Debug, Clone, Copy, Default)]
pub struct Change<'a> {
    /// Rows to add.
    pub rows: &'a [Row],
    /// Rows below this number are removed.
    pub oldest: u64,
    /// What is about to be sent.
    pub claim: Option<&'a Row>,
    /// Claims to remove.
    pub ended_claims: &'a [u64],
}

#[derive(Debug)]
pub struct Store {
    /// `None` only while it is dropped.
    database: Option<Database>,
}

impl Drop for Store {
    fn drop(&mut self) {
        // redb writes once more as it closes, and where damage has made it panic before it panics again.
        let database = self.database.take();
        let _ = catch_unwind(AssertUnwindSafe(|| drop(database)));
    }
}

impl Store {
    /// Opens the file, or makes it, and reads all rows and all claims, oldest first.
    ///
    /// # Errors
    /// See [`StoreError`]. Nothing is changed in a file that is damaged or in use.
    pub fn open(path: &Path) -> Result<(Self, Vec<Row>, Vec<Row>), StoreError> {
        // redb answers most damage with an error and some with a panic.
        catch_unwind(AssertUnwindSafe(|| {
            let database = redb::Builder::new().set_cache_size(CACHE_BYTES).create(path)?;
            let store = Self { database: Some(database) };
            let (rows, claims) = (store.rows_of(ROWS)?, store.rows_of(CLAIMS)?);
            Ok((store, rows, claims))
        }))
        .unwrap_or_else(|_| Err(StoreError::Damaged("it made the reader panic".to_owned())))
    }

    fn database(&self) -> Result<&Database, StoreError> {
        self.database.as_ref().ok_or_else(|| StoreError::Io("it is closed".to_owned()))
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
                for row in change.rows.iter().filter(|row| row.number >= change.oldest) {
                    table.insert(row.number, pack(row).as_slice()).map_err(redb::Error::from)?;
                }
            }
            if change.claim.is_some() || !change.ended_claims.is_empty() {
                let mut table = writing.open_table(CLAIMS).map_err(redb::Error::from)?;
                for number in change.ended_claims {
                    table.remove(number).map_err(redb::Error::from)?;
                }
                if let Some(claim) = change.claim {
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
                Self::Io(error.to_string())
            }
            other => Self::Damaged(other.to_string()),
        }
    }
}

impl From<redb::Error> for StoreError {
    fn from(error: redb::Error) -> Self {
        match error {
            redb::Error::Io(error) => StorageError::Io(error).into(),
            redb::Error::PreviousIo => Self::Io("an earlier write failed".to_owned()),
            redb::Error::DatabaseAlreadyOpen => Self::InUse,
            other => Self::Damaged(other.to_string()),
        }
    }
}
