//! Is what takes the place of another tool what that tool would have written?
//!
//! The expected texts are written by hand from the tools' types: the order of fields, what Go leaves out, and how it
//! escapes.

use event_gateway::config::FormatName;
use event_gateway::correlate::{Correlation, Impact};
use event_gateway::format::{Record, Renderer};
use event_gateway::record::content::Content;
use event_gateway::record::event::KubeEvent;
use event_gateway::record::text::Repair;
use serde_json::{Value, json};

use super::cpu_time;
use super::samples::packed;
use super::support::found::found;

/// With all that an event can have, and some that is of another type than it should be.
fn full_event() -> Value {
    json!({
        "apiVersion": "v1", "kind": "Event", "type": "Warning", "reason": "BackOff", "action": "Pulling", "count": 3,
        "message": "a <b> & \"c\"\u{2028}\n", "eventTime": null, "firstTimestamp": "2026-11-20T23:28:49Z",
        "lastTimestamp": "yesterday", "reportingComponent": "kubelet", "reportingInstance": "node-a",
        "involvedObject": {"apiVersion": "v1", "kind": "Pod", "namespace": "shop", "name": "cart-1", "uid": "p1",
                           "resourceVersion": "7", "fieldPath": "spec.containers{cart}"},
        "related": {"kind": "Node", "name": "node-a"},
        "series": {"count": 5_000_000_000u64, "lastObservedTime": "2026-11-20T23:29:49.123456Z"},
        "metadata": {"name": "cart-1.x", "namespace": "shop", "uid": "e1", "resourceVersion": "9",
                     "generateName": "cart-", "creationTimestamp": "2026-11-20T23:28:49Z",
                     "labels": {"app": "cart", "odd": 7}, "annotations": {"odd": []}, "managedFields": [{"a": 1}]},
        "source": {"component": "kubelet", "host": "node-a"},
    })
}

fn written(format: FormatName, event: &Value, new_occurrences: u32, correlation: Correlation) -> String {
    let body = packed(event);
    let event = KubeEvent::read(&body, &Repair::default()).expect("a map").expect("an event");
    let impact = &Impact::without(correlation);
    let content = Content::Event(&event);
    let record = Record { new_occurrences, ..Record::new("e1.9", content, impact, &body) };
    let mut out = Vec::new();
    Renderer::new(format, "prod-eu").expect("a format").render(&record, &mut out).expect("an event");
    String::from_utf8(out).expect("UTF-8")
}

const METADATA: &str = r#""metadata":{"name":"cart-1.x","generateName":"cart-","namespace":"shop","uid":"e1","resourceVersion":"9","creationTimestamp":"2026-11-20T23:28:49Z","labels":{"app":"cart"}}"#;
const OBJECT: &str = r#""kind":"Pod","namespace":"shop","name":"cart-1","uid":"p1","apiVersion":"v1","resourceVersion":"7","fieldPath":"spec.containers{cart}""#;

fn rest() -> String {
    let message = "\"a <b> & \\\"c\\\"\u{2028}\\n\"";
    [
        r#""reason":"BackOff","message":"#,
        message,
        r#","source":{"component":"kubelet","host":"node-a"},"firstTimestamp":"2026-11-20T23:28:49Z","lastTimestamp":null,"#,
        r#""count":3,"type":"Warning","eventTime":null,"#,
        r#""series":{"count":2147483647,"lastObservedTime":"2026-11-20T23:29:49.123456Z"},"action":"Pulling","#,
        r#""related":{"kind":"Node","name":"node-a"},"reportingComponent":"kubelet","reportingInstance":"node-a""#,
    ]
    .concat()
}

#[test]
fn the_exporters_webhook_is_stood_in_for() {
    let rest = rest();
    let event = format!(
        r#"{{{METADATA},{rest},"clusterName":"prod-eu","involvedObject":{{{OBJECT},"deleted":false}}}}"#
    );
    let format = FormatName::KubernetesEventExporter;
    assert_eq!(written(format, &full_event(), 3, Correlation::Off), event);
    let with_services = format!(r#"{},"services":[]}}"#, event.strip_suffix('}').expect("a brace"));
    assert_eq!(written(format, &full_event(), 3, Correlation::None), with_services);
    // What is not there: Go leaves out all but these.
    let bare = json!({"involvedObject": {"kind": "Pod"}, "count": 0, "series": null, "related": null});
    assert_eq!(
        written(format, &bare, 1, Correlation::Off),
        r#"{"metadata":{"creationTimestamp":null},"source":{},"firstTimestamp":null,"lastTimestamp":null,"eventTime":null,"reportingComponent":"","reportingInstance":"","clusterName":"prod-eu","involvedObject":{"kind":"Pod","deleted":false}}"#
    );
}

#[test]
fn eventrouters_lines_are_stood_in_for() {
    let event = format!(r#"{{{METADATA},"involvedObject":{{{OBJECT}}},{}}}"#, rest());
    for (new_occurrences, verb) in [(u32::MAX, "ADDED"), (2, "UPDATED")] {
        let written = written(FormatName::Eventrouter, &full_event(), new_occurrences, Correlation::Off);
        assert_eq!(written, format!(r#"{{"verb":"{verb}","event":{event}}}"#));
    }
}

#[test]
fn k8streams_lines_are_stood_in_for() {
    let line = |services: &str| {
        [
            r#"{"id":"e1","timestamp":1795217329,"component":"kubelet","host":"node-a","#,
            r#""message":"a \u003cb\u003e \u0026 \"c\"\u2028\n","namespace":"shop","reason":"BackOff","#,
            r#""reference_uid":"p1","reference_namespace":"shop","reference_name":"cart-1","reference_kind":"Pod","#,
            r#""reference_version":"v1","object_uid":"p1","labels":null,"annotations":null,"address":[],"pod":null,"#,
            &format!(r#""version":"0.0.5","services":{services}}}"#),
        ]
        .concat()
    };
    assert_eq!(written(FormatName::K8stream, &full_event(), 1, Correlation::Off), line("null"));
    assert_eq!(written(FormatName::K8stream, &full_event(), 1, Correlation::None), line("[]"));
    // Go's empty texts; the time is that at which it is rendered, which is the beginning of 1970 here.
    let bare = written(FormatName::K8stream, &json!({"involvedObject": {}}), 1, Correlation::Off);
    assert!(bare.starts_with(r#"{"id":"","timestamp":0,"component":"","host":"","message":"","#), "{bare}");
    let mut event = full_event();
    event["metadata"]["creationTimestamp"] = json!(null);
    let of_its_series = written(FormatName::K8stream, &event, 1, Correlation::Off);
    assert!(of_its_series.contains(r#""timestamp":1795217389,"#), "{of_its_series}");
}

/// `metav1.MicroTime` of k8s.io/apimachinery is read with the layout `2006-01-02T15:04:05.000000Z07:00`.
#[test]
fn go_reads_each_time_of_an_event() {
    let mut event = full_event();
    for (time, expected) in [
        ("2026-11-20T23:28:49Z", "2026-11-20T23:28:49.000000Z"),
        ("2026-11-20T23:28:49.1Z", "2026-11-20T23:28:49.100000Z"),
        ("2026-11-21T00:28:49.123456789+01:00", "2026-11-20T23:28:49.123456Z"),
    ] {
        event["eventTime"] = json!(time);
        event["series"] = json!({"count": 2, "lastObservedTime": time});
        for format in [FormatName::KubernetesEventExporter, FormatName::Eventrouter] {
            let text = written(format, &event, 1, Correlation::Off);
            for key in ["eventTime", "lastObservedTime"] {
                assert!(text.contains(&format!(r#""{key}":"{expected}""#)), "{text}");
            }
        }
    }
}

#[test]
fn an_event_of_flux_has_its_time() {
    for mut event in found("01-flux-notification-events.json") {
        let time = event["timestamp"].as_str().expect("a time").to_owned();
        for format in [FormatName::KubernetesEventExporter, FormatName::Eventrouter] {
            let text = written(format, &event, 1, Correlation::Off);
            let times = format!(r#""firstTimestamp":"{time}","lastTimestamp":"{time}""#);
            assert!(text.contains(&times), "{text}");
        }
        // Where one of them says something, it alone does.
        event["lastTimestamp"] = json!("2026-01-02T03:04:05Z");
        let text = written(FormatName::Eventrouter, &event, 1, Correlation::Off);
        let times = r#""firstTimestamp":null,"lastTimestamp":"2026-01-02T03:04:05Z""#;
        assert!(text.contains(times), "{text}");
    }
}

/// A search for each escape from every other one on would take minutes.
#[test]
fn many_escapes_take_no_longer_than_their_bytes() {
    let mut event = full_event();
    event["message"] = json!("\"\\\u{2026}".repeat(500_000));
    let since = cpu_time::of_this_thread();
    let text = written(FormatName::K8stream, &event, 1, Correlation::Off);
    assert!(text.len() > 3_500_000);
    assert!(cpu_time::of_this_thread() - since < std::time::Duration::from_secs(10));
}
