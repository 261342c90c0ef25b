//! The ways in which the server can be made to fail. Where a resource is named, `ALL` names every one.

use std::time::Duration;

use super::KubeApi;
use super::request_faults::RequestFaults;
use super::resource::Resource;
use super::shared::{Denial, Failure, Faults, State, TooOld};
use super::store::Order;
use super::transport::Delivery;

impl KubeApi {
    /// 403 for all but open watches, as when a rule of RBAC is missing: those go on, as they do for real.
    pub fn forbid(&self, resource: &str) {
        self.each_fault(resource, |faults| faults.denial = Some(Denial::Forbidden));
    }

    /// The same for one verb, such as `update`: a rule that leaves it out.
    pub fn forbid_verb(&self, resource: &str, verb: &str) {
        self.each_fault(resource, |faults| faults.denied_verbs.push(verb.to_owned()));
    }

    /// 404, as from a server that is too old for the resource.
    pub fn missing(&self, resource: &str) {
        self.each_fault(resource, |faults| faults.denial = Some(Denial::Missing));
    }

    /// Undoes `forbid`, `forbid_verb` and `missing`.
    pub fn allow(&self, resource: &str) {
        self.each_fault(resource, |faults| {
            faults.denial = None;
            faults.denied_verbs.clear();
        });
    }

    /// 401 for every request without this bearer token, from now on.
    pub fn require_token(&self, token: &str) {
        self.replica.lock().token = Some(token.to_owned());
    }

    pub fn require_no_token(&self) {
        self.replica.lock().token = None;
    }

    /// 429 with Retry-After for the next requests.
    pub fn too_many_requests(&self, resource: &str, requests: usize, retry_after_seconds: u64) {
        self.fail(resource, requests, (Failure::TooManyRequests, retry_after_seconds));
    }

    /// 503 with Retry-After for the next requests.
    pub fn unavailable(&self, resource: &str, requests: usize, retry_after_seconds: u64) {
        self.fail(resource, requests, (Failure::Unavailable, retry_after_seconds));
    }

    fn fail(&self, resource: &str, requests: usize, failure: (Failure, u64)) {
        self.each_fault(resource, |faults| faults.failures.extend(std::iter::repeat_n(failure, requests)));
    }

    /// How lists and watches are cut into pieces. Also for open watches.
    pub fn deliver(&self, resource: &str, delivery: Delivery) {
        self.each_fault(resource, |faults| faults.delivery = delivery);
    }

    /// Half-open connections: watches that are open and those to come send nothing more, whatever changes, and
    /// do not end, not even when their time is over. Lists are answered.
    pub fn fall_silent(&self, resource: &str) {
        self.each_fault(resource, |faults| faults.silent = true);
        self.order(resource, || Order::FallSilent);
    }

    /// Everything about this resource works again, on all servers, for new requests: a watch that fell silent stays
    /// so.
    pub fn heal(&self, resource: &str) {
        self.each_fault(resource, |faults| *faults = Faults::default());
        for replica in &mut self.replica.lock().replicas {
            Resource::matching(resource)
                .into_iter()
                .for_each(|resource| replica.faults[resource.0] = RequestFaults::default());
        }
    }

    /// Half of the next line that an open watch has to send is sent; then its connection is closed.
    pub fn cut(&self, resource: &str) {
        self.order(resource, || Order::Cut);
    }

    /// Sends these bytes and a line feed to the open watches, whatever they mean.
    pub fn send_line(&self, resource: &str, line: &[u8]) {
        self.order(resource, || Order::Line([line, b"\n"].concat().into()));
    }

    /// A line of so many bytes to the open watches. It is well-formed and says nothing: an object of a kind that
    /// nobody watches.
    pub fn send_huge_line(&self, resource: &str, bytes: usize) {
        let (before, after) = (
            "{\"type\":\"MODIFIED\",\"object\":{\"kind\":\"Huge\",\"apiVersion\":\"test/v1\",\"padding\":\"",
            "\"}}",
        );
        let padding = "x".repeat(bytes.saturating_sub(before.len() + after.len()));
        self.send_line(resource, format!("{before}{padding}{after}").as_bytes());
    }

    /// Ends open watches in good order, as the API server does every half hour or so.
    pub fn close_watches(&self, resource: &str) {
        self.order(resource, || Order::End);
    }

    /// A bookmark for all open watches that allow it, but for those of events, which come from etcd.
    pub fn bookmark(&self) {
        self.order(super::ALL, || Order::Bookmark);
    }

    /// Bookmarks in this interval; a real server sends one a minute. Nothing ends it.
    pub fn bookmark_every(&self, interval: Option<Duration>) {
        self.replica.lock().bookmark_interval = interval;
    }

    /// Makes every version but the newest too old for a watch, and every `continue` token.
    pub fn compact(&self) {
        let mut state = self.replica.lock();
        state.store.compact();
        state.pages.expire();
    }

    /// Makes every `continue` token too old.
    pub fn expire_pages(&self) {
        self.replica.lock().pages.expire();
    }

    pub fn refuse_old_watches_with(&self, form: TooOld) {
        self.replica.lock().too_old = form;
    }

    /// How many changes of each resource are kept for watches; one that begins or falls behind them is refused
    /// or ended.
    pub fn keep_changes(&self, changes: usize) {
        self.replica.lock().store.kept_changes = changes;
    }

    /// Old servers answer `resourceVersion=0` from the watch cache as a whole, whatever the limit.
    pub fn ignore_limit_from_cache(&self, ignore: bool) {
        self.replica.lock().pages.limit_ignored_by_cache = ignore;
    }

    /// From now on `resourceVersion=0` of all but events shows the present moment, later as well: a server that lags behind.
    pub fn freeze_cache(&self) {
        let mut state = self.replica.lock();
        let State { store, pages, .. } = &mut *state;
        pages.freeze_cache(store);
    }

    pub fn thaw_cache(&self) {
        self.replica.lock().pages.thaw_cache();
    }

    fn each_fault(&self, resource: &str, change: impl Fn(&mut Faults)) {
        let mut state = self.replica.lock();
        Resource::matching(resource).into_iter().for_each(|resource| change(&mut state.faults[resource.0]));
    }

    fn order(&self, resource: &str, order: impl Fn() -> Order) {
        let mut state = self.replica.lock();
        let below = state.next_watch;
        for resource in Resource::matching(resource) {
            state.store.order(resource, below, order());
            self.replica.changed[resource.0].notify_all();
        }
    }
}
