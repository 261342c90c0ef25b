//! [`SharedReplica`]: the protocol's state machine, which several threads drive and ask.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::clock;
use crate::replicas::Millis;
use crate::replicas::replica::Replica;

/// The machine, its clock, and a signal for those who wait for a change of it.
pub struct SharedReplica {
    machine: Mutex<Replica>,
    changed: Condvar,
    started: Instant,
}

impl SharedReplica {
    /// The machine's time begins now.
    #[must_use]
    pub fn new(machine: Replica) -> Self {
        Self { machine: Mutex::new(machine), changed: Condvar::new(), started: clock::monotonic() }
    }

    /// Milliseconds since the start, rounded down: a leader that counts from them stops early rather than late.
    #[must_use]
    pub fn now_ms(&self) -> Millis {
        let elapsed = clock::monotonic().saturating_duration_since(self.started);
        Millis::try_from(elapsed.as_millis()).unwrap_or(Millis::MAX)
    }

    /// Changes the machine, and wakes all who wait for a change.
    pub fn change<T>(&self, change: impl FnOnce(&mut Replica, Millis) -> T) -> T {
        let mut machine = self.lock();
        // Read under the lock, so that the machine's time never goes back.
        let changed = change(&mut machine, self.now_ms());
        drop(machine);
        self.changed.notify_all();
        changed
    }

    /// Asks the machine.
    pub fn ask<T>(&self, ask: impl FnOnce(&Replica, Millis) -> T) -> T {
        let machine = self.lock();
        ask(&machine, self.now_ms())
    }

    /// Asks the machine until the answer is one, after each change and when a wait is over: `Err` says until when.
    pub fn wait<T>(&self, mut ask: impl FnMut(&mut Replica, Millis) -> Result<T, Millis>) -> T {
        let mut machine = self.lock();
        loop {
            let now = self.now_ms();
            match ask(&mut machine, now) {
                Ok(answer) => return answer,
                Err(until) => {
                    let wait = Duration::from_millis(until.saturating_sub(now).max(1));
                    machine =
                        self.changed.wait_timeout(machine, wait).unwrap_or_else(PoisonError::into_inner).0;
                }
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Replica> {
        self.machine.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
