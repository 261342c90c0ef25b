//! `format datadog`: events of Datadog's API v1, `POST https://api.<site>/api/v1/events`.
//!
//! A request holds one event. Title, tags and aggregation key are those of Datadog's own agent, so that both kinds of
//! events are grouped together. Each Service under impact is a tag `kube_service`, and the text names it with its
//! endpoints. Nothing is compressed.
//!
//! Texts above the API's limits are cut (`limits`). An event that is older than 18 hours, or dated ahead, gets the nearest
//! time that the API takes; the tag `original_time` has the true one.
//!
//! A 202 means that Datadog took the event, a 403 that it does not know the key. A 413 means that the event is too large;
//! it is dead-lettered.

mod limits;

use std::borrow::Cow;
use std::time::Duration;

use serde::Serialize;

use crate::format::common::{Common, Severity};
use crate::format::framing::Framing;
use crate::format::interface::{Adjusted, Format, RenderError};
use crate::format::limit::Limit;
use crate::format::record::Record;
use crate::format::text::{self, Cutter};
use crate::format::{json, times};
use crate::record::content::Content;

/// A request may take this long to arrive.
const MARGIN: Duration = Duration::from_secs(15 * 60);

pub(in crate::format) struct Datadog {
    pub(in crate::format) cluster: String,
}

impl Format for Datadog {
    fn framing(&self) -> Framing {
        Framing::ALONE
    }

    fn limits(&self) -> &'static [Limit] {
        limits::ALL
    }

    fn render(&self, record: &Record<'_, '_>, out: &mut Vec<u8>) -> Result<Adjusted, RenderError> {
        let (common, cutter) = (Common::of(record), Cutter::default());
        let oldest = record.now.earlier(Duration::from_secs(limits::AGE.most).saturating_sub(MARGIN));
        let happened = times::within(record.time_or_now(), oldest, Some(record.now));
        let event = Event {
            title: cutter.text(title(record, &common), &limits::TITLE),
            text: cutter.text(text(record, &common), &limits::TEXT),
            date_happened: Some(happened.time.unix_seconds()).filter(|seconds| *seconds > 0),
            priority: "normal",
            host: cutter.text(self.host(common.node(record.impact)), &limits::HOST),
            tags: self.tags(record, &common, &happened.original_text(), &cutter),
            alert_type: alert_type(common.severity),
            aggregation_key: aggregation_key(record, &common),
            source_type_name: "kubernetes",
        };
        json::write(&event, out);
        Ok(Adjusted { time: happened.is_adjusted(), cut: cutter.has_cut(), ..Adjusted::default() })
    }
}

#[derive(Serialize)]
struct Event<'r> {
    title: Cow<'r, str>,
    text: Cow<'r, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    date_happened: Option<i64>,
    priority: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    host: Cow<'r, str>,
    tags: Vec<String>,
    alert_type: &'static str,
    aggregation_key: String,
    source_type_name: &'static str,
}

/// `Pod shop/cart-1: Unhealthy`.
fn title(record: &Record<'_, '_>, common: &Common<'_>) -> String {
    let (object, rule) = (text::object(&common.object), text::rule(record, common));
    if object.is_empty() { rule.to_owned() } else { format!("{object}: {rule}") }
}

/// The Services come first, because the end is cut.
fn text(record: &Record<'_, '_>, common: &Common<'_>) -> String {
    let message = text::message(record, common);
    match text::services_in_numbers(record.impact) {
        Some(services) => format!("Services under impact (endpoints ready/all): {services}\n\n{message}"),
        None => message.into_owned(),
    }
}

fn alert_type(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "info",
        Severity::Warning => "warning",
        Severity::Error | Severity::Critical => "error",
    }
}

/// The key of an event is the agent's: it groups all events of an object.
fn aggregation_key(record: &Record<'_, '_>, common: &Common<'_>) -> String {
    let most = limits::AGGREGATION_KEY.usize();
    match record.content {
        Content::Event(_) if !common.object.uid.is_empty() => {
            text::named_within(format!("kubernetes_apiserver:{}", common.object.uid), most)
        }
        _ => text::series(record, most),
    }
}

impl Datadog {
    /// The agent's name for a node of a named cluster.
    fn host<'r>(&self, node: &'r str) -> Cow<'r, str> {
        if node.is_empty() || self.cluster.is_empty() {
            Cow::Borrowed(node)
        } else {
            Cow::Owned(format!("{node}-{}", self.cluster))
        }
    }

    fn tags(
        &self,
        record: &Record<'_, '_>,
        common: &Common<'_>,
        original_time: &str,
        cutter: &Cutter,
    ) -> Vec<String> {
        let object = &common.object;
        let pod = if object.kind == "Pod" { object.name } else { "" };
        let controller = match record.content {
            Content::Event(event) => &event.reporting_component,
            _ => "",
        };
        let known = [
            ("orchestrator", "kubernetes"),
            ("record_kind", record.content.kind().name()),
            ("kube_cluster_name", &self.cluster),
            ("kube_namespace", object.namespace),
            ("kube_kind", object.kind),
            ("kube_name", object.name),
            ("pod_name", pod),
            ("source_component", common.component),
            ("reporting_controller", controller),
            ("event_reason", common.reason),
            ("verb", if matches!(record.content, Content::Audit(_)) { common.action } else { "" }),
            ("original_time", original_time),
        ];
        let services = record.impact.services.iter().map(|service| ("kube_service", service.name));
        let all = known.into_iter().chain(services).filter(|(_, value)| !value.is_empty());
        let mut tags = Vec::new();
        for tag in all.map(|(name, value)| tag(name, value, cutter)) {
            // Two namespaces may have a Service of the same name.
            if tags.contains(&tag) {
                continue;
            }
            if tags.len() == limits::TAG_COUNT.usize() {
                cutter.leave_out();
                break;
            }
            tags.push(tag);
        }
        tags
    }
}

/// Datadog replaces characters that a tag must not hold by underscores; a line break would end the tag.
fn tag(name: &str, value: &str, cutter: &Cutter) -> String {
    let value = value.replace(|c: char| c.is_control(), "_");
    cutter.text(format!("{name}:{value}"), &limits::TAG).into_owned()
}
