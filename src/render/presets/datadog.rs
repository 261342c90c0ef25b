//! `format datadog`: events of Datadog's API v1, `POST https://api.<site>/api/v1/events`, one a request.
//!
//! Title, tags and aggregation key are those of Datadog's own agent, so that its events and these stand together; each
//! Service under impact is a tag `kube_service`, and named in the text with its endpoints. The text is cut at 4,000
//! characters and the aggregation key at 100, as the API asks.
//!
//! 202 means that it has the event, 403 that it does not know the key, 413 that the event is too large (it is put
//! away). An event older than 18 hours is not taken: after a longer outage such go to the dead letters. Nothing is
//! compressed.

use std::borrow::Cow;

use serde::Serialize;

use super::super::common::{Common, Severity};
use super::super::{Form, Record, json};
use super::words;
use crate::record::content::Content;

/// Of the API; counted in characters.
const MOST_TEXT: usize = 4_000;
const MOST_AGGREGATION_KEY: usize = 100;
/// Of a tag.
const MOST_TAG: usize = 200;
/// The API names no limit; a title is for one line.
const MOST_TITLE: usize = 500;

pub(in super::super) struct Layout {
    pub(in super::super) cluster: String,
}

impl super::super::Layout for Layout {
    fn form(&self) -> Form {
        Form::ALONE
    }

    fn render(&self, record: &Record<'_, '_>, out: &mut Vec<u8>) -> Result<(), String> {
        let common = Common::of(record);
        let event = Event {
            title: words::cut(&title(record, &common), MOST_TITLE).into_owned(),
            text: text(record, &common),
            date_happened: common.time.map(|time| time.unix_seconds()).filter(|seconds| *seconds > 0),
            priority: "normal",
            host: self.host(words::host(&common, record.impact)),
            tags: self.tags(record, &common),
            alert_type: alert_type(common.severity),
            aggregation_key: aggregation_key(record, &common),
            source_type_name: "kubernetes",
        };
        json::write(&event, out);
        Ok(())
    }
}

#[derive(Serialize)]
struct Event<'r> {
    title: String,
    text: String,
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
    let (object, rule) = (words::object(&common.object), words::rule(record, common));
    if object.is_empty() { rule.to_owned() } else { format!("{object}: {rule}") }
}

/// The Services come first: what is cut is the end.
fn text(record: &Record<'_, '_>, common: &Common<'_>) -> String {
    let message = words::message(record, common);
    let text = match words::services_in_numbers(record.impact) {
        Some(services) => format!("Services under impact (endpoints ready/all): {services}\n\n{message}"),
        None => message.into_owned(),
    };
    words::cut(&text, MOST_TEXT).into_owned()
}

fn alert_type(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "info",
        Severity::Warning => "warning",
        Severity::Error | Severity::Critical => "error",
    }
}

/// Of an event, as the agent has it: all events of an object stand together.
fn aggregation_key(record: &Record<'_, '_>, common: &Common<'_>) -> String {
    match record.content {
        Content::Event(_) if !common.object.uid.is_empty() => {
            words::named_within(format!("kubernetes_apiserver:{}", common.object.uid), MOST_AGGREGATION_KEY)
        }
        _ => words::series(record, MOST_AGGREGATION_KEY),
    }
}

impl Layout {
    /// The agent calls a node of a named cluster so.
    fn host<'r>(&self, node: &'r str) -> Cow<'r, str> {
        if node.is_empty() || self.cluster.is_empty() {
            Cow::Borrowed(node)
        } else {
            Cow::Owned(format!("{node}-{}", self.cluster))
        }
    }

    fn tags(&self, record: &Record<'_, '_>, common: &Common<'_>) -> Vec<String> {
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
            ("kube_namespace", record.content.namespace()),
            ("kube_kind", object.kind),
            ("kube_name", object.name),
            ("pod_name", pod),
            ("source_component", common.component),
            ("reporting_controller", controller),
            ("event_reason", common.reason),
            ("verb", if matches!(record.content, Content::Audit(_)) { common.action } else { "" }),
        ];
        let services = record.impact.services.iter().map(|service| ("kube_service", service.name));
        let all = known.into_iter().chain(services).filter(|(_, value)| !value.is_empty());
        let mut tags = Vec::new();
        for tag in all.map(|(name, value)| tag(name, value)) {
            // Services of one name in two namespaces.
            if !tags.contains(&tag) {
                tags.push(tag);
            }
        }
        tags
    }
}

/// Datadog turns what it does not allow in a tag into an underscore; a line break would end the tag.
fn tag(name: &str, value: &str) -> String {
    let value = value.replace(|c: char| c.is_control(), "_");
    words::cut(&format!("{name}:{value}"), MOST_TAG).into_owned()
}
