//! What does the plugin do with what others have put where it opens a file?
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test may fail, and its hosts wait side by side"
)]

mod bombs;
mod crafted_ledgers;
mod crafted_topologies;
mod folders;
mod forged_requests;
mod modes;
mod opening;
mod races;
mod read_only;
mod things;
mod unusual_disks;
mod used_files;

use crate::syscalls;
use testkit as support;
use testkit::{dice, small_disk};
