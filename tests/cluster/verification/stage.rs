//! A verification of the tests' API server, and what it knows.

use std::sync::Arc;
use std::time::Duration;

use event_gateway::clock;
use event_gateway::cluster;
use event_gateway::config::{Endpoint, Tls, TopologySettings};
use event_gateway::log::HostLog;
use event_gateway::pattern::Patterns;
use event_gateway::replicas::election;
use event_gateway::replicas::replica::Replica;
use event_gateway::replicas::seen::Bounds;
use event_gateway::replicas::shared::SharedReplica;
use event_gateway::verification::change::event;
use event_gateway::verification::timing::Timing;
use event_gateway::verification::{Scope, Verification};
use serde_json::Value;

use super::support::kube_api::KubeApi;
use super::support::kube_client::get;

pub const BOUND: Duration = Duration::from_secs(30);
/// In a hurry, but for silence: a loaded machine is silent now and then.
pub const TIMING: Timing = Timing {
    requests: cluster::Timing {
        connect: Duration::from_secs(5),
        head: Duration::from_secs(20),
        list_head: Duration::from_secs(20),
        silence: Duration::from_secs(20),
        turn: Duration::from_millis(200),
        settle: Duration::from_millis(50),
        reopening: Duration::from_secs(1),
        stale: Duration::from_millis(300),
        quiet: Duration::from_secs(3),
        publication: Duration::from_millis(5),
        tick: Duration::from_millis(20),
        first_save: Duration::from_millis(50),
        save: Duration::from_millis(50),
    },
    tick: Duration::from_millis(20),
    forget: Duration::from_secs(3_600),
    warn: Duration::from_secs(60),
    quiet: Duration::from_millis(50),
};
/// A loss of the watch is not logged: on a busy machine any may take a moment.
pub const SILENT_SOON: Timing = Timing {
    requests: cluster::Timing { silence: Duration::from_millis(700), ..TIMING.requests },
    quiet: Duration::from_secs(20),
    ..TIMING
};
pub const LEASE: election::Timing =
    election::Timing { lease: 15_000, renew_deadline: 10_000, retry: 2_000, watermark: 500 };
pub const BOUNDS: Bounds = Bounds { versions: 100_000, exceptions: 64 };

pub struct Stage {
    pub api: KubeApi,
    pub shared: Arc<SharedReplica>,
    pub log: Arc<HostLog>,
    pub verification: Verification,
}

impl Stage {
    pub fn of(api: KubeApi) -> Self {
        let url = api.url();
        Self::at(api, url, &TIMING)
    }

    /// It reaches the API server at this URL.
    pub fn at(api: KubeApi, url: String, timing: &Timing) -> Self {
        let scope = Scope { namespace: None, reconcile_after: Duration::ZERO };
        Self::with(api, url, &scope, timing)
    }

    pub fn with(api: KubeApi, url: String, scope: &Scope, timing: &Timing) -> Self {
        let shared = Arc::new(SharedReplica::new(
            Replica::new("me".to_owned(), LEASE, BOUNDS),
            event_gateway::clock::monotonic,
        ));
        let log = Arc::new(HostLog::default());
        let settings = settings(url);
        let verification = Verification::start(&settings, scope, timing, &shared, &log, || {});
        let verification = verification.unwrap_or_else(|errors| panic!("{errors:?}"));
        Self { api, shared, log, verification }
    }

    pub fn lines(&self) -> Vec<String> {
        self.log.drain(clock::monotonic()).into_iter().map(|line| line.text).collect()
    }

    /// Waits for a line with this text, and returns it.
    #[track_caller]
    pub fn wait_logged(&self, text: &str) -> String {
        let mut found = None;
        wait(text, || {
            found = self.lines().into_iter().find(|line| line.contains(text));
            found.is_some()
        });
        found.unwrap()
    }

    pub fn has_seen(&self, uid: &str, version: u64) -> bool {
        self.shared.lock().seen().event_of(version) == Some(event(uid))
    }

    #[track_caller]
    pub fn wait_seen(&self, uid: &str, version: u64) {
        wait(&format!("{uid}@{version}"), || self.has_seen(uid, version));
    }

    pub fn settle(&self, uid: &str, version: u64) {
        self.shared.lock().settle(event(uid), version);
    }

    /// Puts an event and waits until it is seen: then everything before it is known, as far as it can be.
    #[track_caller]
    pub fn put_and_see(&self, uid: &str) -> u64 {
        let version = put(&self.api, uid);
        self.wait_seen(uid, version);
        version
    }

    /// Every version that the API server has is seen, and as many are owed as nobody settled.
    #[track_caller]
    pub fn assert_knows_all(&self) {
        let events = events(&self.api);
        for (uid, version) in &events {
            self.wait_seen(uid, *version);
        }
        let owed = |uid: &str, version: u64| {
            let replica = self.shared.lock();
            let mut unsettled = replica.seen().unsettled();
            unsettled.any(|(owed, of)| owed == version && of.event == event(uid))
        };
        assert!(events.iter().all(|(uid, version)| owed(uid, *version)), "{events:?}");
    }

    pub fn restarts(&self) -> u64 {
        self.verification.totals().restarts.get()
    }
}

fn settings(url: String) -> TopologySettings {
    TopologySettings {
        url: Endpoint { url: url.clone(), https: false, shown: url },
        tls: Tls::default(),
        token_file: None,
        tombstone_ttl: Duration::from_secs(3_600),
        annotations: Patterns::default(),
        snapshot_file: None,
    }
}

/// An event of which the API server makes the next version.
pub fn put(api: &KubeApi, uid: &str) -> u64 {
    version_of(&api.add(super::support::event(uid, 0, 1)))
}

pub fn remove(api: &KubeApi, uid: &str) {
    api.delete(super::support::event(uid, 0, 1));
}

pub fn version_of(object: &Value) -> u64 {
    object["metadata"]["resourceVersion"].as_str().and_then(|text| text.parse().ok()).expect("a version")
}

/// Uids and versions, as a list of all shows them now.
pub fn events(api: &KubeApi) -> Vec<(String, u64)> {
    // A fault that is left is for whoever comes first.
    let lists = (0..10).map(|_| get(&api.url(), "/api/v1/events", &[]).json());
    let list = lists.into_iter().find(|list| list["items"].is_array()).expect("a list");
    let items = list["items"].as_array().expect("items");
    items
        .iter()
        .map(|item| (item["metadata"]["uid"].as_str().unwrap().to_owned(), version_of(item)))
        .collect()
}

#[track_caller]
pub fn wait(what: &str, mut done: impl FnMut() -> bool) {
    let end = clock::monotonic() + BOUND;
    while !done() {
        assert!(clock::monotonic() < end, "waited {BOUND:?} for {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}
