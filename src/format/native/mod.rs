//! `format native`: one flat document for all kinds of records, for any path. `docs/native-schema.json` describes it.
//!
//! A request holds one document per line. Every key of a kind is always present; a value that the record does not have is
//! null. A reader thus never meets a missing key, and a column store gets all columns with the first record. Fields of one
//! kind are in one member: `event`, `audit` or `violation`. A record of unknown kind is in `record`. The status of the
//! response decides.
//!
//! - `kind_fields`: the members `event`, `audit` and `violation`
//! - `values`: values that may be null

mod kind_fields;
mod values;

pub(super) use kind_fields::{ViolationFields, violation};
pub(super) use values::Time;

use std::net::IpAddr;

use serde::Serialize;

use self::values::{MessageOrNull, OrNull};
use super::common::Common;
use super::interface::{Adjusted, Format, RenderError};
use super::json;
use super::record::Record;
use crate::correlate::{Affected, Correlation, Node, SelectedLabels, Workload, text_or_null};
use crate::record::content::Content;
use crate::record::raw::Raw;

pub(super) struct Native {
    pub(super) cluster: String,
    /// Whether an audit record carries the bodies of request and response.
    pub(super) audit_bodies: bool,
}

impl Format for Native {
    fn render(&self, record: &Record<'_, '_>, out: &mut Vec<u8>) -> Result<Adjusted, RenderError> {
        json::write(&self.document(record), out);
        Ok(Adjusted::default())
    }
}

#[derive(Serialize)]
pub(super) struct NativeDocument<'r> {
    id: &'r str,
    kind: &'static str,
    cluster: OrNull<'r>,
    time: Time,
    first_time: Time,
    r#type: OrNull<'r>,
    severity: &'static str,
    reason: OrNull<'r>,
    message: MessageOrNull<'r>,
    action: OrNull<'r>,
    count: u64,
    new_occurrences: u32,
    source: Source<'r>,
    object: Object<'r>,
    #[serde(skip_serializing_if = "Option::is_none")]
    event: Option<kind_fields::EventFields<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    audit: Option<kind_fields::AuditFields<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    violation: Option<kind_fields::ViolationFields<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    record: Option<Raw<'r>>,
    correlation: Correlation,
    services: &'r [Affected<'r>],
    services_total: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    incomplete: Option<bool>,
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
    resource: OrNull<'r>,
    subresource: OrNull<'r>,
    namespace: OrNull<'r>,
    name: OrNull<'r>,
    uid: OrNull<'r>,
    field_path: OrNull<'r>,
    labels: SelectedLabels<'r>,
    annotations: SelectedLabels<'r>,
    #[serde(skip_serializing_if = "Option::is_none")]
    labels_omitted: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    annotations_omitted: Option<usize>,
    #[serde(serialize_with = "text_or_null")]
    pod_ip: Option<IpAddr>,
    start_time: Time,
    deleted: Option<bool>,
}

impl Native {
    pub(super) fn document<'r>(&'r self, record: &Record<'r, 'r>) -> NativeDocument<'r> {
        let (content, impact) = (record.content, record.impact);
        let common = Common::of(record);
        let (mut event, mut audit, mut violation, mut as_it_came) = (None, None, None, None);
        match content {
            Content::Event(said) => event = Some(kind_fields::event(said)),
            Content::Audit(said) => audit = Some(kind_fields::audit(said, self.audit_bodies)),
            Content::Violation(said) => violation = Some(kind_fields::violation(said)),
            Content::Other => as_it_came = Some(Raw::new(record.body)),
        }
        NativeDocument {
            id: record.id,
            kind: content.kind().name(),
            cluster: OrNull(&self.cluster),
            time: Time(common.time),
            first_time: Time(common.first_time),
            r#type: OrNull(common.r#type),
            severity: common.severity.name(),
            reason: OrNull(common.reason),
            message: MessageOrNull(common.message),
            action: OrNull(common.action),
            count: common.count,
            new_occurrences: record.new_occurrences,
            source: Source {
                component: OrNull(common.component),
                host: OrNull(common.host),
                instance: OrNull(common.instance),
            },
            object: Object {
                api_version: OrNull(common.object.api_version),
                kind: OrNull(common.object.kind),
                resource: OrNull(common.object.resource),
                subresource: OrNull(common.object.subresource),
                namespace: OrNull(common.object.namespace),
                name: OrNull(common.object.name),
                uid: OrNull(common.object.uid),
                field_path: OrNull(common.object.field_path),
                labels: impact.labels,
                annotations: impact.annotations,
                labels_omitted: impact.labels_omitted,
                annotations_omitted: impact.annotations_omitted,
                pod_ip: impact.pod_ip,
                start_time: Time(impact.start_time),
                deleted: impact.deleted,
            },
            event,
            audit,
            violation,
            record: as_it_came,
            correlation: impact.correlation,
            services: &impact.services,
            services_total: impact.services_total,
            incomplete: impact.incomplete.then_some(true),
            workload: impact.workload,
            node: impact.node,
        }
    }
}
