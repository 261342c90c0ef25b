//! The columns that all formats share: the fields of each kind of record under one set of names.

use std::borrow::Cow;
use std::fmt::Write;

use super::record::Record;
use crate::correlate::{Impact, kind_of};
use crate::record::audit::AuditEvent;
use crate::record::content::Content;
use crate::record::event::KubeEvent;
use crate::record::violation::Violation;
use crate::time::Stamp;

/// The severity of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Severity {
    Info,
    Warning,
    Error,
    Critical,
}

impl Severity {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Critical => "critical",
        }
    }
}

/// A record under one set of names. A text that the record does not have is empty.
#[derive(Debug)]
pub(super) struct Common<'r> {
    pub(super) time: Option<Stamp>,
    pub(super) first_time: Option<Stamp>,
    pub(super) r#type: &'r str,
    pub(super) severity: Severity,
    pub(super) reason: &'r str,
    pub(super) message: Cow<'r, str>,
    pub(super) action: &'r str,
    pub(super) count: u64,
    /// The component that reports it, then its host and its instance.
    pub(super) component: &'r str,
    pub(super) host: &'r str,
    pub(super) instance: &'r str,
    pub(super) object: RecordObject<'r>,
}

/// The object that a record is about.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct RecordObject<'r> {
    pub(super) api_version: &'r str,
    pub(super) kind: &'r str,
    /// The resource as in the path of a request, such as `pods`; only audit records and admissions have it.
    pub(super) resource: &'r str,
    pub(super) subresource: &'r str,
    pub(super) namespace: &'r str,
    pub(super) name: &'r str,
    pub(super) uid: &'r str,
    pub(super) field_path: &'r str,
}

impl<'r> Common<'r> {
    /// The node where it happened: the reporting host, or the Node that it is about, or the Node of its object.
    pub(super) fn node(&self, impact: &Impact<'r>) -> &'r str {
        let RecordObject { kind, api_version, name, .. } = self.object;
        if !self.host.is_empty() {
            self.host
        } else if kind == "Node" && matches!(api_version, "" | "v1") && !name.is_empty() {
            name
        } else {
            impact.node.map_or("", |node| node.name)
        }
    }

    pub(super) fn of(record: &Record<'r, '_>) -> Self {
        let content = record.content;
        let (time, first_time) = (record.time(), record.first_time());
        match content {
            Content::Event(event) => Self { time, first_time, ..of_event(event) },
            Content::Audit(audit) => Self { time, first_time, ..of_audit(audit) },
            Content::Violation(violation) => Self { time, first_time, ..of_violation(violation) },
            Content::Other => Self { time, first_time, ..Self::nothing() },
        }
    }

    const fn nothing() -> Self {
        Self {
            time: None,
            first_time: None,
            r#type: "",
            severity: Severity::Info,
            reason: "",
            message: Cow::Borrowed(""),
            action: "",
            count: 1,
            component: "",
            host: "",
            instance: "",
            object: RecordObject {
                api_version: "",
                kind: "",
                resource: "",
                subresource: "",
                namespace: "",
                name: "",
                uid: "",
                field_path: "",
            },
        }
    }
}

fn of_event<'r>(event: &'r KubeEvent<'_>) -> Common<'r> {
    let component =
        if event.source.component.is_empty() { &event.reporting_component } else { &event.source.component };
    Common {
        r#type: &event.event_type,
        severity: severity_of_type(&event.event_type),
        reason: &event.reason,
        message: Cow::Borrowed(&event.message),
        action: &event.action,
        count: event.occurrences(),
        component,
        host: &event.source.host,
        instance: &event.reporting_instance,
        object: RecordObject {
            api_version: &event.object.api_version,
            kind: &event.object.kind,
            namespace: &event.object.namespace,
            name: &event.object.name,
            uid: &event.object.uid,
            field_path: &event.object.field_path,
            ..RecordObject::default()
        },
        ..Common::nothing()
    }
}

/// Kubernetes uses Normal and Warning; other senders use the words of loggers, in any case.
fn severity_of_type(event_type: &str) -> Severity {
    const WORDS: [(Severity, &[&str]); 3] = [
        (Severity::Warning, &["warning", "warn"]),
        (Severity::Error, &["error", "err"]),
        (Severity::Critical, &["critical", "crit", "fatal", "alert", "emergency", "emerg", "panic"]),
    ];
    if matches!(event_type, "Normal" | "") {
        return Severity::Info;
    }
    let is_one = |words: &[&str]| words.iter().any(|word| word.eq_ignore_ascii_case(event_type));
    WORDS.iter().find(|(_, words)| is_one(words)).map_or(Severity::Info, |(severity, _)| *severity)
}

fn of_audit<'r>(audit: &'r AuditEvent<'_>) -> Common<'r> {
    let object = &audit.object;
    Common {
        severity: severity_of_audit(audit),
        reason: &audit.response.reason,
        message: Cow::Owned(sentence(audit)),
        action: &audit.verb,
        component: "kube-apiserver",
        object: RecordObject {
            api_version: &object.api_version,
            kind: kind_of(object),
            resource: &object.resource,
            subresource: &object.subresource,
            namespace: &object.namespace,
            name: &object.name,
            uid: &object.uid,
            field_path: "",
        },
        ..Common::nothing()
    }
}

/// A refused request is a warning; a request at which the API server failed is an error.
fn severity_of_audit(audit: &AuditEvent<'_>) -> Severity {
    match audit.response.code {
        _ if audit.stage == "Panic" => Severity::Critical,
        Some(500..) => Severity::Error,
        Some(400..=499) => Severity::Warning,
        _ if audit.decision == "forbid" => Severity::Warning,
        _ => Severity::Info,
    }
}

/// `admin (as jane): delete pods/exec shop/cart-1: 403 Forbidden`, for formats with a message of one line.
fn sentence(audit: &AuditEvent<'_>) -> String {
    let AuditEvent { user, impersonated_user, verb, object, response, request_uri, .. } = audit;
    let mut text = user.name.to_string();
    // Writing to a String cannot fail.
    if let Some(other) = impersonated_user {
        let _ = write!(text, " (as {})", other.name);
    }
    let _ = write!(text, ": {verb}");
    if object.resource.is_empty() {
        let _ = write!(text, " {request_uri}");
    } else {
        let _ = write!(text, " {}", object.resource);
        for (sign, part) in [("/", &object.subresource), (" ", &object.namespace)] {
            if !part.is_empty() {
                let _ = write!(text, "{sign}{part}");
            }
        }
        let sign = if object.namespace.is_empty() { " " } else { "/" };
        if !object.name.is_empty() {
            let _ = write!(text, "{sign}{}", object.name);
        }
    }
    if let Some(code) = response.code {
        let _ = write!(text, ": {code}");
    }
    if !response.reason.is_empty() {
        let _ = write!(text, " {}", response.reason);
    }
    text
}

fn of_violation<'r>(violation: &'r Violation<'_>) -> Common<'r> {
    let Violation { constraint, resource, request, .. } = violation;
    Common {
        severity: if violation.enforcement_action == "dryrun" { Severity::Info } else { Severity::Warning },
        reason: &constraint.kind,
        message: Cow::Borrowed(&violation.message),
        action: &violation.enforcement_action,
        component: "gatekeeper",
        object: RecordObject {
            api_version: &resource.api_version,
            kind: &resource.kind,
            resource: &request.resource,
            subresource: &request.subresource,
            namespace: &resource.namespace,
            name: &resource.name,
            ..RecordObject::default()
        },
        ..Common::nothing()
    }
}
