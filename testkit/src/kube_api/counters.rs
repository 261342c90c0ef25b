//! What the server has seen, and waiting for it. Every wait has a bound and says what was seen instead.

use std::sync::PoisonError;
use std::time::Duration;

use super::KubeApi;
use super::request::Request;
use super::resource::Resource;
use super::shared::State;

impl KubeApi {
    /// All requests so far.
    pub fn requests(&self) -> Vec<Request> {
        self.replica.lock().requests.clone()
    }

    /// The requests for one resource, in all namespaces or in one: its lists and watches, and those of one object.
    pub fn requests_for(&self, resource: &str) -> Vec<Request> {
        let resource = Resource::named(resource);
        let asked = |request: &Request| {
            Resource::of_path(request.path()).is_some_and(|(asked, ..)| asked == resource)
        };
        self.requests().into_iter().filter(asked).collect()
    }

    pub fn forget_requests(&self) {
        self.replica.lock().requests.clear();
    }

    pub fn connections(&self) -> usize {
        self.server.accepted()
    }

    pub fn open_watches(&self, resource: &str) -> usize {
        count(&self.replica.lock(), &Resource::matching(resource))
    }

    /// Waits for a request whose target contains this text: `watch=1`, or the path of a list.
    pub fn wait_for_request(&self, text: &str, bound: Duration) {
        let what = format!("a request with {text:?}");
        self.wait(&what, bound, |state| state.requests.iter().any(|request| request.target.contains(text)));
    }

    /// Waits for what `done` finds among all requests so far; it must not call the server, whose lock is held.
    pub fn wait_for_requests(&self, what: &str, bound: Duration, mut done: impl FnMut(&[Request]) -> bool) {
        self.wait(what, bound, |state| done(&state.requests));
    }

    /// Waits until exactly so many watches of a resource are open; `ALL` counts those of all together.
    pub fn wait_for_watches(&self, resource: &str, watches: usize, bound: Duration) {
        let resources = Resource::matching(resource);
        let what = format!("{watches} watches of {resource}");
        self.wait(&what, bound, |state| count(state, &resources) == watches);
    }

    /// Waits until every open watch has handed all changes so far to the network, but for those that fell
    /// silent. What the client does with them is for the client to say.
    pub fn wait_for_sent(&self, resource: &str, bound: Duration) {
        let what = format!("all changes of {resource} to be sent");
        let resources = Resource::matching(resource);
        let goal: Vec<(Resource, u64)> = {
            let state = self.replica.lock();
            resources.iter().map(|resource| (*resource, state.store.of(*resource).history.end())).collect()
        };
        self.wait(&what, bound, |state| {
            goal.iter().all(|(resource, end)| {
                let mut watches = state.watches.values().filter(|watch| watch.resource == *resource);
                watches.all(|watch| watch.sent.is_none_or(|sent| sent >= *end))
            })
        });
    }

    pub(super) fn wait(&self, what: &str, bound: Duration, mut done: impl FnMut(&State) -> bool) {
        let waiting = |state: &mut State| !done(state);
        let waited = self.replica.seen.wait_timeout_while(self.replica.lock(), bound, waiting);
        let (state, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
        if timeout.timed_out() {
            let recent = state.requests.iter().rev().take(20).map(|request| request.target.clone());
            let (recent, watches): (Vec<_>, _) = (recent.collect(), state.watches.len());
            drop(state);
            panic!(
                "waited {bound:?} for {what}; {watches} watches are open; the API server last saw {recent:#?}"
            );
        }
    }
}

fn count(state: &State, resources: &[Resource]) -> usize {
    state.watches.values().filter(|watch| resources.contains(&watch.resource)).count()
}
