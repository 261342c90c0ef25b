//! Is what takes the place of another tool what that tool would have written?
//!
//! The expected texts are written by hand from the tools' types: the order of fields, what Go leaves out, and how it
//! escapes.

use event_gateway::config::Format;
use event_gateway::correlate::{Correlation, Impact};
use event_gateway::record::content::Content;
use event_gateway::record::event::KubeEvent;
use event_gateway::record::text::Repair;
use event_gateway::render::{Record, Renderer};
use serde_json::{Value, json};

use crate::samples::packed;

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

fn written(format: Format, event: &Value, new_occurrences: u32, correlation: Correlation) -> String {
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
fn the_exporters_webhook() {
    let rest = rest();
    let event = format!(
        r#"{{{METADATA},{rest},"clusterName":"prod-eu","involvedObject":{{{OBJECT},"deleted":false}}}}"#
    );
    let format = Format::KubernetesEventExporter;
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
fn eventrouters_lines() {
    let event = format!(r#"{{{METADATA},"involvedObject":{{{OBJECT}}},{}}}"#, rest());
    for (new_occurrences, verb) in [(u32::MAX, "ADDED"), (2, "UPDATED")] {
        let written = written(Format::Eventrouter, &full_event(), new_occurrences, Correlation::Off);
        assert_eq!(written, format!(r#"{{"verb":"{verb}","event":{event}}}"#));
    }
}

#[test]
fn k8streams_lines() {
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
    assert_eq!(written(Format::K8stream, &full_event(), 1, Correlation::Off), line("null"));
    assert_eq!(written(Format::K8stream, &full_event(), 1, Correlation::None), line("[]"));
    // Go's zero time, and its empty texts.
    let bare = written(Format::K8stream, &json!({"involvedObject": {}}), 1, Correlation::Off);
    assert!(
        bare.starts_with(r#"{"id":"","timestamp":-62135596800,"component":"","host":"","message":"","#),
        "{bare}"
    );
}
