//! `format alertmanager`: alerts for Prometheus' Alertmanager, `POST /api/v2/alerts`.
//!
//! A request holds an array of alerts. The labels identify an alert, so they hold what is constant over a series and what
//! alerts are routed by: `alertname`, `severity`, the object, and the first Service under impact as `service` and
//! `service_namespace`. An annotation holds all Services with their endpoints. An alert begins when the series began. It
//! ends `alertmanager_expires_after` after the last occurrence, or by default `resolve_timeout` (5 minutes) after it
//! arrived. The default suits late events, because an alert that has already ended notifies nobody. There is no
//! `generatorURL`, because an event has no page of its own. Nothing is compressed.
//!
//! The Alertmanager refuses an alert that begins after its end, and sets the end by its own clock. An alert therefore
//! never begins in the future. A time before the first commit of Kubernetes comes from a clock that was not set and is
//! ignored. If this changes a time, the annotation `original_time` holds the true one.
//!
//! A 200 means that it took all alerts. A 400 concerns the whole array, but it took the valid alerts. The batch is split;
//! an alert that arrives twice is still one alert.

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
        let happened = [common.time, record.received].into_iter().flatten().find(is_known);
        let last = happened.map(|time| times::within(time, None, Some(record.now)).time);
        let ends = last.zip(self.expires_after).and_then(|(time, after)| time.later(after));
        // An alert must not begin after its end, so a first time after the last one is ignored.
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
            // Only the id distinguishes two of them.
            Content::Other => labels.add("id", record.id),
        }
        if let Some(first) = record.impact.services.first() {
            labels.add("service", first.name);
            labels.add("service_namespace", first.namespace);
        }
        labels
    }
}

/// The annotations, with the true times if the alert has others.
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
