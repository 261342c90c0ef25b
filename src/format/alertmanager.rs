//! `format alertmanager`: alerts for Prometheus' Alertmanager, `POST /api/v2/alerts`, an array of them.
//!
//! The labels are what makes an alert the same one, so they hold what stays the same over a series and what is routed
//! by: `alertname`, `severity`, the object, and the first Service under impact as `service` and `service_namespace`;
//! all Services, with their endpoints, are an annotation. It begins when the series did. It ends
//! `alertmanager_expires_after` after the last occurrence, or else `resolve_timeout` (5 minutes by default) after it
//! arrived, which loses nothing when events come late: one that has ended already notifies nobody. There is no
//! `generatorURL`, as an event has no page of its own.
//!
//! An Alertmanager refuses an alert that begins after its end, and puts the end by its own clock. So no alert begins
//! in the future, and a time before Kubernetes was is that of a clock that was never set: it counts as none. Where that
//! changes a time, the true one is the annotation `original_time`.
//!
//! 200 means that it has them all. A 400 is for the whole array, of which it has taken what was good; an alert that
//! comes twice is one, so halving repeats nothing. Nothing is compressed.

use std::time::Duration;

use serde::Serialize;

use super::common::Common;
use super::framing::Framing;
use super::interface::{Adjusted, Format, RenderError};
use super::native::Time;
use super::record::Record;
use super::text::{self, TextPairs};
use super::{json, times};
use crate::config::ServiceSettings;
use crate::record::content::Content;
use crate::time::Stamp;

/// 6 June 2014, the first commit of Kubernetes.
const KUBERNETES_BEGAN: i64 = 1_402_012_800;

pub(in crate::format) struct Alertmanager {
    cluster: String,
    expires_after: Option<Duration>,
}

impl Alertmanager {
    pub(in crate::format) fn new(cluster: String, settings: &ServiceSettings) -> Self {
        Self { cluster, expires_after: settings.alertmanager_expires_after }
    }
}

impl Format for Alertmanager {
    fn framing(&self) -> Framing {
        Framing::ARRAY
    }

    fn render(&self, record: &Record<'_, '_>, out: &mut Vec<u8>) -> Result<Adjusted, RenderError> {
        let common = Common::of(record);
        let is_known = |time: &Stamp| time.unix_seconds() >= KUBERNETES_BEGAN;
        let happened = [common.time, record.taken].into_iter().flatten().find(is_known);
        let last = happened.map(|time| times::within(time, None, Some(record.now)).time);
        let ends = last.zip(self.expires_after).and_then(|(time, after)| time.later(after));
        // An alert must not begin after its end, and a series whose first time lies behind its last is nonsense.
        let first = common.first_time.filter(is_known);
        let begins = first.filter(|first| last.is_none_or(|last| !last.is_before(*first))).or(last);
        let original = |true_time: Option<Stamp>, sent: Option<Stamp>| match (true_time, sent) {
            (Some(time), Some(sent)) => times::within(time, Some(sent), Some(sent)).original,
            (time, None) => time,
            (None, Some(_)) => None,
        };
        let (time, first_time) = (original(common.time, last), original(common.first_time, begins));
        let alert = Alert {
            labels: self.labels(record, &common),
            annotations: annotations(record, &common, time, first_time),
            starts_at: Time(begins),
            ends_at: Time(ends),
        };
        json::write(&alert, out);
        Ok(Adjusted { time: time.or(first_time).is_some(), cut: false, ..Adjusted::default() })
    }
}

#[derive(Serialize)]
struct Alert<'r> {
    labels: TextPairs<'r>,
    annotations: TextPairs<'r>,
    #[serde(rename = "startsAt", skip_serializing_if = "is_unknown")]
    starts_at: Time,
    #[serde(rename = "endsAt", skip_serializing_if = "is_unknown")]
    ends_at: Time,
}

fn is_unknown(time: &Time) -> bool {
    time.0.is_none()
}

impl Alertmanager {
    fn labels<'r>(&'r self, record: &Record<'r, '_>, common: &Common<'r>) -> TextPairs<'r> {
        let mut labels = TextPairs::default();
        labels.add("alertname", text::rule(record, common));
        labels.add("severity", common.severity.name());
        labels.add("source", record.content.kind().name());
        labels.add("cluster", self.cluster.as_str());
        labels.add("namespace", common.object.namespace);
        labels.add("kind", common.object.kind);
        labels.add("resource", common.object.resource);
        labels.add("subresource", common.object.subresource);
        labels.add("name", common.object.name);
        if common.object.kind == "Pod" {
            labels.add("pod", common.object.name);
        }
        match record.content {
            Content::Audit(audit) => {
                labels.add("verb", common.action);
                labels.add("user", &*audit.user.name);
            }
            Content::Violation(violation) => {
                labels.add("constraint", &*violation.constraint.name);
                labels.add("action", common.action);
            }
            Content::Event(event) => labels.add("field_path", &*event.object.field_path),
            // Nothing else tells two of them apart.
            Content::Other => labels.add("id", record.id),
        }
        if let Some(first) = record.impact.services.first() {
            labels.add("service", first.name);
            labels.add("service_namespace", first.namespace);
        }
        labels
    }
}

/// With the true times where the alert has others.
fn annotations<'r>(
    record: &Record<'r, '_>,
    common: &Common<'r>,
    time: Option<Stamp>,
    first_time: Option<Stamp>,
) -> TextPairs<'r> {
    let object = text::object(&common.object);
    let rule = text::rule(record, common);
    let mut annotations = TextPairs::default();
    annotations.add("summary", if object.is_empty() { rule.to_owned() } else { format!("{rule}: {object}") });
    annotations.add("description", text::message(record, common).into_owned());
    annotations.add("services", text::services_in_numbers(record.impact).unwrap_or_default());
    if let Some(workload) = record.impact.workload {
        annotations.add("workload", format!("{} {}/{}", workload.kind, workload.namespace, workload.name));
    }
    annotations.add("node", common.node(record.impact));
    annotations.add("count", common.count.to_string());
    let original_count = record.content.implausible_count();
    annotations.add("original_count", original_count.map(|count| count.to_string()).unwrap_or_default());
    annotations.add("id", record.id);
    for (name, time) in [("original_time", time), ("original_first_time", first_time)] {
        annotations.add(name, time.map(|time| time.to_string()).unwrap_or_default());
    }
    annotations
}
