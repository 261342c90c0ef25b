//! Does the test API server go back in time as a client sees it that reaches a server whose state is older?

use std::time::Duration;

use super::support;
use serde_json::{Value, json};

use support::event;
use support::kube_api::{Balancer, Choice, KubeApi, Past};
use support::kube_client::{Next, Watch, get, send, watch};

const BOUND: Duration = Duration::from_secs(30);
/// Long enough for a line that should not come; a slow machine makes the tests weaker, not red.
const A_WHILE: Duration = Duration::from_millis(200);
const LEASES: &str = "/apis/coordination.k8s.io/v1/namespaces/logging/leases";
const ONE: &str = "/apis/coordination.k8s.io/v1/namespaces/logging/leases/gateway";
const EVENTS: &str = "/api/v1/events";

fn hold(api: &KubeApi, holder: &str) -> u64 {
    version_of(&api.put_lease("logging", "gateway", json!({ "spec": { "holderIdentity": holder } })))
}

fn version_of(object: &Value) -> u64 {
    object["metadata"]["resourceVersion"].as_str().and_then(|text| text.parse().ok()).expect("a version")
}

fn holder(url: &str, target: &str) -> Value {
    get(url, target, &[]).json()["spec"]["holderIdentity"].take()
}

fn watch_from(url: &str, path: &str, version: u64) -> Watch {
    watch(url, &format!("{path}?watch=1&resourceVersion={version}"), &[])
}

#[test]
fn after_a_reconnect_the_cache_and_the_watches_of_leases_are_of_an_earlier_moment() {
    let api = KubeApi::start();
    let (first, second) = (hold(&api, "a"), hold(&api, "b"));
    let from_cache = format!("{ONE}?resourceVersion=0");
    let mut open = watch_from(&api.url(), LEASES, first);
    assert_eq!(open.change().2, second);
    assert_eq!(holder(&api.url(), &from_cache), "b");
    api.go_back("leases", first, Past::Cache);
    assert!(matches!(open.next(), Next::Cut(_)), "the client must come again");
    assert_eq!((holder(&api.url(), &from_cache), holder(&api.url(), ONE)), (json!("a"), json!("b")));
    let mut from_past = watch(&api.url(), &format!("{LEASES}?watch=1&resourceVersion=0"), &[]);
    assert_eq!(from_past.change().2, first);
    let mut from_future = watch_from(&api.url(), LEASES, second);
    assert_eq!(
        [from_past.next_within(A_WHILE), from_future.next_within(A_WHILE)],
        [Next::Silence, Next::Silence]
    );
    let third = hold(&api, "c");
    assert_eq!(from_past.next_within(A_WHILE), Next::Silence);
    api.catch_up("leases");
    assert_eq!([from_past.change().2, from_past.change().2], [second, third]);
    assert_eq!(from_future.change().2, third);
    assert_eq!(holder(&api.url(), &from_cache), "c");
}

#[test]
fn events_go_back_in_their_watches_and_in_every_read_if_a_test_wants_it() {
    let api = KubeApi::start();
    let first = version_of(&api.add(event("a", 5, 1)));
    api.add(event("a", 6, 2));
    api.add(event("b", 7, 1));
    api.go_back("events", first, Past::Cache);
    assert_eq!(get(&api.url(), EVENTS, &[]).names(), ["a.x", "b.x"], "etcd answers");
    let mut late = watch_from(&api.url(), EVENTS, first);
    assert_eq!(late.next_within(A_WHILE), Next::Silence);
    api.catch_up("events");
    assert_eq!([late.change().2, late.change().2], [6, 7]);

    api.go_back("events", first, Past::EveryRead);
    for target in [EVENTS.to_owned(), format!("{EVENTS}?resourceVersion=0"), format!("{EVENTS}?limit=1")] {
        let list = get(&api.url(), &target, &[]);
        assert_eq!((list.names(), version_of(&list.json())), (vec!["a.x".to_owned()], first), "{target}");
    }
    assert_eq!(get(&api.url(), "/api/v1/namespaces/shop/events/b.x", &[]).status, 404);
    api.catch_up("events");
    assert_eq!(get(&api.url(), EVENTS, &[]).names(), ["a.x", "b.x"]);
}

#[test]
fn a_write_is_applied_to_the_present_wherever_its_client_reads() {
    let api = KubeApi::start();
    let first = hold(&api, "a");
    hold(&api, "b");
    api.go_back("leases", first, Past::EveryRead);
    let stale = get(&api.url(), ONE, &[]).json();
    assert_eq!(stale["spec"]["holderIdentity"], "a");
    let refused = send(&api.url(), ("PUT", ONE), &[], stale.to_string().as_bytes()).expect("an answer");
    assert_eq!(refused.status, 409);
    assert_eq!(api.lease("logging", "gateway").expect("a Lease")["spec"]["holderIdentity"], "b");
}

#[test]
fn a_server_that_is_stopped_goes_back_without_a_start() {
    let api = KubeApi::start();
    let first = hold(&api, "a");
    hold(&api, "b");
    api.stop();
    api.go_back("leases", first, Past::Cache);
    assert!(std::net::TcpStream::connect(("127.0.0.1", api.port())).is_err());
    api.restart();
    assert_eq!(holder(&api.url(), &format!("{ONE}?resourceVersion=0")), "a");
}

#[test]
fn of_three_servers_behind_one_address_one_is_behind_and_a_client_goes_back_and_forth() {
    let api = KubeApi::start();
    let first = hold(&api, "a");
    let others = [api.replica(), api.replica()];
    let second = hold(&api, "b");
    others[1].go_back("leases", first, Past::Cache);
    let balancer = Balancer::start(&[&api, &others[0], &others[1]], Choice::InTurn);
    let from_cache = format!("{ONE}?resourceVersion=0");
    let seen: Vec<_> = (0..6).map(|_| holder(&balancer.url(), &from_cache)).collect();
    assert_eq!(seen, ["b", "b", "a", "b", "b", "a"]);
    let consistent: Vec<_> = (0..3).map(|_| holder(&balancer.url(), ONE)).collect();
    assert_eq!(consistent, ["b", "b", "b"]);
    let mut open: Vec<_> = (0..3).map(|_| watch_from(&balancer.url(), LEASES, first)).collect();
    api.wait_for_watches("leases", 3, BOUND);
    assert_eq!([open[0].change().2, open[1].change().2], [second, second]);
    assert_eq!(open[2].next_within(A_WHILE), Next::Silence);
    others[1].catch_up("leases");
    assert_eq!(open[2].change().2, second);
}
