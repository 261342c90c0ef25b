//! A number that any thread may change: a counter or a gauge.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::measure::{Measure, Reading};

/// A counter or a gauge; any thread may write it.
#[derive(Debug, Default)]
pub struct Number(AtomicU64);

impl Number {
    /// For a counter.
    pub fn add(&self, n: u64) {
        self.0.fetch_add(n, Relaxed);
    }

    /// For a gauge.
    pub fn set(&self, n: u64) {
        self.0.store(n, Relaxed);
    }

    /// The value now.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

impl Measure for Number {
    fn read(&self) -> Reading {
        Reading::One(self.get())
    }
}
