//! Does a leader that took over get its predecessor's word confirmed, and does a panic cost nothing?

use std::fs;

use super::stage::*;
use super::support::kube_api::KubeApi;
use super::support::rerun;
use event_gateway::replicas::election::Written;
use event_gateway::replicas::lease::{LeaseContent, LeaseRecord};
use event_gateway::replicas::watermark::Watermark;

/// The Lease as a predecessor left it, which says that everything up to here is settled.
fn lease(holder: &str, version: u64, through: u64) -> LeaseRecord {
    let watermark = Watermark { through, ..Watermark::default() };
    let content = LeaseContent {
        holder: holder.to_owned(),
        duration: 15_000,
        transitions: 0,
        renewals: version,
        watermark: Some(watermark),
        announced: Vec::new(),
    };
    LeaseRecord { uid: "lease".to_owned(), version, content }
}

/// Takes over while the verification is behind what the Lease says.
fn take_over(stage: &Stage, through: u64) {
    let now = stage.shared.now_ms();
    let mut replica = stage.shared.lock();
    replica.observe(Some(lease("", 1, through)), true, now);
    replica.sent(now);
    assert!(replica.written(Written::Stored(lease("me", 2, through)), now));
    assert!(replica.is_leading() && replica.seen().wants_confirmation());
    drop(replica);
    stage.shared.changed.notify_all();
}

#[test]
fn the_word_of_the_predecessor_is_confirmed_by_a_read_that_began_later() {
    let stage = Stage::of(KubeApi::start());
    stage.api.wait_for_watches("events", 1, BOUND);
    let last = stage.put_and_see("a");
    stage.api.fall_silent("events");
    let version = put(&stage.api, "b");
    stage.api.forget_requests();
    take_over(&stage, version);
    wait("the confirmation", || !stage.shared.lock().seen().wants_confirmation());
    let lag = stage.verification.lag();
    assert_eq!((lag.seen, lag.unsettled), (1, 0), "the watch is silent, and {last} is settled");
    assert!(stage.api.requests().iter().all(|request| request.target == "/api/v1/events?limit=1"));
}

#[test]
fn a_word_of_the_future_counts_no_more() {
    let stage = Stage::of(KubeApi::start());
    stage.api.wait_for_watches("events", 1, BOUND);
    let last = stage.put_and_see("a");
    stage.api.forbid("events");
    take_over(&stage, last + 100);
    stage.api.wait_for_request("limit=1", BOUND);
    assert!(stage.shared.lock().seen().wants_confirmation(), "a refusal proves nothing");
    stage.api.allow("events");
    let line = stage.wait_logged("that word no longer counts");
    assert!(line.contains(&(last + 100).to_string()), "{line}");
    assert!(!stage.shared.lock().seen().wants_confirmation());
    // What it covered of the past counts; nothing of what comes does.
    stage.put_and_see("b");
    assert_eq!(stage.verification.lag().unsettled, 1);
}

#[test]
fn a_standby_does_not_read_for_what_it_may_not_use() {
    let stage = Stage::of(KubeApi::start());
    stage.api.wait_for_watches("events", 1, BOUND);
    let last = stage.put_and_see("a");
    stage.api.forget_requests();
    let now = stage.shared.now_ms();
    stage.shared.lock().observe(Some(lease("other", 1, last + 100)), true, now);
    stage.shared.changed.notify_all();
    stage.put_and_see("b");
    assert_eq!(stage.api.requests(), []);
    // It has no source of its own to complain of: the leader does.
    assert_eq!(stage.verification.lag().unsettled, 1);
}

/// Runs a test once more in a process of its own, whose environment names a wire; there, the wire.
fn in_a_process_of_its_own(name: &str) -> Option<std::path::PathBuf> {
    if let Some(wire) = std::env::var_os("EVENT_GATEWAY_PANIC") {
        return Some(wire.into());
    }
    let folder = tempfile::tempdir().unwrap();
    let mut again = rerun::command(module_path!(), name);
    rerun::assert_passed(&again.env("EVENT_GATEWAY_PANIC", folder.path().join("wire")).output().unwrap());
    None
}

#[test]
fn panics_of_both_threads_cost_nothing() {
    let Some(wire) = in_a_process_of_its_own("panics_of_both_threads_cost_nothing") else { return };
    let stage = Stage::of(KubeApi::start());
    stage.api.wait_for_watches("events", 1, BOUND);
    for (place, words) in
        [("verification", "watching the metadata"), ("timekeeper", "looking at what is owed")]
    {
        fs::write(&wire, place).unwrap();
        stage.api.close_watches("events");
        stage.wait_logged(words);
        put(&stage.api, place);
        fs::remove_file(&wire).unwrap();
        stage.put_and_see(&format!("after-{place}"));
    }
    stage.assert_knows_all();
}
