//! The tables of the file.
//!
//! ```text
//! table     key → value
//! commits   number → commit
//! claims    number → intent. Older versions called intents claims; the file keeps the name.
//! rows      by which rules the identities were made, see `mark`. The first versions kept their commits under this name.
//! keys      "request" → the key of what is written beside the ledger, see `key`
//! ```
//! Older versions know no table `keys`, and leave it as it is.

use redb::TableDefinition;

/// Commits by number.
pub const COMMITS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("commits");
/// Intents by number.
pub const INTENTS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("claims");
/// Keys by what they are for.
pub const KEYS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("keys");
/// The key of what is written beside the ledger.
pub const REQUEST: &str = "request";
/// Where the first versions kept commits.
pub const UNMARKED: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("rows");
