//! The part of the state that belongs to one server: how late its cache is, and whom it lets in after a start.

use std::time::{Duration, Instant};

use event_gateway::clock;

use super::asked::Asked;
use super::request_faults::RequestFaults;
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

/// What a server shows of one resource.
#[derive(Clone, Copy)]
pub(super) struct View {
    pub(super) resource: Resource,
    /// The moment of its watch cache and of its watches; nothing when it lies before all moments.
    pub(super) moment: Option<Instant>,
    /// Consistent reads are of that moment, too.
    pub(super) is_stale: bool,
}

/// A server's part of the state.
#[derive(Default)]
pub(super) struct ReplicaState {
    pub(super) stopping: bool,
    lag: [Duration; TABLE.len()],
    /// What was shown before the lag changed last: the cache does not go back behind it.
    shown: [Option<Instant>; TABLE.len()],
    /// Where even consistent reads show the moment of the cache.
    is_stale: [bool; TABLE.len()],
    /// How each start begins.
    pub(super) warm_up: Option<(NotReady, Duration)>,
    pub(super) ready_at: Option<Instant>,
    pub(super) faults: [RequestFaults; TABLE.len()],
}

impl ReplicaState {
    pub(super) fn view(&self, resource: Resource) -> View {
        View { resource, moment: self.moment(resource), is_stale: self.is_stale[resource.0] }
    }

    /// The moment that the watch cache of a resource shows; nothing when it lies before all moments.
    pub(super) fn moment(&self, resource: Resource) -> Option<Instant> {
        let trailing = clock::monotonic().checked_sub(self.lag[resource.0]);
        self.shown[resource.0].max(trailing)
    }

    pub(super) fn set_lag(&mut self, resource: Resource, lag: Duration) {
        self.shown[resource.0] = self.moment(resource);
        self.lag[resource.0] = lag;
        self.is_stale[resource.0] = false;
    }

    /// Shows this moment until the lag is set anew, whatever was shown before.
    pub(super) fn go_back(&mut self, resource: Resource, moment: Option<Instant>, is_stale: bool) {
        self.shown[resource.0] = moment;
        self.lag[resource.0] = Duration::MAX;
        self.is_stale[resource.0] = is_stale;
    }

    /// When a change will be shown that happened then.
    pub(super) fn shows(&self, resource: Resource, happened: Instant) -> Option<Instant> {
        happened.checked_add(self.lag[resource.0])
    }

    pub(super) fn refusal(&self, asked: &Asked) -> Option<Refusal> {
        let (not_ready, _) =
            self.warm_up.filter(|_| self.ready_at.is_some_and(|at| clock::monotonic() < at))?;
        Some(match not_ready {
            NotReady::Forbidden => Refusal::forbidden(asked),
            NotReady::Unauthorized => Refusal::unauthorized(),
        })
    }
}
