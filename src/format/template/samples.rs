//! Sample records of each kind and source. A template must render all of them, because such records will come.

use bumpalo::Bump;

use super::document::TemplateError;
use crate::correlate::{Correlation, Impact};
use crate::format::Record;
use crate::record::classify::{Within, each};
use crate::record::identity::write_id;
use crate::record::json;

/// The samples by name.
pub(super) const SAMPLES: [(&str, &str); 8] = [
    ("event of core/v1", EVENT),
    ("event of events.k8s.io/v1", NEWER_EVENT),
    ("audit record of a resource", AUDIT),
    ("audit record of a path", AUDIT_OF_A_PATH),
    ("violation found by an audit", VIOLATION),
    ("violation of an admission", ADMISSION),
    ("violation in a log", LOGGED_VIOLATION),
    ("record of no known kind", OTHER),
];

/// The first sample that cannot be rendered, and why.
pub(super) fn first_error(
    render: impl Fn(&Record<'_, '_>, &mut Vec<u8>) -> Result<(), TemplateError>,
) -> Option<(&'static str, TemplateError)> {
    let impact = Impact::without(Correlation::Off);
    SAMPLES.into_iter().find_map(|(name, text)| {
        let packed = match json::packed(text.as_bytes()) {
            Ok(packed) => packed,
            Err(why) => return Some((name, TemplateError::new(0, why.to_string()))),
        };
        let arena = Bump::new();
        let (mut error, mut id, mut out) = (None, String::new(), Vec::new());
        each(&packed, Within::Record, &arena, &mut |body, content| {
            write_id(content, body, &mut id);
            let record = Record::new(&id, *content, &impact, body);
            error = render(&record, &mut out).err();
        });
        error.map(|error| (name, error))
    })
}

const EVENT: &str = r#"{
    "kind": "Event", "apiVersion": "v1", "type": "Warning", "reason": "BackOff", "count": 12,
    "message": "Back-off restarting failed container app in pod cart-1_shop(5f0c)",
    "firstTimestamp": "2026-11-20T23:28:53Z", "lastTimestamp": "2026-11-20T23:29:34Z", "eventTime": null,
    "involvedObject": {"kind": "Pod", "apiVersion": "v1", "namespace": "shop", "name": "cart-1",
        "uid": "f0096363-e1cf-4994-9d93-39140e40205f", "resourceVersion": "722", "fieldPath": "spec.containers{app}"},
    "metadata": {"namespace": "shop", "name": "cart-1.18e9e4a728999b00", "resourceVersion": "1240",
        "uid": "8568c80c-504d-4ec5-b393-6d905be2a07b", "creationTimestamp": "2026-11-20T23:28:53Z"},
    "reportingComponent": "kubelet", "reportingInstance": "node-a",
    "source": {"component": "kubelet", "host": "node-a"}}"#;

const NEWER_EVENT: &str = r#"{
    "kind": "Event", "apiVersion": "events.k8s.io/v1", "type": "Normal", "reason": "Scheduled", "action": "Binding",
    "note": "Successfully assigned shop/cart-1 to node-a", "eventTime": "2026-11-20T23:28:49.468737Z",
    "regarding": {"kind": "Pod", "apiVersion": "v1", "namespace": "shop", "name": "cart-1",
        "uid": "f0096363-e1cf-4994-9d93-39140e40205f"},
    "metadata": {"namespace": "shop", "name": "cart-1.18e9e4a628999b00", "resourceVersion": "1201",
        "uid": "0568c80c-504d-4ec5-b393-6d905be2a07b", "creationTimestamp": "2026-11-20T23:28:49Z"},
    "series": {"count": 2, "lastObservedTime": "2026-11-20T23:28:51.000000Z"},
    "reportingController": "default-scheduler", "reportingInstance": "default-scheduler-a"}"#;

const AUDIT: &str = r#"{
    "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Metadata", "stage": "ResponseComplete",
    "auditID": "2d436b69-a3b2-4529-a46f-55903f0772ab", "verb": "create",
    "requestURI": "/api/v1/namespaces/shop/pods/cart-1/exec?command=sh",
    "user": {"username": "jane", "uid": "1000", "groups": ["devs", "system:authenticated"], "extra": {"team": ["shop"]}},
    "impersonatedUser": {"username": "admin", "groups": ["system:masters"]},
    "sourceIPs": ["192.0.2.7"], "userAgent": "kubectl/v1.36.2",
    "objectRef": {"resource": "pods", "subresource": "exec", "namespace": "shop", "name": "cart-1", "apiVersion": "v1"},
    "responseStatus": {"metadata": {}, "status": "Failure", "reason": "Forbidden", "message": "forbidden", "code": 403},
    "requestReceivedTimestamp": "2026-11-20T23:28:36.569110Z", "stageTimestamp": "2026-11-20T23:28:36.626947Z",
    "annotations": {"authorization.k8s.io/decision": "forbid", "authorization.k8s.io/reason": ""}}"#;

const AUDIT_OF_A_PATH: &str = r#"{
    "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Request", "stage": "RequestReceived",
    "auditID": "3d436b69-a3b2-4529-a46f-55903f0772ab", "verb": "get", "requestURI": "/healthz",
    "user": {"username": "system:anonymous", "groups": ["system:unauthenticated"]}, "sourceIPs": ["192.0.2.8"],
    "requestReceivedTimestamp": "2026-11-20T23:28:36.569110Z", "stageTimestamp": "2026-11-20T23:28:36.569110Z"}"#;

const VIOLATION: &str = r#"{
    "id": "2026-11-20T23:40:00Z", "eventType": "violation_audited", "details": {"missing_labels": ["owner"]},
    "group": "constraints.gatekeeper.sh", "version": "v1beta1", "kind": "K8sRequiredLabels", "name": "need-owner",
    "message": "you must provide labels: {\"owner\"}", "enforcementAction": "deny",
    "resourceGroup": "apps", "resourceAPIVersion": "v1", "resourceKind": "Deployment",
    "resourceNamespace": "shop", "resourceName": "cart", "resourceLabels": {"app": "cart"}}"#;

const ADMISSION: &str = r#"{
    "id": "0a1b", "eventType": "violation_admission", "timestamp": "2026-11-20T23:41:01.123456789Z",
    "group": "constraints.gatekeeper.sh", "version": "v1beta1", "kind": "K8sRequiredLabels", "name": "need-owner",
    "message": "you must provide labels: {\"owner\"}", "enforcementAction": "scoped",
    "enforcementActions": ["warn"], "operation": "CREATE", "requestResource": "deployments",
    "requestUsername": "jane", "requestUserGroups": ["devs"], "dryRun": false,
    "resourceGroup": "apps", "resourceAPIVersion": "v1", "resourceKind": "Deployment",
    "resourceNamespace": "shop", "resourceName": "cart"}"#;

const LOGGED_VIOLATION: &str = r#"{
    "level": "info", "ts": 1795217999.123456, "logger": "webhook", "process": "admission",
    "msg": "you must provide labels: {\"owner\"}", "event_type": "violation",
    "constraint_group": "constraints.gatekeeper.sh", "constraint_api_version": "v1beta1",
    "constraint_kind": "K8sRequiredLabels", "constraint_name": "need-owner", "constraint_action": "dryrun",
    "resource_group": "", "resource_api_version": "v1", "resource_kind": "Namespace", "resource_namespace": "",
    "resource_name": "shop", "request_username": "jane"}"#;

const OTHER: &str = r#"{"log": "a line of text", "stream": "stdout", "n": [1, 2.5, null, true]}"#;

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;
    use crate::kind::Kind;

    #[test]
    fn each_sample_is_of_its_kind() {
        let kinds = RefCell::new(Vec::new());
        let error = first_error(|record, _| {
            kinds.borrow_mut().push(record.content.kind());
            Ok(())
        });
        assert_eq!(error, None);
        let expected = [
            Kind::Event,
            Kind::Event,
            Kind::Audit,
            Kind::Audit,
            Kind::Violation,
            Kind::Violation,
            Kind::Violation,
            Kind::Other,
        ];
        assert_eq!(*kinds.borrow(), expected);
    }
}
