//! The crates that do the same work as code of our own, beside it: `serde_json` beside our serializer, `rmp-serde` and
//! `rmpv` beside our reader of MessagePack.

use std::hint::black_box;

use event_gateway::config::FormatName;
use event_gateway::format::json;
use event_gateway::record::chunk::Records;
use event_gateway::record::event::KubeEvent;
use event_gateway::record::text::Repair;
use serde::{Deserialize, Serialize};

use crate::measure::{Cost, print_head};
use crate::stages::recorded::Recorded;
use crate::stages::work;

pub fn print(recorded: &'static Recorded) {
    print_head("crates beside code of our own");
    let report = |name: &str, work: &mut dyn FnMut()| Cost::best(recorded.events.len(), work).print(name);
    writing(recorded, &report);
    reading(recorded, &report);
    println!();
}

type Report<'r> = &'r dyn Fn(&str, &mut dyn FnMut());

/// The documents of format native, without the work of making them.
fn writing(recorded: &'static Recorded, report: Report<'_>) {
    let lines = work::lines(recorded, FormatName::Native);
    let read = |line: &[u8]| serde_json::from_slice(line).expect("a native document");
    let documents: Vec<Native> = lines.iter().map(|(_, line)| read(line)).collect();
    let mut text = Vec::new();
    for ((_, line), document) in lines.iter().zip(&documents) {
        text.clear();
        json::write(document, &mut text);
        assert_eq!(&text, line, "our serializer");
        assert_eq!(&serde_json::to_vec(document).expect("a document"), line, "serde_json");
    }
    report("write native JSON: our serializer", &mut || {
        text.clear();
        documents.iter().for_each(|document| json::write(document, &mut text));
        black_box(&text);
    });
    report("write native JSON: serde_json", &mut || {
        text.clear();
        for document in &documents {
            serde_json::to_writer(&mut text, document).expect("a Vec takes everything");
        }
        black_box(&text);
    });
}

fn reading(recorded: &'static Recorded, report: Report<'_>) {
    let repair = Repair::default();
    for (event, body) in &recorded.events {
        let other: Event<'_> = rmp_serde::from_slice(body).expect("an event");
        assert_eq!(other.metadata.uid, Some(&*event.metadata.uid));
        assert_eq!(other.involved_object.name, Some(&*event.object.name));
    }
    report("read an event's fields: our cursor", &mut || {
        for (_, body) in &recorded.events {
            let _ = black_box(KubeEvent::read(body, &repair));
        }
    });
    report("read an event's fields: rmp-serde", &mut || {
        for (_, body) in &recorded.events {
            let _ = black_box(rmp_serde::from_slice::<Event<'_>>(body));
        }
    });
    report("find the records of a chunk: our cursor", &mut || {
        black_box(Records::new(recorded.chunk).count());
    });
    report("find the records of a chunk: rmpv", &mut || {
        let mut rest = recorded.chunk;
        while !rest.is_empty() {
            black_box(rmpv::decode::read_value_ref(&mut rest).expect("a record"));
        }
    });
}

/// A document of format native about an event without impact.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Native {
    id: String,
    kind: String,
    cluster: Option<String>,
    time: Option<String>,
    first_time: Option<String>,
    r#type: Option<String>,
    severity: String,
    reason: Option<String>,
    message: Option<String>,
    action: Option<String>,
    count: u64,
    new_occurrences: u32,
    source: NativeSource,
    object: NativeObject,
    event: NativeEvent,
    correlation: String,
    services: Vec<String>,
    services_total: usize,
    workload: Option<String>,
    node: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct NativeSource {
    component: Option<String>,
    host: Option<String>,
    instance: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct NativeObject {
    api_version: Option<String>,
    kind: Option<String>,
    resource: Option<String>,
    subresource: Option<String>,
    namespace: Option<String>,
    name: Option<String>,
    uid: Option<String>,
    field_path: Option<String>,
    labels: std::collections::BTreeMap<String, String>,
    annotations: std::collections::BTreeMap<String, String>,
    pod_ip: Option<String>,
    start_time: Option<String>,
    deleted: Option<bool>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct NativeEvent {
    namespace: Option<String>,
    name: Option<String>,
    uid: Option<String>,
    resource_version: Option<String>,
}

/// The fields of an event of core/v1 that [`KubeEvent`] reads, borrowed from the record.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Event<'a> {
    #[serde(borrow)]
    metadata: EventMetadata<'a>,
    involved_object: EventObject<'a>,
    reason: Option<&'a str>,
    message: Option<&'a str>,
    r#type: Option<&'a str>,
    action: Option<&'a str>,
    source: EventSource<'a>,
    reporting_component: Option<&'a str>,
    reporting_instance: Option<&'a str>,
    first_timestamp: Option<&'a str>,
    last_timestamp: Option<&'a str>,
    event_time: Option<&'a str>,
    count: Option<u64>,
    series: Option<EventSeries<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct EventMetadata<'a> {
    namespace: Option<&'a str>,
    name: Option<&'a str>,
    uid: Option<&'a str>,
    resource_version: Option<&'a str>,
    creation_timestamp: Option<&'a str>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct EventObject<'a> {
    api_version: Option<&'a str>,
    kind: Option<&'a str>,
    namespace: Option<&'a str>,
    name: Option<&'a str>,
    uid: Option<&'a str>,
    field_path: Option<&'a str>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct EventSource<'a> {
    component: Option<&'a str>,
    host: Option<&'a str>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct EventSeries<'a> {
    count: u64,
    last_observed_time: Option<&'a str>,
}
