//! The kinds of records, and their names in settings and documents.

/// The kind of a record. It depends only on the record's shape, never on its source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An Event of core/v1 or events.k8s.io/v1.
    Event,
    /// An Event of audit.k8s.io/v1.
    Audit,
    /// A violation of a Gatekeeper constraint.
    Violation,
    /// Anything else.
    Other,
}

impl Kind {
    /// All kinds but `Other`.
    pub const KNOWN: [Self; 3] = [Self::Event, Self::Audit, Self::Violation];

    /// As settings and documents call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Event => "kubernetes.event",
            Self::Audit => "kubernetes.audit",
            Self::Violation => "gatekeeper.violation",
            Self::Other => "other",
        }
    }
}
