//! A record as a log record of OTLP, with the attributes of its resource.

use std::borrow::Cow;

use crate::correlate::Workload;
use crate::format::common::{Common, Severity};
use crate::format::record::Record;
use crate::record::audit::AuditEvent;
use crate::record::content::Content;
use crate::record::event::{KubeEvent, MOST_OCCURRENCES};
use crate::record::violation::Violation;
use crate::time::Stamp;

/// The value of an attribute.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum AttributeValue<'r> {
    Text(Cow<'r, str>),
    Int(i64),
    List(Vec<Cow<'r, str>>),
}

/// Attributes; each name is unique.
pub(super) type Attributes<'r> = Vec<(Cow<'static, str>, AttributeValue<'r>)>;

/// One log record and its resource.
#[derive(Debug)]
pub(super) struct Log<'r> {
    pub(super) resource: Attributes<'r>,
    /// Nanoseconds since 1970; 0 is unknown.
    pub(super) time_nanos: u64,
    /// When the host received it, which is the same for each resend; never 0.
    pub(super) observed_nanos: u64,
    /// Whether the time differs from the true one.
    pub(super) has_other_time: bool,
    /// OpenTelemetry's severity number: 9 is INFO, 13 WARN, 17 ERROR, 21 FATAL.
    pub(super) severity: u8,
    pub(super) severity_text: &'r str,
    pub(super) body: Cow<'r, str>,
    pub(super) attributes: Attributes<'r>,
    /// The kind of the record.
    pub(super) event_name: &'static str,
}

/// Name and version of the instrumentation scope, the same for every record.
pub(super) const SCOPE: (&str, &str) = ("fluent-bit-event-gateway", env!("CARGO_PKG_VERSION"));

/// Builds a list of attributes; empty values are left out.
struct AttributeList<'r>(Attributes<'r>);

impl<'r> AttributeList<'r> {
    fn text(&mut self, name: impl Into<Cow<'static, str>>, text: impl Into<Cow<'r, str>>) {
        let text = text.into();
        if !text.is_empty() {
            self.0.push((name.into(), AttributeValue::Text(text)));
        }
    }

    fn int(&mut self, name: &'static str, number: impl TryInto<i64>) {
        self.0.push((name.into(), AttributeValue::Int(number.try_into().unwrap_or(i64::MAX))));
    }

    fn list(&mut self, name: &'static str, texts: Vec<Cow<'r, str>>) {
        if !texts.is_empty() {
            self.0.push((name.into(), AttributeValue::List(texts)));
        }
    }
}

impl<'r> Log<'r> {
    pub(super) fn of(record: &Record<'r, 'r>, cluster: &'r str) -> Self {
        let common = Common::of(record);
        let mut attributes = AttributeList(Vec::with_capacity(16));
        match record.content {
            Content::Event(event) => of_event(event, &mut attributes),
            Content::Audit(audit) => of_audit(audit, &mut attributes),
            Content::Violation(violation) => of_violation(violation, &mut attributes),
            Content::Other => {}
        }
        attributes.text("log.record.uid", record.id);
        let beyond = common.time.filter(|time| i128::from(nanos(*time)) != time.unix_nanos());
        if let Some(time) = beyond {
            attributes.text("original_time", time.to_string());
        }
        let received = record.received.filter(|time| time.is_set());
        let services = record.impact.services.iter();
        let services = services.map(|one| Cow::Owned(format!("{}/{}", one.namespace, one.name)));
        attributes.list("k8s.impact.services", services.collect());
        let body = match record.content {
            Content::Other => Cow::Owned(as_json(record)),
            _ => common.message.clone(),
        };
        Self {
            resource: resource(record, &common, cluster),
            time_nanos: common.time.map_or(0, nanos),
            observed_nanos: nanos(received.or(common.time).unwrap_or(record.now)),
            has_other_time: beyond.is_some(),
            severity: severity(common.severity),
            severity_text: if common.r#type.is_empty() { common.severity.name() } else { common.r#type },
            body,
            attributes: attributes.0,
            event_name: record.content.kind().name(),
        }
    }
}

/// The nearest time that the field holds, from 1970 to 2262; 0 would mean unknown. The field is unsigned, but the
/// collector's pdata reads it as a signed number.
fn nanos(time: Stamp) -> u64 {
    u64::try_from(time.unix_nanos().clamp(1, i64::MAX.into())).unwrap_or(1)
}

const fn severity(severity: Severity) -> u8 {
    match severity {
        Severity::Info => 9,
        Severity::Warning => 13,
        Severity::Error => 17,
        Severity::Critical => 21,
    }
}

/// A record of unknown kind as it came, as JSON.
fn as_json(record: &Record<'_, '_>) -> String {
    let mut text = Vec::with_capacity(record.body.len() * 2);
    crate::format::json::write(&crate::record::raw::Raw::new(record.body), &mut text);
    String::from_utf8(text).unwrap_or_default()
}

fn resource<'r>(record: &Record<'r, 'r>, common: &Common<'r>, cluster: &'r str) -> Attributes<'r> {
    let mut said = AttributeList(Vec::with_capacity(12));
    let impact = record.impact;
    said.text("k8s.cluster.name", cluster);
    said.text("k8s.node.name", common.node(impact));
    said.text("k8s.object.kind", common.object.kind);
    said.text("k8s.object.name", common.object.name);
    said.text("k8s.object.uid", common.object.uid);
    said.text("k8s.object.fieldpath", common.object.field_path);
    said.text("k8s.object.api_version", common.object.api_version);
    if let Content::Event(event) = record.content {
        said.text("k8s.object.resource_version", &*event.object.resource_version);
    }
    if let Some(workload) = impact.workload {
        of_workload(workload, &mut said);
    }
    said.0
}

/// Adds `k8s.deployment.name` and the like, if the semantic conventions have a name for the kind.
fn of_workload<'r>(workload: Workload<'r>, said: &mut AttributeList<'r>) {
    let known = ["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob"];
    if known.contains(&workload.kind) {
        said.text(format!("k8s.{}.name", workload.kind.to_ascii_lowercase()), workload.name);
    }
}

/// The names are those of the collector's `k8s_event_to_logdata.go`.
fn of_event<'r>(event: &'r KubeEvent<'_>, said: &mut AttributeList<'r>) {
    said.text("k8s.event.reason", &*event.reason);
    said.text("k8s.event.action", &*event.action);
    said.text("k8s.event.start_time", go_time(&event.metadata.creation_timestamp));
    said.text("k8s.event.name", &*event.metadata.name);
    said.text("k8s.event.uid", &*event.metadata.uid);
    said.text("k8s.namespace.name", &*event.object.namespace);
    if let Some(count) = event.count.filter(|count| *count != 0) {
        said.int("k8s.event.count", count.min(MOST_OCCURRENCES));
    }
    if let Some(count) = event.implausible_count() {
        said.int("original_count", count);
    }
}

/// A time as Go prints it: `2026-11-20 23:28:49 +0000 UTC`.
fn go_time(text: &str) -> String {
    Stamp::parse_set(text).map_or_else(String::new, |time| {
        format!("{} +0000 UTC", time.text().as_str().trim_end_matches('Z').replace('T', " "))
    })
}

fn of_audit<'r>(audit: &'r AuditEvent<'_>, said: &mut AttributeList<'r>) {
    said.text("k8s.audit.id", &*audit.audit_id);
    said.text("k8s.audit.stage", &*audit.stage);
    said.text("k8s.audit.level", &*audit.level);
    said.text("k8s.audit.verb", &*audit.verb);
    said.text("k8s.audit.resource", &*audit.object.resource);
    said.text("k8s.audit.subresource", &*audit.object.subresource);
    said.text("k8s.audit.decision", &*audit.decision);
    said.text("k8s.namespace.name", &*audit.object.namespace);
    said.text("user.name", &*audit.user.name);
    said.text("user.id", &*audit.user.uid);
    said.list("user.roles", texts(audit.user.groups));
    if let Some(other) = &audit.impersonated_user {
        said.text("k8s.audit.impersonated_user", &*other.name);
    }
    said.text("client.address", first_address(audit).unwrap_or_default());
    said.text("user_agent.original", &*audit.user_agent);
    said.text("url.path", audit.request_uri.split('?').next().unwrap_or_default());
    if let Some(code) = audit.response.code {
        said.int("http.response.status_code", code);
    }
}

/// The client's address; a proxy may add an empty one before it.
fn first_address<'r>(audit: &AuditEvent<'r>) -> Option<Cow<'r, str>> {
    audit.source_ips.texts().find(|address| !address.trim().is_empty())
}

fn texts<'r>(list: crate::record::raw::Raw<'r>) -> Vec<Cow<'r, str>> {
    list.texts().collect()
}

fn of_violation<'r>(violation: &'r Violation<'_>, said: &mut AttributeList<'r>) {
    let Violation { constraint, resource, request, .. } = violation;
    said.text("gatekeeper.process", if violation.is_of_an_audit() { "audit" } else { "admission" });
    said.text("gatekeeper.run", &*violation.run);
    said.text("gatekeeper.constraint.kind", &*constraint.kind);
    said.text("gatekeeper.constraint.name", &*constraint.name);
    said.text("gatekeeper.constraint.namespace", &*constraint.namespace);
    said.text("gatekeeper.enforcement_action", &*violation.enforcement_action);
    said.text("k8s.namespace.name", &*resource.namespace);
    said.text("user.name", &*request.user);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::correlate::{Correlation, Impact};

    #[test]
    fn times_are_those_that_a_signed_number_holds() {
        let impact = Impact::without(Correlation::Off);
        for (taken, nanos, has_other_time) in [
            ("2262-04-11T23:47:16.854775807Z", i64::MAX, false),
            ("2262-04-11T23:47:16.854775808Z", i64::MAX, true),
            ("9999-12-31T23:59:59Z", i64::MAX, true),
            ("1969-12-31T23:59:59Z", 1, true),
            ("2026-11-20T23:28:49Z", 1_795_217_329_000_000_000, false),
        ] {
            let record = Record {
                received: Stamp::parse(taken),
                ..Record::new("i", Content::Other, &impact, b"\x80")
            };
            let log = Log::of(&record, "");
            assert_eq!(i64::try_from(log.time_nanos), Ok(nanos), "{taken}");
            assert_eq!((log.observed_nanos, log.has_other_time), (log.time_nanos, has_other_time), "{taken}");
        }
        // A host without a time says the beginning of 1970.
        let now = Stamp::from_unix_seconds(7).unwrap();
        let record = Record::new("i", Content::Other, &impact, b"\x80");
        let record = Record { received: Some(Stamp::EPOCH), now, ..record };
        assert_eq!(Log::of(&record, "").observed_nanos, 7_000_000_000);
    }
}
