//! The flushes that wait for their result, each with the context that resumes it.

use crate::job::{HostResult, Pending};
use crate::sync::{Mutex, PoisonError};

/// `C` is the context that resumes a flush.
#[derive(Debug)]
pub struct Parked<C> {
    flushes: Mutex<Vec<(C, Pending)>>,
}

impl<C> Default for Parked<C> {
    fn default() -> Self {
        Self { flushes: Mutex::default() }
    }
}

impl<C> Parked<C> {
    pub fn park(&self, context: C, pending: Pending) {
        self.flushes.lock().unwrap_or_else(PoisonError::into_inner).push((context, pending));
    }

    /// Removes and returns one flush that has its host result.
    pub fn take_finished(&self) -> Option<(C, HostResult)> {
        let mut flushes = self.flushes.lock().unwrap_or_else(PoisonError::into_inner);
        let find = |(index, (_, pending)): (usize, &(C, Pending))| Some((index, pending.poll()?));
        let (index, result) = flushes.iter().enumerate().find_map(find)?;
        Some((flushes.remove(index).0, result))
    }
}
