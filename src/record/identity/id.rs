//! The visible id of a record, made only of what may leave.

use std::fmt::Write;

use xxhash_rust::xxh3::xxh3_128;

use super::{hash, is_found_by_a_run, is_identified, of_violation};
use crate::kind::Kind;
use crate::record::audit::AuditEvent;
use crate::record::content::Content;
use crate::record::content_hash;
use crate::record::event::KubeEvent;

/// Writes the id of a record into a buffer, which many records may share: `<uid>.<resourceVersion>` for an event,
/// `<auditID>.<stage>.<hash>` for an audit record, `<violation>.<run>`, and a hash of the body for anything else.
///
/// `content` and `body` are the record as it leaves. A client may choose the `auditID` of somebody else's request, and a
/// receiver that drops repeated ids must not drop that record. So the hash is over times too: no client chooses the
/// microseconds.
pub fn write_id(content: &Content<'_, '_>, body: &[u8], id: &mut String) {
    id.clear();
    // Writing to a String cannot fail.
    let _ = match content {
        Content::Event(event) => return write_record_id(event, body, id),
        Content::Audit(audit) => {
            let AuditEvent { audit_id, stage, request_received, stage_time, verb, .. } = *audit;
            if is_identified(audit) {
                let hash = hash(&[audit_id, stage, request_received, stage_time, verb]).0 >> 64;
                write!(id, "{audit_id}.{stage}.{hash:016x}")
            } else {
                write!(id, "{audit_id}.{stage}.{:032x}", content_hash::hash(Kind::Audit, body))
            }
        }
        Content::Violation(violation) => {
            let (identity, _) = of_violation(violation, body);
            let dot = if is_found_by_a_run(violation) { "." } else { "" };
            let run = if dot.is_empty() { "" } else { &violation.run };
            write!(id, "{:032x}{dot}{run}", identity.0)
        }
        Content::Other => write!(id, "{:032x}", xxh3_128(body)),
    };
}

/// `<event uid>.<resourceVersion>`: the id of a record, the same from every replica, restart and retry.
#[must_use]
pub fn record_id(event: &KubeEvent<'_>, body: &[u8]) -> String {
    let mut id = String::new();
    write_record_id(event, body, &mut id);
    id
}

fn write_record_id(event: &KubeEvent<'_>, body: &[u8], id: &mut String) {
    let (uid, version) = (&*event.metadata.uid, &*event.metadata.resource_version);
    id.push_str(uid);
    if uid.is_empty() || version.is_empty() {
        let dot = if uid.is_empty() { "" } else { "." };
        // Writing to a String cannot fail.
        let _ = write!(id, "{dot}{:032x}", content_hash::hash(Kind::Event, body));
    } else {
        id.push('.');
        id.push_str(version);
    }
}
