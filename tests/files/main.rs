//! What does the plugin do with what others have put where it opens a file?
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod bombs;
mod folders;
mod forged_requests;
mod modes;
mod opening;
mod planted;
mod read_only;
mod things;

#[path = "../support/mod.rs"]
mod support;
