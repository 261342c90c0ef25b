//! One server of several over the same store: what it has for itself is how far its watch cache is behind, whether it
//! is up, and whom it lets in just after a start.
//!
//! A watch cache shows a moment of the past, never an earlier one than it has shown. Its watches and its lists from the
//! cache are of that moment; consistent reads, which etcd answers, are of the present.

use std::ops::Deref;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use event_gateway::clock;

use super::KubeApi;
use super::replica_state::{NotReady, ReplicaState};
use super::resource::Resource;
use super::shared::{Shared, State};

/// What a connection knows of the server that it came to.
#[derive(Clone)]
pub(super) struct Replica {
    pub(super) shared: Arc<Shared>,
    pub(super) number: usize,
}

impl Deref for Replica {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.shared
    }
}

impl Replica {
    /// Another one over this store.
    pub(super) fn new(shared: &Arc<Shared>) -> Self {
        let mut state = shared.lock();
        state.replicas.push(ReplicaState::default());
        Replica { shared: Arc::clone(shared), number: state.replicas.len() - 1 }
    }

    pub(super) fn of<'s>(&self, state: &'s mut State) -> &'s mut ReplicaState {
        &mut state.replicas[self.number]
    }

    pub(super) fn is_stopping(&self, state: &State) -> bool {
        state.replicas[self.number].stopping
    }

    /// Sleeps, but not beyond a stop; false when the server stops.
    pub(super) fn pause(&self, pause: Duration) -> bool {
        let running = |state: &mut State| !self.is_stopping(state);
        let waited = self.stopped.wait_timeout_while(self.lock(), pause, running);
        !self.is_stopping(&waited.unwrap_or_else(PoisonError::into_inner).0)
    }

    pub(super) fn starts(&self) {
        let mut state = self.shared.lock();
        let replica = self.of(&mut state);
        replica.stopping = false;
        replica.ready_at = replica.warm_up.and_then(|(_, time)| clock::monotonic().checked_add(time));
    }
}

impl KubeApi {
    /// Watches, and lists with `resourceVersion=0`, show changes of a resource only so long after they happened. Lists
    /// without a version show the present. For open watches as well; what was shown stays shown. `Duration::MAX`
    /// stops the cache where it is. Of events, which have no cache, only watches are late.
    pub fn lag(&self, resource: &str, lag: Duration) {
        self.set_lag(&Resource::matching(resource), lag);
    }

    /// The same for all that correlation reads, so that events come before the objects that they are about.
    pub fn lag_all_but_events(&self, lag: Duration) {
        let events = Resource::named("events");
        self.set_lag(&Resource::all().filter(|resource| *resource != events).collect::<Vec<_>>(), lag);
    }

    fn set_lag(&self, resources: &[Resource], lag: Duration) {
        let mut state = self.replica.lock();
        let replica = self.replica.of(&mut state);
        resources.iter().for_each(|resource| replica.set_lag(*resource, lag));
        drop(state);
        self.replica.notify_all();
    }

    /// From the next `restart` on, each start begins with this answer to everything for so long.
    pub fn refuse_after_restart(&self, answer: NotReady, time: Duration) {
        self.replica.of(&mut self.replica.lock()).warm_up = Some((answer, time));
    }

    /// When the last start was over, and the server answered as it does; nothing when it did at once.
    pub fn ready_at(&self) -> Option<Instant> {
        self.replica.of(&mut self.replica.lock()).ready_at
    }

    /// Another server over the same store, on a port of its own, with a lag and with faults of single requests of its
    /// own. What is counted, and what fails otherwise, is the same for all of them.
    pub fn replica(&self) -> KubeApi {
        KubeApi::over(Replica::new(&self.replica.shared), self.tls.clone())
    }
}
