//! Faults of single requests: lost responses, conflicts, denials, and panics of the threads.

use std::fs;

use super::support::kube_api::{RequestFault, Requests};
use super::support::rerun;
use super::*;

#[test]
fn a_response_that_was_lost_costs_no_leader() {
    for fault in [RequestFault::ResponseLost, RequestFault::RequestLost, RequestFault::ErrorAfterApplying] {
        let api = KubeApi::start();
        let (mut a, mut b) = pair(&api, &api);
        let epoch = a.epoch();
        api.fail_next("leases", Requests::Writes, 1, fault);
        let end = clock::monotonic() + LEASE;
        wait("the end", (&mut a, &mut b), |a, _| {
            assert!(a.leads(), "{fault:?}");
            clock::monotonic() > end
        });
        assert_eq!(a.epoch(), epoch, "{fault:?}");
    }
}

#[test]
fn a_takeover_whose_response_was_lost_leads_after_another_write() {
    let api = KubeApi::start();
    api.put_lease(PLACE.0, PLACE.1, released());
    api.fail_next("leases", Requests::Writes, 1, RequestFault::ResponseLost);
    let (mut a, mut b) = (Member::start(&api, "a"), Member::start(&api, "b"));
    wait("a leader", (&mut a, &mut b), |a, b| a.leads() || b.leads());
    assert_eq!(holder(&api), if a.leads() { "a" } else { "b" });
}

#[test]
fn conflicts_without_end_are_not_tried_without_a_pause() {
    for is_held in [false, true] {
        let api = KubeApi::start();
        // The other one is dead, and leaves it alone.
        let mut b = Member::start(&api, "b");
        b.kill();
        api.put_lease(PLACE.0, PLACE.1, released());
        let begin = || api.fail_all("leases", Requests::Writes, RequestFault::Conflict);
        if !is_held {
            begin();
        }
        let mut a = Member::start(&api, "a");
        if is_held {
            wait("a leader", (&mut a, &mut b), |a, _| a.leads());
            begin();
        }
        wait("the deadline", (&mut a, &mut b), |a, _| !a.leads());
        api.forget_writes();
        api.forget_requests();
        std::thread::sleep(Duration::from_secs(2));
        let (writes, requests) = (api.writes("leases").len(), api.requests_for("leases").len());
        assert!((2..=13).contains(&writes), "{writes}");
        assert!(requests <= 45, "{requests}");
        assert!(!a.leads());
        api.heal("leases");
        wait("a leader", (&mut a, &mut b), |a, _| a.leads());
    }
}

#[test]
fn a_missing_right_is_named_with_the_rule_to_add() {
    let api = KubeApi::start();
    api.put_lease(PLACE.0, PLACE.1, released());
    api.forbid("leases");
    let mut a = Member::start(&api, "a");
    let mut b = Member::start(&api, "b");
    wait("the line", (&mut a, &mut b), |a, _| a.has_said("Error get on the Lease"));
    let rule = "the Role of this pod's ServiceAccount in the namespace logging needs the rule apiGroups: \
                [\"coordination.k8s.io\"], resources: [\"leases\"], verbs: [\"get\", \"watch\", \"create\", \"update\"]";
    assert!(a.has_said(rule), "{:?}", a.lines);
    assert!(!a.leads());
    api.allow("leases");
    api.forbid_verb("leases", "update");
    wait("the line", (&mut a, &mut b), |a, b| a.has_said("Error update on") && b.has_said("Error update on"));
    assert!(!a.leads() && !b.leads());
    api.allow("leases");
    wait("a leader", (&mut a, &mut b), |a, b| a.leads() || b.leads());
}

#[test]
fn a_token_that_is_refused_is_named() {
    let api = KubeApi::start();
    api.require_token("another");
    let mut a = Member::start(&api, "a");
    let mut b = Member::start(&api, "b");
    wait("the line", (&mut a, &mut b), |a, _| {
        a.has_said("Error get on the Lease logging/event-gateway is denied (401): the API server refuses the token (look")
    });
}

#[test]
fn a_stop_is_bounded_when_the_api_server_does_not_answer() {
    let api = KubeApi::start();
    let (mut a, _b) = pair(&api, &api);
    api.fail_all("leases", Requests::Writes, RequestFault::RequestDelayed(BOUND));
    api.fail_all("leases", Requests::Reads, RequestFault::RequestDelayed(BOUND));
    let began = clock::monotonic();
    a.stop();
    assert!(since(began) < Duration::from_secs(5), "{:?}", since(began));
    assert!(!a.leads());
    assert!(
        a.has_said("Warn the Lease logging/event-gateway could not be released in time"),
        "{:?}",
        a.lines
    );
}

#[test]
fn panics_of_its_threads_are_survived() {
    let Some(file) = std::env::var_os("EVENT_GATEWAY_PANIC") else {
        let folder = tempfile::tempdir().unwrap();
        let mut again = rerun::command(module_path!(), "panics_of_its_threads_are_survived");
        let again = again.env("EVENT_GATEWAY_PANIC", folder.path().join("panics")).output().unwrap();
        return rerun::assert_passed(&again);
    };
    let api = KubeApi::start();
    let (mut a, mut b) = pair(&api, &api);
    fs::write(&file, "elector,lease_watch").unwrap();
    api.close_watches("leases");
    wait("both lines", (&mut a, &mut b), |a, b| {
        a.has_said("Error the election of the leader panicked")
            && b.has_said("Error watching the Lease panicked")
    });
    fs::remove_file(&file).unwrap();
    wait("a leader", (&mut a, &mut b), |a, b| a.leads() || b.leads());
}
