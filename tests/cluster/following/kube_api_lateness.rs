//! Is the test API server late, behind, not ready and restored in the ways of the real one?

use std::time::Duration;

use super::support;
use event_gateway::clock;
use serde_json::{Value, json};

use support::kube_api::{Balancer, Choice, KubeApi, NotReady};
use support::kube_client::{Answer, Next, Watch, get, watch};

const BOUND: Duration = Duration::from_secs(30);
/// Long enough for a line that should not come; a slow machine makes the tests weaker, not red.
const A_WHILE: Duration = Duration::from_millis(200);
const PODS: &str = "/api/v1/pods";
const FROM_CACHE: &str = "/api/v1/pods?resourceVersion=0";

fn pod(name: &str) -> Value {
    json!({ "kind": "Pod", "apiVersion": "v1", "metadata": { "name": name, "namespace": "shop", "uid": name } })
}

fn version_of(object: &Value) -> u64 {
    object["metadata"]["resourceVersion"].as_str().and_then(|text| text.parse().ok()).expect("a version")
}

fn watch_from(url: &str, version: u64) -> Watch {
    watch(url, &format!("{PODS}?watch=1&resourceVersion={version}"), &[])
}

fn not_older_than(api: &KubeApi, version: u64) -> Answer {
    let target = format!("{PODS}?resourceVersion={version}&resourceVersionMatch=NotOlderThan");
    get(&api.url(), &target, &[])
}

/// Names of the pods, and the version of the list.
fn listed(api: &KubeApi, target: &str) -> (Vec<String>, u64) {
    let answer = get(&api.url(), target, &[]);
    (answer.names(), version_of(&answer.json()))
}

#[test]
fn a_late_watch_and_the_cache_show_what_was_then_and_a_consistent_read_what_is() {
    let api = KubeApi::start();
    let before = version_of(&api.put("pods", pod("a")));
    let mut open = watch_from(&api.url(), before);
    api.wait_for_watches("pods", 1, BOUND);
    let lag = Duration::from_millis(700);
    api.lag("pods", lag);
    let happened = clock::monotonic();
    api.put("pods", pod("b"));
    api.put("pods", pod("a"));
    let after = version_of(&api.remove("pods", pod("b")));
    // Shown in this moment, and no earlier one.
    let (cached, node) = (listed(&api, FROM_CACHE), listed(&api, PODS));
    assert_eq!((node.0.len(), node.1), (1, after));
    let node = json!({ "kind": "Node", "metadata": { "name": "n", "uid": "n" } });
    let node = version_of(&api.add(node));
    assert_eq!(version_of(&get(&api.url(), "/api/v1/nodes?resourceVersion=0", &[]).json()), node, "by kind");
    if happened.elapsed() < lag {
        assert_eq!(cached, (vec!["a".to_owned()], before));
    }
    let mut begun = watch(&api.url(), &format!("{FROM_CACHE}&watch=1"), &[]);
    assert_eq!(begun.change().1, "a");
    for changes in [&mut open, &mut begun] {
        let sent: Vec<_> =
            (0..3).map(|_| changes.change()).map(|(what, name, _)| format!("{what} {name}")).collect();
        assert!(happened.elapsed() >= lag, "{:?}", happened.elapsed());
        assert_eq!(sent, ["ADDED b", "MODIFIED a", "DELETED b"]);
    }
    api.wait_for_sent("pods", BOUND);
    assert_eq!(listed(&api, FROM_CACHE).0, ["a"]);
    assert!(listed(&api, FROM_CACHE).1 >= after);
}

#[test]
fn a_lag_that_changes_takes_back_nothing() {
    let api = KubeApi::start();
    let first = version_of(&api.put("pods", pod("a")));
    let mut open = watch_from(&api.url(), 1);
    assert_eq!(open.change().1, "a");
    api.lag_all_but_events(Duration::MAX);
    assert_eq!(listed(&api, FROM_CACHE), (vec!["a".to_owned()], first), "what was shown stays shown");
    let second = version_of(&api.put("pods", pod("b")));
    assert_eq!(open.next_within(A_WHILE), Next::Silence);
    assert_eq!(listed(&api, FROM_CACHE), (vec!["a".to_owned()], first));
    let mut from_the_future = watch_from(&api.url(), second);
    assert_eq!(from_the_future.next_within(A_WHILE), Next::Silence);
    let mut events = watch(&api.url(), "/api/v1/events?watch=1&resourceVersion=1", &[]);
    api.add(support::event("e", second + 1, 1));
    assert_eq!(events.change().1, "e.x", "all but events");
    let end = clock::monotonic();
    api.lag_all_but_events(Duration::ZERO);
    assert_eq!(open.change(), ("ADDED".into(), "b".into(), second));
    assert!(end.elapsed() < BOUND);
    let third = version_of(&api.put("pods", pod("c")));
    assert_eq!(from_the_future.change(), ("ADDED".into(), "c".into(), third));
}

#[test]
fn a_cache_that_is_behind_waits_for_the_version_asked_for_but_not_for_long() {
    let api = KubeApi::start();
    api.put("pods", pod("a"));
    api.lag("pods", Duration::from_millis(300));
    let version = version_of(&api.put("pods", pod("b")));
    assert_eq!(not_older_than(&api, version).names(), ["a", "b"]);
    let start = clock::monotonic();
    let refused = not_older_than(&api, version + 1);
    assert!(start.elapsed() >= Duration::from_secs(3), "{:?}", start.elapsed());
    let status = refused.json();
    assert_eq!((refused.status, &status["reason"], &status["code"]), (504, &json!("Timeout"), &json!(504)));
    let message = status["message"].as_str().unwrap_or_default();
    assert!(message.contains("Too large resource version: ") && message.contains(", current: "), "{message}");
    assert_eq!(
        (refused.header("retry-after"), &status["details"]["retryAfterSeconds"]),
        (Some("1"), &json!(1))
    );
    assert_eq!(status["details"]["causes"][0]["reason"], "ResourceVersionTooLarge");
}

#[test]
fn a_server_that_starts_forbids_everything_or_knows_nobody_for_a_time() {
    for (answer, status) in [(NotReady::Forbidden, 403), (NotReady::Unauthorized, 401)] {
        let api = KubeApi::start();
        assert_eq!((get(&api.url(), PODS, &[]).status, api.ready_at()), (200, None));
        api.refuse_after_restart(answer, Duration::from_millis(500));
        assert_eq!(get(&api.url(), PODS, &[]).status, 200, "it runs already");
        api.stop();
        api.restart();
        let (refused, ready_at) = (get(&api.url(), PODS, &[]).status, api.ready_at().expect("a time"));
        if clock::monotonic() < ready_at {
            assert_eq!(refused, status);
            assert_eq!(get(&api.url(), "/api/v1/nodes?watch=1", &[]).status, status);
        }
        while get(&api.url(), PODS, &[]).status != 200 {
            assert!(ready_at.elapsed() < BOUND);
        }
        assert!(clock::monotonic() >= ready_at);
    }
}

#[test]
fn of_several_servers_one_is_late_and_another_stops() {
    let api = KubeApi::start();
    let first = version_of(&api.put("pods", pod("a")));
    let (behind, third) = (api.replica(), api.replica());
    behind.lag_all_but_events(Duration::MAX);
    let second = version_of(&api.put("pods", pod("b")));
    assert_eq!(listed(&behind, FROM_CACHE), (vec!["a".to_owned()], first));
    assert_eq!(listed(&behind, PODS).1, second);
    assert_eq!(listed(&third, FROM_CACHE).1, second);
    let mut open = [watch_from(&behind.url(), second), watch_from(&third.url(), first)];
    assert_eq!(open[1].change().1, "b");
    assert_eq!(open[0].next_within(A_WHILE), Next::Silence, "it has not come so far");
    api.wait_for_watches("pods", 2, BOUND);
    third.stop();
    assert!(matches!(open[1].next(), Next::Cut(_)));
    api.wait_for_watches("pods", 1, BOUND);
    assert_eq!(listed(&api, PODS).1, second);
    api.put("pods", pod("c"));
    behind.lag_all_but_events(Duration::ZERO);
    assert_eq!(open[0].change().1, "c", "and what the client had is not sent again");
}

#[test]
fn a_balancer_brings_each_connection_to_another_server() {
    let api = KubeApi::start();
    api.put("pods", pod("a"));
    let others = [api.replica(), api.replica()];
    let servers = [&api, &others[0], &others[1]];
    let balancer = Balancer::start(&servers, Choice::InTurn);
    for _ in 0..6 {
        assert_eq!(get(&balancer.url(), PODS, &[]).names(), ["a"]);
    }
    assert_eq!(servers.map(KubeApi::connections), [2, 2, 2]);
    let random = Balancer::start(&servers, Choice::Random(7));
    for _ in 0..30 {
        assert_eq!(get(&random.url(), PODS, &[]).names(), ["a"]);
    }
    assert!(servers.iter().all(|server| server.connections() > 4));
    let mut open = watch_from(&balancer.url(), api.version());
    api.wait_for_watches("pods", 1, BOUND);
    api.put("pods", pod("b"));
    assert_eq!(open.change().1, "b");
    drop(balancer);
    assert!(matches!(open.next(), Next::Cut(_)));
}

#[test]
fn a_restored_server_gives_the_same_versions_again_and_is_silent_to_those_of_the_future() {
    let api = KubeApi::start();
    api.put("pods", pod("kept"));
    api.put("pods", pod("deleted later"));
    let backup = api.backup();
    let then = api.version();
    api.remove("pods", pod("deleted later"));
    api.put("pods", pod("lost"));
    let last = version_of(&api.put("pods", pod("kept")));
    let other = api.replica();
    let (mut open, mut elsewhere) = (watch_from(&api.url(), last), watch_from(&other.url(), last));
    api.wait_for_watches("pods", 2, BOUND);
    api.restore(&backup);
    assert!(matches!(open.next(), Next::Cut(_)));
    for target in [PODS, FROM_CACHE] {
        assert_eq!(
            listed(&api, target),
            (vec!["kept".to_owned(), "deleted later".to_owned()], then),
            "{target}"
        );
    }
    let mut of_the_future = watch_from(&api.url(), last);
    assert_eq!(of_the_future.status, 200);
    assert_eq!(version_of(&api.put("pods", pod("new"))), then + 1, "given before, to another change");
    api.bookmark();
    for silent in [&mut of_the_future, &mut elsewhere] {
        assert_eq!(silent.next_within(A_WHILE), Next::Silence);
    }
    assert_eq!(watch_from(&api.url(), then).change(), ("ADDED".into(), "new".into(), then + 1));
    while version_of(&api.put("pods", pod("new"))) < last {}
    let next = version_of(&api.put("pods", pod("new")));
    for silent in [&mut of_the_future, &mut elsewhere] {
        assert_eq!(silent.change(), ("MODIFIED".into(), "new".into(), next), "from there on it tells");
    }
    let Next::Line(error) = watch_from(&api.url(), then - 1).next() else { panic!("no ERROR event") };
    assert_eq!(error["object"]["code"], 410, "nothing from before the backup is known");
}
