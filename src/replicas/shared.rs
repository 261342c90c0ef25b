//! [`SharedReplica`]: the replica's machine, which the threads of the Lease, of the verification and of the delivery share.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::replica::Replica;
use super::{Event, Millis};

/// One replica, with its clock.
#[derive(Debug)]
pub struct SharedReplica {
    machine: Mutex<Replica>,
    /// Something was observed, seen or settled.
    pub changed: Condvar,
    started: Instant,
}

impl SharedReplica {
    /// Its clock begins at `now`.
    #[must_use]
    pub fn new(machine: Replica, now: Instant) -> Self {
        Self { machine: Mutex::new(machine), changed: Condvar::new(), started: now }
    }

    /// A time by the replica's own clock.
    #[must_use]
    pub fn millis(&self, now: Instant) -> Millis {
        let since = now.saturating_duration_since(self.started);
        Millis::try_from(since.as_millis()).unwrap_or(Millis::MAX)
    }

    /// The machine. Nobody does I/O while it is locked. A thread that panicked left it whole or forgot something, which
    /// costs a repetition.
    pub fn lock(&self) -> MutexGuard<'_, Replica> {
        self.machine.lock().unwrap_or_else(PoisonError::into_inner)
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
