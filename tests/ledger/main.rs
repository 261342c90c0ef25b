//! What the ledger remembers, and what its file does.
//! Each file here asks one question.

#[path = "../support/cases.rs"]
mod cases;
mod claims;
#[path = "../support/dice.rs"]
mod dice;
mod doubted_occurrences;
#[path = "../support/failing.rs"]
mod failing;
mod file;
#[path = "../support/mark.rs"]
mod mark;
mod model;
mod naive;
mod occurrences;
#[path = "../support/scratch.rs"]
mod scratch;
#[path = "../support/syscalls.rs"]
mod syscalls;
mod unread;
mod upgrade;
