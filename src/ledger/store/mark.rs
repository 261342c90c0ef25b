//! The mark in the ledger's file: the version of the rules by which its identities were made.
//!
//! The first versions had no mark, and kept commits in a table `rows`. Such a file is read as it is. Its first commit renames
//! that table and puts the mark in its place, in one transaction: the file is always of the one kind or of the other, and
//! no sync is added. The mark has the old name and a type of its own. So a version that knows no mark finds no table that
//! it can read, and moves the file aside; redb gives it the name of the type as the reason.

use redb::{Database, ReadableDatabase, TableDefinition, TableError, TypeName, WriteTransaction};

use super::error::StoreError;
use super::tables::{COMMITS, UNMARKED};
use crate::ledger::unusable::Unusable;
use crate::record::identity::rules::{FIRST_MARKED, RULES};

const MARK: TableDefinition<'_, &str, Rules> = TableDefinition::new("rows");
const IDENTITY_RULES: &str = "identity_rules";

/// The rules of a file without a mark, which are the first.
pub const NONE: u32 = 0;

/// The rules that the file says it has.
pub fn read(database: &Database) -> Result<u32, StoreError> {
    let reading = database.begin_read().map_err(redb::Error::from)?;
    let table = match reading.open_table(MARK) {
        Ok(table) => table,
        Err(TableError::TableDoesNotExist(_) | TableError::TableTypeMismatch { .. }) => return Ok(NONE),
        Err(error) => return Err(redb::Error::from(error).into()),
    };
    match table.get(IDENTITY_RULES).map_err(redb::Error::from)?.map(|rules| rules.value()) {
        Some(rules) if rules > RULES => Err(StoreError::Unusable(Unusable::Newer { rules })),
        Some(rules) if rules >= FIRST_MARKED => Ok(rules),
        _ => Err(StoreError::damaged("its mark is none")),
    }
}

/// Marks a file, new or of older rules, with the rules of this version.
pub fn write(writing: &WriteTransaction, older: u32) -> Result<(), StoreError> {
    if older == NONE {
        match writing.rename_table(UNMARKED, COMMITS) {
            // A new file has no table yet.
            Ok(()) | Err(TableError::TableDoesNotExist(_)) => {}
            Err(error) => return Err(redb::Error::from(error).into()),
        }
    }
    let mut table = writing.open_table(MARK).map_err(redb::Error::from)?;
    table.insert(IDENTITY_RULES, RULES).map_err(redb::Error::from)?;
    Ok(())
}

/// The number of the rules, in a type whose name explains it to older versions.
#[derive(Debug)]
struct Rules;

impl redb::Value for Rules {
    type SelfType<'a> = u32;
    type AsBytes<'a> = [u8; 4];

    fn fixed_width() -> Option<usize> {
        Some(4)
    }

    fn from_bytes<'a>(data: &'a [u8]) -> u32
    where
        Self: 'a,
    {
        data.first_chunk::<4>().map_or(0, |bytes| u32::from_le_bytes(*bytes))
    }

    fn as_bytes<'a, 'b: 'a>(value: &'a u32) -> [u8; 4]
    where
        Self: 'b,
    {
        value.to_le_bytes()
    }

    fn type_name() -> TypeName {
        // It is in every file, so it must not change.
        TypeName::new("identity rules of a newer version of event_gateway")
    }
}
