//! Is what goes to a collector OTLP, as its own definitions read it, and the same in both encodings?

use std::collections::BTreeMap;

use super::{chunk, odd_values, packing, support};
use event_gateway::config::FormatName;
use event_gateway::correlate::{Correlation, Impact};
use event_gateway::format::{Record, Renderer};
use event_gateway::record::audit::AuditEvent;
use event_gateway::record::chunk::Records;
use event_gateway::record::content::Content;
use event_gateway::record::event::KubeEvent;
use event_gateway::record::identity::write_id;
use event_gateway::record::text::Repair;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use prost::Message;
use serde_json::Value;

/// A request with all records of a chunk.
fn request(format: FormatName, chunk: &[u8]) -> Vec<u8> {
    let renderer = Renderer::new(format, "prod-eu").expect("a format");
    let (form, repair) = (renderer.framing(), Repair::default());
    let impact = Impact::without(Correlation::Off);
    let mut body = form.before.as_bytes().to_vec();
    for (number, envelope) in Records::new(chunk).enumerate() {
        let record = envelope.expect("a record").body;
        let (event, audit) = (KubeEvent::read(record, &repair), AuditEvent::read(record, &repair));
        let content = match (&event, &audit) {
            (Ok(Some(event)), _) => Content::Event(event),
            (_, Ok(Some(audit))) => Content::Audit(audit),
            _ => Content::Other,
        };
        let mut id = String::new();
        write_id(&content, record, &mut id);
        if number > 0 {
            body.extend_from_slice(form.between.as_bytes());
        }
        let record = Record::new(&id, content, &impact, record);
        renderer.render(&record, &mut body).expect("it fits");
    }
    body.extend_from_slice(form.after.as_bytes());
    body
}

/// The request as the collector's definitions read it, from both encodings.
fn read(chunk: &[u8]) -> ExportLogsServiceRequest {
    let protobuf = request(FormatName::Otlp, chunk);
    let read = ExportLogsServiceRequest::decode(&*protobuf).expect("protobuf");
    let json: ExportLogsServiceRequest =
        serde_json::from_slice(&request(FormatName::OtlpJson, chunk)).expect("the JSON mapping");
    assert_eq!(read, json);
    read
}

fn text(attributes: &[KeyValue]) -> BTreeMap<&str, String> {
    let text_of = |value: &Option<AnyValue>| match value.as_ref().and_then(|any| any.value.as_ref()) {
        Some(Any::StringValue(text)) => text.clone(),
        Some(Any::IntValue(number)) => number.to_string(),
        other => format!("{other:?}"),
    };
    attributes.iter().map(|pair| (&*pair.key, text_of(&pair.value))).collect()
}

/// Each log record with the attributes of its resource.
fn logs(request: &ExportLogsServiceRequest) -> Vec<(BTreeMap<&str, String>, &LogRecord)> {
    request
        .resource_logs
        .iter()
        .map(|logs| {
            let resource = logs.resource.as_ref().expect("a resource");
            assert_eq!((logs.scope_logs.len(), logs.scope_logs[0].log_records.len()), (1, 1));
            (text(&resource.attributes), &logs.scope_logs[0].log_records[0])
        })
        .collect()
}

/// As `k8s_event_to_logdata.go` of the collector makes it of the same event.
#[test]
fn an_event_is_written_as_the_collectors_receiver_writes_it() {
    let events = chunk::listed_events();
    let request = read(&chunk::of(&events));
    let logs = logs(&request);
    assert_eq!(logs.len(), 491);
    for (event, (resource, log)) in events.iter().zip(&logs) {
        let said = |pointer: &str| event.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        for (name, pointer) in [
            ("k8s.object.kind", "/involvedObject/kind"),
            ("k8s.object.name", "/involvedObject/name"),
            ("k8s.object.uid", "/involvedObject/uid"),
            ("k8s.object.fieldpath", "/involvedObject/fieldPath"),
            ("k8s.object.api_version", "/involvedObject/apiVersion"),
            ("k8s.object.resource_version", "/involvedObject/resourceVersion"),
        ] {
            assert_eq!(resource.get(name).map_or("", |text| text), said(pointer), "{name} of {event}");
        }
        // The receiver has no node where the source has none; the event of a Node is about one all the same.
        let node = match (said("/source/host"), said("/involvedObject/kind")) {
            ("", "Node") => said("/involvedObject/name"),
            (host, _) => host,
        };
        assert_eq!(resource.get("k8s.node.name").map_or("", |text| text), node, "{event}");
        let attributes = text(&log.attributes);
        let namespace = attributes.get("k8s.namespace.name").map_or("", |text| text);
        assert_eq!(namespace, said("/involvedObject/namespace"), "{event}");
        for (name, pointer) in [
            ("k8s.event.reason", "/reason"),
            ("k8s.event.action", "/action"),
            ("k8s.event.name", "/metadata/name"),
            ("k8s.event.uid", "/metadata/uid"),
        ] {
            assert_eq!(attributes.get(name).map_or("", |text| text), said(pointer), "{name} of {event}");
        }
        let count = event["count"].as_u64().filter(|count| *count > 0).map(|count| count.to_string());
        assert_eq!(attributes.get("k8s.event.count"), count.as_ref());
        let created = said("/metadata/creationTimestamp").replace('T', " ").replace('Z', " +0000 UTC");
        assert_eq!(attributes["k8s.event.start_time"], created);
        let expected = if event["type"] == "Warning" { (13, "Warning") } else { (9, "Normal") };
        assert_eq!((log.severity_number, &*log.severity_text), expected);
        let body = log.body.as_ref().and_then(|body| body.value.clone());
        assert_eq!(body, Some(Any::StringValue(said("/message").to_owned())));
        assert!(log.time_unix_nano > 1_795_000_000_000_000_000, "{}", log.time_unix_nano);
        assert_eq!(log.observed_time_unix_nano, log.time_unix_nano, "nothing tells when it was taken in");
    }
}

#[test]
fn an_audit_record_is_written_by_the_names_of_the_conventions() {
    let lines = support::audit_log();
    let request = read(&chunk::of(&lines));
    for (line, (_, log)) in lines.iter().zip(&logs(&request)) {
        let attributes = text(&log.attributes);
        assert_eq!(attributes["user.name"], line["user"]["username"].as_str().expect("a name"));
        assert_eq!(attributes["k8s.audit.id"], line["auditID"].as_str().expect("an id"));
        assert_eq!(attributes["http.response.status_code"], line["responseStatus"]["code"].to_string());
        assert_eq!(log.event_name, "kubernetes.audit");
    }
}

/// Keys that make an event or an audit record of a random map now and then, and fields that are written.
const KEYS: [&str; 14] = [
    "involvedObject",
    "metadata",
    "auditID",
    "stage",
    "user",
    "username",
    "message",
    "type",
    "reason",
    "name",
    "uid",
    "count",
    "eventTime",
    "sourceIPs",
];

#[test]
fn whatever_a_record_holds_both_encodings_are_whole_and_alike() {
    for (seed, mut dice) in odd_values::numbers(2_000) {
        let odd = odd_values::map(&mut dice, &KEYS, 3);
        let request = read(&packing::framed(&odd, 0, false));
        assert_eq!(logs(&request).len(), 1, "seed {seed}");
    }
}
