//! What the ledger is asked and what it answers: a delivery, a verdict, a commit, an intent.

use crate::record::identity::Versioned;

/// A delivery that was begun. `commit`, `dead_letter` or `abort` ends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ticket(pub(super) u64);

/// What to do with a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Deliver it: the ledger knows nothing of this event.
    New {
        /// The delivery that begins with this verdict.
        ticket: Ticket,
    },
    /// Deliver it: the ledger knows the event, and not this version.
    Update {
        /// The delivery that begins with this verdict.
        ticket: Ticket,
        /// Occurrences since the newest known version; 0 for a version that is older than that.
        new_occurrences: u32,
    },
    /// Do nothing: this version was acknowledged.
    Duplicate,
    /// Share the outcome of the delivery that is in flight.
    InFlight {
        /// The earlier delivery of the same version. It is not the caller's to end.
        ticket: Ticket,
    },
    /// Do nothing: the `updates` setting does not want it. With a ticket, share the outcome of the version because of
    /// which it is not wanted.
    Suppressed {
        /// The delivery of that version; `None` if it was acknowledged before.
        behind: Option<Ticket>,
    },
    /// Dead-letter it, then commit: it may have arrived, so it must not be sent again.
    InDoubt {
        /// The delivery that begins with this verdict.
        ticket: Ticket,
    },
}

/// One commit: what was acknowledged at one time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// Its key in the file. Later commits have higher numbers.
    pub number: u64,
    /// The ledger's time of the commit, in seconds.
    pub at_seconds: u64,
    /// From now on, these versions are duplicates.
    pub records: Vec<Versioned>,
}

/// What one request is about to deliver, written down before it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intent {
    /// Its key in the file. Later intents have higher numbers; commits have numbers of their own.
    pub number: u64,
    /// The ledger's time at which it was written down, in seconds.
    pub at_seconds: u64,
    /// In doubt unless the response says what became of them.
    pub records: Vec<Versioned>,
}
