//! The rules by which identities are made, as the files say that hold identities.
//!
//! ```text
//! 1   the first; files of that time carry no mark
//! 2   a record whose kind's own identifiers are incomplete is identified by all that its reader knows
//! ```
//! Rules 2 keep the identity of what rules 1 identified completely (an event with uid and resourceVersion, an audit
//! record with all of its times). Everything else gets an identity of another domain, or, as an event with a uid alone,
//! keeps its identity and gets a version of another domain: no record is taken for another one's state. So entries of both may stand in one file. Entries of
//! rules 1 count for what they still match, and the rest expires with `ledger_ttl`. Rules to come must keep that, or the
//! file must be begun anew.

/// The rules of [`super::identity`].
pub const RULES: u32 = 2;
/// The first rules that a file says it has.
pub const FIRST_MARKED: u32 = 2;
