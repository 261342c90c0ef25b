//! Violations of a Gatekeeper constraint.

use serde_json::{Value, json};

/// What a policy engine says in its four ways, from the fields in its sources.
pub fn violations() -> Vec<Value> {
    let labels = json!({"app": "cart"});
    let exported = json!({
        "id": "2026-11-20T23:40:00Z", "eventType": "violation_audited", "details": {"missing_labels": ["owner"]},
        "group": "constraints.gatekeeper.sh", "version": "v1beta1", "kind": "K8sRequiredLabels", "name": "need-owner",
        "message": "you must provide labels: {\"owner\"}", "enforcementAction": "deny",
        "resourceGroup": "apps", "resourceAPIVersion": "v1", "resourceKind": "Deployment",
        "resourceNamespace": "shop", "resourceName": "cart", "resourceLabels": labels,
    });
    let mut admission = exported.clone();
    for (key, value) in [
        ("id", json!("0a1b")),
        ("eventType", json!("violation_admission")),
        ("timestamp", json!("2026-11-20T23:41:01.123456789Z")),
        ("operation", json!("CREATE")),
        ("requestResource", json!("deployments")),
        ("requestUsername", json!("jane")),
        ("requestUserGroups", json!(["devs"])),
        ("dryRun", json!(false)),
    ] {
        admission[key] = value;
    }
    let logged = json!({
        "level": "info", "ts": 1_795_217_999.123_456, "logger": "controller", "process": "audit",
        "msg": "you must provide labels: {\"owner\"}", "audit_id": "2026-11-20T23:39:59Z",
        "details": {"missing_labels": ["owner"]}, "event_type": "violation_audited", "semantic": true,
        "constraint_group": "constraints.gatekeeper.sh", "constraint_api_version": "v1beta1",
        "constraint_kind": "K8sRequiredLabels", "constraint_name": "need-owner", "constraint_namespace": "",
        "constraint_action": "dryrun", "constraint_enforcement_actions": [], "constraint_annotations": null,
        "resource_group": "apps", "resource_api_version": "v1", "resource_kind": "Deployment",
        "resource_namespace": "shop", "resource_name": "front", "resource_labels": labels,
    });
    let mut denied = logged.clone();
    for (key, value) in [
        ("event_type", json!("violation")),
        ("process", json!("admission")),
        ("constraint_action", json!("deny")),
        ("request_username", json!("jane")),
    ] {
        denied[key] = value;
    }
    denied.as_object_mut().expect("a map").remove("audit_id");
    vec![exported, admission, logged, denied]
}
