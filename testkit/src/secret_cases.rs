//! Records that hold what a Secret holds, in all the ways that people and tools write it. What must not leave is
//! `CANARY` with something behind it, in plain text or in base64.
use std::fs;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::chunk::data_file;

mod spellings;

pub const CANARY: &str = "CANARY-hunter2";

/// One record and what has to arrive of it.
pub struct Case {
    pub name: String,
    pub record: Value,
    pub kept: &'static [&'static str],
}

/// What no text that leaves may hold.
pub fn canaries() -> [String; 2] {
    [String::from("CANARY"), encoded(CANARY)]
}

pub fn encoded(text: &str) -> String {
    STANDARD.encode(text)
}

/// An audit record about a resource, with these members besides.
pub fn audit(resource: &str, members: Value) -> Value {
    let mut record = json!({"kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "RequestResponse",
        "auditID": "a", "stage": "ResponseComplete", "requestURI": "/api/v1/namespaces/shop/x", "verb": "patch",
        "user": {"username": "jane"}, "objectRef": {"resource": resource, "namespace": "shop", "name": "db"},
        "responseStatus": {"metadata": {}, "code": 200}, "stageTimestamp": "2026-11-20T23:28:53.000002Z"});
    for (key, value) in members.as_object().expect("members") {
        record[key] = value.clone();
    }
    record
}

fn secret() -> Value {
    json!({"apiVersion": "v1", "kind": "Secret", "type": "Opaque", "metadata": {"name": "db", "labels": {"app": "cart"}},
        "data": {"password": encoded(CANARY)}, "stringData": {"p": CANARY}})
}

fn yaml() -> String {
    format!("apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\nstringData:\n  p: {CANARY}\n")
}

fn event(members: Value) -> Value {
    let mut record = crate::event("e", 1, 1);
    for (path, value) in members.as_object().expect("members") {
        *record.pointer_mut(path).unwrap_or_else(|| panic!("{path}")) = value.clone();
    }
    record
}

/// Those of `tests/data/hostile/secret-left.ndjson`, and their brothers.
pub fn cases() -> Vec<Case> {
    let text = fs::read_to_string(data_file("hostile/secret-left.ndjson")).expect("test data");
    let left = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let found =
        left.map(|record| Case { name: format!("found {}", record["auditID"]), record, kept: &["jane"] });
    let mut all: Vec<Case> = found.collect();
    let rows = bodies().into_iter().chain(resources()).chain(elsewhere()).chain(texts());
    for (name, record, kept) in rows.chain(spellings::texts()).chain(spellings::records()) {
        all.push(Case { name: name.to_owned(), record, kept });
    }
    for (number, case) in all.iter_mut().enumerate() {
        // Each is a record of its own.
        if case.record["auditID"].is_string() {
            case.record["auditID"] = json!(format!("case-{number}"));
        } else if case.record["metadata"]["uid"].is_string() {
            case.record["metadata"]["uid"] = json!(format!("case-{number}"));
        }
    }
    all
}

type Row = (&'static str, Value, &'static [&'static str]);

/// Bodies of requests about secrets, whatever their content type was, and what else such a record says.
fn bodies() -> Vec<Row> {
    let of = |body: Value| audit("secrets", json!({"requestObject": body, "responseObject": secret()}));
    let applied = "kubectl.kubernetes.io/last-applied-configuration";
    vec![
        ("apply-patch+yaml", of(json!(yaml())), &["jane", "Opaque", "cart"]),
        ("strategic merge", of(json!({"stringData": {"p": CANARY}, "$patch": "merge"})), &["jane"]),
        (
            "json-patch",
            of(json!([{"op": "add", "path": "/data/p", "value": encoded(CANARY)},
                {"op": "copy", "from": "/data/q", "path": "/data/r"}, CANARY])),
            &["/data/p", "/data/q", "add"],
        ),
        (
            "a patch of one step",
            of(json!({"op": "add", "path": "/data", "value": {"p": CANARY}})),
            &["/data"],
        ),
        ("base64 of a body", of(json!(encoded(&yaml()))), &["jane"]),
        ("several texts", of(json!([CANARY, yaml(), 5])), &["jane"]),
        ("raw", of(json!({"raw": encoded(&yaml()), "contentType": CANARY})), &["jane"]),
        (
            "unknown members",
            of(json!({CANARY: 1, "CANARY-too": {"x": [CANARY]}, "kind": "Secret"})),
            &["jane"],
        ),
        (
            "kind and type that are documents",
            of(json!({"kind": yaml(), "type": {"x": CANARY}, "immutable": [CANARY]})),
            &[],
        ),
        (
            "metadata",
            of(json!({"metadata": {"name": "db", "annotations": {"team": CANARY, applied: CANARY},
                "managedFields": [{"manager": "kubectl", "fieldsV1": {"f:data": {CANARY: {}}}, "x": CANARY}],
                "labels": {"app": "cart", "x": {"y": CANARY}}, "ownerReferences": [{"name": "o", "y": CANARY}],
                "x": CANARY}})),
            &["team", "kubectl", "cart"],
        ),
        (
            "a patch of an annotation",
            of(json!([{"op": "add", "path": "/metadata/annotations/x", "value": CANARY}])),
            &["add"],
        ),
        (
            "a status that quotes data",
            audit(
                "secrets",
                json!({"responseStatus": {"status": "Failure", "reason": "Invalid", "code": 422,
                "message": format!("data[p]: Invalid value: \"{CANARY}\""),
                "details": {"name": "db", "causes": [{"message": CANARY}]}},
                "responseObject": {"kind": "Status", "message": CANARY, "details": {"causes": [CANARY]}}}),
            ),
            &["Invalid", "422"],
        ),
        (
            "a URI with values",
            audit(
                "secrets",
                json!({"requestURI": format!("/api/v1/namespaces/shop/secrets?fieldSelector=data.p%3D{CANARY}&{CANARY}&limit=5")}),
            ),
            &["limit=5", "/api/v1/namespaces/shop/secrets"],
        ),
        (
            "annotations of webhooks",
            audit(
                "secrets",
                json!({"annotations": {"authorization.k8s.io/decision": "allow",
                "patch.webhook.admission.k8s.io/round_0_index_0": format!("{{\"patch\":\"{CANARY}\"}}"), "x": CANARY}}),
            ),
            &["authorization.k8s.io/decision"],
        ),
        (
            "a table",
            of(json!({"kind": "Table", "rows": [{"cells": [CANARY], "object": secret()}]})),
            &["Table"],
        ),
    ]
}

/// All names of such resources.
fn resources() -> Vec<Row> {
    let body =
        || json!({"responseObject": {"spec": {"x": CANARY}, "status": {"token": CANARY}, "x": CANARY}});
    let with = |key: &str, value: &str, resource: &str| {
        let mut record = audit(resource, body());
        record["objectRef"][key] = json!(value);
        record
    };
    vec![
        ("a subresource", with("subresource", "anything", "secrets"), &["anything"]),
        ("with a version", audit("secrets.v1", body()), &[]),
        ("with a point", audit("secrets.", body()), &[]),
        ("with a group", audit("Secrets.v1.example.com", body()), &[]),
        ("in capitals", audit("SECRETS", body()), &["SECRETS"]),
        ("both in one", audit("secrets/status", body()), &[]),
        ("a token", with("subresource", "token", "serviceaccounts"), &["serviceaccounts"]),
        ("a Token", with("subresource", "Token", "ServiceAccounts.v1"), &[]),
        ("a token in one", audit("serviceaccounts/token", body()), &[]),
        ("reviews", audit("tokenreviews.authentication.k8s.io", body()), &[]),
        ("requests", audit("tokenrequests", body()), &[]),
        ("of another group", with("apiGroup", "example.com", "secrets"), &["jane"]),
        ("none", with("resource", "", ""), &["jane"]),
        (
            "twice",
            json!({"auditID": "a", "verb": "get", "objectRef": [{"resource": "pods"}], "responseObject": {"x": CANARY}}),
            &[],
        ),
    ]
}

/// Objects of such kinds in bodies of other resources, in lists, in events, in anything.
fn elsewhere() -> Vec<Row> {
    let of = |body: Value| audit("templates", json!({"requestObject": body}));
    let helm = json!({"kind": "Secret", "type": "helm.sh/release.v1", "metadata": {"name": "sh.helm.release.v1.a.v1",
        "labels": {"owner": "helm"}}, "data": {"release": encoded(CANARY)}});
    let bootstrap = json!({"kind": "Secret", "type": "bootstrap.kubernetes.io/token",
        "metadata": {"name": "bootstrap-token-07401b"}, "stringData": {"token-secret": CANARY}});
    let annotations =
        |value: Value| json!({"kind": "Deployment", "metadata": {"name": "web", "annotations": value}});
    vec![
        (
            "a List",
            of(json!({"kind": "List", "items": [{"kind": "ConfigMap", "data": {"a": "stays"}}, secret()]})),
            &["stays", "Opaque"],
        ),
        ("deep in an object", of(json!({"spec": {"objects": [[secret()]], "keep": "stays"}})), &["stays"]),
        ("another case", of(json!({"Kind": "SECRET", "Data": CANARY})), &[]),
        ("with a version", of(json!({"kind": "Secret.v1.", "x": CANARY})), &[]),
        (
            "a TokenRequest",
            of(json!({"kind": "TokenRequest", "spec": {"x": CANARY}, "status": {"token": CANARY}})),
            &["TokenRequest"],
        ),
        (
            "a TokenReview",
            json!({"kind": "TokenReview", "spec": {"token": CANARY}, "status": {"user": CANARY}}),
            &["TokenReview"],
        ),
        (
            "a SecretList",
            json!({"kind": "SecretList", "items": [{"data": {"x": CANARY}, "metadata": {"name": "db"}}]}),
            &["db"],
        ),
        (
            "where no body stands",
            audit("pods", json!({"user": {"username": "jane", "x": secret()}})),
            &["jane"],
        ),
        (
            "a body by another name",
            audit(
                "secrets",
                json!({"oldObject": {"data": {"p": CANARY}}, "patches": [{"p": CANARY}], "node": "n1"}),
            ),
            &["jane"],
        ),
        (
            "a record that says it is one",
            audit("pods", json!({"kind": "Secret", "requestObject": {"x": CANARY}, "x": {"y": CANARY}})),
            &["jane"],
        ),
        ("a release of helm", of(helm), &["sh.helm.release.v1.a.v1", "helm"]),
        ("a bootstrap token", of(bootstrap), &["bootstrap-token-07401b"]),
        (
            "kubectl",
            of(annotations(json!({"kubectl.kubernetes.io/last-applied-configuration": CANARY}))),
            &["web"],
        ),
        (
            "rancher",
            of(annotations(json!({"objectset.rio.cattle.io/applied": CANARY, "x": "stays"}))),
            &["stays"],
        ),
        (
            "kapp",
            of(annotations(
                json!({"kapp.k14s.io/original": CANARY, "kapp.k14s.io/original-diff-full": CANARY}),
            )),
            &["web"],
        ),
        ("banzaicloud", of(annotations(json!({"banzaicloud.com/last-applied": CANARY}))), &["web"]),
        (
            "kustomize",
            of(annotations(
                json!({"internal.config.kubernetes.io/x": CANARY, "config.kubernetes.io/y": CANARY}),
            )),
            &["web"],
        ),
        ("kopf", of(annotations(json!({"kopf.zalando.org/last-handled-configuration": CANARY}))), &["web"]),
        (
            "a patch of one of these",
            of(
                json!([{"op": "add", "path": "/metadata/annotations/objectset.rio.cattle.io~1applied", "value": CANARY}]),
            ),
            &["add"],
        ),
        (
            "an event's annotation",
            event(
                json!({"/metadata": {"uid": "e", "resourceVersion": "1", "annotations": {"x": secret().to_string(), "y": secret()}}}),
            ),
            &["BackOff"],
        ),
        ("an event's message", event(json!({"/message": yaml()})), &["BackOff"]),
        (
            "a violation",
            json!({"id": "r1", "eventType": "violation_audited", "name": "c", "kind": "K8sNeed", "group": "g", "resourceName": "db",
                "details": {"object": secret(), "text": yaml(), "keep": "stays"}, "message": "no"}),
            &["stays"],
        ),
    ]
}

/// Texts that tell such objects, or requests about them.
fn texts() -> Vec<Row> {
    let json = secret().to_string();
    let line = audit("secrets", json!({"requestObject": secret()})).to_string();
    let config_map = |text: String| {
        audit(
            "configmaps",
            json!({"requestObject":
        {"kind": "ConfigMap", "metadata": {"name": "cm"}, "data": {"a.yaml": text, "b": "stays"}}}),
        )
    };
    let tail = line.find(CANARY).expect("it is there");
    vec![
        ("JSON in a ConfigMap", config_map(json.clone()), &["stays", "cm"]),
        ("YAML in a ConfigMap", config_map(format!("a: b\n---\n{}", yaml())), &["stays", "cm"]),
        ("flow YAML", config_map(format!("{{kind: Secret, stringData: {{p: {CANARY}}}}}")), &["stays"]),
        ("JSON in JSON", config_map(json!({"x": json!({"y": json}).to_string()}).to_string()), &["stays"]),
        (
            "spelled by numbers",
            config_map(format!("{{\"kind\":\"\\u0053ecret\",\"data\":\"{CANARY}\"}}")),
            &["stays"],
        ),
        ("JSON in a wrapper", json!({"log": json, "stream": "stdout"}), &["stdout"]),
        (
            "a stream of JSON",
            json!({"log": format!("{{\"a\":1}}\n{json}\n"), "stream": "stdout"}),
            &["stdout"],
        ),
        (
            "JSON behind a prefix",
            json!({"log": format!("2026-11-20T23:28:53Z stdout F {json}"), "x": 1}),
            &[],
        ),
        ("JSON behind words", json!({"line": format!("applying {json}")}), &[]),
        (
            "a Go struct",
            json!({"line": format!("Secret{{TypeMeta:{{Kind:\"Secret\"}}, Data:map[p:{CANARY}]}}")}),
            &[],
        ),
        ("a whole audit record", json!({"line": line, "stream": "stdout"}), &["stdout"]),
        ("its beginning", json!({"line": format!("{}{CANARY}", &line[..tail])}), &[]),
        ("its end", json!({"line": &line[tail..]}), &[]),
        ("a key that is a document", json!({yaml(): 1, "x": "stays"}), &["stays"]),
    ]
}
