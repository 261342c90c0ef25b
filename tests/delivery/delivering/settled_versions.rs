//! Does the verification of the source hear of each version that is settled, and of no other?

use std::sync::Arc;

use super::{posting, support};
use event_gateway::clock;
use event_gateway::job::{HostResult, Job, reply};
use event_gateway::log::HostLog;
use event_gateway::metrics::Metrics;
use event_gateway::pipeline::Pipeline;
use event_gateway::record::identity;
use event_gateway::replicas::election::Timing;
use event_gateway::replicas::replica::Replica;
use event_gateway::replicas::seen::Bounds;
use event_gateway::replicas::shared::SharedReplica;
use serde_json::Value;
use support::gateway::{Answer, TestGateway};
use support::{chunk, event};

const TIMING: Timing = Timing { lease: 15_000, renew_deadline: 10_000, retry: 2_000, watermark: 500 };

/// An instance, and a replica that has seen these events.
struct Trial {
    gateway: TestGateway,
    pipeline: Pipeline,
    replica: Arc<SharedReplica>,
}

impl Trial {
    fn start(keys: &[(&str, &str)], seen: &[Value]) -> Trial {
        let gateway = TestGateway::start();
        let settings = posting::settings(&gateway.url(), &[keys, &[("correlate", "off")]].concat());
        let (metrics, log) = (Arc::<Metrics>::default(), Arc::<HostLog>::default());
        let Ok(mut pipeline) = Pipeline::open(&settings, &metrics, &log, || {}) else { panic!("a start") };
        let machine = Replica::new("me".to_owned(), TIMING, Bounds { versions: 1_000, exceptions: 100 });
        let replica = Arc::new(SharedReplica::new(machine, clock::monotonic));
        pipeline.report_settled_to(Arc::clone(&replica));
        let trial = Trial { gateway, pipeline, replica };
        trial.see(seen);
        trial
    }

    fn see(&self, seen: &[Value]) {
        let mut machine = self.replica.lock();
        machine.begin_list(1);
        machine.end_list(1);
        for event in seen {
            let metadata = &event["metadata"];
            let uid = metadata["uid"].as_str().expect("a uid");
            let version = metadata["resourceVersion"].as_str().expect("a version").parse().expect("a number");
            machine.see(identity::of_uid(uid).0, version, 0);
            machine.advance(version);
        }
    }

    fn deliver(&mut self, events: &[Value]) -> Option<HostResult> {
        let (reply, pending) = reply(Arc::new(|| {}));
        self.pipeline.round(vec![Job { tag: "t".to_owned(), data: chunk::of(events), reply }]);
        pending.poll()
    }

    /// The versions that nobody has settled.
    fn unsettled(&self) -> Vec<u64> {
        self.replica.lock().seen().unsettled().map(|(version, _)| version).collect()
    }
}

#[test]
fn what_is_delivered_is_settled_and_what_is_not_is_not() {
    let events = [event("a", 11, 1), event("b", 12, 1), event("c", 13, 1)];
    let mut trial = Trial::start(&[], &events);
    trial.gateway.set_default(Answer::status(503));
    assert_eq!(trial.deliver(&events[..1]), Some(HostResult::Retry));
    assert_eq!(trial.unsettled(), [11, 12, 13]);
    let mut trial = Trial::start(&[], &events);
    assert_eq!(trial.deliver(&events[..2]), Some(HostResult::Ok));
    assert_eq!(trial.unsettled(), [13]);
}

#[test]
fn a_repetition_is_settled() {
    let events = [event("a", 11, 1)];
    let mut trial = Trial::start(&[], &[]);
    assert_eq!(trial.deliver(&events), Some(HostResult::Ok));
    // As after a change of the verification's state, which the ledger outlives.
    trial.replica.lock().begin_list(0);
    trial.see(&events);
    assert_eq!(trial.unsettled(), [11]);
    assert_eq!(trial.deliver(&events), Some(HostResult::Ok));
    assert_eq!(trial.unsettled(), [0; 0]);
}

#[test]
fn what_the_selection_leaves_out_is_settled() {
    let mut left_out = event("a", 11, 1);
    left_out["type"] = "Normal".into();
    let mut trial = Trial::start(&[("types", "Warning")], std::slice::from_ref(&left_out));
    assert_eq!(trial.deliver(&[left_out]), Some(HostResult::Ok));
    assert_eq!((trial.unsettled(), trial.gateway.requests().len()), (vec![], 0));
}

#[test]
fn a_dead_letter_is_settled() {
    let events = [event("a", 11, 1)];
    let folder = tempfile::tempdir().expect("a folder");
    let letters = folder.path().join("letters");
    let mut trial = Trial::start(&[("dead_letter_file", letters.to_str().expect("a path"))], &events);
    trial.gateway.set_default(Answer::status(400));
    assert_eq!(trial.deliver(&events), Some(HostResult::Ok));
    assert_eq!(trial.unsettled(), [0; 0]);
}

#[test]
fn an_update_that_is_not_wanted_is_settled_with_the_version_because_of_which() {
    let (first, second) = (event("a", 11, 1), event("a", 12, 2));
    let both = [first, second];
    let mut trial = Trial::start(&[("updates", "first")], &both);
    trial.gateway.set_default(Answer::status(503));
    assert_eq!(trial.deliver(&both), Some(HostResult::Retry));
    assert_eq!(trial.unsettled(), [11, 12], "the first may be lost, and the second stands for it");
    let mut trial = Trial::start(&[("updates", "first")], &both);
    assert_eq!(trial.deliver(&both), Some(HostResult::Ok));
    assert_eq!((trial.unsettled(), trial.gateway.requests().len()), (vec![], 1));
}
