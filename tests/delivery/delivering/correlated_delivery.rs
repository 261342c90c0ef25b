//! Do records leave with the Services that they touch, whatever the API server does meanwhile?
//!
//! The whole plugin on the mini host, the recorded cluster on an API server of the tests' own.

use std::time::Duration;

use super::support;
use event_gateway::clock;
use serde_json::{Value, json};
use support::chunk;
use support::gateway::TestGateway;
use support::host::{Build, Code, MiniHost};
use support::kube_api::Delivery;
use support::recording::{self, cluster_after, replay_into};
use support::value;

const BOUND: Duration = Duration::from_secs(120);
const POD: &str = "web-589b65666d-kxnpj";
const POD_UID: &str = "1d2419d7-a83c-477f-869a-ec86a994dd3b";

/// An event about a pod that stands behind three Services.
fn event(id: &str) -> Value {
    let mut event = support::event(id, 1, 1);
    event["involvedObject"] =
        json!({"apiVersion": "v1", "kind": "Pod", "namespace": "shop", "name": POD, "uid": POD_UID});
    event
}

fn deliver(host: &mut MiniHost, id: &str) -> Code {
    host.deliver("a", "t", &chunk::of(&[event(id)]))
}

fn record(gateway: &TestGateway, id: &str) -> Value {
    let records = gateway.accepted_records();
    let found = records.into_iter().find(|record| record["event"]["uid"] == id);
    found.unwrap_or_else(|| panic!("{id} was not delivered"))
}

fn services(record: &Value) -> Vec<String> {
    let services = record["services"].as_array().expect("an array").iter();
    services
        .map(|one| {
            format!("{} by {}", one["name"].as_str().expect("text"), one["via"].as_str().expect("text"))
        })
        .collect()
}

/// Delivers new events until one fits.
fn until(host: &mut MiniHost, gateway: &TestGateway, fits: impl Fn(&Value) -> bool) -> Value {
    let start = clock::monotonic();
    for number in 0.. {
        let id = format!("until-{number}-{}", gateway.accepted_ids().len());
        assert_eq!(deliver(host, &id), Code::Ok);
        let record = record(gateway, &id);
        if fits(&record) {
            return record;
        }
        assert!(start.elapsed() < BOUND, "the last was {record}");
        std::thread::sleep(Duration::from_millis(20));
    }
    unreachable!()
}

#[test]
fn records_name_their_services_from_the_first_one_on() {
    let (api, gateway) = (cluster_after(45), TestGateway::start());
    // No list is complete when the first chunk comes.
    api.deliver("pods", Delivery::Slow { bytes: 4_096, pause: Duration::from_millis(10) });
    let mut host = support::started(Build::V5_1_1, &gateway, &[("kube_url", &api.url())]);
    assert_eq!(deliver(&mut host, "first"), Code::Ok);
    let first = record(&gateway, "first");
    assert_eq!(services(&first), ["front-all by endpoint", "lb by endpoint", "web by endpoint"]);
    assert_eq!(first["workload"]["name"], "web");
    assert_eq!(first["node"]["name"], "node-c");
    assert_eq!(first["object"]["labels"]["tier"], "front");
    assert_eq!(first["object"]["deleted"], false);
    let metrics = host.metrics_when(|metrics| value(metrics, "topology_ready") > 0.0);
    assert_eq!(value(&metrics, "topology_enabled"), 1.0);
    assert_eq!(value(&metrics, "correlated_records_total"), 1.0);
    assert!(value(&metrics, "topology_objects") > 50.0);
    host.quit();
}

#[test]
fn a_pod_that_goes_is_reported_as_gone_with_its_services() {
    let (api, gateway) = (cluster_after(45), TestGateway::start());
    let mut host = support::started(Build::V5_1_1, &gateway, &[("kube_url", &api.url())]);
    assert_eq!(deliver(&mut host, "before"), Code::Ok);
    for line in recording::lines().filter(|line| line.resource != "events" && line.ms >= 45_000) {
        replay_into(&api, &line);
    }
    let after = until(&mut host, &gateway, |record| record["object"]["deleted"] == true);
    assert_eq!(services(&after), ["front-all by endpoint", "lb by endpoint", "web by endpoint"]);
    host.quit();
}

#[test]
fn without_an_api_server_records_wait_no_longer_than_they_should() {
    let (api, gateway) = (cluster_after(45), TestGateway::start());
    api.stop();
    let settings = [("kube_url", &*api.url()), ("topology_wait", "400ms")];
    let start = clock::monotonic();
    let mut host = support::started(Build::V5_1_1, &gateway, &settings);
    assert_eq!(deliver(&mut host, "early"), Code::Ok);
    assert!(start.elapsed() >= Duration::from_millis(390), "it did not wait");
    let early = record(&gateway, "early");
    assert_eq!((&early["correlation"], &early["services"]), (&json!("not_ready"), &json!([])));
    assert_eq!(deliver(&mut host, "second"), Code::Ok);
    // The line comes with the timer, the answer with the waker.
    host.wait_log("was not listed within topology_wait");
    let warnings =
        host.logs().into_iter().filter(|line| line.level == 2 && line.text.contains("topology_wait"));
    assert_eq!(warnings.count(), 1);
    // It comes back by itself.
    api.restart();
    until(&mut host, &gateway, |record| record["correlation"] == "matched");
    host.quit();
}

#[test]
fn the_engine_goes_on_while_records_wait() {
    let (api, gateway) = (cluster_after(45), TestGateway::start());
    api.fall_silent("pods");
    api.deliver("pods", Delivery::Slow { bytes: 1, pause: Duration::from_secs(1) });
    let settings = [("kube_url", &*api.url()), ("topology_wait", "1h")];
    let mut host = support::started(Build::V5_1_1, &gateway, &settings);
    let flush = host.flush("a", "t", &chunk::of(&[event("waits")]));
    host.metrics_when(|metrics| value(metrics, "jobs_in_flight") == 1.0);
    host.wait_for_beats(100);
    assert_eq!(host.wait_within(flush, Duration::ZERO), None);
    // Nor does an exit wait for it.
    host.exit("a");
    assert_eq!(host.wait(flush), Code::Abandoned);
    assert!(gateway.accepted_ids().is_empty());
    host.quit();
}

#[test]
fn a_kind_that_may_not_be_read_costs_one_warning_and_what_it_would_have_added() {
    let (api, gateway) = (cluster_after(45), TestGateway::start());
    api.forbid("endpointslices");
    api.missing("horizontalpodautoscalers");
    let mut host = support::started(Build::V5_1_1, &gateway, &[("kube_url", &api.url())]);
    assert_eq!(deliver(&mut host, "first"), Code::Ok);
    let names = services(&record(&gateway, "first"));
    assert_eq!(names, ["front-all by selector", "lb by selector", "web by selector"]);
    for resource in ["endpointslices", "horizontalpodautoscalers"] {
        host.wait_log(resource);
        let warnings = host.logs().into_iter().filter(|line| line.text.contains(resource));
        assert_eq!(warnings.count(), 1, "{resource}");
    }
    host.quit();
}

#[test]
fn off_asks_nobody_and_starts_nothing() {
    let (api, gateway) = (cluster_after(45), TestGateway::start());
    let mut host = support::started(Build::V5_1_1, &gateway, &[]);
    let threads = host.threads();
    assert_eq!(deliver(&mut host, "auto"), Code::Ok);
    assert_eq!(record(&gateway, "auto")["correlation"], "off");
    host.wait_log("correlate is off");
    host.quit();

    let settings = [("kube_url", &*api.url()), ("correlate", "off")];
    let mut host = support::started(Build::V5_1_1, &gateway, &settings);
    assert_eq!(deliver(&mut host, "off"), Code::Ok);
    assert_eq!(record(&gateway, "off")["correlation"], "off");
    assert_eq!(host.threads(), threads);
    assert_eq!(api.connections(), 0);
    host.quit();
}

#[test]
fn two_instances_share_one_topology_and_the_last_one_ends_it() {
    let (api, gateway) = (cluster_after(45), TestGateway::start());
    let mut host = support::started(Build::V5_1_1, &gateway, &[("kube_url", &api.url())]);
    assert_eq!(deliver(&mut host, "a"), Code::Ok);
    let (threads, connections) = (host.threads(), api.connections());
    host.set("b", "endpoint", gateway.url());
    host.set("b", "kube_url", api.url());
    assert_eq!(host.init("b"), 1);
    assert_eq!(host.deliver("b", "t", &chunk::of(&[event("b")])), Code::Ok);
    assert_eq!(record(&gateway, "b")["correlation"], "matched");
    assert_eq!((host.threads(), api.connections()), (threads + 1, connections));
    host.exit("a");
    assert_eq!(host.deliver("b", "t", &chunk::of(&[event("later")])), Code::Ok);
    assert_eq!(record(&gateway, "later")["correlation"], "matched");
    host.quit();
}

#[test]
fn an_exit_does_not_wait_for_an_api_server_that_hangs() {
    let (api, gateway) = (cluster_after(45), TestGateway::start());
    let mut host = support::started(Build::V5_1_1, &gateway, &[("kube_url", &api.url())]);
    assert_eq!(deliver(&mut host, "first"), Code::Ok);
    for resource in ["pods", "services", "nodes"] {
        api.fall_silent(resource);
    }
    // One that waited for the watches to end would still wait when the test gives up.
    host.exit("a");
    host.quit();
}

#[test]
fn reloads_follow_the_cluster_anew() {
    let (api, gateway) = (cluster_after(45), TestGateway::start());
    let mut host = support::started(Build::V5_1_1, &gateway, &[("kube_url", &api.url())]);
    for round in 0..10 {
        let id = format!("round-{round}");
        assert_eq!(deliver(&mut host, &id), Code::Ok);
        assert_eq!(record(&gateway, &id)["correlation"], "matched", "{id}");
        match round {
            3 => api.stop(),
            4 => api.restart(),
            _ => {}
        }
        if round != 3 {
            host.reload();
        }
    }
    host.quit();
}

#[test]
fn a_pod_that_went_while_nobody_watched_is_remembered() {
    let (api, gateway) = (cluster_after(45), TestGateway::start());
    let folder = tempfile::tempdir().expect("a folder");
    let state = folder.path().join("ledger");
    let settings = [("kube_url", &*api.url()), ("state_file", state.to_str().expect("a plain name"))];
    let mut host = support::started(Build::V5_1_1, &gateway, &settings);
    assert_eq!(deliver(&mut host, "before"), Code::Ok);
    host.quit();
    for line in recording::lines().filter(|line| line.resource != "events" && line.ms >= 45_000) {
        replay_into(&api, &line);
    }
    let mut host = support::started(Build::V5_1_1, &gateway, &settings);
    assert_eq!(deliver(&mut host, "after"), Code::Ok);
    let after = record(&gateway, "after");
    assert_eq!(after["object"]["deleted"], true);
    assert_eq!(services(&after), ["front-all by endpoint", "lb by endpoint", "web by endpoint"]);
    assert_eq!(after["workload"]["name"], "web");
    host.quit();
}

#[test]
fn files_that_cannot_be_read_are_errors_at_the_start() {
    let gateway = TestGateway::start();
    let mut host = MiniHost::start(Build::V5_1_1);
    host.set("a", "endpoint", gateway.url());
    host.set("a", "kube_url", "https://127.0.0.1:1");
    host.set("a", "kube_token_file", "/does/not/exist");
    host.set("a", "max_services", "0");
    assert_eq!(host.init("a"), -1);
    host.wait_log("kube_token_file");
    host.wait_log("max_services");
    host.quit();
}
