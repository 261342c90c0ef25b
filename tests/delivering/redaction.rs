//! Does nothing leave that must not, in any format, and does all else arrive as it was?

use std::fs;

use crate::support;
use serde_json::{Value, json};
use support::gateway::TestGateway;
use support::host::{Build, Code};
use support::kube_api::KubeApi;
use support::{audit_log, chunk, event};

/// What a chunk becomes, as text.
fn delivered(settings: &[(&str, &str)], chunk: &[u8]) -> (Vec<Value>, String) {
    let gateway = TestGateway::start();
    let mut host = support::started(Build::V5_1_1, &gateway, settings);
    assert_eq!(host.deliver("a", "t", chunk), Code::Ok);
    host.quit();
    let records = gateway.accepted_records();
    let text = records.iter().map(|record| format!("{record}\n")).collect();
    (records, text)
}

const FORMATS: [&str; 3] = ["native", "cloudevents_batch", "raw"];

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
    const SECRET: &str = "aHVudGVyMg==";
    let secret = json!({"kind": "Secret", "apiVersion": "v1", "type": "Opaque",
        "metadata": {"name": "db", "uid": "u", "annotations":
            {"kubectl.kubernetes.io/last-applied-configuration": format!("{{\"data\":\"{SECRET}\"}}"), "team": "shop"}},
        "data": {"password": SECRET}, "stringData": {"password": SECRET}});
    let list = json!({"kind": "SecretList", "items": [secret, secret]});
    let patch = json!([{"op": "replace", "path": "/data/password", "value": SECRET}]);
    let mut token = about_a_secret("token", &json!({}), &json!({"status": {"token": SECRET}}));
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
        assert!(!text.contains(SECRET), "{format}: {text}");
        assert!(text.contains("[redacted]") && text.contains("Opaque"), "{format}: {text}");
        assert!(text.contains("/data/password"), "{format}: the path of a patch is no secret");
        assert_eq!(records[0]["id"], "secret-create.ResponseComplete");
    }
    // Nor among the dead letters.
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("dead");
    let mut large = audits[0].clone();
    large["requestObject"]["metadata"]["annotations"]["large"] = json!("x".repeat(2 << 20));
    let settings = [("audit_bodies", "on"), ("dead_letter_file", file.to_str().expect("UTF-8"))];
    assert_eq!(delivered(&settings, &chunk::of([&large])).0.len(), 0);
    let letters = fs::read_to_string(&file).expect("a letter");
    assert!(letters.contains("secret-create") && !letters.contains(SECRET));
    // A ConfigMap says what it holds.
    let mut other = audits[0].clone();
    other["objectRef"]["resource"] = json!("configmaps");
    let (_, text) = delivered(&[("audit_bodies", "on")], &chunk::of([&other]));
    assert!(text.contains(SECRET));
}

#[test]
fn fields_are_left_out_or_hashed_in_every_format_and_the_record_stays_itself() {
    let lines = audit_log();
    let line = lines.iter().find(|line| line["user"].get("extra").is_some()).expect("one");
    let (plain, _) = delivered(&[], &chunk::of([line]));
    let name = line["user"]["username"].as_str().expect("a name");
    let extra = line["user"]["extra"].to_string();
    for format in FORMATS {
        let rules = [
            ("format", format),
            ("redact", "audit.user.extra, audit.annotations.authorization.k8s.io/*"),
            ("redact_hash", "audit.user.name"),
        ];
        let (records, text) = delivered(&rules, &chunk::of([line]));
        assert_eq!(records[0]["id"], plain[0]["id"], "{format}");
        assert!(
            !text.contains(&extra) && !text.contains("authorization.k8s.io/decision"),
            "{format}: {text}"
        );
        assert!(text.contains("sha256:") && !text.contains(&format!("\"{name}\"")), "{format}: {text}");
    }
    // The hash is the same everywhere, and nothing else has changed.
    let hashed = |record: &Value| {
        let (records, _) = delivered(&[("redact_hash", "audit.user.name")], &chunk::of([record]));
        records[0].clone()
    };
    let one = hashed(line);
    assert_eq!(one["audit"]["user"]["name"].as_str().map(str::len), Some("sha256:".len() + 32));
    let another =
        lines.iter().find(|other| other["user"]["username"] == line["user"]["username"] && *other != line);
    assert_eq!(hashed(another.expect("another"))["audit"]["user"]["name"], one["audit"]["user"]["name"]);
    let mut expected = plain[0].clone();
    expected["audit"]["user"]["name"] = one["audit"]["user"]["name"].clone();
    expected["message"] = one["message"].clone();
    assert_eq!(one, expected);
    assert!(!one["message"].as_str().expect("a sentence").contains(name));
}

#[test]
fn rules_are_for_the_kind_that_has_the_field() {
    let violation = json!({"id": "r1", "eventType": "violation_audited", "name": "c", "kind": "K8sNeed", "group": "g",
        "details": {"a.b": {"c": 1, "d": 2}}, "message": "no"});
    let odd = json!({"log": "x", "deep": [{"secret": 1, "kept": 2}, {"secret": 3}]});
    let rules = [
        ("redact", "violation.details.\"a.b\".c, record.deep.secret, source.host, message"),
        ("redact_hash", "object.name"),
    ];
    let (records, _) = delivered(&rules, &chunk::of([&event("e", 1, 1), &violation, &odd]));
    assert_eq!(records[0]["source"]["host"], Value::Null);
    assert_eq!(records[0]["message"], Value::Null);
    assert!(records[0]["object"]["name"].as_str().is_some_and(|name| name.starts_with("sha256:")));
    assert_eq!(records[1]["violation"]["details"], json!({"a.b": {"d": 2}}));
    assert_eq!(records[2]["record"], json!({"log": "x", "deep": [{"kept": 2}, {}]}));
}

#[test]
fn labels_and_annotations_of_the_cluster_are_left_out_and_services_still_found() {
    let api = KubeApi::start();
    api.put(
        "pods",
        json!({"apiVersion": "v1", "kind": "Pod", "spec": {}, "status": {}, "metadata":
        {"namespace": "shop", "name": "cart-1", "uid": "p1", "labels": {"app": "cart", "owner": "jane"},
         "annotations": {"note": "x"}}}),
    );
    let url = api.url();
    let rules =
        [("kube_url", &*url), ("annotations", "*"), ("redact", "object.labels.own*, object.annotations.*")];
    let (records, _) = delivered(&rules, &chunk::of([&event("e", 1, 1)]));
    assert_eq!(records[0]["object"]["labels"], json!({"app": "cart"}));
    assert_eq!(records[0]["object"]["annotations"], json!({}));
}

#[test]
fn a_long_message_is_cut_at_a_character_with_a_mark() {
    let mut long = event("long", 1, 1);
    long["message"] = json!("ä".repeat(100));
    let mut short = event("short", 1, 1);
    short["message"] = json!("ä".repeat(50));
    for format in FORMATS {
        let rules = [("format", format), ("max_message_bytes", "101")];
        let (records, _) = delivered(&rules, &chunk::of([&long, &short]));
        let message = |record: &Value| {
            record.get("data").unwrap_or(record)["message"].as_str().expect("a message").to_owned()
        };
        assert_eq!(message(&records[0]), format!("{}… (100 of 200 bytes)", "ä".repeat(50)), "{format}");
        assert_eq!(message(&records[1]), "ä".repeat(50), "{format}");
    }
}

#[test]
fn a_field_that_does_not_exist_or_is_needed_stops_the_start() {
    for (key, field, said) in [
        ("redact", "audit.users", "audit.users is no field of format native"),
        ("redact", "message, audit.id", "audit.id is what records are told apart by"),
        ("redact_hash", "violation.details.\"a", "is no path"),
        ("redact_hash", "object.labels.app", "can only be left out"),
    ] {
        let gateway = TestGateway::start();
        let mut host = support::host::MiniHost::start(Build::V5_1_1);
        host.set("a", "endpoint", gateway.url()).set("a", key, field);
        assert_eq!(host.init("a"), -1, "{field}");
        let line = host.wait_log(said);
        assert!(line.text.contains(key), "{line:?}");
        host.quit();
    }
}
