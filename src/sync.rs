//! The locks that threads meet at, by one name: a test of their schedules compiles the same files with others.
//!
//! `tests/schedules` takes the worker's queue, the answers and the waker as they stand, with a `crate::sync` of
//! its own, which decides at each of these who goes on.

pub use std::sync::atomic::{AtomicBool, Ordering};
pub use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
