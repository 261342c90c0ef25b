//! What the library asks of malloc: in steady state, for records that stay, and on mutants of good input.
//!
//! One program for all that counts, as malloc itself is replaced. Each thread has its own count.

#[path = "../interpose/allocations.rs"]
mod allocations;
#[path = "../../fuzz/bodies/mod.rs"]
mod bodies;

mod filter_copies;
mod mutations;
mod rounds;
