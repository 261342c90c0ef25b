//! A record in what the tools around Kubernetes put it into.
use serde_json::{Value, json};

/// One way to wrap a record.
#[derive(Clone, Copy, Debug)]
pub struct Wrapper {
    pub name: &'static str,
    pub wrap: fn(&Value) -> Value,
    /// It is a list of wrappers, which may not stand in another one.
    pub is_list: bool,
}

const fn one(name: &'static str, wrap: fn(&Value) -> Value) -> Wrapper {
    Wrapper { name, wrap, is_list: false }
}

const fn list(name: &'static str, wrap: fn(&Value) -> Value) -> Wrapper {
    Wrapper { name, wrap, is_list: true }
}

/// Each that is known, with what stands in it besides.
pub const WRAPPERS: &[Wrapper] = &[
    one("watch line, ADDED", |record| json!({"type": "ADDED", "object": record})),
    one(
        "watch line, MODIFIED",
        |record| json!({"object": record, "type": "MODIFIED", "k8s.resource.name": "events"}),
    ),
    one("eventrouter", |record| json!({"verb": "ADDED", "event": record})),
    one(
        "eventrouter, an update",
        |record| json!({"old_event": {"involvedObject": {"kind": "Pod"}, "reason": "Old"}, "verb": "UPDATED", "event": record}),
    ),
    one(
        "Splunk HEC",
        |record| json!({"time": 1.5, "host": "h", "sourcetype": "kube:events", "event": record}),
    ),
    one("Splunk HEC, a text", |record| json!({"event": record.to_string(), "fields": {"a": "b"}})),
    one("AKS, a text", |record| azure(&json!(format!("{record}\n")))),
    one("AKS, a map", azure),
    one(
        "AKS, properties as a text",
        |record| json!({"time": "t", "properties": json!({"log": record.to_string(), "pod": "p"}).to_string()}),
    ),
    list("Event Hub", |record| json!({"records": [azure(&json!("I1120 a line of klog")), azure(record)]})),
    list("Event Hub, texts", |record| json!({"records": [azure(&json!(record.to_string()))], "n": 1})),
    list("Event Hub, a text", |record| json!({"records": json!([azure(record)]).to_string()})),
    list("rows of lines", |record| json!({"records": [{"log": record.to_string()}]})),
    list("plain records", |record| json!({"records": [record]})),
    list("CloudWatch", |record| {
        json!({"messageType": "DATA_MESSAGE", "logGroup": "/aws/eks/prod/cluster", "logEvents":
            [{"id": "1", "timestamp": 1_795_217_333_000u64, "message": record.to_string()}]})
    }),
    one("Kafka, a text", |record| json!({"topic": "t", "key": null, "payload": record.to_string()})),
    one("Kafka, a map", |record| json!({"payload": record, "partition": 0, "offset": 7, "error": null})),
    list("Kafka, a list", |record| json!({"topic": "t", "payload": format!(" [ {record} ]")})),
    one("systemd", |record| json!({"PRIORITY": "6", "MESSAGE": record.to_string()})),
    one(
        "kubernetes, merged",
        |record| json!({"log": "{cut", "log_processed": record, "kubernetes": {"a": "b"}}),
    ),
    one("log_processed, a text", |record| json!({"log_processed": record.to_string()})),
    one("OpenTelemetry", |record| json!({"body": record, "attributes": {"event.domain": "k8s"}})),
    one("OpenTelemetry, a text", |record| json!({"severity_text": "", "body": record.to_string()})),
    one("log", |record| json!({"log": format!(" {record}\n"), "stream": "stdout"})),
    one("log, a map", |record| json!({"log": record})),
    one("message", |record| json!({"message": record.to_string(), "level": "info"})),
    one("msg", |record| json!({"level": "info", "ts": 1.5, "caller": "a.go:1", "msg": record.to_string()})),
    one("CRI", |record| json!({"log": format!("2026-11-20T23:28:53.123456789Z stdout F {record}\n")})),
    one(
        "CRI with more tags",
        |record| json!({"log": format!("2026-11-20T23:28:53+01:00 stderr F:a {record}")}),
    ),
    one(
        "JSON in JSON",
        |record| json!({"log": json!({"log": record.to_string(), "stream": "stdout"}).to_string()}),
    ),
    one("log and message", |record| json!({"message": record, "log": record.to_string()})),
    one("a text of a text", |record| json!({"message": Value::from(record.to_string()).to_string()})),
];

fn azure(log: &Value) -> Value {
    json!({"time": "2026-11-20T23:28:53Z", "category": "kube-audit", "operationName": "a",
        "properties": {"log": log, "stream": "stdout", "pod": "kube-apiserver-x"}})
}

/// How many wrappers are opened for it: those that are made here of two count twice.
pub fn depth(wrapper: &Wrapper) -> usize {
    match wrapper.name {
        "Event Hub" | "Event Hub, texts" | "Event Hub, a text" | "rows of lines" | "CloudWatch"
        | "JSON in JSON" | "a text of a text" => 2,
        _ => 1,
    }
}
