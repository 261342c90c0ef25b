//! `format native`: one flat shape for all flavours of events, described by `docs/native-schema.json`.
//!
//! Every key is always there; what an event does not say is null. So a reader in any language needs no
//! case for a missing key, and a column store gets the same columns from the first record on.

use std::borrow::Cow;
use std::net::IpAddr;

use serde::{Serialize, Serializer};

use super::Record;
use crate::correlate::{Affected, Chosen, Correlation, Node, Workload, text_or_null};
use crate::ledger::identity::version_text;
use crate::time::Stamp;

#[derive(Serialize)]
pub(super) struct Native<'r> {
    id: &'r str,
    cluster: OrNull<'r>,
    time: Time,
    first_time: Time,
    r#type: OrNull<'r>,
    severity: &'static str,
    reason: OrNull<'r>,
    message: OrNull<'r>,
    action: OrNull<'r>,
    count: u64,
    new_occurrences: u32,
    source: Source<'r>,
    object: Object<'r>,
    event: Event<'r>,
    correlation: Correlation,
    services: &'r [Affected<'r>],
    services_total: usize,
    workload: Option<Workload<'r>>,
    node: Option<Node<'r>>,
}

#[derive(Serialize)]
struct Source<'r> {
    component: OrNull<'r>,
    host: OrNull<'r>,
    instance: OrNull<'r>,
}

#[derive(Serialize)]
struct Object<'r> {
    api_version: OrNull<'r>,
    kind: OrNull<'r>,
    namespace: OrNull<'r>,
    name: OrNull<'r>,
    uid: OrNull<'r>,
    field_path: OrNull<'r>,
    labels: Chosen<'r>,
    annotations: Chosen<'r>,
    #[serde(serialize_with = "text_or_null")]
    pod_ip: Option<IpAddr>,
    start_time: Time,
    deleted: Option<bool>,
}

#[derive(Serialize)]
struct Event<'r> {
    namespace: OrNull<'r>,
    name: OrNull<'r>,
    uid: OrNull<'r>,
    resource_version: Cow<'r, str>,
}

pub(super) fn document<'r>(record: &Record<'r, '_>, cluster: &'r str) -> Native<'r> {
    let (event, impact) = (record.event, record.impact);
    let component =
        if event.source.component.is_empty() { &event.reporting_component } else { &event.source.component };
    Native {
        id: record.id,
        cluster: OrNull(cluster),
        time: Time(Stamp::parse(event.time())),
        first_time: Time(Stamp::parse(event.first_time())),
        r#type: OrNull(&event.event_type),
        severity: severity(&event.event_type),
        reason: OrNull(&event.reason),
        message: OrNull(&event.message),
        action: OrNull(&event.action),
        count: event.occurrences(),
        new_occurrences: record.new_occurrences,
        source: Source {
            component: OrNull(component),
            host: OrNull(&event.source.host),
            instance: OrNull(&event.reporting_instance),
        },
        object: Object {
            api_version: OrNull(&event.object.api_version),
            kind: OrNull(&event.object.kind),
            namespace: OrNull(&event.object.namespace),
            name: OrNull(&event.object.name),
            uid: OrNull(&event.object.uid),
            field_path: OrNull(&event.object.field_path),
            labels: impact.labels,
            annotations: impact.annotations,
            pod_ip: impact.pod_ip,
            start_time: Time(impact.start_time),
            deleted: impact.deleted,
        },
        event: Event {
            namespace: OrNull(&event.metadata.namespace),
            name: OrNull(&event.metadata.name),
            uid: OrNull(&event.metadata.uid),
            resource_version: version_text(event),
        },
        correlation: impact.correlation,
        services: &impact.services,
        services_total: impact.services_total,
        workload: impact.workload,
        node: impact.node,
    }
}

/// Kubernetes knows Normal and Warning; other senders use more, as the OpenTelemetry receiver maps them.
fn severity(event_type: &str) -> &'static str {
    match event_type {
        "Warning" => "warning",
        "Error" => "error",
        "Critical" => "critical",
        _ => "info",
    }
}

/// The empty text is Kubernetes' way to say nothing; JSON has a better one.
struct OrNull<'r>(&'r str);

impl Serialize for OrNull<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.is_empty() { serializer.serialize_none() } else { serializer.serialize_str(self.0) }
    }
}

/// RFC 3339 in UTC, or null for what is no time.
pub(super) struct Time(pub Option<Stamp>);

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Some(stamp) => serializer.serialize_str(stamp.text().as_str()),
            None => serializer.serialize_none(),
        }
    }
}
