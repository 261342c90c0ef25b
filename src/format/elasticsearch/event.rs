//! `kubernetes.event` as metricbeat writes it (`metricbeat/module/kubernetes/event/event.go`).

use std::borrow::Cow;

use serde::Serialize;

use crate::format::native::Time;
use crate::record::event::{KubeEvent, ObjectRef};
use crate::record::raw::Raw;
use crate::time::Stamp;

#[derive(Serialize)]
pub(super) struct KubernetesEvent<'r> {
    message: &'r str,
    reason: &'r str,
    r#type: &'r str,
    count: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    original_count: Option<i64>,
    source: EventSource<'r>,
    involved_object: InvolvedObject<'r>,
    metadata: Metadata<'r>,
    timestamp: Occurrences,
}

#[derive(Serialize)]
struct EventSource<'r> {
    host: &'r str,
    component: &'r str,
}

#[derive(Serialize)]
struct InvolvedObject<'r> {
    api_version: &'r str,
    resource_version: &'r str,
    name: &'r str,
    kind: &'r str,
    uid: &'r str,
}

#[derive(Serialize)]
struct Metadata<'r> {
    timestamp: Created,
    name: &'r str,
    namespace: &'r str,
    generate_name: Cow<'r, str>,
    uid: &'r str,
    resource_version: &'r str,
    #[serde(skip_serializing_if = "Option::is_none")]
    labels: Option<Raw<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    annotations: Option<Raw<'r>>,
}

#[derive(Serialize)]
struct Created {
    #[serde(skip_serializing_if = "Time::is_unknown")]
    created: Time,
}

#[derive(Serialize)]
struct Occurrences {
    #[serde(skip_serializing_if = "Time::is_unknown")]
    first_occurrence: Time,
    #[serde(skip_serializing_if = "Time::is_unknown")]
    last_occurrence: Time,
}

pub(super) fn of<'r>(event: &'r KubeEvent<'_>, body: &'r [u8]) -> KubernetesEvent<'r> {
    let ObjectRef { api_version, kind, name, uid, resource_version, .. } = &event.object;
    let metadata = Raw::new(body).get("metadata").unwrap_or_default();
    let map = |key| metadata.get(key).filter(Raw::is_map);
    KubernetesEvent {
        message: &event.message,
        reason: &event.reason,
        r#type: &event.event_type,
        count: i64::try_from(event.occurrences()).unwrap_or(i64::MAX),
        original_count: event.implausible_count().map(|count| i64::try_from(count).unwrap_or(i64::MAX)),
        source: EventSource { host: &event.source.host, component: &event.source.component },
        involved_object: InvolvedObject { api_version, resource_version, name, kind, uid },
        metadata: Metadata {
            timestamp: Created { created: Time(Stamp::parse_set(&event.metadata.creation_timestamp)) },
            name: &event.metadata.name,
            namespace: &event.metadata.namespace,
            generate_name: metadata.get("generateName").and_then(|name| name.as_text()).unwrap_or_default(),
            uid: &event.metadata.uid,
            resource_version: &event.metadata.resource_version,
            labels: map("labels"),
            annotations: map("annotations"),
        },
        timestamp: Occurrences {
            first_occurrence: Time(event.first_time()),
            last_occurrence: Time(event.time()),
        },
    }
}
