//! `format k8stream`: the lines of k8stream 0.0.5, byte for byte, with `services` at their end, for any path.
//!
//! A request holds one record per line. The order of the fields is that of k8stream's `L9Event`. All fields are present,
//! maps are sorted, and strings are escaped as Go escapes them. `timestamp` is the second in which the event object was
//! created, or that of the event's time. `labels`, `annotations` and `pod` are null if the object is not known; `pod` is
//! also null if the object is not a pod. `address` holds the addresses of the node. `services` holds the Services under
//! impact with their endpoints, and is null if correlation is off. k8stream has events only; records of other kinds have
//! their own time and id.
//!
//! A 2xx means that the receiver took all records.

use std::net::IpAddr;

use serde::Serialize;

use super::go_json;
use crate::correlate::{Affected, Correlation, Impact, SelectedLabels};
use crate::format::common::Common;
use crate::format::interface::{Adjusted, Format, RenderError};
use crate::format::json;
use crate::format::record::Record;
use crate::record::content::Content;
use crate::time::Stamp;

/// The version of the last k8stream.
const VERSION: &str = "0.0.5";

pub(in crate::format) struct K8stream;

impl Format for K8stream {
    fn render(&self, record: &Record<'_, '_>, out: &mut Vec<u8>) -> Result<Adjusted, RenderError> {
        let mut plain = Vec::new();
        json::write(&document(record, &Common::of(record)), &mut plain);
        go_json::write(&plain, out);
        Ok(Adjusted::default())
    }
}

#[derive(Serialize)]
struct L9Event<'r> {
    id: &'r str,
    timestamp: i64,
    component: &'r str,
    host: &'r str,
    message: &'r str,
    namespace: &'r str,
    reason: &'r str,
    reference_uid: &'r str,
    reference_namespace: &'r str,
    reference_name: &'r str,
    reference_kind: &'r str,
    reference_version: &'r str,
    object_uid: &'r str,
    labels: Option<SelectedLabels<'r>>,
    annotations: Option<SelectedLabels<'r>>,
    address: &'r [Box<str>],
    pod: Option<Pod<'r>>,
    version: &'static str,
    services: Option<&'r Vec<Affected<'r>>>,
}

/// In the order in which Go sorts the keys of a map.
#[derive(Serialize)]
struct Pod<'r> {
    host_ip: &'r str,
    ip: String,
    name: &'r str,
    namespace: &'r str,
    start_time: Option<String>,
    uid: &'r str,
}

fn document<'r>(record: &Record<'r, 'r>, common: &'r Common<'r>) -> L9Event<'r> {
    let (object, impact) = (&common.object, record.impact);
    // An event object has its own creation time and namespace.
    let (id, made, namespace, component) = match record.content {
        Content::Event(event) => (
            &*event.metadata.uid,
            Stamp::parse_set(&event.metadata.creation_timestamp),
            &*event.metadata.namespace,
            &*event.source.component,
        ),
        other => (record.id, common.time, other.namespace(), common.component),
    };
    let is_known = impact.deleted.is_some();
    L9Event {
        id,
        timestamp: made.unwrap_or_else(|| record.time_or_now()).unix_seconds(),
        component,
        host: common.host,
        message: &common.message,
        namespace,
        reason: common.reason,
        reference_uid: object.uid,
        reference_namespace: object.namespace,
        reference_name: object.name,
        reference_kind: object.kind,
        reference_version: object.api_version,
        object_uid: object.uid,
        labels: some(impact.labels),
        annotations: some(impact.annotations),
        address: impact.node.filter(|node| node.name == common.host).map_or(&[], |node| node.addresses),
        pod: (is_known && object.kind == "Pod").then(|| pod(common, impact)),
        version: VERSION,
        services: (impact.correlation != Correlation::Off).then_some(&impact.services),
    }
}

/// An empty map is null, as in Go.
fn some(chosen: SelectedLabels<'_>) -> Option<SelectedLabels<'_>> {
    chosen.iter().next().is_some().then_some(chosen)
}

fn pod<'r>(common: &'r Common<'r>, impact: &Impact<'r>) -> Pod<'r> {
    let addresses = impact.node.map_or(&[][..], |node| node.addresses);
    let host_ip = addresses.iter().find(|address| address.parse::<IpAddr>().is_ok());
    Pod {
        host_ip: host_ip.map_or("", |address| address),
        ip: impact.pod_ip.map(|ip| ip.to_string()).unwrap_or_default(),
        name: common.object.name,
        namespace: common.object.namespace,
        start_time: impact.start_time.map(|time| time.to_string()),
        uid: common.object.uid,
    }
}
