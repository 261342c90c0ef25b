//! [`SharedReplica`]: the replica's machine, which the threads of the Lease, of the verification and of the delivery share.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::replica::Replica;
use super::{Event, Millis};

/// The machine, its clock, and a signal for those who wait for a change of it.
#[derive(Debug)]
pub struct SharedReplica {
    machine: Mutex<Replica>,
    /// Something was observed, seen or settled.
    pub changed: Condvar,
    clock: fn() -> Instant,
    started: Instant,
}

impl SharedReplica {
    /// The machine's time begins now, by this monotonic clock.
    #[must_use]
    pub fn new(machine: Replica, clock: fn() -> Instant) -> Self {
        Self { machine: Mutex::new(machine), changed: Condvar::new(), clock, started: clock() }
    }

    /// Milliseconds since the start, rounded down: a leader that counts from them stops early rather than late.
    #[must_use]
    pub fn now_ms(&self) -> Millis {
        let since = (self.clock)().saturating_duration_since(self.started);
        Millis::try_from(since.as_millis()).unwrap_or(Millis::MAX)
    }

    /// The machine. Nobody does I/O while it is locked. A thread that panicked left it whole or forgot something, which
    /// costs a repetition.
    pub fn lock(&self) -> MutexGuard<'_, Replica> {
        self.machine.lock().unwrap_or_else(PoisonError::into_inner)
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
                    let waited = self.changed.wait_timeout(machine, wait);
                    machine = waited.unwrap_or_else(PoisonError::into_inner).0;
                }
            }
        }
    }

    /// These versions are settled.
    pub fn settle(&self, versions: impl IntoIterator<Item = (Event, u64)>) {
        let mut machine = self.lock();
        versions.into_iter().for_each(|(event, version)| machine.settle(event, version));
        let is_leading = machine.is_leading();
        drop(machine);
        // A standby has nothing to write.
        if is_leading {
            self.changed.notify_all();
        }
    }
}
