//! Does every receiver take whatever is sent to it: cut where it is too large, and with a time that it takes?

use std::time::Duration;

use event_gateway::config::{FormatName, RenderSettings, ServiceSettings};
use event_gateway::correlate::{Affected, Correlation, Impact, UidText, Via};
use event_gateway::format::{Adjusted, Record, Renderer};
use event_gateway::record::identity::write_id;
use event_gateway::time::Stamp;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::cases::cases;
use super::refusals::refusal;
use super::samples::{FORMATS, holds_events_only, packed, with_content};
use super::support::found::found;
use super::support::{audit_log, event, violations};

pub const NOW: &str = "2026-11-21T08:00:00Z";
pub const TAKEN: &str = "2026-11-21T07:59:58.5Z";

pub fn now() -> Stamp {
    Stamp::parse(NOW).expect("a time")
}

fn renderer(format: FormatName) -> Renderer {
    let services = ServiceSettings {
        alertmanager_expires_after: Some(Duration::from_secs(600)),
        ..ServiceSettings::default()
    };
    let cluster_name = "prod-eu".to_owned();
    let settings = RenderSettings { format, cluster_name, audit_bodies: true, template: None, services };
    Renderer::open(&settings, None).expect("a format")
}

/// What a record becomes now, and again.
fn rendered(renderer: &Renderer, record: &Value, impact: &Impact<'_>) -> Result<(Value, Adjusted), String> {
    let body = packed(record);
    with_content(&body, |content| {
        let mut id = String::new();
        write_id(&content, &body, &mut id);
        let taken = Stamp::parse(TAKEN);
        let record = Record { received: taken, now: now(), ..Record::new(&id, content, impact, &body) };
        let (mut out, mut again) = (Vec::new(), Vec::new());
        let adjusted = renderer.render(&record, &mut out);
        assert_eq!(renderer.render(&record, &mut again), adjusted);
        assert_eq!(out, again, "the same record at the same time is the same");
        adjusted
            .map(|adjusted| (serde_json::from_slice(&out).expect("JSON"), adjusted))
            .map_err(|error| error.to_string())
    })
}

/// Takes a record to every format. `None` where a format holds no such records.
fn everywhere(record: &Value, impact: &Impact<'_>) -> Vec<(&'static str, Value, Adjusted)> {
    let mut all = Vec::new();
    for (name, format) in FORMATS {
        match rendered(&renderer(format), record, impact) {
            Ok((document, adjusted)) => {
                assert_eq!(refusal(name, &document, now().unix_seconds()), None, "{document:.2000}");
                all.push((name, document, adjusted));
            }
            Err(why) => assert!(holds_events_only(name) && why.contains("events only"), "{name}: {why}"),
        }
    }
    all
}

pub fn alone(record: &Value) -> Vec<(&'static str, Value, Adjusted)> {
    everywhere(record, &Impact::without(Correlation::Off))
}

pub fn of<'a>(all: &'a [(&'static str, Value, Adjusted)], name: &str) -> (&'a Value, Adjusted) {
    let (_, document, adjusted) = all.iter().find(|(format, ..)| *format == name).expect("taken");
    (document, *adjusted)
}

pub fn line(loki: &Value) -> Value {
    serde_json::from_str(loki["values"][0][1].as_str().expect("a line")).expect("a document")
}

#[test]
fn a_record_of_600_kb_of_no_known_kind_is_cut_where_it_has_to_be() {
    let huge = json!({"log": "x".repeat(600_000), "list": [1, 2, 3]});
    let all = alone(&huge);
    for (name, document, adjusted) in &all {
        let is_cut = ["datadog", "gelf", "loki", "pagerduty"].contains(name);
        assert_eq!(adjusted.cut, is_cut, "{name}");
        assert!(is_cut || document.to_string().len() > 600_000 || *name == "k8stream", "{name}");
    }
    for record in
        [&line(of(&all, "loki").0)["record"], &of(&all, "pagerduty").0["payload"]["custom_details"]["record"]]
    {
        let text = record.as_str().expect("a text");
        assert!(
            text.len() > 200_000
                && text.starts_with("{\"list\":[1,2,3],\"log\":\"xxx")
                && text.ends_with(" bytes)")
        );
    }
}

#[test]
fn bodies_of_900_kb_cost_the_bodies_and_not_the_audit_record() {
    let mut record = audit_log().swap_remove(3);
    record["requestObject"] = json!({"kind": "ConfigMap", "data": {"a": "b".repeat(450_000)}});
    record["responseObject"] = json!({"kind": "ConfigMap", "data": {"a": "b".repeat(450_000)}});
    let all = alone(&record);
    let loki = line(of(&all, "loki").0);
    let details = &of(&all, "pagerduty").0["payload"]["custom_details"];
    for document in [&loki, details] {
        assert_eq!(document["audit"]["id"], record["auditID"]);
        assert_eq!(document["audit"]["verb"], record["verb"]);
        for body in ["request_object", "response_object"] {
            let text = document["audit"][body].as_str().expect("a text");
            assert!(text.starts_with("{\"data\":{\"a\":\"bbb") && text.ends_with(" bytes)"));
        }
    }
}

#[test]
fn long_labels_messages_and_many_services_are_taken() {
    let mut long = event("u1", 1, 1);
    long["involvedObject"]["namespace"] = "n".repeat(10_000).into();
    long["metadata"]["labels"] = json!({"a": "v".repeat(10_000)});
    long["message"] = "m".repeat(100_000).into();
    long["reason"] = "r".repeat(9_000).into();
    let service = Affected {
        namespace: "shop",
        name: "s",
        uid: UidText::Said("u"),
        via: Via::Endpoint,
        endpoints_ready: 0,
        endpoints_total: 1,
        endpoints_here: None,
        deleted: false,
    };
    let names: Vec<String> = (0..4_000).map(|number| format!("{}{number}", "s".repeat(20))).collect();
    for count in [30, 1_000, 4_000] {
        let services: Vec<_> = names.iter().take(count).map(|name| Affected { name, ..service }).collect();
        let impact = Impact { services_total: count, services, ..Impact::without(Correlation::Matched) };
        let all = everywhere(&long, &impact);
        let (datadog, adjusted) = of(&all, "datadog");
        assert!(adjusted.cut);
        let tags = datadog["tags"].as_array().expect("tags");
        assert!(tags.len() > count.min(90), "{}", tags.len());
        assert!(datadog["text"].as_str().expect("a text").ends_with('…'));
        let loki = of(&all, "loki").0;
        assert!(loki["stream"]["namespace"].as_str().expect("a label").ends_with('…'));
        let services = loki["values"][0][2]["services"].as_str().expect("the Services");
        assert_eq!(services.ends_with('…'), count > 1_000, "{}", services.len());
    }
}

#[test]
fn all_that_was_found_is_taken() {
    for name in [
        "06-go-zero-time.json",
        "07-unreadable-time-hides-good-one.json",
        "09-alertmanager-starts-in-future.json",
        "10-cluster-scoped-object.json",
        "13-event-type-case.json",
    ] {
        for record in found(name) {
            for (format, document, _) in alone(&record) {
                let text = document.to_string();
                assert!(!text.contains("0001-01-01") && !text.contains("-62135596800"), "{format}: {text}");
            }
        }
    }
}

#[test]
fn an_event_of_a_node_has_no_namespace_and_the_node_as_its_host() {
    let record = found("10-cluster-scoped-object.json").remove(0);
    let all = alone(&record);
    let tags = of(&all, "datadog").0["tags"].to_string();
    assert!(!tags.contains("kube_namespace"), "{tags}");
    assert_eq!(of(&all, "datadog").0["host"], "node-a-prod-eu");
    for (format, place) in [
        ("alertmanager", "/labels/namespace"),
        ("loki", "/stream/namespace"),
        ("splunk_hec", "/fields/k8s.namespace.name"),
        ("splunk_hec", "/event/object/namespace"),
        ("falco", "/output_fields/k8s.ns.name"),
        ("ecs", "/kubernetes/namespace"),
        ("ecs", "/orchestrator/namespace"),
        ("pagerduty", "/payload/custom_details/object/namespace"),
    ] {
        let value = of(&all, format).0.pointer(place);
        assert!(value.is_none_or(Value::is_null), "{format} {place}: {value:?}");
    }
    for (format, place) in [
        ("alertmanager", "/annotations/node"),
        ("loki", "/values/0/2/node"),
        ("splunk_hec", "/host"),
        ("falco", "/hostname"),
        ("falco", "/output_fields/k8s.node.name"),
        ("ecs", "/kubernetes/node/name"),
    ] {
        assert_eq!(of(&all, format).0.pointer(place), Some(&json!("node-a")), "{format} {place}");
    }
    // A Node of another API is none of Kubernetes'.
    let mut other = record.clone();
    other["involvedObject"]["apiVersion"] = "longhorn.io/v1beta2".into();
    assert_eq!(of(&alone(&other), "datadog").0.get("host"), None);
}

#[test]
fn the_case_of_a_type_says_nothing() {
    let of_type = |word: &str| {
        let mut record = event("u1", 1, 1);
        record["type"] = word.into();
        line(of(&alone(&record), "loki").0)["severity"].clone()
    };
    for (severity, words) in [
        ("info", &["Normal", "normal", "NORMAL", "info", "Notice", "debug", "trace", "", "odd"][..]),
        ("warning", &["Warning", "warning", "WARNING", "warn"]),
        ("error", &["Error", "error", "ERR"]),
        ("critical", &["Critical", "critical", "FATAL"]),
    ] {
        for word in words {
            assert_eq!(of_type(word), severity, "{word}");
        }
    }
}

/// A record of each kind, with texts and a time that it is given.
fn record(kind: usize, texts: &[String], time: &str) -> Value {
    let text = |index: usize| texts.get(index).cloned().unwrap_or_default();
    match kind {
        0 => json!({"metadata": {"uid": text(4), "namespace": text(5), "labels": {"a": text(6)}},
            "involvedObject": {"kind": text(3), "namespace": text(1), "name": text(2), "apiVersion": "v1"},
            "reason": text(7), "message": text(0), "type": "Warning", "lastTimestamp": time, "firstTimestamp": NOW,
            "source": {"host": text(5), "component": text(6)}}),
        1 => {
            let mut record = audit_log().swap_remove(3);
            record["stageTimestamp"] = time.into();
            record["requestObject"] = json!({"a": text(0), "b": [text(1)]});
            record["userAgent"] = text(2).into();
            record["auditID"] = format!("a{}", text(3)).into();
            record
        }
        2 => {
            let mut record = violations().swap_remove(0);
            for (index, key) in
                ["message", "resourceNamespace", "resourceName", "timestamp"].iter().enumerate()
            {
                record[*key] = text(index).into();
            }
            record["details"] = json!({"a": text(4), "b": text(5)});
            record["timestamp"] = time.into();
            record
        }
        _ => json!({"log": text(0), "more": texts}),
    }
}

proptest! {
    #![proptest_config(cases(16))]

    #[test]
    fn whatever_comes_is_taken(
        kind in 0usize..4,
        // Half of them have one text that is very long, up to a megabyte.
        texts in proptest::collection::vec("\\PC{0,12}", 8),
        long in 0usize..8,
        bytes in prop_oneof![0usize..3_000, 0usize..1_000_000],
        filler in prop_oneof![Just("x"), Just("é"), Just("\""), Just("\u{1}"), Just("🦀")],
        (year, month, day) in (0u16..=9_999, 1u8..=12, 1u8..=28),
    ) {
        let mut texts = texts;
        texts[long] = filler.repeat(bytes / filler.len());
        let record = record(kind, &texts, &format!("{year:04}-{month:02}-{day:02}T01:02:03Z"));
        let impact = Impact::without(Correlation::Off);
        for (name, format) in FORMATS {
            match rendered(&renderer(format), &record, &impact) {
                Ok((document, _)) => {
                    let refused = refusal(name, &document, now().unix_seconds());
                    prop_assert_eq!(refused, None, "{:.500}", document.to_string());
                }
                Err(why) => {
                    // Each of them that has a limit cuts what is larger.
                    let is_foreign = holds_events_only(name) && why.contains("events only");
                    prop_assert!(is_foreign, "{name}: {why}");
                }
            }
        }
    }
}
