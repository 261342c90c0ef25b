//! Does an event wait for an object that the topology does not know yet, and nothing else with it?

use std::time::Duration;

use super::support;
use event_gateway::clock;
use event_gateway::time::Stamp;
use serde_json::{Value, json};
use support::gateway::{Answer, TestGateway};
use support::host::{Build, Code, MiniHost};
use support::kube_api::KubeApi;
use support::{chunk, value};

/// Longer than any test waits for anything: what goes on earlier did not wait for its time to be up.
const LONG: &str = "60s";
/// A kind is stale after 5 s. The rest is for the machine.
const STALE_BOUND: Duration = Duration::from_secs(60);

fn now() -> String {
    Stamp::from_unix_seconds(clock::unix_seconds(clock::wall())).expect("a date").to_string()
}

/// An event about a pod of this name and uid, which has just happened.
fn event(id: &str, version: u64, pod: &str) -> Value {
    let mut event = support::event(id, version, version);
    event["lastTimestamp"] = now().into();
    event["involvedObject"] = json!({"apiVersion": "v1", "kind": "Pod", "namespace": "shop", "name": pod, "uid": format!("uid-of-{pod}")});
    event
}

fn put_pod(api: &KubeApi, pod: &str) {
    let metadata =
        json!({"namespace": "shop", "name": pod, "uid": format!("uid-of-{pod}"), "labels": {"app": "web"}});
    api.put(
        "pods",
        json!({"kind": "Pod", "apiVersion": "v1", "metadata": metadata, "spec": {"nodeName": "node-a"}}),
    );
}

fn put_service(api: &KubeApi) {
    let metadata = json!({"namespace": "shop", "name": "web", "uid": "uid-of-web"});
    api.put("services", json!({"metadata": metadata, "spec": {"selector": {"app": "web"}}}));
}

/// A cluster with the pod "known" behind the Service "web".
fn cluster() -> KubeApi {
    let api = KubeApi::start();
    put_service(&api);
    put_pod(&api, "known");
    api
}

fn started(api: &KubeApi, gateway: &TestGateway, settings: &[(&str, &str)]) -> MiniHost {
    let url = api.url();
    let settings: Vec<_> = [("kube_url", &*url)].into_iter().chain(settings.iter().copied()).collect();
    let mut host = support::started(Build::V5_1_1, gateway, &settings);
    host.metrics_when(|metrics| value(metrics, "topology_ready") > 0.0);
    host
}

fn waits(host: &mut MiniHost, records: f64) {
    host.metrics_when(|metrics| value(metrics, "correlation_waiting_records") == records);
}

/// What each record says: `u1.1 matched web`.
fn said(gateway: &TestGateway) -> Vec<String> {
    let line = |record: &Value| {
        let names = record["services"].as_array().expect("an array").iter();
        let names: Vec<_> = names.map(|one| one["name"].as_str().expect("text").to_owned()).collect();
        let (event, word) = (&record["event"], record["correlation"].as_str().expect("text"));
        format!(
            "{}.{} {word} {}",
            event["uid"].as_str().expect("text"),
            event["resource_version"].as_str().expect("text"),
            names.join(" ")
        )
        .trim_end()
        .to_owned()
    };
    gateway.accepted_records().iter().map(line).collect()
}

#[test]
fn an_event_waits_for_its_object_and_the_others_of_its_chunk_do_not() {
    let (api, gateway) = (cluster(), TestGateway::start());
    let mut host = started(&api, &gateway, &[("correlate_wait", LONG)]);
    let late = host.flush("a", "t", &chunk::of(&[event("u1", 1, "late"), event("u2", 1, "known")]));
    gateway.wait_for_ids(1);
    assert_eq!(said(&gateway), ["u2.1 matched web"]);
    waits(&mut host, 1.0);
    // Other chunks go on as well.
    assert_eq!(host.deliver("a", "t", &chunk::of(&[event("u3", 1, "known")])), Code::Ok);
    put_pod(&api, "late");
    assert_eq!(host.wait(late), Code::Ok);
    assert_eq!(said(&gateway), ["u2.1 matched web", "u3.1 matched web", "u1.1 matched web"]);
    waits(&mut host, 0.0);
    let metrics = host.metrics();
    assert_eq!(value(&metrics, "correlation_delayed_records_total"), 1.0);
    assert_eq!(value(&metrics, "records_total"), 3.0);
    host.quit();
}

/// What the rest of its chunk needed, it does not lack afterwards: by then others have come and gone.
#[test]
fn an_event_that_waited_has_work_of_its_own() {
    let (api, gateway) = (cluster(), TestGateway::start());
    for number in 1..400 {
        let metadata =
            json!({"namespace": "shop", "name": format!("web-{number}"), "uid": format!("uid-{number}")});
        api.put("services", json!({"metadata": metadata, "spec": {"selector": {"app": "web"}}}));
    }
    let mut host = started(&api, &gateway, &[("correlate_wait", LONG)]);
    let mut events: Vec<Value> = (0..100).map(|number| event(&format!("k{number}"), 1, "known")).collect();
    events.push(event("late", 1, "late"));
    let flush = host.flush("a", "t", &chunk::of(&events));
    gateway.wait_for_ids(100);
    put_pod(&api, "late");
    assert_eq!(host.wait(flush), Code::Ok);
    let records = gateway.accepted_records();
    let cut_short = records.iter().filter(|record| record["incomplete"] == true).count();
    assert!((1..100).contains(&cut_short), "the chunk did not use up its work: {cut_short}");
    let late = records.iter().find(|record| record["event"]["uid"] == "late").expect("it was delivered");
    assert_eq!((&late["services_total"], &late["incomplete"]), (&json!(400), &Value::Null));
    host.quit();
}

#[test]
fn an_event_that_waited_in_vain_says_unknown() {
    let (api, gateway) = (cluster(), TestGateway::start());
    let mut host = started(&api, &gateway, &[("correlate_wait", "300ms")]);
    let start = clock::monotonic();
    assert_eq!(host.deliver("a", "t", &chunk::of(&[event("u1", 1, "never")])), Code::Ok);
    assert!(start.elapsed() >= Duration::from_millis(300), "it did not wait");
    assert_eq!(said(&gateway), ["u1.1 unknown"]);
    let metrics = host.metrics_when(|metrics| value(metrics, "correlated_records_total") == 1.0);
    assert_eq!(metrics["event_gateway_correlated_records_total{event_gateway.0,unknown}"], 1.0);
    host.quit();
}

#[test]
fn only_events_without_their_object_wait() {
    let (api, gateway) = (cluster(), TestGateway::start());
    let mut host = started(&api, &gateway, &[("correlate_wait", LONG)]);
    // One that is old, as in the list of a start.
    let mut old = event("old", 1, "never");
    old["lastTimestamp"] = "2026-01-01T00:00:00Z".into();
    assert_eq!(host.deliver("a", "t", &chunk::of(&[old])), Code::Ok);
    // A kind that the topology does not follow, and one that has no rule.
    let mut lease = event("lease", 1, "never");
    lease["involvedObject"]["kind"] = "Lease".into();
    lease["involvedObject"]["apiVersion"] = "coordination.k8s.io/v1".into();
    assert_eq!(host.deliver("a", "t", &chunk::of(&[lease])), Code::Ok);
    // What is known and has no Service.
    let metadata =
        json!({"namespace": "shop", "name": "alone", "uid": "uid-of-alone", "labels": {"app": "other"}});
    api.put("pods", json!({"metadata": metadata, "spec": {}}));
    host.metrics_when(|metrics| value(metrics, "topology_objects") == 3.0);
    assert_eq!(host.deliver("a", "t", &chunk::of(&[event("alone", 1, "alone")])), Code::Ok);
    assert_eq!(said(&gateway), ["old.1 unknown", "lease.1 none", "alone.1 none"]);
    assert_eq!(value(&host.metrics(), "correlation_delayed_records_total"), 0.0);
    host.quit();
}

#[test]
fn zero_switches_the_wait_off() {
    let (api, gateway) = (cluster(), TestGateway::start());
    let mut host = started(&api, &gateway, &[("correlate_wait", "0")]);
    assert_eq!(host.deliver("a", "t", &chunk::of(&[event("u1", 1, "late")])), Code::Ok);
    assert_eq!(said(&gateway), ["u1.1 unknown"]);
    assert_eq!(value(&host.metrics(), "correlation_delayed_records_total"), 0.0);
    host.quit();
}

#[test]
fn the_versions_of_an_event_stay_in_their_order() {
    let (api, gateway) = (cluster(), TestGateway::start());
    let mut host = started(&api, &gateway, &[("correlate_wait", LONG)]);
    let flushes: Vec<_> = [1, 2, 2, 3]
        .map(|version| host.flush("a", "t", &chunk::of(&[event("u1", version, "late")])))
        .into_iter()
        .collect();
    waits(&mut host, 4.0);
    put_pod(&api, "late");
    for flush in flushes {
        assert_eq!(host.wait(flush), Code::Ok);
    }
    assert_eq!(said(&gateway), ["u1.1 matched web", "u1.2 matched web", "u1.3 matched web"]);
    let counts: Vec<_> =
        gateway.accepted_records().iter().map(|record| record["new_occurrences"].clone()).collect();
    assert_eq!(counts, [1, 1, 1]);
    host.quit();
}

#[test]
fn a_service_that_comes_just_after_its_pod_is_named() {
    let (api, gateway) = (KubeApi::start(), TestGateway::start());
    let mut host = started(&api, &gateway, &[("correlate_wait", LONG)]);
    let late = host.flush("a", "t", &chunk::of(&[event("u1", 1, "late")]));
    waits(&mut host, 1.0);
    put_pod(&api, "late");
    put_service(&api);
    assert_eq!(host.wait(late), Code::Ok);
    assert_eq!(said(&gateway), ["u1.1 matched web"]);
    host.quit();
}

#[test]
fn no_record_waits_twice() {
    let (api, gateway) = (cluster(), TestGateway::start());
    let mut host = started(&api, &gateway, &[("correlate_wait", "300ms")]);
    let chunk = chunk::of(&[event("u1", 1, "never")]);
    gateway.answer(Answer::status(503).header("Retry-After", "0"));
    assert_eq!(host.deliver("a", "t", &chunk), Code::Retry);
    host.metrics_when(|metrics| value(metrics, "endpoint_open") == 1.0);
    assert_eq!(host.deliver("a", "t", &chunk), Code::Ok);
    let metrics = host.metrics_when(|metrics| value(metrics, "delivered_records_total") == 1.0);
    assert_eq!(value(&metrics, "correlation_delayed_records_total"), 1.0);
    host.quit();
}

#[test]
fn a_kind_that_rbac_forbids_is_stale_and_not_waited_for() {
    let (api, gateway) = (cluster(), TestGateway::start());
    api.forbid("pods");
    let mut host = started(&api, &gateway, &[("correlate_wait", LONG)]);
    assert_eq!(host.deliver("a", "t", &chunk::of(&[event("u1", 1, "known")])), Code::Ok);
    assert_eq!(said(&gateway), ["u1.1 stale"]);
    host.quit();
}

/// Stops the API server, and waits until the topology knows it: the break of the watches is seen at once.
fn stop(api: &KubeApi, host: &mut MiniHost) {
    api.stop();
    host.metrics_when(|metrics| value(metrics, "topology_unfollowed") > 0.0);
}

#[test]
fn while_the_cluster_is_away_events_wait_for_its_return() {
    let (api, gateway) = (cluster(), TestGateway::start());
    let mut host = started(&api, &gateway, &[("correlate_wait", LONG)]);
    stop(&api, &mut host);
    let flush = host.flush("a", "t", &chunk::of(&[event("u1", 1, "known")]));
    waits(&mut host, 1.0);
    put_pod(&api, "late");
    api.restart();
    assert_eq!(host.wait(flush), Code::Ok);
    assert_eq!(host.deliver("a", "t", &chunk::of(&[event("u2", 1, "late")])), Code::Ok);
    assert_eq!(said(&gateway), ["u1.1 matched web", "u2.1 matched web"]);
    host.quit();
}

#[test]
fn when_the_cluster_stays_away_events_are_stale_and_name_what_is_known() {
    let (api, gateway) = (cluster(), TestGateway::start());
    let mut host = started(&api, &gateway, &[("correlate_wait", "100ms")]);
    stop(&api, &mut host);
    let (end, mut number) = (clock::monotonic() + STALE_BOUND, 0);
    let last = loop {
        number += 1;
        assert_eq!(host.deliver("a", "t", &chunk::of(&[event(&format!("u{number}"), 1, "known")])), Code::Ok);
        let last = said(&gateway).pop().expect("a record");
        if last != format!("u{number}.1 matched web") {
            break last;
        }
        assert!(clock::monotonic() < end, "nothing is stale within {STALE_BOUND:?}");
    };
    assert_eq!(last, format!("u{number}.1 stale web"));
    // What was never seen is not denied.
    assert_eq!(host.deliver("a", "t", &chunk::of(&[event("never", 1, "never")])), Code::Ok);
    assert_eq!(said(&gateway).pop().expect("a record"), "never.1 stale");
    let all = f64::from(number) + 1.0;
    let metrics = host.metrics_when(|metrics| value(metrics, "correlated_records_total") == all);
    assert_eq!(metrics["event_gateway_correlated_records_total{event_gateway.0,stale}"], 2.0);
    assert_eq!(value(&metrics, "correlation_delayed_records_total"), all, "each has waited");
    host.quit();
}

/// Also the recent ones, while an event about the same object waits.
#[test]
fn audit_records_and_violations_do_not_wait() {
    let (api, gateway) = (cluster(), TestGateway::start());
    let mut host = started(&api, &gateway, &[("correlate_wait", LONG)]);
    let flush = host.flush("a", "t", &chunk::of(&[event("u1", 1, "never")]));
    waits(&mut host, 1.0);
    let about = |record: &Value| record.pointer("/objectRef/resource").is_some_and(|of| of == "pods");
    let mut audit = support::audit_log().into_iter().find(about).expect("an audit record about a pod");
    audit["objectRef"] = json!({"resource": "pods", "apiVersion": "v1", "namespace": "shop", "name": "never",
        "uid": "uid-of-never"});
    let recent = now().replace('Z', ".000000Z");
    for time in ["requestReceivedTimestamp", "stageTimestamp"] {
        audit[time] = recent.as_str().into();
    }
    let mut violation = support::violations().swap_remove(1);
    for (key, text) in [
        ("resourceGroup", ""),
        ("resourceKind", "Pod"),
        ("resourceNamespace", "shop"),
        ("resourceName", "never"),
        ("timestamp", &recent),
    ] {
        violation[key] = text.into();
    }
    assert_eq!(host.deliver("a", "t", &chunk::of(&[audit, violation])), Code::Ok);
    let of_kind = |record: &Value| {
        let text = |key: &str| record[key].as_str().expect("text").to_owned();
        (text("kind"), text("correlation"))
    };
    let delivered: Vec<_> = gateway.accepted_records().iter().map(of_kind).collect();
    let expected = ["kubernetes.audit", "gatekeeper.violation"].map(|kind| (kind.into(), "unknown".into()));
    assert_eq!(delivered, expected);
    assert_eq!(value(&host.metrics(), "correlation_waiting_records"), 1.0, "the event waits");
    assert_eq!(value(&host.metrics(), "correlation_delayed_records_total"), 1.0);
    put_pod(&api, "never");
    assert_eq!(host.wait(flush), Code::Ok);
    host.quit();
}

#[test]
fn what_waits_at_a_stop_is_not_delivered_and_left_to_the_host() {
    let (api, gateway) = (cluster(), TestGateway::start());
    let mut host = started(&api, &gateway, &[("correlate_wait", LONG)]);
    let late = host.flush("a", "t", &chunk::of(&[event("u1", 1, "late")]));
    waits(&mut host, 1.0);
    host.exit("a");
    assert_ne!(host.wait(late), Code::Ok);
    assert_eq!(gateway.accepted_ids(), [""; 0]);
    host.quit();
}

#[test]
fn more_than_may_wait_go_on_at_once() {
    const MOST: usize = 10_000;
    let (api, gateway) = (cluster(), TestGateway::start());
    let mut host = started(&api, &gateway, &[("correlate_wait", LONG)]);
    let events: Vec<_> = (0..MOST + 100).map(|number| event(&format!("u{number}"), 1, "never")).collect();
    let flush = host.flush("a", "t", &chunk::of(&events));
    gateway.wait_for_ids(100);
    waits(&mut host, 10_000.0);
    let metrics = host.metrics();
    assert_eq!(value(&metrics, "correlation_not_delayed_records_total"), 100.0);
    host.wait_log("wait for the topology already");
    put_pod(&api, "never");
    assert_eq!(host.wait(flush), Code::Ok);
    assert_eq!(gateway.accepted_ids().len(), MOST + 100);
    host.quit();
}
