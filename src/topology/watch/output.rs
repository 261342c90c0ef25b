//! The results of a watch: changes of objects, and whether the kind is followed.

use std::sync::Arc;

use super::super::object::Object;

/// A change of the kind's objects. The order matters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ObjectChange {
    /// A complete list: exactly these objects exist.
    Listed(Vec<Arc<Object>>),
    /// The object was added or modified: this is its state now.
    Put(Arc<Object>),
    /// The object in its last state.
    Deleted(Arc<Object>),
    /// The kind cannot be listed: it is forbidden or not served.
    GivenUp,
}

/// Why a kind is not followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LossReason {
    /// No connection, no response, or a response that broke off.
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
    /// The response is not valid Kubernetes output.
    Unreadable,
}

impl LossReason {
    /// In the order of their numbers.
    pub const ALL: [Self; 7] = [
        Self::Unreachable,
        Self::Unauthorized,
        Self::Forbidden,
        Self::NotServed,
        Self::Throttled,
        Self::ServerError,
        Self::Unreadable,
    ];

    /// The value of the metric's label.
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

/// A change in whether a kind is followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WatchStatus {
    /// A watch got a 200.
    Followed,
    /// The watch ended normally and restarts at once.
    Ended,
    /// The kind is not followed until the next `Followed`; what is known of it gets old.
    Lost {
        /// Each reason gets a WARN of its own if it lasts.
        reason: LossReason,
        /// The response in place of events, for the log.
        why: String,
        /// RBAC or the API server's version is the cause, not a recent start; waiting does not help.
        is_refused: bool,
    },
}

/// The API server's data is older than what was seen: etcd was restored from a backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// The newest version seen before.
    pub known: String,
    /// The version that a consistent list has now, which is lower.
    pub found: String,
}

/// The results of one step.
#[derive(Debug, Default)]
pub struct Output {
    /// In the order in which they happened.
    pub changes: Vec<ObjectChange>,
    /// The last change of status, if any.
    pub following: Option<WatchStatus>,
    /// The first 200 of an API server that was away: it may be back for the other kinds too.
    pub got_through: bool,
    /// The caller logs it and makes all kinds list again.
    pub restored: Option<Restored>,
    /// Objects and lines that were dropped: too large, too deep, or not valid.
    pub skipped: u64,
    /// Watches that ended and restart.
    pub restarts: u64,
}
