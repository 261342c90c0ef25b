//! Whether the engine was already woken.

use std::fs::File;
use std::io::{Read, Write};

use crate::sync::{AtomicBool, Ordering::SeqCst};

/// The signal that wakes the engine: an eventfd.
pub trait Signal {
    /// Wakes the engine. Never blocks.
    fn raise(&self);
    /// Clears the signal.
    fn drain(&self);
}

impl Signal for File {
    fn raise(&self) {
        // It fails only if the counter is full, and then the engine is already being woken.
        let _ = (&*self).write(&1u64.to_ne_bytes());
    }

    fn drain(&self) {
        // The count does not matter. It is above zero, because the engine woke up.
        let _ = (&*self).read(&mut [0; 8]);
    }
}

/// A flag that wakes the engine once. It may outlive the waker, as long as a thread may still set it.
#[derive(Debug)]
pub struct WakeFlag<R> {
    pub signal: R,
    /// Set until the engine has woken up: waking it once is enough.
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

    /// The engine has woken up; a later [`WakeFlag::wake`] wakes it again. Must be called before the engine looks for
    /// work.
    pub fn clear(&self) {
        self.signal.drain();
        self.is_set.store(false, SeqCst);
    }
}
