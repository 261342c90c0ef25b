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
    audit.response.code.map(|status_code| Http { response: Status { status_code } })
}

/// By ECS `success`, `failure` or `unknown`.
pub(super) fn outcome(audit: &AuditEvent<'_>) -> &'static str {
    match audit.response.code {
        Some(200..=399) => "success",
        Some(400..) => "failure",
        _ => "unknown",
    }
}
