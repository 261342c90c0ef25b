//! How far each kind can be believed: whether its watch is open, and since when it is not.
//!
//! ```text
//! Current ──watch lost──► Behind ──5 s──► Stale
//!    ▲                      │               │
//!    └──── caught up ───────┴───────────────┘
//! Refused: RBAC forbids the kind, or the API server does not serve it; this lasts until somebody changes it
//! ```
//! The threads that follow the cluster set it, and each snapshot carries it, so that a correlation depends on nothing but
//! its snapshot.

use super::kind::{KINDS, ObjectKind};

/// How far the objects of one kind can be believed. The worse is the greater.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Freshness {
    /// The watch is open and has caught up. The normal end of a watch, which begins again at once, changes nothing.
    #[default]
    Current,
    /// The watch broke off a moment ago, or is open again and may not have caught up yet.
    Behind,
    /// The watch has been away for so long that records say `stale`.
    Stale,
    /// The kind cannot be had; waiting does not help.
    Refused,
}

/// The freshness of every kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FreshnessTable([Freshness; KINDS]);

impl FreshnessTable {
    #[must_use]
    pub const fn of(&self, kind: ObjectKind) -> Freshness {
        self.0[kind.index()]
    }

    pub fn set(&mut self, kind: ObjectKind, freshness: Freshness) {
        self.0[kind.index()] = freshness;
    }
}
