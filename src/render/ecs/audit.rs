//! `kubernetes.audit`: the record as the Elastic integration for audit logs takes it, without the bodies, whose
//! fields would be more than an index can hold.

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use crate::record::audit::AuditEvent;
use crate::record::raw::Raw;

/// An audit record as it came, less its bodies.
pub(super) struct Audit<'r>(pub(super) Raw<'r>);

impl Serialize for Audit<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (name, value) in self.0.pairs() {
            match &*name {
                "requestObject" | "responseObject" => {}
                _ => map.serialize_entry(&name, &value)?,
            }
        }
        map.end()
    }
}

#[derive(Serialize)]
pub(super) struct Http {
    response: Status,
}

#[derive(Serialize)]
struct Status {
    status_code: u64,
}

pub(super) fn http(audit: &AuditEvent<'_>) -> Option<Http> {
    // No status has four digits, and what fits no number of an index would have the document refused.
    audit
        .response
        .code
        .filter(|code| *code < 1_000)
        .map(|status_code| Http { response: Status { status_code } })
}

/// By ECS `success`, `failure` or `unknown`. As the pipeline of Elastic's integration has it, it is what the authorizer
/// decided; what came of the request then stands in `http.response.status_code`. Where nobody decided, as in front of the
/// authorizer or under a policy that leaves the annotation out, the answer tells.
pub(super) fn outcome(audit: &AuditEvent<'_>) -> &'static str {
    match (&*audit.decision, audit.response.code) {
        ("allow", _) => "success",
        ("forbid", _) => "failure",
        (_, Some(100..=399)) => "success",
        (_, Some(400..)) => "failure",
        _ => "unknown",
    }
}
