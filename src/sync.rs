//! The locks and atomics that threads share, under one name, so that a test can replace them.
//!
//! `tests/schedules` compiles the worker's queue, the host results and the waker unchanged, but with its own `crate::sync`,
//! which decides at each lock which thread runs next.

pub use std::sync::atomic::{AtomicBool, Ordering};
pub use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
