//! The mark in a ledger's file, as it stands on the disk: read, set, and taken away as if one of the first versions had
//! written the file.
//!
//! The names and types here are those of files that people have. Should a test fail on them, it is the file that changed.

use std::path::Path;

use redb::{Database, ReadableDatabase, ReadableTableMetadata, TableDefinition, TableError, TypeName};

pub const UNMARKED: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("rows");
const COMMITS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("commits");
const MARK: TableDefinition<'_, &str, Rules> = TableDefinition::new("rows");

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
        u32::from_le_bytes(data.try_into().expect("four bytes"))
    }

    fn as_bytes<'a, 'b: 'a>(value: &'a u32) -> [u8; 4]
    where
        Self: 'b,
    {
        value.to_le_bytes()
    }

    fn type_name() -> TypeName {
        TypeName::new("identity rules of a newer version of event_gateway")
    }
}

/// The rules that the file names, if it names any.
pub fn rules(file: &Path) -> Option<u32> {
    let database = Database::open(file).expect("a database");
    let reading = database.begin_read().expect("a reader");
    match reading.open_table(MARK) {
        Ok(table) => Some(table.get("identity_rules").expect("read").expect("a mark").value()),
        Err(TableError::TableTypeMismatch { .. } | TableError::TableDoesNotExist(_)) => None,
        Err(error) => panic!("{error}"),
    }
}

/// Marks the file with other rules.
pub fn set_rules(file: &Path, rules: u32) {
    let database = Database::open(file).expect("a database");
    let writing = database.begin_write().expect("a writer");
    writing.open_table(MARK).expect("a table").insert("identity_rules", rules).expect("written");
    writing.commit().expect("committed");
}

/// Makes a file of today one as the first versions wrote it.
pub fn unmark(file: &Path) {
    let database = Database::open(file).expect("a database");
    let writing = database.begin_write().expect("a writer");
    assert!(writing.delete_table(MARK).expect("deleted"), "it has no mark");
    writing.rename_table(COMMITS, UNMARKED).expect("renamed");
    assert!(!writing.open_table(UNMARKED).expect("a table").is_empty().expect("read"));
    writing.commit().expect("committed");
}

/// How many commits one of the first versions finds in the file, or why it cannot read it.
pub fn read_as_the_first_versions_do(file: &Path) -> Result<u64, String> {
    let database = Database::open(file).expect("a database");
    let reading = database.begin_read().expect("a reader");
    match reading.open_table(UNMARKED) {
        Ok(table) => Ok(table.len().expect("read")),
        // That is an empty ledger to them.
        Err(TableError::TableDoesNotExist(_)) => Ok(0),
        Err(error) => Err(error.to_string()),
    }
}
