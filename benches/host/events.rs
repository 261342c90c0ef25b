//! The file of events: the recorded events again and again, each time about another object of a generated cluster and
//! with an identity of its own. The keys are in the API server's order.
//!
//! The recorded cluster is small and its failures are staged, so its messages are short. The messages of the four most
//! common reasons therefore get the text that a kubelet or a scheduler adds in a large cluster. So an event has 1.66 KB.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use xxhash_rust::xxh3::xxh3_128;

use crate::support::chunk;
use crate::support::cluster::Cluster;

/// The time of the first event, 2026-11-21, and the events per second.
const FIRST_SECONDS: i64 = 1_795_219_200;
const EVENTS_A_SECOND: usize = 100;
/// A version above those of all objects of the cluster.
const FIRST_VERSION: usize = 5_000_000;

#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    kind: String,
    api_version: String,
    metadata: Metadata,
    involved_object: Object,
    reason: String,
    message: String,
    source: BTreeMap<String, String>,
    first_timestamp: Option<String>,
    last_timestamp: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<u64>,
    #[serde(rename = "type")]
    severity: String,
    event_time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    action: Option<String>,
    reporting_component: String,
    reporting_instance: String,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    name: String,
    namespace: String,
    uid: String,
    resource_version: String,
    creation_timestamp: String,
    managed_fields: Box<RawValue>,
}

/// The object that an event is about.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Object {
    kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<String>,
    name: String,
    uid: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    api_version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    field_path: Option<String>,
    /// The node that a pod runs on.
    #[serde(skip)]
    node: Option<String>,
}

/// Writes this number of different events, all of them once per pass; returns an event's average size in bytes.
pub fn write(file: &Path, cluster: &Cluster, events: usize, passes: usize) -> usize {
    let templates = templates();
    let mut objects: BTreeMap<String, Vec<Object>> = BTreeMap::new();
    for (_, object) in cluster.objects() {
        objects.entry(text(&object["kind"])).or_default().push(of_cluster(&object));
    }
    let known = |template: &&Event| objects.contains_key(&template.involved_object.kind);
    let templates: Vec<&Event> = templates.iter().filter(known).collect();
    let mut lines = BufWriter::new(File::create(file).expect("a file of events"));
    for number in (0..passes).flat_map(|_| 0..events) {
        let template = templates[number % templates.len()];
        let of_kind = &objects[&template.involved_object.kind];
        // 7,919 is prime, so every object is used, and consecutive events are about distant objects.
        let event = about(template, &of_kind[number * 7_919 % of_kind.len()], number);
        serde_json::to_writer(&mut lines, &event).expect("a line");
        lines.write_all(b"\n").expect("a line");
    }
    lines.flush().expect("a file of events");
    drop(lines);
    let bytes = std::fs::metadata(file).expect("the file").len();
    usize::try_from(bytes).expect("a size") / (events * passes).max(1)
}

/// The recorded events from a watch, with managedFields.
fn templates() -> Vec<Event> {
    #[derive(Deserialize)]
    struct Line<'a> {
        #[serde(borrow)]
        object: &'a RawValue,
    }
    let text = std::fs::read_to_string(chunk::data_file("watch-core-v1.ndjson")).expect("the recorded watch");
    let lines = text.lines().map(|line| serde_json::from_str::<Line<'_>>(line).expect("a line of a watch"));
    // Bookmarks are not events, and two events of the API server itself have no managedFields.
    lines.filter_map(|line| serde_json::from_str(line.object.get()).ok()).collect()
}

fn of_cluster(object: &Value) -> Object {
    let metadata = &object["metadata"];
    Object {
        kind: text(&object["kind"]),
        namespace: metadata["namespace"].as_str().map(str::to_owned),
        name: text(&metadata["name"]),
        uid: text(&metadata["uid"]),
        api_version: Some(text(&object["apiVersion"])),
        resource_version: Some(text(&metadata["resourceVersion"])),
        field_path: None,
        node: object["spec"]["nodeName"].as_str().map(str::to_owned),
    }
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

/// The template's event, about this object.
fn about(template: &Event, object: &Object, number: usize) -> Event {
    let mut event = template.clone();
    let mixed = xxh3_128(&number.to_le_bytes());
    let seconds = i64::try_from(number / EVENTS_A_SECOND).expect("a count");
    let time = OffsetDateTime::from_unix_timestamp(FIRST_SECONDS + seconds).expect("a time");
    let time = time.format(&Rfc3339).expect("a time");
    let namespace = object.namespace.as_deref().unwrap_or("default");

    event.metadata.name = format!("{}.{:016x}", object.name, mixed >> 64);
    event.metadata.namespace = namespace.to_owned();
    event.metadata.uid = uuid(mixed);
    event.metadata.resource_version = (FIRST_VERSION + number).to_string();
    event.metadata.creation_timestamp = time.clone();
    event.first_timestamp = event.first_timestamp.map(|_| time.clone());
    event.last_timestamp = event.last_timestamp.map(|_| time);
    event.message = event.message.replace(&event.involved_object.name, &object.name);
    event.message.push_str(&remainder(&event.reason, object));
    let field_path = event.involved_object.field_path.take();
    event.involved_object = Object { field_path, ..object.clone() };
    // Only components that run on a node name it.
    let host = object.node.as_ref().or((object.kind == "Node").then_some(&object.name));
    if let (Some(host), true) = (host, event.source.contains_key("host")) {
        event.source.insert("host".to_owned(), host.clone());
        event.reporting_instance.clone_from(host);
    }
    event
}

/// The additional text in a large cluster: a kubelet quotes up to 10 KB of a probe's response, and lists all registries
/// that it asked for an image.
fn remainder(reason: &str, object: &Object) -> String {
    let Object { namespace, name, uid, node, .. } = object;
    let (namespace, node) = (namespace.as_deref().unwrap_or("default"), node.as_deref().unwrap_or("none"));
    match reason {
        "Unhealthy" => format!(
            ": {{\"status\":\"DOWN\",\"instance\":\"{name}\",\"node\":\"{node}\",\"checks\":[\
             {{\"name\":\"database\",\"status\":\"DOWN\",\"detail\":\"timeout: no connection available in the pool \
             after 5000 ms (size 20, in use 20, waiting 143), last error: FATAL: remaining connection slots are \
             reserved for roles with the SUPERUSER attribute\"}},\
             {{\"name\":\"message-broker\",\"status\":\"UP\",\"detail\":\"3 of 3 brokers reachable, lag of the group \
             {namespace}-consumers: 1204 over 24 partitions\"}},\
             {{\"name\":\"cache\",\"status\":\"DEGRADED\",\"detail\":\"the primary of {namespace} is failing over, \
             reads are answered by a replica that is 41 s behind\"}},\
             {{\"name\":\"object-store\",\"status\":\"UP\",\"detail\":\"HEAD of the bucket in 18 ms\"}},\
             {{\"name\":\"disk\",\"status\":\"UP\",\"detail\":\"61 % of 50 GiB, 4 % of the inodes\"}},\
             {{\"name\":\"upstream:payments\",\"status\":\"UP\",\"detail\":\"200 in 31 ms, circuit closed, 0 of 50 \
             calls failed\"}},\
             {{\"name\":\"upstream:identity\",\"status\":\"UP\",\"detail\":\"200 in 12 ms, circuit closed, 0 of 50 \
             calls failed\"}},\
             {{\"name\":\"feature-flags\",\"status\":\"DEGRADED\",\"detail\":\"the last refresh was 611 s ago, serving \
             what is on disk: 214 flags of version 8841\"}}],\
             \"version\":\"1.14.3\",\"uptime_seconds\":86233,\"trace\":\"{uid}\"}}"
        ),
        "Failed" | "BackOff" => {
            let image = format!("registry.example.internal/apps/{namespace}/{name}:1.14.3");
            let from = |registry: &str, why: &str| {
                format!(
                    "failed to do request: Head \"https://{registry}/v2/apps/{namespace}/{name}/manifests/1.14.3\
                     ?ns=registry.example.internal\": {why}"
                )
            };
            format!(
                ": rpc error: code = Unavailable desc = failed to pull and unpack image \"{image}\": failed to resolve \
                 reference \"{image}\": {}; {}; {}; {}; container=app pod={name}_{namespace}({uid}) node={node}",
                from("mirror-a.example.internal", "dial tcp 192.0.2.17:443: connect: connection refused"),
                from("mirror-b.example.internal", "net/http: TLS handshake timeout"),
                from("mirror-c.example.internal", "context deadline exceeded"),
                from("registry.example.internal", "unexpected status: 503 Service Unavailable"),
            )
        }
        "FailedScheduling" => "; 12 node(s) had untolerated taint {node.kubernetes.io/unreachable: }, 31 node(s) had \
             untolerated taint {dedicated: batch}, 148 Insufficient cpu, 309 Insufficient memory. preemption: 0/500 \
             nodes are available: 43 Preemption is not helpful for scheduling, 457 No preemption victims found for \
             incoming pod."
            .to_owned(),
        "FailedMount" => format!(
            "; unmounted volumes=[config], unattached volumes=[config data kube-api-access]: timed out waiting for the \
             condition of pod {namespace}/{name} ({uid}) on node {node}"
        ),
        _ => String::new(),
    }
}

fn uuid(mixed: u128) -> String {
    let hex = format!("{mixed:032x}");
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}
