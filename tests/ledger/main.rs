//! What the ledger remembers, and what its file does.
//! Each file here asks one question.

mod doubted_occurrences;
#[path = "../interpose/failing.rs"]
mod failing;
mod file;
mod intents;
mod model;
mod naive;
mod occurrences;
#[path = "../interpose/syscalls.rs"]
mod syscalls;
mod unread;
mod upgrade;

use testkit::{cases, dice, mark, scratch};
