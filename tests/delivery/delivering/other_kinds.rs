//! Does a record of no known kind arrive as it came, whatever it resembles?

use super::support;
use serde_json::{Value, json};
use support::chunk;
use support::gateway::TestGateway;
use support::host::{Build, Code};

fn delivered(records: &[Value]) -> Vec<Value> {
    let gateway = TestGateway::start();
    let mut host = support::started(Build::V5_1_1, &gateway, &[]);
    assert_eq!(host.deliver("a", "t", &chunk::of(records)), Code::Ok);
    host.quit();
    gateway.accepted_records()
}

#[test]
fn what_has_items_is_no_list_for_that() {
    let records = [
        json!({"order": "A-1", "items": []}),
        json!({"order": "A-2", "items": [{"sku": 1}, {"sku": 2}], "total": 3}),
        json!({"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": [{"kind": "Pod"}]}),
        json!({"kind": 7, "items": [support::event("inside", 1, 1)]}),
        json!({"kind": "List", "items": [], "order": "A-1"}),
        json!({"kind": "List", "apiVersion": "shop/v1", "items": [{"sku": 1}], "order": "A-1"}),
    ];
    let came: Vec<_> = delivered(&records).into_iter().map(|mut one| one["record"].take()).collect();
    assert_eq!(came, records);
}

/// As `kubectl get events -o json` makes it.
#[test]
fn a_list_of_events_is_one() {
    let list = json!({"kind": "List", "apiVersion": "v1", "items": [support::event("one", 1, 1)]});
    let records = delivered(&[list]);
    assert_eq!((records.len(), &records[0]["id"]), (1, &json!("one.1")));
}

/// What stands beside a text is lost with its record, so the text takes the record's place only if it is known.
#[test]
fn a_text_that_is_json_keeps_what_stands_beside_it() {
    let beside = json!({"pod_name": "cart-1", "labels": {"app": "cart"}});
    let in_texts = [
        json!({"level": "info", "n": 1}),
        json!({"items": []}),
        json!({"kind": "List", "items": []}),
        json!({"log": "{\"deeper\": 1}"}),
        json!({"auditID": "a"}),
        json!({"eventType": "violation_audited", "message": "of no constraint"}),
        json!({"involvedObject": "cart"}),
    ];
    for key in ["log", "message"] {
        let records: Vec<_> = in_texts
            .iter()
            .map(|inside| json!({key: format!("{inside}\n"), "stream": "stderr", "kubernetes": beside}))
            .collect();
        let came: Vec<_> = delivered(&records).into_iter().map(|mut one| one["record"].take()).collect();
        assert_eq!(came, records);
    }
}

/// Whichever of the two it is.
#[test]
fn the_text_that_is_known_counts() {
    let audit = support::audit_log().swap_remove(0).to_string();
    let other = json!({"n": 1}).to_string();
    for record in [json!({"log": other, "message": audit}), json!({"message": other, "log": audit})] {
        let came = delivered(&[record]);
        assert_eq!((came.len(), &came[0]["kind"]), (1, &json!("kubernetes.audit")));
    }
}
