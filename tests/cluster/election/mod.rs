//! Does one of two replicas lead, through everything that an API server does, and never both?
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod faults;
mod leases;
mod takeovers;
mod writes;

use testkit as support;

use std::sync::Arc;
use std::time::{Duration, Instant};

use event_gateway::clock;
use event_gateway::config::{Endpoint, Tls, TopologySettings};
use event_gateway::lease::{Elector, LeaseName};
use event_gateway::log::HostLog;
use event_gateway::pattern::Patterns;
use event_gateway::replicas::election::Timing;
use event_gateway::replicas::replica::Replica;
use event_gateway::replicas::seen::Bounds;
use event_gateway::replicas::shared::SharedReplica;

use serde_json::{Value, json};
use support::kube_api::KubeApi;

const BOUND: Duration = Duration::from_secs(30);
const TIMING: Timing = Timing { lease: 1_500, renew_deadline: 1_000, retry: 200, watermark: 100 };
const LEASE: Duration = Duration::from_millis(TIMING.lease);
const RENEW_DEADLINE: Duration = Duration::from_millis(TIMING.renew_deadline);
const BOUNDS: Bounds = Bounds { versions: 1_000, exceptions: 50 };
const PLACE: (&str, &str) = ("logging", "event-gateway");

/// A replica that takes part in the election.
struct Member {
    replica: Arc<SharedReplica>,
    log: Arc<HostLog>,
    elector: Option<Elector>,
    lines: Vec<String>,
}

impl Member {
    fn start(api: &KubeApi, me: &str) -> Self {
        Self::with(api, me, TIMING)
    }

    fn with(api: &KubeApi, me: &str, timing: Timing) -> Self {
        let settings = TopologySettings {
            url: Endpoint { url: api.url(), https: false, shown: api.url() },
            tls: Tls::default(),
            token_file: None,
            tombstone_ttl: Duration::from_secs(3_600),
            annotations: Patterns::default(),
            snapshot_file: None,
        };
        let machine = Replica::new(me.to_owned(), timing, BOUNDS);
        let (replica, log) =
            (Arc::new(SharedReplica::new(machine, clock::monotonic)), Arc::<HostLog>::default());
        let lease = LeaseName::new(PLACE.0, PLACE.1).unwrap();
        let elector = Elector::start(&replica, &settings, &lease, &timing, &log, || {})
            .unwrap_or_else(|errors| panic!("{errors:?}"));
        Self { replica, log, elector: Some(elector), lines: Vec::new() }
    }

    fn leads(&self) -> bool {
        self.replica.ask(|machine, now| machine.election().may_send(now).is_some())
    }

    fn epoch(&self) -> Option<u64> {
        self.replica.ask(|machine, _| machine.election().epoch())
    }

    /// As at a SIGTERM.
    fn stop(&mut self) {
        self.elector.take().unwrap().stop();
    }

    /// As at a SIGKILL: nothing is released.
    fn kill(&mut self) {
        self.elector = None;
    }

    /// All lines so far.
    fn lines(&mut self) -> &[String] {
        let new = self.log.drain(clock::monotonic()).into_iter();
        self.lines.extend(new.map(|line| format!("{:?} {}", line.level, line.text)));
        &self.lines
    }

    fn has_said(&mut self, text: &str) -> bool {
        self.lines().iter().any(|line| line.contains(text))
    }
}

/// Whether both lead at one moment: the first one is asked before and after the second one.
fn both_lead(a: &Member, b: &Member) -> bool {
    let epoch = a.epoch();
    a.leads() && b.leads() && a.leads() && a.epoch() == epoch
}

/// Waits, and never sees both lead.
#[track_caller]
fn wait(
    what: &str,
    (a, b): (&mut Member, &mut Member),
    mut done: impl FnMut(&mut Member, &mut Member) -> bool,
) {
    let end = clock::monotonic() + BOUND;
    while !done(a, b) {
        assert!(!both_lead(a, b), "both lead: {:?} {:?}", a.lines(), b.lines());
        assert!(clock::monotonic() < end, "waited {BOUND:?} for {what}: {:?} {:?}", a.lines(), b.lines());
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Two replicas, each with its own server, the first of which leads.
fn pair(of_a: &KubeApi, of_b: &KubeApi) -> (Member, Member) {
    of_a.put_lease(PLACE.0, PLACE.1, released());
    let mut a = Member::start(of_a, "a");
    // The second one cannot lead before it is there.
    let mut b = Member::start(of_b, "b");
    wait("a leader", (&mut a, &mut b), |a, b| a.leads() || b.leads());
    if b.leads() {
        b.stop();
        wait("the first one to lead", (&mut a, &mut b), |a, _| a.leads());
        b = Member::start(of_b, "b");
    }
    wait("a standby", (&mut a, &mut b), |_, b| b.has_said("stands by: a holds"));
    (a, b)
}

/// A Lease that nobody holds. One that is not there is made only after a lease's time.
fn released() -> Value {
    json!({ "kind": "Lease", "apiVersion": "coordination.k8s.io/v1", "metadata": {}, "spec": { "holderIdentity": "" } })
}

fn since(moment: Instant) -> Duration {
    clock::monotonic().saturating_duration_since(moment)
}

fn holder(api: &KubeApi) -> String {
    let lease = api.lease(PLACE.0, PLACE.1).unwrap_or_default();
    lease["spec"]["holderIdentity"].as_str().unwrap_or_default().to_owned()
}
