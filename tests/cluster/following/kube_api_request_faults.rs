//! Does a single request to the test API server fail in each way that a client of a Lease must bear?

use std::time::Duration;

use super::support;
use event_gateway::clock;
use serde_json::{Value, json};

use support::kube_api::{ALL, KubeApi, RequestFault, Requests};
use support::kube_client::{Answer, get, send};

const BOUND: Duration = Duration::from_secs(30);
const LEASES: &str = "/apis/coordination.k8s.io/v1/namespaces/logging/leases";
const ONE: &str = "/apis/coordination.k8s.io/v1/namespaces/logging/leases/gateway";

fn with_lease() -> (KubeApi, Value) {
    let api = KubeApi::start();
    let lease = api.put_lease("logging", "gateway", json!({ "spec": { "holderIdentity": "a" } }));
    (api, lease)
}

/// Takes the Lease as it is; nothing when the connection closes without a response.
fn take(api: &KubeApi, holder: &str) -> Option<Answer> {
    let mut lease = api.lease("logging", "gateway").expect("a Lease");
    lease["spec"]["holderIdentity"] = holder.into();
    send(&api.url(), ("PUT", ONE), &[], lease.to_string().as_bytes()).ok()
}

fn status(answer: &Option<Answer>) -> Option<u16> {
    answer.as_ref().map(|answer| answer.status)
}

fn holder(api: &KubeApi) -> String {
    let lease = api.lease("logging", "gateway").expect("a Lease");
    lease["spec"]["holderIdentity"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn the_next_writes_are_refused_and_then_they_are_not() {
    let (api, _) = with_lease();
    api.fail_next("leases", Requests::Writes, 2, RequestFault::Conflict);
    api.fail_next("leases", Requests::Writes, 1, RequestFault::InternalError);
    let refused = take(&api, "b").expect("an answer");
    assert_eq!((refused.status, &refused.json()["reason"]), (409, &json!("Conflict")));
    assert_eq!(get(&api.url(), ONE, &[]).status, 200, "reads are not writes");
    assert_eq!([status(&take(&api, "b")), status(&take(&api, "b"))], [Some(409), Some(500)]);
    assert_eq!(holder(&api), "a");
    assert_eq!((status(&take(&api, "b")), holder(&api)), (Some(200), "b".into()));
}

#[test]
fn all_writes_are_refused_until_they_are_healed() {
    let (api, _) = with_lease();
    api.fail_all("leases", Requests::Writes, RequestFault::InternalError);
    for _ in 0..5 {
        assert_eq!(status(&take(&api, "b")), Some(500));
    }
    assert_eq!(api.replica().lease("logging", "gateway"), api.lease("logging", "gateway"));
    api.heal(ALL);
    assert_eq!(status(&take(&api, "b")), Some(200));
}

#[test]
fn a_write_whose_response_is_lost_is_applied_and_one_that_is_lost_is_not() {
    let (api, _) = with_lease();
    api.fail_next("leases", Requests::Writes, 1, RequestFault::RequestLost);
    assert!(take(&api, "lost").is_none());
    assert_eq!(holder(&api), "a");
    api.fail_next("leases", Requests::Writes, 1, RequestFault::ResponseLost);
    assert!(take(&api, "unknown").is_none());
    assert_eq!(holder(&api), "unknown");
    api.fail_next("leases", Requests::Writes, 1, RequestFault::ErrorAfterApplying);
    assert_eq!((status(&take(&api, "in doubt")), holder(&api)), (Some(500), "in doubt".into()));
    let log: Vec<_> =
        api.writes("leases").iter().map(|write| (write.code, write.version.is_some())).collect();
    assert_eq!(log, [(200, true), (500, true)], "what never came is not counted");
}

#[test]
fn a_request_is_applied_late_and_a_response_comes_late() {
    let (api, lease) = with_lease();
    let delay = Duration::from_millis(300);
    api.fail_next("leases", Requests::Writes, 1, RequestFault::RequestDelayed(delay));
    let start = clock::monotonic();
    std::thread::scope(|scope| {
        let late = scope.spawn(|| {
            let mut lease = lease.clone();
            lease["spec"]["holderIdentity"] = "late".into();
            send(&api.url(), ("PUT", ONE), &[], lease.to_string().as_bytes()).expect("an answer")
        });
        api.wait_for_request(ONE, BOUND);
        api.hold_lease("logging", "gateway", "early", "2026-12-01T12:00:00.000000Z");
        let was_early = start.elapsed() < delay;
        let status = late.join().expect("no panic").status;
        assert!(status == 409 || !was_early, "somebody else was there before: {status}");
    });
    assert!(start.elapsed() >= delay);
    api.fail_next("leases", Requests::Writes, 1, RequestFault::ResponseDelayed(delay));
    let start = clock::monotonic();
    std::thread::scope(|scope| {
        let late = scope.spawn(|| take(&api, "at once"));
        api.wait_for_writes("leases", 2, BOUND);
        assert_eq!(holder(&api), "at once");
        assert_eq!(status(&late.join().expect("no panic")), Some(200));
    });
    assert!(start.elapsed() >= delay);
    api.fail_next("leases", Requests::Reads, 1, RequestFault::RequestDelayed(delay));
    let start = clock::monotonic();
    assert_eq!(get(&api.url(), ONE, &[]).status, 200);
    assert!(start.elapsed() >= delay);
    // A stop does not wait for what is late.
    api.fail_all("leases", Requests::Writes, RequestFault::RequestDelayed(Duration::from_secs(3_600)));
    std::thread::scope(|scope| {
        let cut = scope.spawn(|| take(&api, "never"));
        api.wait_for_requests("the last write", BOUND, |requests| {
            requests.iter().filter(|request| request.method == "PUT").count() == 3
        });
        api.stop();
        assert!(cut.join().expect("no panic").is_none());
    });
    assert_eq!(holder(&api), "at once");
}

#[test]
fn one_server_of_several_fails_and_another_does_not() {
    let (api, _) = with_lease();
    let other = api.replica();
    api.fail_all("leases", Requests::Writes, RequestFault::RequestLost);
    assert!(take(&api, "b").is_none());
    assert_eq!((status(&take(&other, "c")), holder(&api)), (Some(200), "c".into()));
}

#[test]
fn a_rule_of_rbac_can_be_missing_for_all_verbs_or_for_one() {
    let (api, _) = with_lease();
    api.forbid("leases");
    let refused = get(&api.url(), ONE, &[]);
    assert_eq!((refused.status, &refused.json()["reason"]), (403, &json!("Forbidden")));
    let message = "leases.coordination.k8s.io \"gateway\" is forbidden: User \
                   \"system:serviceaccount:logging:fluent-bit\" cannot get resource \"leases\" in API group \
                   \"coordination.k8s.io\" in the namespace \"logging\"";
    assert_eq!(refused.json()["message"], message);
    assert_eq!(status(&take(&api, "b")), Some(403));
    api.allow("leases");
    api.forbid_verb("leases", "update");
    assert_eq!((get(&api.url(), ONE, &[]).status, status(&take(&api, "b"))), (200, Some(403)));
    assert_eq!(send(&api.url(), ("POST", LEASES), &[], b"{}").expect("an answer").status, 422);
    api.allow("leases");
    assert_eq!((status(&take(&api, "b")), holder(&api)), (Some(200), "b".into()));
}
