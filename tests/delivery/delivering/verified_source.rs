//! With `reconcile report`: is what the source loses seen, and nothing else?

use super::support;
use serde_json::Value;
use support::gateway::{Answer, TestGateway};
use support::host::{Build, Code, MiniHost};
use support::kube_api::KubeApi;
use support::{chunk, value};

/// An event as the API server has it after it was put.
fn put(api: &KubeApi, uid: &str) -> Value {
    let mut event = support::event(uid, 1, 1);
    event["metadata"].as_object_mut().expect("an object").remove("resourceVersion");
    api.put("events", event)
}

fn started(api: &KubeApi, gateway: &TestGateway, settings: &[(&str, &str)]) -> MiniHost {
    let url = api.url();
    let common =
        [("kube_url", &*url), ("correlate", "off"), ("reconcile", "report"), ("reconcile_after", "1s")];
    support::started(Build::V5_1_1, gateway, &[&common, settings].concat())
}

fn unaccounted(host: &mut MiniHost, versions: f64) {
    host.metrics_when(|metrics| value(metrics, "reconcile_unaccounted_versions") == versions);
}

#[test]
fn what_the_source_loses_is_reported_until_it_comes() {
    let (api, gateway) = (KubeApi::start(), TestGateway::start());
    let listed = put(&api, "listed");
    let mut host = started(&api, &gateway, &[]);
    host.metrics_when(|metrics| value(metrics, "reconcile_seen_versions_total") == 1.0);
    let (watched, lost) = (put(&api, "watched"), put(&api, "lost"));
    assert_eq!(host.deliver("a", "t", &chunk::of(&[listed, watched])), Code::Ok);
    unaccounted(&mut host, 1.0);
    host.wait_log(
        "1 of 3 versions of events that the API server has shown have not come through this output",
    );
    let metrics = host.metrics();
    assert_eq!(value(&metrics, "reconcile_settled_versions_total"), 2.0);
    assert!(value(&metrics, "reconcile_unsettled_since_timestamp_seconds") > 0.0);
    assert_eq!(host.deliver("a", "t", &chunk::of(&[lost])), Code::Ok);
    unaccounted(&mut host, 0.0);
    host.wait_log("are settled or on their way");
    assert_eq!(value(&host.metrics(), "reconcile_unsettled_since_timestamp_seconds"), 0.0);
    host.quit();
}

#[test]
fn an_update_that_comes_settles_the_version_that_the_source_skipped() {
    let (api, gateway) = (KubeApi::start(), TestGateway::start());
    let mut host = started(&api, &gateway, &[]);
    host.metrics_when(|metrics| value(metrics, "reconcile_enabled") == 1.0);
    put(&api, "u");
    unaccounted(&mut host, 1.0);
    let second = put(&api, "u");
    unaccounted(&mut host, 2.0);
    assert_eq!(host.deliver("a", "t", &chunk::of(&[second])), Code::Ok);
    unaccounted(&mut host, 0.0);
    host.quit();
}

#[test]
fn what_waits_for_the_gateway_is_unaccounted_until_it_is_taken() {
    let (api, gateway) = (KubeApi::start(), TestGateway::start());
    gateway.set_default(Answer::status(503));
    let mut host = started(&api, &gateway, &[]);
    let waiting = put(&api, "u");
    assert_eq!(host.deliver("a", "t", &chunk::of(std::slice::from_ref(&waiting))), Code::Retry);
    unaccounted(&mut host, 1.0);
    gateway.set_default(Answer::ok());
    host.deliver_at_last("a", "t", &chunk::of(&[waiting]));
    unaccounted(&mut host, 0.0);
    host.quit();
}
