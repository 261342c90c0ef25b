//! `kubernetes.audit`: the record as the Elastic integration for audit logs takes it, without the bodies, whose
//! fields would be more than an index can hold.
//!
//! That integration maps its two times as dates and the answer's code as an integer: what is none is left out, as the
//! whole document would be refused for it.

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use crate::format::native::Time;
use crate::record::audit::AuditEvent;
use crate::record::raw::Raw;
use crate::time::Stamp;

/// An audit record as it came, less its bodies.
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

/// The status of the answer, with its code as it was read.
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
    // No status has four digits, and what fits no number of an index would have the document refused.
    audit
        .response
        .code
        .filter(|code| *code < 1_000)
        .map(|status_code| Http { response: HttpResponse { status_code } })
}

/// By ECS `success`, `failure` or `unknown`. As the pipeline of Elastic's integration has it, it is what the authorizer
/// decided; what came of the request then stands in `http.response.status_code`. Where nobody decided, as in front of the
/// authorizer or under a policy that leaves the annotation out, the answer says it.
pub(super) fn outcome(audit: &AuditEvent<'_>) -> &'static str {
    match (&*audit.decision, audit.response.code) {
        ("allow", _) => "success",
        ("forbid", _) => "failure",
        (_, Some(100..=399)) => "success",
        (_, Some(400..)) => "failure",
        _ => "unknown",
    }
}
