//! Verification: knows every version of every event that the API server has, whatever the source reads.
//!
//! ```text
//! verification         request ─► bytes ─► Watch ─► changes ─► Replica   follower, watch, object, change
//! verification-clock   confirms what the Lease says, forgets what expired,
//!                      reports what the source owes                      timekeeper, lag
//! ```
//! It lists and watches the metadata of events, on a connection of its own. The replica that it feeds knows which of these
//! versions are settled, so it knows which are missing: those that the input lost, that a filter left out, or that
//! are still on their way. `handle` starts and stops the threads.
//!
//! # What it costs the API server
//! One list of the metadata of all events at a start and after a watch that etcd refuses as too old, 500 a page; one watch
//! on etcd, as events have no watch cache; and two small requests for each `silence` (30 s) without an event. The API
//! server reads and decodes whole events for it, and sends some 500 to 1,000 bytes for each version.

pub mod change;
mod follower;
mod handle;
pub mod lag;
mod loss;
pub mod object;
mod timekeeper;
pub mod timing;
pub mod watch;

pub use handle::{Scope, Verification};
