//! What the connections of the server and the test share.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::asked::Asked;
use super::pages::Pages;
use super::replica_state::ReplicaState;
use super::request::Request;
use super::resource::{Resource, TABLE};
use super::status::Refusal;
use super::store::Store;
use super::transport::Delivery;
use super::write_log::Write;

/// In which of its two real forms a watch from a forgotten version is refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TooOld {
    /// HTTP 200 and an ERROR event with the `Status`: what the watch cache does.
    #[default]
    ErrorEvent,
    /// HTTP 410 with the `Status` as the body.
    Status,
}

#[derive(Clone, Copy)]
pub(super) enum Denial {
    Forbidden,
    Missing,
}

#[derive(Clone, Copy)]
pub(super) enum Failure {
    TooManyRequests,
    Unavailable,
}

/// How requests for one resource fail.
pub(super) struct Faults {
    pub(super) denial: Option<Denial>,
    /// The verbs that no rule of RBAC allows, where the others are allowed.
    pub(super) denied_verbs: Vec<String>,
    /// For the next requests, with the seconds of Retry-After.
    pub(super) failures: VecDeque<(Failure, u64)>,
    pub(super) delivery: Delivery,
    pub(super) silent: bool,
}

impl Default for Faults {
    fn default() -> Self {
        Faults {
            denial: None,
            denied_verbs: Vec::new(),
            failures: VecDeque::new(),
            delivery: Delivery::Whole,
            silent: false,
        }
    }
}

impl Faults {
    /// Flow control comes before authorisation.
    pub(super) fn refusal(&mut self, asked: &Asked) -> Option<Refusal> {
        let is_denied = self.denied_verbs.iter().any(|verb| verb == asked.verb_name());
        match (self.failures.pop_front(), self.denial) {
            (Some((Failure::TooManyRequests, seconds)), _) => Some(Refusal::too_many_requests(seconds)),
            (Some((Failure::Unavailable, seconds)), _) => Some(Refusal::unavailable(seconds)),
            (None, Some(Denial::Missing)) => Some(Refusal::not_found()),
            (None, Some(Denial::Forbidden)) => Some(Refusal::forbidden(asked)),
            (None, None) => is_denied.then(|| Refusal::forbidden(asked)),
        }
    }
}

/// A watch as the counters see it.
pub(super) struct OpenWatch {
    pub(super) resource: Resource,
    /// Up to where everything was handed to the network; nothing for one that fell silent.
    pub(super) sent: Option<u64>,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) store: Store,
    pub(super) pages: Pages,
    pub(super) faults: [Faults; TABLE.len()],
    pub(super) token: Option<String>,
    pub(super) too_old: TooOld,
    pub(super) bookmark_interval: Option<Duration>,
    pub(super) requests: Vec<Request>,
    pub(super) writes: Vec<Write>,
    pub(super) watches: BTreeMap<u64, OpenWatch>,
    /// The number of the next watch, so that an order can be for those that are open.
    pub(super) next_watch: u64,
    pub(super) replicas: Vec<ReplicaState>,
}

#[derive(Default)]
pub(super) struct Shared {
    state: Mutex<State>,
    /// By resource, or the watches of all would wake for every change of one.
    pub(super) changed: [Condvar; TABLE.len()],
    /// Something that a test may wait for: a request, a watch, a line sent.
    pub(super) seen: Condvar,
    pub(super) stopped: Condvar,
}

impl Shared {
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn notify_all(&self) {
        self.changed.iter().chain([&self.seen, &self.stopped]).for_each(Condvar::notify_all);
    }
}
