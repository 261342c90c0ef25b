//! Does a record that stands in another arrive as it would without, and does nothing in it leave that must not?

use std::fs;

use super::redaction::delivered;
use super::wrapped::WRAPPERS;
use super::{golden, support};
use serde_json::{Value, json};
use support::gateway::TestGateway;
use support::host::{Build, Code};
use support::{audit_log, chunk, event, value, violations};

/// `hunter2`, as a Secret holds it.
const DATA: &str = "aHVudGVyMg==";

fn found() -> Vec<Value> {
    let text = fs::read_to_string(chunk::data_file("found/15-wrappers-not-seen.json")).expect("data");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// What each of these lines carries.
fn carried() -> Vec<Value> {
    let json = |text: &Value| -> Value {
        let text = text.as_str().expect("a text");
        serde_json::from_str(&text[text.find('{').expect("JSON")..]).expect("JSON")
    };
    let lines = found();
    vec![
        lines[0]["object"].clone(),
        lines[1]["event"].clone(),
        json(&lines[2]["properties"]["log"]),
        json(&lines[3]["log"]),
        json(&json(&lines[4]["log"])["log"]),
        json(&lines[5]["MESSAGE"]),
        json(&lines[6]["payload"]),
    ]
}

#[test]
fn each_line_that_was_found_gives_what_its_record_gives() {
    for format in ["native", "raw", "cloudevents", "otlp_json", "ecs"] {
        for (wrapped, bare) in found().iter().zip(carried()) {
            let settings = [("format", format)];
            let (expected, text) = delivered(&settings, &chunk::v2(&bare, 5));
            assert_eq!(expected.len(), 1, "{format}");
            assert_eq!(delivered(&settings, &chunk::v2(wrapped, 5)).1, text, "{format}: {wrapped}");
        }
    }
}

/// The ledger knows it again in whatever it comes.
#[test]
fn in_all_wrappers_it_is_one_record() {
    let gateway = TestGateway::start();
    let mut host = support::started(Build::V5_1_1, &gateway, &[("other", "drop")]);
    let records = [event("e", 1, 1), audit_log().swap_remove(0), violations().swap_remove(0)];
    let wrapped = WRAPPERS.iter().flat_map(|one| records.iter().map(|record| (one.wrap)(record)));
    let wrapped: Vec<Value> = wrapped.collect();
    assert_eq!(host.deliver("a", "t", &chunk::of(&wrapped)), Code::Ok);
    assert_eq!(gateway.accepted_records().len(), 3, "{:?}", gateway.accepted_ids());
    let all = f64::from(u32::try_from(wrapped.len()).expect("few"));
    // One line of klog beside each record of an Event Hub.
    let metrics = host.metrics_when(|metrics| value(metrics, "records_total") >= all + 3.0);
    assert_eq!(value(&metrics, "duplicate_records_total"), all - 3.0);
    assert_eq!(value(&metrics, "excluded_records_total"), 3.0);
    host.quit();
}

/// An audit record about a Secret.
fn about_a_secret() -> Value {
    let secret = json!({"kind": "Secret", "data": {"password": DATA}, "stringData": {"p": DATA}});
    let mut audit = audit_log().swap_remove(0);
    audit["objectRef"] = json!({"resource": "secrets", "namespace": "shop", "name": "db"});
    audit["requestObject"] = secret.clone();
    audit["responseObject"] = secret;
    audit["user"]["extra"] = json!({"scopes": ["extra-canary"]});
    audit
}

#[test]
fn what_is_taken_out_is_redacted_like_a_record_that_came_alone() {
    for format in ["native", "raw"] {
        for rule in ["redact", "redact_hash"] {
            let settings = [("format", format), ("audit_bodies", "on"), (rule, "audit.user.extra")];
            let (_, expected) = delivered(&settings, &chunk::of([&about_a_secret()]));
            assert!(!expected.contains(DATA) && !expected.contains("extra-canary"));
            for wrapper in WRAPPERS {
                let wrapped = (wrapper.wrap)(&about_a_secret());
                let (records, text) = delivered(&settings, &chunk::of([&wrapped]));
                assert!(!text.contains(DATA) && !text.contains("extra-canary"), "{}: {text}", wrapper.name);
                let came =
                    records.iter().find(|came| came.get("audit").is_some() || came.get("auditID").is_some());
                assert_eq!(format!("{}\n", came.expect("the record")), expected, "{}", wrapper.name);
            }
        }
    }
}

/// Once it was cut, it is no record any more that could be taken out.
#[test]
fn no_secret_leaves_in_a_wrapper_that_cannot_be_opened() {
    let line = about_a_secret().to_string();
    let cut = &line[..line.rfind(DATA).expect("it is there") + DATA.len()];
    let twice = json!({"log": cut}).to_string();
    let cases = [
        json!({"properties": {"log": cut}}),
        json!({"records": [{"properties": {"log": cut}}]}),
        json!({"payload": twice}),
        json!({"MESSAGE": twice}),
        json!({"log": format!("2026-11-20T23:28:53.123456789Z stdout P {cut}")}),
        json!({"type": "DELETED", "object": about_a_secret()}),
        json!({"verb": "DELETED", "event": about_a_secret()}),
    ];
    for format in ["native", "raw"] {
        for wrapped in &cases {
            let (records, text) = delivered(&[("format", format)], &chunk::of([wrapped]));
            assert_eq!(records.len(), 1);
            assert!(!text.contains(DATA), "{format}: {text}");
        }
    }
}

/// Nor in what a record of a known kind leaves beside it.
#[test]
fn no_secret_leaves_beside_a_record_that_is_taken_out() {
    let line = about_a_secret().to_string();
    let cut = &line[..line.rfind(DATA).expect("it is there") + DATA.len()];
    let event = event("e", 1, 1);
    for wrapped in [
        json!({"log": format!("{event}\n{cut}")}),
        json!({"log": format!("{cut}\n{event}")}),
        json!({"log": format!("at {line}\n{cut}\n{event}")}),
        json!({"payload": [event, cut, line, [line], [cut]]}),
        json!({"records": json!([event, cut, format!("at {line}")]).to_string()}),
    ] {
        for format in ["native", "raw"] {
            let (records, text) = delivered(&[("format", format)], &chunk::of([&wrapped]));
            assert!(!records.is_empty() && !text.contains(DATA), "{format}: {text}");
        }
    }
}

/// A rule may take away the very key by which the kind was known.
#[test]
fn what_a_rule_takes_away_does_not_change_the_kind() {
    let violation =
        json!({"eventType": "violation_audited", "id": "r", "name": "need-owner", "resourceName": "cart"});
    let event =
        json!({"regarding": {"kind": "Pod", "name": "cart-1"}, "note": "a", "metadata": {"uid": "u"}});
    let reported =
        json!({"regarding": {"kind": "Pod"}, "reportingController": "a", "metadata": {"uid": "u"}});
    let audit = json!({"auditID": "a", "requestURI": "/api"});
    for (record, rule, kind) in [
        (violation, "object.name", "gatekeeper.violation"),
        (event, "message", "kubernetes.event"),
        (reported, "source.component", "kubernetes.event"),
        (audit, "audit.request_uri", "kubernetes.audit"),
    ] {
        let (records, _) = delivered(&[("redact", rule)], &chunk::of([&record]));
        assert_eq!(records.len(), 1, "{rule}");
        assert_eq!(records[0]["kind"], kind, "{rule}");
    }
}

/// Somebody must see what was an audit record, whole or in parts; all else that is of no known kind is left out.
#[test]
fn other_drop_never_takes_what_holds_an_audit_id() {
    let line = audit_log().swap_remove(0).to_string();
    let cut = &line[..line.len() / 2];
    let broken = [
        json!({"log": cut}),
        json!({"payload": json!({"log": cut}).to_string()}),
        json!({"auditID": 7, "verb": "get"}),
        json!({"deep": {"er": [{"auditID": "a"}]}}),
        json!({"properties": {"log": cut}}),
        json!({"other": format!("at {}", json!({"a": json!({"b": json!({"auditID": "a"}).to_string()}).to_string()}))}),
        json!({"a": b"\"auditID\"".to_vec(), "auditID": null}),
    ];
    let odd = [
        json!({"log": "plain text", "audit_id": "7"}),
        // A line of the API server's own log.
        json!({"log": "I1120 23:28:53.123456 1 httplog.go:132] \"HTTP\" verb=\"GET\" auditID=\"7\" resp=200"}),
        json!({"auditIDs": ["a"], "log": "the auditID and the \"auditID=7\""}),
    ];
    let gateway = TestGateway::start();
    let mut host = support::started(Build::V5_1_1, &gateway, &[("other", "drop")]);
    let all = broken.iter().chain(&odd);
    assert_eq!(host.deliver("a", "t", &chunk::of(all.clone())), Code::Ok);
    let came: Vec<_> = gateway.accepted_records();
    came.iter().for_each(golden::assert_native);
    assert_eq!(came.iter().map(|came| came["record"].clone()).collect::<Vec<_>>(), broken);
    let said = host.wait_log("holds an auditID");
    assert!(said.text.contains("offset 0 of tag t"), "{said:?}");
    host.quit();

    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("dead");
    let away = [("other", "dead_letter"), ("dead_letter_file", file.to_str().expect("UTF-8"))];
    assert_eq!(delivered(&away, &chunk::of(all)).0.len(), 0);
    assert_eq!(fs::read_to_string(&file).expect("letters").lines().count(), broken.len() + odd.len());
}

/// Each item of what Azure and CloudWatch deliver in one piece is a record; those of no known kind arrive as they are.
#[test]
fn a_list_of_wrappers_is_taken_apart_for_the_records_in_it() {
    let audits = audit_log();
    let row = |log: &Value| json!({"category": "kube-audit", "properties": {"log": log}});
    let rows = [row(&json!(audits[0].to_string())), row(&json!("I1120 klog")), row(&audits[1])];
    let message = |text: &str| json!({"id": "1", "timestamp": 1, "message": text});
    let events =
        [message("I1120 klog"), message(&audits[0].to_string()), message(&event("e", 1, 1).to_string())];
    for (record, expected) in [
        (json!({"records": rows}), ["kubernetes.audit", "other", "kubernetes.audit"]),
        (
            json!({"payload": json!({"records": rows}).to_string()}),
            ["kubernetes.audit", "other", "kubernetes.audit"],
        ),
        (
            json!({"messageType": "DATA_MESSAGE", "logEvents": events}),
            ["other", "kubernetes.audit", "kubernetes.event"],
        ),
    ] {
        let (records, _) = delivered(&[], &chunk::of([&record]));
        let kinds: Vec<_> = records.iter().map(|came| came["kind"].clone()).collect();
        assert_eq!(kinds, expected, "{record}");
    }
    // Without any in it it is what it was.
    let (records, _) = delivered(&[], &chunk::of([&json!({"records": [row(&json!("I1120 klog"))]})]));
    assert_eq!(records[0]["record"], json!({"records": [row(&json!("I1120 klog"))]}));
}

/// An application's own line that quotes an event keeps its fields.
#[test]
fn what_only_quotes_a_record_arrives_as_it_is() {
    let line = json!({"level": "error", "msg": event("e", 1, 1).to_string(), "order": 7});
    let (records, _) = delivered(&[], &chunk::of([&line]));
    assert_eq!((records.len(), &records[0]["kind"], &records[0]["record"]), (1, &json!("other"), &line));
}

/// What hides behind another record is chosen and left out as if it had come alone.
#[test]
fn no_record_evades_what_is_excluded_by_what_stands_before_it() {
    let [one, other] = [0, 1].map(|place| audit_log().swap_remove(place));
    let users = |audit: &Value| audit["user"]["username"].as_str().expect("a name").to_owned();
    let event = event("e", 1, 1);
    let texts = [
        format!("{one}\n{event}\n{other}"),
        format!("[null, {one}, {event}, {other},]"),
        format!("{{\"auditID\n\u{1b}[32m{one}\u{1b}[0m\n\u{feff}{event}\n{other}"),
    ];
    for text in texts {
        for record in [json!({"log": text}), json!({"log": event.to_string(), "message": text})] {
            let excluded = format!("{}, {}", users(&one), users(&other));
            let (records, _) = delivered(&[("exclude_users", &excluded)], &chunk::of([&record]));
            let kinds: Vec<_> =
                records.iter().map(|came| &came["kind"]).filter(|kind| *kind != "other").collect();
            assert_eq!(kinds, ["kubernetes.event"], "{record}");
            let (records, _) = delivered(&[], &chunk::of([&record]));
            assert_eq!(
                records.iter().filter(|came| came["kind"] == "kubernetes.audit").count(),
                2,
                "{record}"
            );
        }
    }
}

/// The body costs the body, and the record arrives: what was found, as a text.
#[test]
fn a_body_that_nests_too_deep_is_left_out_of_its_record() {
    let text = fs::read_to_string(chunk::data_file("found/18-deep-audit-body-lost.json")).expect("data");
    for line in text.lines() {
        let (records, _) = delivered(&[("audit_bodies", "on")], &chunk::of([&json!({"log": line})]));
        assert_eq!((records.len(), &records[0]["kind"]), (1, &json!("kubernetes.audit")));
        let audit = &records[0]["audit"];
        assert_eq!(audit["request_object"], "[left out: nested too deep]");
        assert_eq!((&audit["verb"], &audit["user"]["name"]), (&json!("create"), &json!("jane")));
    }
}
