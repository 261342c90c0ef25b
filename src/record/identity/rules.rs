//! The version of the rules by which identities are made. Files that hold identities say it.
//!
//! ```text
//! 1   the first; files of that time have no mark
//! 2   a record with incomplete identifiers of its own is identified by all fields that its reader knows
//! ```
//! Rules 2 keep the identity of records that rules 1 identified completely (an event with uid and resourceVersion, an audit
//! record with all of its times). All others get an identity of another domain, or, for an event with a uid alone, the same
//! identity and a version of another domain. So no record is taken for a version of another one, and one file may hold
//! entries of both. Entries of rules 1 count for what they still match, and the rest expires with `ledger_ttl`. New rules
//! must keep that, or the file must begin anew.

/// The rules by which this version identifies records.
pub const RULES: u32 = 2;
/// The first rules that files are marked with.
pub const FIRST_MARKED: u32 = 2;
