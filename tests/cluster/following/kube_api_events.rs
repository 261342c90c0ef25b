//! Does the test API server serve events as the real one: out of etcd, without a watch cache?

use std::time::Duration;

use super::support;
use event_gateway::clock;
use serde_json::{Value, json};

use support::event;
use support::kube_api::{KubeApi, TooOld};
use support::kube_client::{Next, get, watch};

const BOUND: Duration = Duration::from_secs(30);
/// Long enough for a line that should not come; a slow machine makes the tests weaker, not red.
const A_WHILE: Duration = Duration::from_millis(200);
const EVENTS: &str = "/api/v1/events";
const METADATA: &str = "Accept: application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";

fn version_of(object: &Value) -> u64 {
    object["metadata"]["resourceVersion"].as_str().and_then(|text| text.parse().ok()).expect("a version")
}

#[test]
fn one_event_is_read_by_its_name() {
    let api = KubeApi::start();
    api.add(event("a", 5, 1));
    let added = api.add(event("b", 6, 2));
    let found = get(&api.url(), "/api/v1/namespaces/shop/events/b.x", &[]);
    assert_eq!((found.status, found.json()), (200, added.clone()));
    let metadata = get(&api.url(), "/api/v1/namespaces/shop/events/b.x", &[METADATA]).json();
    assert_eq!(
        metadata,
        json!({ "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": added["metadata"] })
    );
    for absent in ["/api/v1/namespaces/shop/events/c.x", "/api/v1/namespaces/other/events/b.x"] {
        let refused = get(&api.url(), absent, &[]);
        assert_eq!((refused.status, &refused.json()["reason"]), (404, &json!("NotFound")));
        assert!(refused.text.contains("not found\""), "{}", refused.text);
    }
    assert_eq!(get(&api.url(), "/api/v1/events/b.x", &[]).status, 404, "only within its namespace");
    api.delete(event("b", 6, 2));
    assert_eq!(get(&api.url(), "/api/v1/namespaces/shop/events/b.x", &[]).status, 404);
    let limited = get(&api.url(), "/api/v1/events?limit=1", &[]);
    assert_eq!(limited.names(), ["a.x"]);
}

#[test]
fn a_watch_of_metadata_has_no_more_than_that() {
    let api = KubeApi::start();
    let version = api.version();
    let mut event = event("a", 5, 1);
    event["metadata"]["managedFields"] = json!([{ "manager": "kubelet", "operation": "Update" }]);
    let added = api.add(event.clone());
    let mut open = watch(&api.url(), &format!("{EVENTS}?watch=1&resourceVersion={version}"), &[METADATA]);
    let Next::Line(line) = open.next() else { panic!("no line") };
    let partial = json!({ "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": added["metadata"] });
    assert_eq!(line, json!({ "type": "ADDED", "object": partial }));
    api.delete(event);
    assert_eq!(open.change().0, "DELETED", "an expiry comes as a deletion");
}

#[test]
fn a_watch_of_events_gets_no_bookmarks_even_if_it_asks() {
    let api = KubeApi::start();
    let target =
        |path: &str| format!("{path}?watch=1&resourceVersion={}&allowWatchBookmarks=true", api.version());
    let mut events = watch(&api.url(), &target(EVENTS), &[]);
    let mut pods = watch(&api.url(), &target("/api/v1/pods"), &[]);
    api.wait_for_watches("events", 1, BOUND);
    api.wait_for_watches("pods", 1, BOUND);
    api.bookmark();
    api.bookmark_every(Some(Duration::from_millis(10)));
    assert_eq!(pods.change().0, "BOOKMARK");
    assert_eq!(events.next_within(A_WHILE), Next::Silence);
    api.add(event("a", 50, 1));
    assert_eq!(events.change().0, "ADDED");
}

#[test]
fn version_0_reads_the_present_and_a_version_of_the_future_is_refused_at_once() {
    let api = KubeApi::start();
    api.freeze_cache();
    api.lag("events", Duration::MAX);
    api.ignore_limit_from_cache(true);
    api.add(event("a", 5, 1));
    api.add(event("b", 6, 1));
    assert_eq!(get(&api.url(), &format!("{EVENTS}?resourceVersion=0"), &[]).names(), ["a.x", "b.x"]);
    assert_eq!(get(&api.url(), &format!("{EVENTS}?resourceVersion=0&limit=1"), &[]).names(), ["a.x"]);
    let mut late = watch(&api.url(), &format!("{EVENTS}?watch=1&resourceVersion=0"), &[]);
    assert_eq!([late.change().1, late.change().1], ["a.x", "b.x"]);
    api.add(event("c", 7, 1));
    assert_eq!(late.next_within(A_WHILE), Next::Silence, "a member of etcd may be behind");
    // Once is enough: a busy machine may be slow.
    let at_once = (0..5).any(|_| {
        let start = clock::monotonic();
        let refused = get(&api.url(), &format!("{EVENTS}?resourceVersion=8"), &[]);
        assert_eq!(refused.status, 504);
        start.elapsed() < Duration::from_secs(3)
    });
    assert!(at_once, "there is no cache that could catch up");
    api.lag("events", Duration::ZERO);
    assert_eq!(late.change().1, "c.x");
}

#[test]
fn the_history_of_events_ends_at_the_compaction() {
    let api = KubeApi::start();
    let old = version_of(&api.add(event("a", 5, 1)));
    api.add(event("a", 6, 2));
    let mut open = watch(&api.url(), &format!("{EVENTS}?watch=1&resourceVersion={old}"), &[]);
    assert_eq!(open.change().2, 6);
    api.refuse_old_watches_with(TooOld::Status);
    api.compact();
    let mut late = watch(&api.url(), &format!("{EVENTS}?watch=1&resourceVersion={old}"), &[]);
    assert_eq!(late.status, 200, "etcd says it once the watch has begun");
    let Next::Line(error) = late.next() else { panic!("no ERROR event") };
    assert_eq!((&error["type"], &error["object"]["reason"]), (&json!("ERROR"), &json!("Expired")));
    assert_eq!((&error["object"]["code"], late.next()), (&json!(410), Next::End));
    api.add(event("a", 7, 3));
    assert_eq!(open.change().2, 7, "an open watch goes on");
}
