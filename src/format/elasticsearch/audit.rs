//! `kubernetes.audit`: the record as Elastic's integration for audit logs takes it, without the bodies of request and
//! response, which have more fields than an index allows.
//!
//! The integration maps the two times as dates and the response's code as an integer. Other values are left out, because
//! Elasticsearch would reject the whole document.

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use crate::format::native::Time;
use crate::record::audit::AuditEvent;
use crate::record::raw::Raw;
use crate::time::Stamp;

/// An audit record as it came, without its bodies.
pub(super) struct KubernetesAudit<'r> {
    pub(super) all: Raw<'r>,
    pub(super) code: Option<u64>,
}

impl Serialize for KubernetesAudit<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (name, value) in self.all.pairs() {
            match &*name {
                "requestObject" | "responseObject" => {}
                "stageTimestamp" | "requestReceivedTimestamp" => {
                    let time = value.as_text().and_then(|text| Stamp::parse_set(&text));
                    if time.is_some() {
                        map.serialize_entry(&name, &Time(time))?;
                    }
                }
                "responseStatus" if !value.is_map() => {}
                "responseStatus" => {
                    map.serialize_entry(&name, &ResponseStatus { all: value, code: self.code })?
                }
                _ => map.serialize_entry(&name, &value)?,
            }
        }
        map.end()
    }
}

/// `responseStatus`, with the decoded code.
struct ResponseStatus<'r> {
    all: Raw<'r>,
    code: Option<u64>,
}

impl Serialize for ResponseStatus<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (name, value) in self.all.pairs() {
            match (&*name, self.code.and_then(|code| i32::try_from(code).ok())) {
                ("code", Some(code)) => map.serialize_entry(&name, &code)?,
                ("code", None) => {}
                _ => map.serialize_entry(&name, &value)?,
            }
        }
        map.end()
    }
}

#[derive(Serialize)]
pub(super) struct Http {
    response: HttpResponse,
}

#[derive(Serialize)]
struct HttpResponse {
    status_code: u64,
}

pub(super) fn http(audit: &AuditEvent<'_>) -> Option<Http> {
    // A status has three digits; a larger number could have the document rejected.
    audit
        .response
        .code
        .filter(|code| *code < 1_000)
        .map(|status_code| Http { response: HttpResponse { status_code } })
}

/// `success`, `failure` or `unknown`, as ECS defines it. As in the pipeline of Elastic's integration, it is the decision
/// of the authorizer; `http.response.status_code` shows the result of the request. Without a decision, the response's code
/// decides: the record is from before the authorizer, or the audit policy leaves the annotation out.
pub(super) fn outcome(audit: &AuditEvent<'_>) -> &'static str {
    match (&*audit.decision, audit.response.code) {
        ("allow", _) => "success",
        ("forbid", _) => "failure",
        (_, Some(100..=399)) => "success",
        (_, Some(400..)) => "failure",
        _ => "unknown",
    }
}
