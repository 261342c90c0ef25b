//! Whether the engine has been called already.

use std::fs::File;
use std::io::{Read, Write};

use crate::sync::{AtomicBool, Ordering::SeqCst};

/// What wakes the engine: an eventfd.
pub trait Signal {
    /// Wakes it. Never blocks.
    fn raise(&self);
    /// Takes back what was raised so far.
    fn drain(&self);
}

impl Signal for File {
    fn raise(&self) {
        // It fails only when the count is full, and then the engine is on its way.
        let _ = (&*self).write(&1u64.to_ne_bytes());
    }

    fn drain(&self) {
        // The count is of no interest, and there is one or the engine would not have come.
        let _ = (&*self).read(&mut [0; 8]);
    }
}

/// It outlives the waker, as long as anybody may still set it.
#[derive(Debug)]
pub struct WakeFlag<R> {
    pub signal: R,
    /// Set, and the engine has not come yet: once is enough.
    is_set: AtomicBool,
}

impl<R: Signal> WakeFlag<R> {
    pub fn new(signal: R) -> Self {
        Self { signal, is_set: AtomicBool::new(false) }
    }

    pub fn wake(&self) {
        if !self.is_set.swap(true, SeqCst) {
            self.signal.raise();
        }
    }

    /// The engine has come: who sets it from now on calls it again. To be said before looking for what it
    /// was called for.
    pub fn answer(&self) {
        self.signal.drain();
        self.is_set.store(false, SeqCst);
    }
}
