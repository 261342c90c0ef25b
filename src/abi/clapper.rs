//! What any thread rings, and whether the engine has been called already.

use std::fs::File;
use std::io::{Read, Write};

use crate::sync::{AtomicBool, Ordering::SeqCst};

/// What wakes the engine: an eventfd.
pub trait Rope {
    /// Wakes it. Never blocks.
    fn pull(&self);
    /// Takes back what was pulled so far.
    fn slacken(&self);
}

impl Rope for File {
    fn pull(&self) {
        // It fails only when the count is full, and then the engine is on its way.
        let _ = (&*self).write(&1u64.to_ne_bytes());
    }

    fn slacken(&self) {
        // The count is of no interest, and there is one or the engine would not have come.
        let _ = (&*self).read(&mut [0; 8]);
    }
}

/// It outlives the bell, as long as anybody may still ring.
#[derive(Debug)]
pub struct Clapper<R> {
    pub rope: R,
    /// Rung, and the engine has not come yet: once is enough.
    rung: AtomicBool,
}

impl<R: Rope> Clapper<R> {
    pub fn new(rope: R) -> Self {
        Self { rope, rung: AtomicBool::new(false) }
    }

    pub fn ring(&self) {
        if !self.rung.swap(true, SeqCst) {
            self.rope.pull();
        }
    }

    /// The engine has come: what rings from now on calls it again. To be said before looking for what it
    /// was called for.
    pub fn answer(&self) {
        self.rope.slacken();
        self.rung.store(false, SeqCst);
    }
}
