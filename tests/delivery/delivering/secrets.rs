//! Does what a Secret holds leave in no way, whatever it comes in?

use std::fs;

use super::redaction::{FORMATS, delivered};
use super::support::{audit_log, chunk};
use serde_json::{Value, json};

/// `hunter2`, as a Secret holds it.
const DATA: &str = "aHVudGVyMg==";

/// An audit record about a Secret, as verbs bring it.
fn about_a_secret(verb: &str, request: &Value, response: &Value) -> Value {
    let mut audit = audit_log().into_iter().find(|line| line.get("requestObject").is_some()).expect("one");
    audit["auditID"] = json!(format!("secret-{verb}"));
    audit["verb"] = json!(verb);
    audit["objectRef"] =
        json!({"resource": "secrets", "namespace": "shop", "name": "db", "apiVersion": "v1"});
    audit["requestObject"] = request.clone();
    audit["responseObject"] = response.clone();
    audit
}

#[test]
fn what_a_secret_holds_leaves_in_no_body_of_no_format() {
    let secret = json!({"kind": "Secret", "apiVersion": "v1", "type": "Opaque",
        "metadata": {"name": "db", "uid": "u", "annotations":
            {"kubectl.kubernetes.io/last-applied-configuration": format!("{{\"data\":\"{DATA}\"}}"), "team": "shop"}},
        "data": {"password": DATA}, "stringData": {"password": DATA}});
    let list = json!({"kind": "SecretList", "items": [secret, secret]});
    let patch = json!([{"op": "replace", "path": "/data/password", "value": DATA}]);
    let mut token = about_a_secret("token", &json!({}), &json!({"status": {"token": DATA}}));
    token["objectRef"] = json!({"resource": "serviceaccounts", "subresource": "token", "name": "default"});
    let audits = [
        about_a_secret("create", &secret, &secret),
        about_a_secret("list", &Value::Null, &list),
        about_a_secret("patch", &patch, &secret),
        token,
    ];
    for format in FORMATS {
        let (records, text) = delivered(&[("format", format), ("audit_bodies", "on")], &chunk::of(&audits));
        assert_eq!(records.len(), 4, "{format}");
        assert!(!text.contains(DATA), "{format}: {text}");
        assert!(text.contains("[redacted]") && text.contains("Opaque"), "{format}: {text}");
        assert!(text.contains("/data/password"), "{format}: the path of a patch is no secret");
        let id = records[0]["id"].as_str().expect("an id");
        assert!(id.starts_with("secret-create.ResponseComplete."), "{id}");
    }
    // Nor among the dead letters.
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("dead");
    let mut large = audits[0].clone();
    large["user"]["extra"] = (0..200_000).map(|number| (format!("key-{number}"), json!(1))).collect();
    let settings = [("audit_bodies", "on"), ("dead_letter_file", file.to_str().expect("UTF-8"))];
    assert_eq!(delivered(&settings, &chunk::of([&large])).0.len(), 0);
    let letters = fs::read_to_string(&file).expect("a letter");
    assert!(letters.contains("secret-create") && !letters.contains(DATA));
    // A ConfigMap says what it holds.
    let mut other = audits[0].clone();
    other["objectRef"]["resource"] = json!("configmaps");
    for body in ["requestObject", "responseObject"] {
        other[body]["kind"] = json!("ConfigMap");
    }
    let (_, text) = delivered(&[("audit_bodies", "on")], &chunk::of([&other]));
    assert!(text.contains(DATA));
}

/// By itself, in a list, inside another object, and in records that once were audit records.
#[test]
fn a_secret_does_not_leave_where_it_is_not_expected() {
    let secret = json!({"apiVersion": "v1", "data": {"password": DATA}, "kind": "Secret", "type": "Opaque"});
    let whole = about_a_secret("create", &secret, &Value::Null);
    let without = |key: &str| {
        let mut record = whole.clone();
        record.as_object_mut().expect("a map").remove(key);
        record
    };
    let mut unsaid = whole.clone();
    unsaid["objectRef"] = Value::Null;
    let mut review = about_a_secret("review", &json!({"spec": {"token": DATA}}), &Value::Null);
    review["objectRef"] = json!({"resource": "tokenreviews", "apiGroup": "authentication.k8s.io"});
    // Without a word of its kind: a patch of it.
    let patch = json!({"data": {"password": DATA}});
    let bare = |keys: &[(&str, Value)]| {
        let mut record = about_a_secret("patch", &patch, &Value::Null);
        for (key, value) in keys {
            record[key] = value.clone();
        }
        record
    };
    let no_stage = bare(&[("stage", Value::Null)]);
    let applied = json!({"metadata": {"annotations":
        {"kubectl.kubernetes.io/last-applied-configuration": json!({"objects": [secret]}).to_string()}}});
    let mut template = whole.clone();
    template["objectRef"]["resource"] = json!("templates");
    template["requestObject"] = json!({"objects": [{"kind": "ConfigMap"}, secret]});
    let records = [
        secret.clone(),
        json!({"kind": "SecretList", "items": [secret]}),
        json!({"kind": "List", "items": [secret]}),
        json!({"type": "ADDED", "object": secret}),
        json!({"kind": "AdmissionReview", "request": {"object": secret}}),
        without("stage"),
        without("auditID"),
        unsaid,
        review,
        template,
        no_stage.clone(),
        json!({"log_processed": no_stage}),
        json!({"log_processed": {"deeper": [bare(&[])]}}),
        bare(&[("objectRef", Value::Null)]),
        bare(&[("objectRef", json!({"namespace": "shop"}))]),
        bare(&[("objectRef", json!({"resource": "templates"})), ("requestObject", applied)]),
    ];
    for format in FORMATS {
        for (number, record) in records.iter().enumerate() {
            let (records, text) =
                delivered(&[("format", format), ("audit_bodies", "on")], &chunk::of([record]));
            assert_eq!(records.len(), 1, "{format}, {number}");
            assert!(!text.contains(DATA), "{format}, {number}: {text}");
        }
    }
}

/// A line that was cut is no JSON in which a Secret could be looked for.
#[test]
fn of_an_audit_record_that_cannot_be_read_the_bodies_are_left_out() {
    let secret = json!({"kind": "Secret", "data": {"password": DATA}});
    let line = about_a_secret("create", &secret, &secret).to_string();
    let end = line.find(DATA).expect("it is there") + DATA.len();
    for key in ["log", "message", "line"] {
        let cut = json!({key: line[..end], "stream": "stdout"});
        for format in FORMATS {
            let (records, text) = delivered(&[("format", format)], &chunk::of([&cut]));
            assert_eq!(records.len(), 1);
            assert!(!text.contains(DATA) && text.contains("secret-create"), "{format}, {key}: {text}");
            assert!(text.contains("… [redacted]") && text.contains("stdout"), "{format}, {key}: {text}");
        }
    }
    // The second half of one that was split says less.
    let rest = format!("{{}}}},\"responseObject\":{secret}}},\"stageTimestamp\":\"2026-11-20T23:28:37Z\"}}");
    let (records, text) = delivered(&[], &chunk::of([&json!({"log": rest})]));
    assert!(records.len() == 1 && !text.contains(DATA), "{text}");
    // What tells of none stays as it is.
    let plain = json!({"log": "auditID 7 was named in requestId", "line": "the requestObject is large"});
    let (records, _) = delivered(&[], &chunk::of([&plain]));
    assert_eq!(records[0]["record"], plain);
}

/// Who hashes a body hashes what a Secret holds no more than who does not: short ones could be tried.
#[test]
fn a_secret_does_not_leave_as_a_hash() {
    let secret = json!({"kind": "Secret", "data": {"password": DATA}, "metadata": {"name": "db"}});
    let audit = about_a_secret("create", &secret, &Value::Null);
    for rule in ["audit.request_object", "audit.request_object.data", "audit.request_object.data.password"] {
        let rules = [("redact_hash", rule), ("audit_bodies", "on")];
        let (records, text) = delivered(&rules, &chunk::of([&audit]));
        assert_eq!(records[0]["audit"]["request_object"]["data"], "[redacted]", "{rule}: {text}");
    }
}
