//! How fresh each kind's data is: whether its watch is open, or for how long it has been broken.
//!
//! ```text
//! Current ──watch lost──► Behind ──5 s──► Stale
//!    ▲                      │               │
//!    └──── caught up ───────┴───────────────┘
//! Refused: RBAC forbids the kind, or the API server does not serve it; this lasts until somebody changes it
//! ```
//! The reflectors set the freshness and each snapshot carries it, so a correlation depends on its snapshot
//! alone.

use super::kind::{KINDS, ObjectKind};

/// How fresh the objects of one kind are, from best to worst.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Freshness {
    /// The watch is open and has caught up. A watch that ends normally and reopens at once stays current.
    #[default]
    Current,
    /// The watch broke a moment ago, or it reopened and may not have caught up yet.
    Behind,
    /// The watch has been broken for so long that records say `stale`.
    Stale,
    /// The API server refuses the kind; waiting does not help.
    Refused,
}

/// The freshness of every kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FreshnessTable([Freshness; KINDS]);

impl FreshnessTable {
    /// How fresh the objects of this kind are.
    #[must_use]
    pub const fn of(&self, kind: ObjectKind) -> Freshness {
        self.0[kind.index()]
    }

    /// Sets how fresh the objects of this kind are.
    pub fn set(&mut self, kind: ObjectKind, freshness: Freshness) {
        self.0[kind.index()] = freshness;
    }
}
