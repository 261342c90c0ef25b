//! The parts that the benches share: real events, and the work of each stage on them.
#![allow(dead_code, reason = "each bench uses its own part")]

pub mod judge;
pub mod recorded;
pub mod work;
