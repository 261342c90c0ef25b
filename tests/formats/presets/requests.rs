//! Does the plugin send what its services take, and count what it changed for it?

use event_gateway::clock;
use event_gateway::time::Stamp;
use serde_json::Value;

use super::chunk::v2;
use super::services::Scene;
use super::stub::{SERVICES, Service};
use super::support::found::all_found;
use super::support::host::Code;
use super::support::{event, value};

fn found() -> Vec<Value> {
    let mut all = all_found();
    // Those with a version of their own are all that this test counts.
    all.retain(|record| record["involvedObject"].is_object() && record["metadata"]["uid"].is_string());
    for (number, record) in all.iter_mut().enumerate() {
        record["metadata"]["uid"] = format!("found-{number}").into();
    }
    assert!(all.len() >= 10, "{}", all.len());
    all
}

#[test]
fn every_service_takes_what_was_found() {
    for service in SERVICES {
        let mut scene = Scene::new(service, &[("cluster_name", "prod-eu")]);
        let all = found();
        let seconds = u32::try_from(clock::unix_seconds(clock::wall())).expect("before 2106");
        let chunk: Vec<u8> = all.iter().flat_map(|record| v2(record, seconds)).collect();
        assert_eq!(scene.host.deliver("a", "t", &chunk), Code::Ok, "{}", service.name);
        assert_eq!((scene.taken(service).len(), scene.letters()), (all.len(), vec![]), "{}", service.name);
        scene.host.quit();
    }
}

#[test]
fn an_alert_of_a_clock_that_goes_ahead_is_taken_and_counted() {
    let service = Service::named("alertmanager");
    let mut scene = Scene::new(service, &[("alertmanager_expires_after", "10m")]);
    let now = clock::unix_seconds(clock::wall());
    let ahead = Stamp::from_unix_seconds(now + 360).expect("a time").to_string();
    let mut record = event("u1", 1, 1);
    record["firstTimestamp"] = ahead.clone().into();
    record["lastTimestamp"] = ahead.clone().into();
    assert_eq!(scene.deliver(&[record, event("u2", 1, 1)]), Code::Ok);
    let taken = scene.taken(service);
    assert_eq!(taken[0]["annotations"]["original_time"], ahead);
    assert_eq!(taken[1]["annotations"].get("original_time"), None);
    let metrics = scene.host.metrics_when(|metrics| value(metrics, "delivered_records_total") > 0.0);
    assert_eq!(value(&metrics, "adjusted_times_total"), 1.0);
    assert_eq!(value(&metrics, "receiver_cuts_total"), 0.0);
    scene.host.quit();
}

#[test]
fn a_request_is_no_larger_than_its_service_takes_whatever_batch_bytes_says() {
    let service = Service::named("loki");
    let mut scene = Scene::new(service, &[("batch_bytes", "60M"), ("max_message_bytes", "300K")]);
    let line = scene.host.wait_log("requests end there");
    assert_eq!(line.level, 2, "a WARN: {line:?}");
    let all: Vec<Value> = (0..30)
        .map(|number| {
            let mut record = event(&format!("u{number}"), 1, 1);
            record["message"] = "m".repeat(300_000).into();
            record
        })
        .collect();
    assert_eq!(scene.deliver(&all), Code::Ok);
    let sizes: Vec<usize> = scene.gateway.requests().iter().map(|request| request.body.len()).collect();
    assert!(sizes.len() >= 2 && sizes.iter().all(|size| *size <= 4 << 20), "{sizes:?}");
    assert!(sizes.iter().any(|size| *size > 3 << 20), "they are filled: {sizes:?}");
    assert_eq!((scene.taken(service).len(), scene.letters().len()), (30, 0));
    let metrics = scene.host.metrics_when(|metrics| value(metrics, "delivered_records_total") == 30.0);
    assert_eq!(value(&metrics, "receiver_cuts_total"), 30.0);
    scene.host.quit();
}
