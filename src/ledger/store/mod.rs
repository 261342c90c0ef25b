//! The file of the ledger: a redb database, one entry of a table per commit.
//!
//! The value of a commit is its time, its records packed one after the other, and a checksum over number and value. redb
//! checks its own pages when it repairs after a crash, not on every read; the checksum makes sure that no flipped bit is
//! ever taken for an acknowledgement. A commit is one append with one sync; commits that have left memory leave the file
//! with a later one.
//!
//! ```text
//! table     key → value
//! commits   number → commit
//! claims    number → intent. Older versions called intents claims; the file keeps the name.
//! rows      by which rules the identities were made, see `mark`. The first versions kept their commits under this name.
//! keys      "request" → the key of what is written beside the ledger, see `key`
//! ```
//! Older versions know no table `keys`, and leave it as it is.
//!
//! A new file gets its name only when it is whole and synced. redb's own way to begin one takes two syncs, and if the
//! machine lost power between them, a start would find a file that is no ledger.

mod error;
mod mark;

use std::io::{self, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use super::disk::{Disk, is_bounded};
use super::key::CheckKey;
use super::packing::{Unpacked, pack, unpack};
use super::verdict::{Commit, Intent};
use crate::disk::{self, Access, FileId, is_refused, sync_folder, with_suffix};
use crate::record::identity::rules::RULES;
pub use error::StoreError;
use redb::backends::InMemoryBackend;
use redb::{
    Database, ReadableDatabase, ReadableTable, StorageBackend, TableDefinition, TableError, WriteTransaction,
};

const COMMITS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("commits");
const INTENTS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("claims");
const KEYS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("keys");
const REQUEST: &str = "request";
/// More than a billion commits in each second of three centuries: a higher number is damage.
const MOST_NUMBER: u64 = u64::MAX / 2;
/// redb takes a gigabyte by default, but what is here is written once and read once.
const CACHE_BYTES: usize = 1 << 20;

/// What a file holds, oldest first.
#[derive(Debug, Default)]
pub struct Contents {
    /// What was acknowledged.
    pub commits: Vec<Commit>,
    /// What was about to be sent. After a start, its records are in doubt.
    pub intents: Vec<Intent>,
    /// `None` in files of older versions.
    pub key: Option<CheckKey>,
}

/// What one transaction changes.
#[derive(Debug, Clone, Copy, Default)]
pub struct Change<'a> {
    /// Commits below this number are removed.
    pub oldest: u64,
    /// Commits to add.
    pub commits: &'a [Commit],
    /// Intents to remove.
    pub ended_intents: &'a [u64],
    /// Intents to add.
    pub intents: &'a [Intent],
    /// The key, if the file has another one or none.
    pub key: Option<&'a CheckKey>,
}

#[derive(Debug)]
pub struct Store {
    /// `None` only while it is dropped.
    database: Option<Database>,
    id: FileId,
    /// Its length when it was opened.
    len_bytes: u64,
    /// The identity rules that its mark names.
    rules: AtomicU32,
    sync_failed: Arc<AtomicBool>,
}

impl Drop for Store {
    fn drop(&mut self) {
        // redb writes once more as it closes. If damage has made it panic before, it panics again.
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
        // The run that made it may have been stopped before it synced the folder.
        sync_folder(path)?;
        Ok(opened)
    }

    /// Makes a file of these contents and this key, and replaces the file that has the name now, in one step.
    ///
    /// # Errors
    /// See [`StoreError`]. The old file is then still there, unless only the sync of the folder failed.
    pub fn make(path: &Path, contents: &Contents, key: Option<&CheckKey>) -> Result<Self, StoreError> {
        let unfinished = with_suffix(path, ".unfinished");
        let opened = match Self::open_file(&unfinished, true) {
            // Another process makes it, or put it there: it is not ours to remove.
            Err(StoreError::Io(error)) if is_refused(&error) => {
                return Err(disk::beside(&unfinished, error).into());
            }
            Err(StoreError::InUse) => return Err(StoreError::InUse),
            // The machine lost power while one was made.
            Err(StoreError::Unusable(_)) => {
                disk::remove_own(&unfinished)?;
                Self::open_file(&unfinished, true)
            }
            opened => opened,
        };
        let made = opened.and_then(|(store, found)| {
            // If it was left unfinished, nothing of it stays.
            let found: Vec<_> = found.intents.iter().map(|intent| intent.number).collect();
            let Contents { commits, intents, .. } = contents;
            store.write(&Change { oldest: u64::MAX, commits, ended_intents: &found, intents, key })?;
            disk::rename_over(&unfinished, path)?;
            sync_folder(path)?;
            Ok(store)
        });
        if made.is_err() {
            // The first error is the one to return.
            let _ = disk::remove_own(&unfinished);
        }
        made
    }

    /// Reads a file that cannot be written. Takes no lock, which some file systems count as a write.
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
            let commit = |(number, (at_seconds, records))| Commit { number, at_seconds, records };
            let intent = |(number, (at_seconds, records))| Intent { number, at_seconds, records };
            let commits = store.read_table(commits)?.into_iter().map(commit).collect();
            let intents = store.read_table(INTENTS)?.into_iter().map(intent).collect();
            let contents = Contents { commits, intents, key: store.key()? };
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

    /// Numbers and what they stand for, by number.
    fn read_table(
        &self,
        table: TableDefinition<'_, u64, &'static [u8]>,
    ) -> Result<Vec<(u64, Unpacked)>, StoreError> {
        let reading = self.database()?.begin_read().map_err(redb::Error::from)?;
        let table = match reading.open_table(table) {
            Ok(table) => table,
            Err(TableError::TableDoesNotExist(_)) => return Ok(Vec::new()),
            Err(error) => return Err(redb::Error::from(error).into()),
        };
        let mut all = Vec::new();
        let mut left_bytes = self.len_bytes;
        for item in table.iter().map_err(redb::Error::from)? {
            let (number, value) = item.map_err(redb::Error::from)?;
            let number = number.value();
            if number > MOST_NUMBER {
                return Err(StoreError::damaged(format!("no commit has the number {number}")));
            }
            // A page that many others name would be read without end.
            left_bytes = left_bytes
                .checked_sub(value.value().len() as u64)
                .ok_or_else(|| StoreError::damaged("it holds more than it is long"))?;
            let unpacked = unpack(number, value.value())
                .ok_or_else(|| StoreError::damaged(format!("commit {number} does not match its checksum")))?;
            all.push((number, unpacked));
        }
        Ok(all)
    }

    fn key(&self) -> Result<Option<CheckKey>, StoreError> {
        let reading = self.database()?.begin_read().map_err(redb::Error::from)?;
        let table = match reading.open_table(KEYS) {
            Ok(table) => table,
            Err(TableError::TableDoesNotExist(_)) => return Ok(None),
            Err(error) => return Err(redb::Error::from(error).into()),
        };
        let value = table.get(REQUEST).map_err(redb::Error::from)?;
        // A key that is too short or too long is made anew.
        Ok(value.and_then(|value| CheckKey::from_bytes(value.value())))
    }

    /// Puts a key into a file of an older version, and changes nothing else there.
    ///
    /// # Errors
    /// As [`Store::write`].
    pub fn write_key(&self, key: &CheckKey) -> Result<(), StoreError> {
        catch_unwind(AssertUnwindSafe(|| {
            let writing = self.database()?.begin_write().map_err(redb::Error::from)?;
            put_key(&writing, key)?;
            writing.commit().map_err(redb::Error::from)?;
            Ok(())
        }))
        .unwrap_or_else(|_| Err(StoreError::damaged("it made the writer panic")))
    }

    /// Makes a change, in one transaction that is on the disk when this returns.
    ///
    /// # Errors
    /// From the disk. The file then holds what it held before. A store that failed must be opened again.
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
                for Commit { number, at_seconds, records } in change.commits {
                    let packed = pack(*number, *at_seconds, records);
                    table.insert(number, packed.as_slice()).map_err(redb::Error::from)?;
                }
            }
            if let Some(key) = change.key {
                put_key(&writing, key)?;
            }
            // Most files never have one, and a table costs a page of each commit.
            if !change.intents.is_empty() || !change.ended_intents.is_empty() {
                let mut table = writing.open_table(INTENTS).map_err(redb::Error::from)?;
                for number in change.ended_intents {
                    table.remove(number).map_err(redb::Error::from)?;
                }
                for Intent { number, at_seconds, records } in change.intents {
                    let packed = pack(*number, *at_seconds, records);
                    table.insert(number, packed.as_slice()).map_err(redb::Error::from)?;
                }
            }
            writing.commit().map_err(redb::Error::from)?;
            self.rules.store(RULES, Ordering::Relaxed);
            Ok(())
        }))
        .unwrap_or_else(|_| Err(StoreError::damaged("it made the writer panic")))
    }
}

fn put_key(writing: &WriteTransaction, key: &CheckKey) -> Result<(), StoreError> {
    let mut table = writing.open_table(KEYS).map_err(redb::Error::from)?;
    table.insert(REQUEST, key.bytes()).map_err(redb::Error::from)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::identity::{Identity, Version, Versioned};

    /// As if pages named each other in a circle, or many pages the same one.
    #[test]
    fn more_commits_than_the_file_is_long_are_damage() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger");
        let record = Versioned { identity: Identity(1), version: Version(1), count: 1 };
        let commits = vec![Commit { number: 1, at_seconds: 1, records: vec![record; 1_000] }];
        drop(Store::make(&path, &Contents { commits, ..Contents::default() }, None).unwrap());
        let (mut store, contents) = Store::open(&path).unwrap();
        assert_eq!(contents.commits[0].records.len(), 1_000);
        store.len_bytes = 28_000;
        assert!(matches!(store.read_table(COMMITS), Err(StoreError::Unusable(_))));
    }
}
