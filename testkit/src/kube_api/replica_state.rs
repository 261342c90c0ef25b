//! The part of the state that belongs to one server: how late its cache is, and whom it lets in after a start.

use std::time::{Duration, Instant};

use event_gateway::clock;

use super::resource::{Resource, TABLE};
use super::status::Refusal;

/// How a server that has just started turns everybody away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotReady {
    /// 403: it listens before it has read the rules of RBAC.
    Forbidden,
    /// 401: it has not read the keys or the accounts that tokens are checked with.
    Unauthorized,
}

/// A server's part of the state.
#[derive(Default)]
pub(super) struct ReplicaState {
    pub(super) stopping: bool,
    lag: [Duration; TABLE.len()],
    /// What was shown before the lag changed last: the cache does not go back behind it.
    shown: [Option<Instant>; TABLE.len()],
    /// How each start begins.
    pub(super) warm_up: Option<(NotReady, Duration)>,
    pub(super) ready_at: Option<Instant>,
}

impl ReplicaState {
    /// The moment that the watch cache of a resource shows; nothing when it lies before all moments.
    pub(super) fn moment(&self, resource: Resource) -> Option<Instant> {
        let trailing = clock::monotonic().checked_sub(self.lag[resource.0]);
        self.shown[resource.0].max(trailing)
    }

    pub(super) fn set_lag(&mut self, resource: Resource, lag: Duration) {
        self.shown[resource.0] = self.moment(resource);
        self.lag[resource.0] = lag;
    }

    /// When a change will be shown that happened then.
    pub(super) fn shows(&self, resource: Resource, happened: Instant) -> Option<Instant> {
        happened.checked_add(self.lag[resource.0])
    }

    pub(super) fn refusal(&self, resource: Resource, verb: &str) -> Option<Refusal> {
        let names = resource.names();
        let (not_ready, _) =
            self.warm_up.filter(|_| self.ready_at.is_some_and(|at| clock::monotonic() < at))?;
        Some(match not_ready {
            NotReady::Forbidden => Refusal::forbidden(names.resource, verb, names.api_version),
            NotReady::Unauthorized => Refusal::unauthorized(),
        })
    }
}
