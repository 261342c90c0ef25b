//! What does the plugin do with what others have put where it opens a file?
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test may fail, and its hosts wait side by side"
)]

mod bombs;
mod crafted_ledgers;
mod crafted_topologies;
#[path = "../support/dice.rs"]
mod dice;
mod folders;
mod forged_requests;
mod modes;
mod opening;
mod planted;
mod races;
mod read_only;
mod things;
mod unusual_disks;

#[allow(dead_code, reason = "it is for other tests as well")]
#[path = "../support/small_disk.rs"]
mod small_disk;
#[path = "../support/mod.rs"]
mod support;
#[path = "../support/syscalls.rs"]
mod syscalls;
