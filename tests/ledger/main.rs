//! What the ledger remembers, and what its file does.
//! Each file here asks one question.

#[path = "../support/cases.rs"]
mod cases;
mod claims;
mod file;
mod model;
mod occurrences;
