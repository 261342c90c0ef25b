//! What the ledger is asked and what it answers: a delivery, a verdict, a commit.

use crate::record::identity::Versioned;

/// A delivery that was begun; its outcome is said by `commit`, `dead_letter` or `abort`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ticket(pub(super) u64);

/// What is to be done with a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Deliver: nothing is known of this event.
    New { ticket: Ticket },
    /// Deliver: the event is known, this version of it is not.
    Update { ticket: Ticket, new_occurrences: u32 },
    /// Nothing to do: this version was acknowledged.
    Duplicate,
    /// Nothing to do but to share the outcome of a delivery that is on its way.
    InFlight { ticket: Ticket },
    /// Not wanted by the `updates` setting. With a ticket, the version that made it unwanted is itself
    /// still on its way.
    Suppressed { behind: Option<Ticket> },
    /// Never deliver it again: it may have arrived. Put it away, and commit it then.
    InDoubt { ticket: Ticket },
}

/// One commit: when, and what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    pub number: u64,
    /// Unix time of the commit, in seconds.
    pub at_seconds: u64,
    pub records: Vec<Versioned>,
}
