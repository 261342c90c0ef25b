//! RequestKind a watch reports: the changes of its objects, and whether the kind is followed.

use std::sync::Arc;

use super::super::object::Object;

/// RequestKind happened to the objects of the kind, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ObjectChange {
    /// These are there, and no others.
    Listed(Vec<Arc<Object>>),
    Put(Arc<Object>),
    /// With its last state.
    Deleted(Arc<Object>),
    /// The kind cannot be had: forbidden, or not served.
    GivenUp,
}

/// Why a kind is not followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LossReason {
    /// No connection, no response, or one that was cut.
    Unreachable,
    /// 401.
    Unauthorized,
    /// 403.
    Forbidden,
    /// 404.
    NotServed,
    /// 429.
    Throttled,
    /// Another status, or an error in place of an event.
    ServerError,
    /// The response is not what Kubernetes writes.
    Unreadable,
}

impl LossReason {
    pub const ALL: [Self; 7] = [
        Self::Unreachable,
        Self::Unauthorized,
        Self::Forbidden,
        Self::NotServed,
        Self::Throttled,
        Self::ServerError,
        Self::Unreadable,
    ];

    /// As the metrics label says it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::Unauthorized => "unauthorized",
            Self::Forbidden => "forbidden",
            Self::NotServed => "not_served",
            Self::Throttled => "throttled",
            Self::ServerError => "server_error",
            Self::Unreadable => "unreadable",
        }
    }
}

/// A turn in the following of a kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WatchStatus {
    /// A watch was answered 200.
    Followed,
    /// The watch has ended as it should, and is to begin again at once.
    Ended,
    Lost {
        reason: LossReason,
        /// RequestKind came in place of events, for a person.
        why: String,
        /// RBAC or the API server's version is the cause, not its start: waiting does not help.
        is_refused: bool,
    },
}

/// The API server's data is older than what was seen: etcd was restored from a backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// The newest version that was seen before.
    pub known: String,
    pub found: String,
}

/// RequestKind came of an event.
#[derive(Debug, Default)]
pub struct Output {
    pub changes: Vec<ObjectChange>,
    /// The last turn, if there was one.
    pub following: Option<WatchStatus>,
    /// The first 200 of an API server that was away: it may be back for other kinds as well.
    pub got_through: bool,
    pub restored: Option<Restored>,
    /// Objects and lines left out: too large, too deep, or not as Kubernetes writes them.
    pub skipped: u64,
    /// Watches that ended and are to begin again.
    pub restarts: u64,
}
