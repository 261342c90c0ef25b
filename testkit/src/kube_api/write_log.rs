//! Who wrote what and when, so that a test can state how much a client writes. Each write that is applied is a
//! revision of etcd.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::KubeApi;
use super::resource::Resource;

/// A request that wrote, or was to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    pub(super) resource: &'static str,
    pub user_agent: String,
    /// `create`, `update` or `delete`.
    pub verb: &'static str,
    /// When the store was done with it.
    pub at: Instant,
    /// The HTTP status, also of a response that was lost.
    pub code: u16,
    /// The version that it made; nothing when it was refused, or changed nothing.
    pub version: Option<u64>,
}

impl KubeApi {
    /// All writes of a resource so far, refused ones included, on all servers over this store.
    pub fn writes(&self, resource: &str) -> Vec<Write> {
        let resource = Resource::named(resource).names().resource;
        let state = self.replica.lock();
        state.writes.iter().filter(|write| write.resource == resource).cloned().collect()
    }

    pub fn forget_writes(&self) {
        self.replica.lock().writes.clear();
    }

    /// How often each client, known by its User-Agent, has written a resource.
    pub fn writes_by_client(&self, resource: &str) -> BTreeMap<String, usize> {
        self.by_client(resource, |times| times.len())
    }

    /// The most writes of each client within any span of this length.
    pub fn most_writes_within(&self, resource: &str, span: Duration) -> BTreeMap<String, usize> {
        self.by_client(resource, |times| most_within(times, span))
    }

    /// Waits until a resource was written so often, refused writes included.
    pub fn wait_for_writes(&self, resource: &str, count: usize, bound: Duration) {
        let own = Resource::named(resource).names().resource;
        self.wait(&format!("{count} writes of {resource}"), bound, |state| {
            state.writes.iter().filter(|write| write.resource == own).count() >= count
        });
    }

    fn by_client(&self, resource: &str, count: impl Fn(&[Instant]) -> usize) -> BTreeMap<String, usize> {
        let mut times: BTreeMap<String, Vec<Instant>> = BTreeMap::new();
        for write in self.writes(resource) {
            times.entry(write.user_agent).or_default().push(write.at);
        }
        times.into_iter().map(|(client, times)| (client, count(&times))).collect()
    }
}

/// The times are in order.
fn most_within(times: &[Instant], span: Duration) -> usize {
    let from = |first: usize| times[first..].partition_point(|time| *time < times[first] + span);
    (0..times.len()).map(from).max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use event_gateway::clock;

    use super::*;

    #[test]
    fn a_burst_counts_wherever_it_begins() {
        let start = clock::monotonic();
        let times = [0, 900, 950, 1_000, 1_899, 5_000].map(|ms| start + Duration::from_millis(ms));
        assert_eq!(most_within(&times, Duration::from_secs(1)), 4);
        assert_eq!(most_within(&times, Duration::from_millis(50)), 1);
        assert_eq!(most_within(&[], Duration::from_secs(1)), 0);
    }
}
