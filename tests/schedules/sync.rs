//! The locks of `crate::sync`, each a place where another thread may go on. A wait that has a bound ends when
//! nothing has happened yet, too. No lock is ever poisoned: the threads of a model share a real one, and what one
//! holds when another panics would be.

use std::ops::{Deref, DerefMut};
use std::sync::LockResult;
use std::time::Duration;

use shuttle::rand::Rng;

pub use shuttle::sync::atomic::{AtomicBool, Ordering};
pub use std::sync::{Arc, PoisonError};

/// A wait as long as this never ends: nobody signalled what it waits for.
const ENDLESS: Duration = Duration::from_secs(60);

#[derive(Debug, Default)]
pub struct Mutex<T>(shuttle::sync::Mutex<T>);

/// Knows its lock, so that a wait can let go of it and come back.
#[derive(Debug)]
pub struct MutexGuard<'a, T> {
    lock: &'a Mutex<T>,
    held: shuttle::sync::MutexGuard<'a, T>,
}

impl<T> Mutex<T> {
    pub fn lock(&self) -> LockResult<MutexGuard<'_, T>> {
        Ok(MutexGuard { lock: self, held: self.0.lock().unwrap_or_else(PoisonError::into_inner) })
    }
}

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.held
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.held
    }
}

#[derive(Debug)]
pub struct Condvar(shuttle::sync::Condvar);

impl Condvar {
    pub fn new() -> Self {
        Self(shuttle::sync::Condvar::new())
    }

    pub fn notify_all(&self) {
        self.0.notify_all();
    }

    pub fn wait<'a, T>(&self, guard: MutexGuard<'a, T>) -> LockResult<MutexGuard<'a, T>> {
        let MutexGuard { lock, held } = guard;
        Ok(MutexGuard { lock, held: self.0.wait(held).unwrap_or_else(PoisonError::into_inner) })
    }

    /// The result says whether the time was up.
    pub fn wait_timeout<'a, T>(
        &self,
        guard: MutexGuard<'a, T>,
        bound: Duration,
    ) -> LockResult<(MutexGuard<'a, T>, bool)> {
        if bound >= ENDLESS {
            return self.wait(guard).map(|guard| (guard, false)).map_err(|_| unreachable!("never poisoned"));
        }
        // A wake-up is one that nobody caused, or the end of the time.
        let lock = guard.lock;
        drop(guard);
        shuttle::thread::yield_now();
        let is_over = shuttle::rand::thread_rng().gen_bool(0.5);
        if is_over {
            crate::clock::pass(bound);
        }
        Ok((lock.lock().unwrap(), is_over))
    }
}
