//! Replicas: two run, one delivers. The protocol as a state machine, without I/O and with time as an argument.
//!
//! - `replica`: the whole protocol; decides whether a record is delivered, held or settled
//! - `election`: who leads, by a Lease
//! - `lease`: what the Lease holds; `watermark`: which versions it says are settled
//! - `seen`: the versions that the own verification has shown
//! - `shared`: the machine as threads share it
//!
//! The library `std` is all that these files use: the tests compile changed copies of them, to prove that the model finds
//! each change.

pub mod election;
pub mod lease;
pub mod replica;
pub mod seen;
pub mod shared;
pub mod watermark;

/// Milliseconds of this replica's own monotonic clock.
pub type Millis = u64;

/// An event: the hash of its uid.
pub type Event = u128;
