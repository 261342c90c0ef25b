//! [`SharedReplica`]: the replica's machine, which the threads of the Lease, of the verification and of the delivery share.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::clock;
use crate::replicas::Millis;
use crate::replicas::replica::Replica;

/// One replica, with its clock.
#[derive(Debug)]
pub struct SharedReplica {
    /// Nobody does I/O while it is locked.
    pub machine: Mutex<Replica>,
    /// Something was observed, shown or settled.
    pub changed: Condvar,
    /// The zero of the replica's clock.
    pub started: Instant,
}

impl SharedReplica {
    /// Its clock begins now.
    #[must_use]
    pub fn new(machine: Replica) -> Self {
        Self { machine: Mutex::new(machine), changed: Condvar::new(), started: clock::monotonic() }
    }

    /// The time of the replica's own clock.
    #[must_use]
    pub fn now_ms(&self) -> Millis {
        let since = clock::monotonic().saturating_duration_since(self.started);
        Millis::try_from(since.as_millis()).unwrap_or(Millis::MAX)
    }

    /// The machine. A thread that panicked left it whole or forgot something, which costs a repetition.
    pub fn lock(&self) -> MutexGuard<'_, Replica> {
        self.machine.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
