//! `format falco`: events as Falco posts them to falcosidekick, `POST /`.
//!
//! A request holds one event, because falcosidekick decodes one object per request; it forwards the event to some seventy
//! services. The fields of an audit record have the names of Falco's own k8saudit source, so that routing rules fit both.
//! The Services under impact are the field `k8s.service.names`, and a tag each. Nothing is compressed.
//!
//! falcosidekick rejects an event without a priority, rule, time or output field (`Check` in its types/types.go). Fields
//! are texts or numbers only: its outputs ignore other values, and it reads `k8s.ns.name` and `k8s.pod.name` as texts
//! without a check.
//!
//! A 200 means that falcosidekick accepted the event. Its responses do not say whether the other services accepted it.

use std::borrow::Cow;

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use super::common::{Common, Severity};
use super::framing::Framing;
use super::interface::{Adjusted, Format, RenderError};
use super::native::Time;
use super::record::Record;
use super::{json, text};
use crate::kind::Kind;
use crate::record::audit::AuditEvent;
use crate::record::content::Content;
use crate::record::violation::Violation;

pub(in crate::format) struct Falco {
    pub(in crate::format) cluster: String,
}

impl Format for Falco {
    fn framing(&self) -> Framing {
        Framing::ALONE
    }

    fn render(&self, record: &Record<'_, '_>, out: &mut Vec<u8>) -> Result<Adjusted, RenderError> {
        let common = Common::of(record);
        let payload = Payload {
            output: text::message(record, &common),
            priority: priority(common.severity),
            rule: text::rule(record, &common),
            time: Time(Some(record.time_or_now())),
            output_fields: self.fields(record, &common),
            source: source(record.content.kind()),
            tags: record
                .impact
                .services
                .iter()
                .map(|one| format!("service:{}", text::service(one)))
                .collect(),
            hostname: common.node(record.impact),
        };
        json::write(&payload, out);
        Ok(Adjusted::default())
    }
}

#[derive(Serialize)]
struct Payload<'r> {
    output: Cow<'r, str>,
    priority: &'static str,
    rule: &'r str,
    time: Time,
    output_fields: Fields<'r>,
    source: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<String>,
    #[serde(skip_serializing_if = "str::is_empty")]
    hostname: &'r str,
}

fn priority(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "Informational",
        Severity::Warning => "Warning",
        Severity::Error => "Error",
        Severity::Critical => "Critical",
    }
}

/// `k8s_audit` is the source name that Falco itself uses.
fn source(kind: Kind) -> &'static str {
    match kind {
        Kind::Event => "k8s_events",
        Kind::Audit => "k8s_audit",
        Kind::Violation => "gatekeeper",
        Kind::Other => "fluentbit",
    }
}

/// A map of texts and numbers.
#[derive(Default)]
struct Fields<'r>(Vec<(&'static str, FieldValue<'r>)>);

#[derive(Serialize)]
#[serde(untagged)]
enum FieldValue<'r> {
    Text(Cow<'r, str>),
    Number(u64),
}

impl<'r> Fields<'r> {
    /// Adds a text, unless it is empty.
    fn text(&mut self, name: &'static str, value: impl Into<Cow<'r, str>>) {
        let value = value.into();
        if !value.is_empty() {
            self.0.push((name, FieldValue::Text(value)));
        }
    }

    fn number(&mut self, name: &'static str, value: u64) {
        self.0.push((name, FieldValue::Number(value)));
    }
}

impl Serialize for Fields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl Falco {
    fn fields<'r>(&'r self, record: &Record<'r, '_>, common: &Common<'r>) -> Fields<'r> {
        let object = &common.object;
        let mut fields = Fields::default();
        fields.text("record.id", record.id);
        fields.text("k8s.cluster.name", self.cluster.as_str());
        fields.text("k8s.ns.name", object.namespace);
        if object.kind == "Pod" {
            fields.text("k8s.pod.name", object.name);
            fields.text("k8s.pod.uid", object.uid);
        }
        fields.text("k8s.node.name", common.node(record.impact));
        fields.text("k8s.object.kind", object.kind);
        fields.text("k8s.object.name", object.name);
        fields.text("k8s.service.names", text::services(record.impact).unwrap_or_default());
        match record.content {
            Content::Event(_) => {
                fields.text("k8s.event.type", common.r#type);
                fields.text("k8s.event.reason", common.reason);
                fields.text("k8s.event.component", common.component);
                fields.number("k8s.event.count", common.count);
                if let Some(count) = record.content.implausible_count() {
                    fields.number("original_count", count);
                }
            }
            Content::Audit(audit) => of_audit(audit, &mut fields),
            Content::Violation(violation) => of_violation(violation, &mut fields),
            Content::Other => {}
        }
        fields
    }
}

/// The fields have the names of Falco's plugin k8saudit.
fn of_audit<'r>(audit: &'r AuditEvent<'_>, fields: &mut Fields<'r>) {
    fields.text("ka.auditid", &*audit.audit_id);
    fields.text("ka.stage", &*audit.stage);
    fields.text("ka.verb", &*audit.verb);
    fields.text("ka.uri", &*audit.request_uri);
    fields.text("ka.useragent", &*audit.user_agent);
    fields.text("ka.user.name", &*audit.user.name);
    fields.text("ka.impuser.name", audit.impersonated_user.as_ref().map_or("", |user| &*user.name));
    fields.text("ka.auth.decision", &*audit.decision);
    fields.text("ka.auth.reason", &*audit.decision_reason);
    fields.text("ka.target.resource", &*audit.object.resource);
    fields.text("ka.target.subresource", &*audit.object.subresource);
    fields.text("ka.target.namespace", &*audit.object.namespace);
    fields.text("ka.target.name", &*audit.object.name);
    // Falco's plugin has it as a text, too.
    fields.text("ka.response.code", audit.response.code.map(|code| code.to_string()).unwrap_or_default());
    fields.text("ka.response.reason", &*audit.response.reason);
}

fn of_violation<'r>(violation: &'r Violation<'_>, fields: &mut Fields<'r>) {
    fields.text("gatekeeper.constraint.kind", &*violation.constraint.kind);
    fields.text("gatekeeper.constraint.name", &*violation.constraint.name);
    fields.text("gatekeeper.enforcement_action", &*violation.enforcement_action);
    fields.text("gatekeeper.run", &*violation.run);
    fields.text("gatekeeper.user", &*violation.request.user);
}
