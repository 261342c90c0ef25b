//! The file of the ledger: redb, one row per commit.
//!
//! A row's value is its time, its records packed one after the other, and a checksum over number and
//! value. redb checks its own pages when it repairs after a crash, not on every read; the checksum makes
//! sure that no flipped bit is ever taken for an acknowledgement. A commit is one append with one sync;
//! rows that have left the table leave the file with a later commit.
//!
//! ```text
//! commits   number → row
//! claims    number → row: what is about to be sent
//! rows      by which rules the identities were made, see `mark`
//! keys      "request" → the key of what is written beside the ledger, see `key`
//! ```
//! Older versions know no table `keys`, and leave it as it is.
//!
//! A new file gets its name only when it is whole and synced. redb's own way to begin one takes two syncs,
//! and a machine that loses power between them would find a file that is none.

mod error;
mod mark;

use std::io::{self, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use super::disk::{Disk, is_bounded};
use super::key::Key;
use super::packing::{pack, unpack};
use super::table::Row;
use crate::disk::{self, Access, FileId, is_refused, sync_folder, with_suffix};
use crate::record::identity::rules::RULES;
pub use error::StoreError;
use redb::backends::InMemoryBackend;
use redb::{
    Database, ReadableDatabase, ReadableTable, StorageBackend, TableDefinition, TableError, WriteTransaction,
};

const COMMITS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("commits");
/// The same for what is about to be sent.
const CLAIMS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("claims");
const KEYS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("keys");
const REQUEST: &str = "request";
/// A billion commits in each second of three centuries. The next rows get the next numbers.
const MOST_NUMBER: u64 = u64::MAX / 2;
/// redb takes a gigabyte by default; rows are written once and read once.
const CACHE_BYTES: usize = 1 << 20;

/// What a file holds, oldest first.
#[derive(Debug, Default)]
pub struct Contents {
    pub rows: Vec<Row>,
    /// What was about to be sent.
    pub claims: Vec<Row>,
    /// `None` in files of older versions.
    pub key: Option<Key>,
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
    /// The key, where the file has another one or none.
    pub key: Option<&'a Key>,
}

#[derive(Debug)]
pub struct Store {
    /// `None` only while it is dropped.
    database: Option<Database>,
    id: FileId,
    /// What it had when it was opened.
    len_bytes: u64,
    /// The identity rules that its mark names.
    rules: AtomicU32,
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

    /// Makes a file of these contents and this key, in place of whatever has the name now. It is there whole or not at all.
    ///
    /// # Errors
    /// See [`StoreError`]. What has the name is then still as it was, but for an error of the folder's sync.
    pub fn make(path: &Path, contents: &Contents, key: Option<&Key>) -> Result<Self, StoreError> {
        let unfinished = with_suffix(path, ".unfinished");
        let opened = match Self::open_file(&unfinished, true) {
            // Somebody else makes it, or put it there, and it is not ours to remove.
            Err(StoreError::Io(error)) if is_refused(&error) => {
                return Err(disk::beside(&unfinished, error).into());
            }
            Err(StoreError::InUse) => return Err(StoreError::InUse),
            // The power went while one was made.
            Err(StoreError::Unusable(_)) => {
                disk::remove_own(&unfinished)?;
                Self::open_file(&unfinished, true)
            }
            opened => opened,
        };
        let made = opened.and_then(|(store, found)| {
            // Of one that was not finished nothing stays.
            let found: Vec<_> = found.claims.iter().map(|claim| claim.number).collect();
            let Contents { rows, claims, .. } = contents;
            store.write(&Change { oldest: u64::MAX, rows, ended_claims: &found, claims, key })?;
            disk::rename_over(&unfinished, path)?;
            sync_folder(path)?;
            Ok(store)
        });
        if made.is_err() {
            // The first error is the one to tell.
            let _ = disk::remove_own(&unfinished);
        }
        made
    }

    /// Reads a file that cannot be written. Asks for no lock, which would be a
    /// write to some.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn peek(path: &Path) -> Result<(FileId, Contents), StoreError> {
        let mut file = disk::existing(path, Access::Read)?;
        let metadata = file.metadata()?;
        let id = FileId::of(&metadata);
        is_bounded(metadata.len())?;
        let mut bytes = Vec::new();
        file.by_ref().take(metadata.len()).read_to_end(&mut bytes)?;
        let copy = InMemoryBackend::new();
        copy.set_len(bytes.len() as u64)?;
        copy.write(0, &bytes)?;
        drop(bytes);
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
            let len_bytes = backend.len()?;
            let database = redb::Builder::new().set_cache_size(CACHE_BYTES).create_with_backend(backend)?;
            let rules = mark::read(&database)?;
            let store =
                Self { database: Some(database), id, len_bytes, rules: AtomicU32::new(rules), sync_failed };
            let commits = if rules == mark::NONE { mark::UNMARKED } else { COMMITS };
            let (rows, claims) = (store.rows_of(commits)?, store.rows_of(CLAIMS)?);
            let contents = Contents { rows, claims, key: store.key()? };
            Ok((store, contents))
        }))
        .unwrap_or_else(|_| Err(StoreError::damaged("it made the reader panic")))
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
        let mut left_bytes = self.len_bytes;
        for item in table.iter().map_err(redb::Error::from)? {
            let (number, value) = item.map_err(redb::Error::from)?;
            let number = number.value();
            if number > MOST_NUMBER {
                return Err(StoreError::damaged(format!("no row has the number {number}")));
            }
            // Pages that are named many times would be read without end.
            left_bytes = left_bytes
                .checked_sub(value.value().len() as u64)
                .ok_or_else(|| StoreError::damaged("it holds more than it is long"))?;
            let row = unpack(number, value.value())
                .ok_or_else(|| StoreError::damaged(format!("row {number} does not match its checksum")))?;
            rows.push(row);
        }
        Ok(rows)
    }

    fn key(&self) -> Result<Option<Key>, StoreError> {
        let reading = self.database()?.begin_read().map_err(redb::Error::from)?;
        let table = match reading.open_table(KEYS) {
            Ok(table) => table,
            Err(TableError::TableDoesNotExist(_)) => return Ok(None),
            Err(error) => return Err(redb::Error::from(error).into()),
        };
        let value = table.get(REQUEST).map_err(redb::Error::from)?;
        // One that is none is made anew.
        Ok(value.and_then(|value| Key::from_bytes(value.value())))
    }

    /// Puts a key into a file of an older version, and changes nothing else there.
    ///
    /// # Errors
    /// As [`Store::write`].
    pub fn write_key(&self, key: &Key) -> Result<(), StoreError> {
        catch_unwind(AssertUnwindSafe(|| {
            let writing = self.database()?.begin_write().map_err(redb::Error::from)?;
            put_key(&writing, key)?;
            writing.commit().map_err(redb::Error::from)?;
            Ok(())
        }))
        .unwrap_or_else(|_| Err(StoreError::damaged("it made the writer panic")))
    }

    /// Makes a change, in one commit that is on the disk when this returns.
    ///
    /// # Errors
    /// From the disk. The file then holds what it held before; a store that failed must be opened again.
    pub fn write(&self, change: &Change<'_>) -> Result<(), StoreError> {
        catch_unwind(AssertUnwindSafe(|| {
            let writing = self.database()?.begin_write().map_err(redb::Error::from)?;
            let rules = self.rules.load(Ordering::Relaxed);
            if rules != RULES {
                mark::write(&writing, rules)?;
            }
            {
                let mut table = writing.open_table(COMMITS).map_err(redb::Error::from)?;
                table.retain_in(..change.oldest, |_, _| false).map_err(redb::Error::from)?;
                for row in change.rows {
                    table.insert(row.number, pack(row).as_slice()).map_err(redb::Error::from)?;
                }
            }
            if let Some(key) = change.key {
                put_key(&writing, key)?;
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
            self.rules.store(RULES, Ordering::Relaxed);
            Ok(())
        }))
        .unwrap_or_else(|_| Err(StoreError::damaged("it made the writer panic")))
    }
}

fn put_key(writing: &WriteTransaction, key: &Key) -> Result<(), StoreError> {
    let mut table = writing.open_table(KEYS).map_err(redb::Error::from)?;
    table.insert(REQUEST, key.bytes()).map_err(redb::Error::from)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::identity::{Identity, Version, Versioned};

    /// As where pages name each other in a circle, or one page is named by many.
    #[test]
    fn rows_that_are_more_than_the_file_are_damage() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger");
        let record = Versioned { identity: Identity(1), version: Version(1), count: 1 };
        let rows = vec![Row { number: 1, at_seconds: 1, records: vec![record; 1_000] }];
        drop(Store::make(&path, &Contents { rows, ..Contents::default() }, None).unwrap());
        let (mut store, contents) = Store::open(&path).unwrap();
        assert_eq!(contents.rows[0].records.len(), 1_000);
        store.len_bytes = 28_000;
        assert!(matches!(store.rows_of(COMMITS), Err(StoreError::Unusable(_))));
    }
}
