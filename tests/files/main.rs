//! The files of the plugin: the ledger, dead letters, batches in a folder, and what others put in their place.
//!
//! One program for all that needs the calls of libc interposed. A watch belongs to a thread and a folder, so tests
//! do not disturb each other.

#[path = "../interpose/failing.rs"]
mod failing;
#[path = "../interpose/power/mod.rs"]
mod power;
#[path = "../interpose/syscalls.rs"]
mod syscalls;

mod dead_letter_disks;
mod file_disks;
mod ledger;
mod ledger_failing_calls;
mod ledger_power_loss;
mod planted;

use testkit::{dice, variables};
