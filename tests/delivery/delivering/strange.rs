//! Is each record of `tests/data/found`, made after what others reported, delivered for what it is, and as often as it
//! differs?

use std::collections::BTreeSet;

use super::support;
use serde_json::{Value, json};
use support::found::found;
use support::gateway::TestGateway;
use support::host::{Build, Code, MiniHost};
use support::{chunk, event};

/// What these records become, each in a chunk of its own, of another second of the host.
fn delivered(settings: &[(&str, &str)], records: &[Value]) -> Vec<Value> {
    let gateway = TestGateway::start();
    let mut host = support::started(Build::V5_1_1, &gateway, settings);
    deliver(&mut host, records, 1_000);
    host.quit();
    gateway.accepted_records()
}

fn deliver(host: &mut MiniHost, records: &[Value], first_second: u32) {
    for (second, record) in (first_second..).zip(records) {
        assert_eq!(host.deliver("a", "t", &chunk::v2(record, second)), Code::Ok);
    }
}

fn ids(records: &[Value]) -> BTreeSet<&str> {
    records.iter().map(|record| record["id"].as_str().expect("an id")).collect()
}

/// Distinct records of which none tells a version by itself, and the guarantees that must keep them apart.
fn distinct() -> Vec<Value> {
    let mut all = found("01-flux-notification-events.json");
    all.extend(found("03-gatekeeper-same-message-other-details.json"));
    let uid_alone =
        |message| json!({"involvedObject": {"kind": "Pod"}, "metadata": {"uid": "u"}, "message": message});
    all.extend([uid_alone("one"), uid_alone("other")]);
    let mut bare = event("x", 1, 1);
    bare["metadata"] = json!({"annotations": {"revision": "1"}});
    all.push(bare.clone());
    bare["metadata"]["annotations"]["revision"] = json!("2");
    all.push(bare);
    let mut audit = found("18-deep-audit-body-lost.json").swap_remove(0);
    let body = audit.as_object_mut().expect("a map");
    body.remove("requestObject");
    body.remove("stageTimestamp");
    all.push(audit.clone());
    audit["userAgent"] = json!("another");
    all.push(audit);
    // Where both names of a thing are there, it matters which says what.
    for (one, other) in [("message", "note"), ("reportingComponent", "reportingController")] {
        for (first, second) in [("a", "b"), ("b", "a")] {
            all.push(json!({"involvedObject": {"kind": "Pod"}, "reason": one, one: first, other: second}));
        }
    }
    // In one run, and equal but for the action.
    let mut violation = found("03-gatekeeper-same-message-other-details.json").swap_remove(0);
    violation["enforcementAction"] = json!("warn");
    all.push(violation);
    all
}

#[test]
fn what_differs_arrives_and_what_is_equal_arrives_once_over_restarts_too() {
    let distinct = distinct();
    for guarantee in ["no_event_loss", "no_duplicates"] {
        let folder = tempfile::tempdir().expect("a folder");
        let file = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_owned();
        let (ledger, letters) = (file("ledger"), file("letters"));
        let settings = [("state_file", &*ledger), ("dead_letter_file", &*letters), ("guarantee", guarantee)];
        let gateway = TestGateway::start();
        // The host's own time differs after a restart, and what a filter appends may.
        for (life, second) in [1_000, 900_000].into_iter().enumerate() {
            let mut host = support::started(Build::V5_1_1, &gateway, &settings);
            let mut again = distinct.clone();
            again.iter_mut().for_each(|record| record["hostname"] = json!(format!("life-{life}")));
            deliver(&mut host, &again, second);
            deliver(&mut host, &again, second + 1_000);
            host.quit();
        }
        let records = gateway.accepted_records();
        assert_eq!((records.len(), ids(&records).len()), (distinct.len(), distinct.len()), "{guarantee}");
    }
}

/// Without a uid and a name nothing says that one event is a later state of another.
#[test]
fn what_has_no_name_is_no_update() {
    let mut flux = found("01-flux-notification-events.json");
    flux.iter_mut().for_each(|event| event["timestamp"] = json!("2026-11-30T05:01:00Z"));
    for updates in ["every", "first", "doubling"] {
        let records = delivered(&[("updates", updates)], &flux);
        assert_eq!(records.len(), 4, "{updates}");
        assert!(records.iter().all(|record| record["new_occurrences"] == 1), "{updates}");
    }
}

#[test]
fn a_null_by_the_one_name_lets_the_other_count() {
    let event =
        json!({"involvedObject": null, "regarding": {"kind": "Pod", "name": "cart-1"}, "type": "Normal"});
    assert_eq!(delivered(&[], &[event])[0]["object"]["name"], "cart-1");
}

#[test]
fn a_flux_event_has_a_time_and_a_severity() {
    let records = delivered(&[], &found("01-flux-notification-events.json"));
    let said: Vec<_> = records.iter().map(|record| (&record["time"], &record["severity"])).collect();
    let of = |time: &str, severity: &str| (json!(time), json!(severity));
    let expected = [
        of("2026-11-30T05:01:00Z", "error"),
        of("2026-11-30T05:11:00Z", "error"),
        of("2026-11-30T05:31:00Z", "info"),
        of("2026-11-30T05:41:00Z", "info"),
    ];
    assert!(
        said.iter().zip(&expected).all(|(said, expected)| *said == (&expected.0, &expected.1)),
        "{said:?}"
    );
    assert!(records.iter().all(|record| record["new_occurrences"] == 1));
}

#[test]
fn the_visible_id_is_made_of_what_leaves() {
    let flux = found("01-flux-notification-events.json");
    let mut guess = flux[0].clone();
    guess["message"] = json!("a guess");
    let id = |record: &Value| {
        let records = delivered(&[("redact", "message")], std::slice::from_ref(record));
        records[0]["id"].clone()
    };
    assert_eq!(id(&flux[0]), id(&guess), "nobody can try out what was taken out");
    assert_ne!(id(&flux[0]), id(&flux[1]));
    // Both arrive all the same.
    assert_eq!(delivered(&[("redact", "message")], &[flux[0].clone(), guess]).len(), 2);
}

#[test]
fn a_time_that_is_none_gives_way_to_the_next() {
    let times = |name: &str| -> Vec<Value> {
        delivered(&[], &found(name)).iter().map(|record| record["time"].clone()).collect()
    };
    // Their identity is one, so each goes to an instance of its own.
    let alone = |name: &str| -> Vec<Value> {
        found(name)
            .iter()
            .map(|record| delivered(&[], std::slice::from_ref(record))[0]["time"].clone())
            .collect()
    };
    assert_eq!(times("06-go-zero-time.json").len(), 1, "one uid and version");
    let zero = alone("06-go-zero-time.json");
    assert_eq!(zero, [json!("2026-11-20T23:28:53.123456Z"), json!("2026-11-20T23:28:53Z")]);
    let unreadable = alone("07-unreadable-time-hides-good-one.json");
    assert_eq!(unreadable[..2], [json!("2026-11-20T23:28:53Z"), json!("2026-11-20T23:28:53Z")]);
}

#[test]
fn of_both_api_groups_names_the_one_that_says_something_counts() {
    for record in found("08-both-names-one-null.json") {
        let mut members: Vec<_> = record.as_object().expect("a map").clone().into_iter().collect();
        for _ in 0..2 {
            members.reverse();
            let record: Value = Value::Object(members.iter().cloned().collect());
            let native = &delivered(&[], &[record])[0];
            let said = [&native["object"]["name"], &native["message"], &native["count"]];
            assert_eq!(said, [&json!("cart-1"), &json!("Back-off restarting failed container"), &json!(12)]);
        }
    }
}

#[test]
fn a_number_is_one_however_it_is_written() {
    let records: Vec<_> = found("12-numbers-as-float-or-text.json")
        .iter()
        .map(|record| delivered(&[], std::slice::from_ref(record)).swap_remove(0))
        .collect();
    let counts: Vec<_> = records
        .iter()
        .filter(|record| record["kind"] == "kubernetes.event")
        .map(|one| &one["count"])
        .collect();
    assert!(!counts.is_empty() && counts.iter().all(|count| **count == 12), "{counts:?}");
    let codes: Vec<_> = records
        .iter()
        .filter(|record| record["kind"] == "kubernetes.audit")
        .map(|one| (&one["audit"]["response"]["code"], &one["severity"]))
        .collect();
    assert!(codes.iter().all(|code| *code == (&json!(403), &json!("warning"))), "{codes:?}");
    let mut version = event("x", 1, 1);
    version["metadata"]["resourceVersion"] = json!(1240.0);
    assert_eq!(delivered(&[], &[version])[0]["id"], "x.1240");
}

#[test]
fn an_audit_record_whose_body_nests_too_deep_loses_the_body_alone() {
    let deep = found("18-deep-audit-body-lost.json");
    let bare = |mut record: Value| {
        record["requestObject"] = json!("[left out: nested too deep]");
        record
    };
    for format in ["native", "raw"] {
        let settings = [("format", format), ("audit_bodies", "on")];
        let (whole, cut) = (delivered(&settings, &deep), delivered(&settings, &[bare(deep[0].clone())]));
        assert_eq!(whole, cut, "{format}");
    }
    // In a list its neighbours lose nothing.
    let list = json!({"kind": "EventList", "apiVersion": "audit.k8s.io/v1", "items": [
        {"auditID": "one", "stage": "ResponseComplete"}, deep[0], {"auditID": "two", "stage": "ResponseComplete"}]});
    assert_eq!(delivered(&[], &[list]).len(), 3);
}
