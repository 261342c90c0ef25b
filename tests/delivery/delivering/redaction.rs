//! Does a field that must not leave do so in no format, and does all else arrive as it was?

use super::support;
use serde_json::{Value, json};
use support::gateway::TestGateway;
use support::host::{Build, Code};
use support::kube_api::KubeApi;
use support::{audit_log, chunk, event};

/// What a chunk becomes, and all of it as text.
pub fn delivered(settings: &[(&str, &str)], chunk: &[u8]) -> (Vec<Value>, String) {
    let gateway = TestGateway::start();
    let mut host = support::started(Build::V5_1_1, &gateway, settings);
    assert_eq!(host.deliver("a", "t", chunk), Code::Ok);
    host.quit();
    let records = gateway.accepted_records();
    let text = records.iter().map(|record| format!("{record}\n")).collect();
    (records, text)
}

pub const FORMATS: [&str; 3] = ["native", "cloudevents_batch", "raw"];

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
        {"namespace": "shop", "name": "cart-1", "uid": "p1", "labels": {"app": "cart", "owner": "jane", "x/y.z": "1"},
         "annotations": {"note": "x"}}}),
    );
    let url = api.url();
    let rules = [
        ("kube_url", &*url),
        ("annotations", "*"),
        ("redact", "object.labels.own*, object.labels.\"x/y.z\", object.annotations.*"),
    ];
    let (records, _) = delivered(&rules, &chunk::of([&event("e", 1, 1)]));
    assert_eq!(records[0]["object"]["labels"], json!({"app": "cart"}));
    assert_eq!(records[0]["object"]["annotations"], json!({}));
}

/// Neither does the whole object that kubectl keeps in an annotation, whatever is asked for, nor a Secret in any other one.
#[test]
fn no_annotation_that_keeps_an_object_is_delivered() {
    let api = KubeApi::start();
    let applied = "kubectl.kubernetes.io/last-applied-configuration";
    let secret = json!({"kind": "Secret", "data": {"p": "CANARY"}}).to_string();
    let yaml = "kind: Secret\nstringData: {p: CANARY}\n";
    api.put(
        "pods",
        json!({"apiVersion": "v1", "kind": "Pod", "spec": {}, "status": {}, "metadata": {"namespace": "shop", "name": "cart-1",
            "uid": "p1", "annotations": {"note": "x", applied: "CANARY", "objectset.rio.cattle.io/applied": "CANARY", "json": secret, "yaml": yaml}}}),
    );
    for annotations in ["*", applied] {
        let settings = [("kube_url", &*api.url()), ("annotations", annotations)];
        let (records, text) = delivered(&settings, &chunk::of([&event("e", 1, 1)]));
        assert_eq!(records[0]["object"]["annotations"]["note"].is_string(), annotations == "*");
        assert!(!text.contains("CANARY"), "{text}");
    }
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

/// A control character takes six others.
#[test]
fn a_message_is_as_long_as_it_is_written() {
    let mut long = event("long", 1, 1);
    long["message"] = json!("\u{1b}".repeat(50));
    let (records, _) = delivered(&[("max_message_bytes", "100")], &chunk::of([&long]));
    let message = records[0]["message"].as_str().expect("a message");
    assert_eq!(message, format!("{}\\u00… (100 of 300 bytes)", "\\u001b".repeat(16)));
}

/// A list and a map stay what they are: each text in them is hashed.
#[test]
fn of_a_list_or_a_map_each_value_is_hashed() {
    let lines = audit_log();
    let line = lines.iter().find(|line| line["user"].get("extra").is_some()).expect("one");
    let (plain, _) = delivered(&[], &chunk::of([line]));
    let rules = [("redact_hash", "audit.user, audit.user_agent, audit.source_ips, audit.annotations")];
    let (records, text) = delivered(&rules, &chunk::of([line]));
    let is_hash = |value: &Value| value.as_str().is_some_and(|text| text.starts_with("sha256:"));
    let (was, is) = (&plain[0]["audit"], &records[0]["audit"]);
    for list in ["/user/groups", "/source_ips"] {
        let list = |of: &Value| of.pointer(list).and_then(Value::as_array).expect("a list").clone();
        assert_eq!(list(is).len(), list(was).len());
        assert!(list(is).iter().all(is_hash), "{is:#}");
    }
    let extra = is["user"]["extra"].as_object().expect("a map");
    assert!(extra.values().all(|list| list.as_array().expect("a list").iter().all(is_hash)));
    assert_eq!(extra.len(), was["user"]["extra"].as_object().expect("a map").len());
    assert!(is_hash(&is["user"]["name"]) && is_hash(&is["decision"]));
    assert!(!text.contains(line["user"]["username"].as_str().expect("a name")), "{text}");
}

/// The rule that takes more away holds, wherever it stands; and of one number there is one hash.
#[test]
fn what_is_left_out_is_left_out_of_what_is_hashed() {
    let lines = audit_log();
    let line = lines.iter().find(|line| line["user"].get("extra").is_some()).expect("one");
    let rules =
        [("redact", "audit.user.extra, audit.decision"), ("redact_hash", "audit.user, audit.annotations")];
    let (records, text) = delivered(&rules, &chunk::of([line]));
    assert!(!text.contains("credential-id") && !text.contains("authorization.k8s.io/decision"), "{text}");
    assert!(
        records[0]["audit"]["user"]["groups"][0].as_str().is_some_and(|text| text.starts_with("sha256:"))
    );
    let numbers = json!({"a": 5, "b": 5.0, "c": "5", "d": [true, null]});
    let (records, _) = delivered(&[("redact_hash", "record.*")], &chunk::of([&numbers]));
    let record = &records[0]["record"];
    assert_eq!(record["a"], record["c"]);
    assert!(record["d"][0].is_string() && record["d"][1].is_null(), "{record}");
}

/// It stands in several places, and some of them are not where one looks first.
#[test]
fn a_name_leaves_from_nowhere() {
    let mut made = audit_log().into_iter().find(|line| line.get("requestObject").is_some()).expect("one");
    made["objectRef"] = json!({"resource": "pods", "namespace": "shop", "apiVersion": "v1"});
    made["responseObject"] = json!({"kind": "Pod", "metadata": {"name": "jane-x7k2p", "uid": "u"}});
    made["requestObject"] = json!({"kind": "Pod", "metadata": {"name": "jane-x7k2p"}});
    let mut gone = made.clone();
    gone["auditID"] = json!("gone");
    gone["objectRef"]["name"] = json!("jane-x7k2p");
    gone["requestURI"] = json!("/");
    gone["responseObject"] = json!({"kind": "Status", "details": {"name": "jane-x7k2p"}});
    gone["responseStatus"]["details"] = json!({"name": "jane-x7k2p"});
    let mut happened = event("e", 1, 1);
    happened["metadata"]["name"] = json!("jane-x7k2p.18");
    happened["involvedObject"]["name"] = json!("jane-x7k2p");
    let chunk = chunk::of([&made, &gone, &happened]);
    assert_eq!(delivered(&[], &chunk).0[0]["object"]["name"], "jane-x7k2p");
    for key in ["redact", "redact_hash"] {
        for format in FORMATS {
            let rules = [(key, "object.name, event.name"), ("audit_bodies", "on"), ("format", format)];
            let (records, text) = delivered(&rules, &chunk);
            assert!(records.len() == 3 && !text.contains("jane"), "{format}: {text}");
        }
    }
}

#[test]
fn a_field_that_does_not_exist_or_is_needed_stops_the_start() {
    for (key, field, said) in [
        ("redact", "audit.users", "audit.users is not a field of format native"),
        ("redact", "message, audit.id", "audit.id tells records apart"),
        ("redact_hash", "violation.details.\"a", "is not a path"),
        ("redact_hash", "object.labels.app", "can only be left out"),
        ("redact", "object.labels.\"\"", "object.labels. does not name one"),
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
