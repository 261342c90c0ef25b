//! The content of a record of any kind.

use super::audit::AuditEvent;
use super::event::KubeEvent;
use super::violation::Violation;
use crate::kind::Kind;
use crate::time::Stamp;

/// A decoded record.
#[derive(Debug, Clone, Copy)]
pub enum Content<'r, 'a> {
    /// An event of core/v1 or events.k8s.io/v1.
    Event(&'r KubeEvent<'a>),
    /// One stage of a request, from the API server's audit log.
    Audit(&'r AuditEvent<'a>),
    /// A violation of a Gatekeeper constraint.
    Violation(&'r Violation<'a>),
    /// A record of no known kind.
    Other,
}

impl<'r> Content<'r, '_> {
    /// The kind, as the setting `kinds` names it.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Event(_) => Kind::Event,
            Self::Audit(_) => Kind::Audit,
            Self::Violation(_) => Kind::Violation,
            Self::Other => Kind::Other,
        }
    }

    /// Namespace of the object; empty if it is cluster-scoped.
    #[must_use]
    pub fn namespace(&self) -> &'r str {
        match self {
            Self::Event(event) => event.namespace(),
            Self::Audit(audit) => &audit.object.namespace,
            Self::Violation(violation) => &violation.resource.namespace,
            Self::Other => "",
        }
    }

    /// When it last happened, if the record states it. Go's zero time does not count.
    #[must_use]
    pub fn time(&self) -> Option<Stamp> {
        match self {
            Self::Event(event) => event.time(),
            Self::Audit(audit) => {
                Stamp::parse_set(&audit.stage_time).or_else(|| Stamp::parse_set(&audit.request_received))
            }
            Self::Violation(violation) => violation.time.filter(|time| time.is_set()),
            Self::Other => None,
        }
    }

    /// When it first happened.
    #[must_use]
    pub fn first_time(&self) -> Option<Stamp> {
        match self {
            Self::Event(event) => event.first_time(),
            Self::Audit(audit) => Stamp::parse_set(&audit.request_received).or_else(|| self.time()),
            Self::Violation(_) | Self::Other => self.time(),
        }
    }

    /// Whether the record counts occurrences. An event without a version and a count is one occurrence.
    #[must_use]
    pub fn counts(&self) -> bool {
        match self {
            Self::Event(event) => {
                event.count.is_some() || event.series.is_some() || !event.metadata.resource_version.is_empty()
            }
            _ => false,
        }
    }

    /// The event's count, if it is too high to be true.
    #[must_use]
    pub fn implausible_count(&self) -> Option<u64> {
        match self {
            Self::Event(event) => event.implausible_count(),
            _ => None,
        }
    }

    /// Number of occurrences so far; 1 if the record does not count.
    #[must_use]
    pub fn occurrences(&self) -> u64 {
        match self {
            Self::Event(event) => event.occurrences(),
            _ => 1,
        }
    }
}
