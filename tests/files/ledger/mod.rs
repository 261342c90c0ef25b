//! What the ledger remembers, and what its file does.
//! Each file here asks one question.

mod doubted_occurrences;
mod file;
mod intents;
mod model;
mod naive;
mod occurrences;
mod unread;
mod upgrade;

use crate::{failing, syscalls};
use testkit::{cases, dice, mark, scratch};
