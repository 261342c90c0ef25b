//! Identity: when two records are the same, and which of two is newer. One rule for every kind, in the output and in the
//! filter.
//!
//! A record is a repetition only if its own identifiers say so:
//!
//! | kind | which object | which version of it |
//! |---|---|---|
//! | event | `metadata.uid` | `metadata.resourceVersion` |
//! | audit record | `auditID`, `stage`, both timestamps, user, verb and URI | (there is one) |
//! | violation | all but run and time, including the details | the run of the audit, or the uid of the request |
//!
//! If any part of that is missing, all fields that the kind's reader knows decide ([`content_hash`]): two such records are the
//! same only if they are equal. What the host or its filters added does not count, nor does the host's own timestamp, which
//! differs after a restart. Records of unknown kind stay out of the ledger: two equal log lines are two occurrences.
//!
//! The ledger's identity is made of the body as it came. The visible id is made only of what may leave, so that a
//! reader cannot guess what was redacted by trying what gives the same id.

mod id;
pub mod rules;
mod version;

use xxhash_rust::xxh3::{Xxh3, xxh3_128};

use crate::kind::Kind;
use crate::record::audit::AuditEvent;
use crate::record::content::Content;
use crate::record::content_hash;
use crate::record::event::KubeEvent;
use crate::record::violation::Violation;
use crate::time::Stamp;

pub use id::{record_id, write_id};
pub use version::Version;

/// What two records about the same object share. A collision would lose an event, so it has 128 bits: with a million entries the
/// chance of one is below 10⁻²⁶.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Identity(pub u128);

/// The state of one object that a record tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Versioned {
    /// The same for all versions of the object.
    pub identity: Identity,
    /// Distinguishes its versions, and says which is newer.
    pub version: Version,
    /// Its occurrences so far. Kubernetes counts in an int32.
    pub count: u32,
}

/// What the ledger knows a record by; `None` for a record of unknown kind.
///
/// `body` is the record as it came, and `content` what was read of it.
#[must_use]
pub fn versioned(content: &Content<'_, '_>, body: &[u8]) -> Option<Versioned> {
    let (identity, version) = match content {
        Content::Event(event) => of_event(event, body),
        Content::Audit(audit) => (of_audit(audit, body), Version(0)),
        Content::Violation(violation) => of_violation(violation, body),
        Content::Other => return None,
    };
    let count = u32::try_from(content.occurrences()).unwrap_or(u32::MAX);
    Some(Versioned { identity, version, count })
}

fn of_event(event: &KubeEvent<'_>, body: &[u8]) -> (Identity, Version) {
    let (uid, version) = (&*event.metadata.uid, &*event.metadata.resource_version);
    if !uid.is_empty() && !version.is_empty() {
        return (of_uid(uid), Version::parse(version));
    }
    if uid.is_empty() && event.metadata.name.is_empty() {
        // No other record can be recognised as a later version of it.
        return (equal(Kind::Event, body), Version(0));
    }
    // The hash of all fields distinguishes its versions, and its occurrences still add up.
    (series(event), Version::of_hash(content_hash::hash(Kind::Event, body)))
}

/// What all versions of an event with this uid share.
#[must_use]
pub fn of_uid(uid: &str) -> Identity {
    hash(&["uid", uid])
}

/// One request passes through several stages, and each is a record.
///
/// A client may choose the id of its request (the header `Audit-ID`). The id alone makes no repetition, so that nobody can
/// hide a request behind the id of another.
fn of_audit(audit: &AuditEvent<'_>, body: &[u8]) -> Identity {
    if !is_identified(audit) {
        return equal(Kind::Audit, body);
    }
    let AuditEvent { audit_id, stage, request_received, stage_time, user, verb, request_uri, .. } = audit;
    hash(&["audit", audit_id, stage, request_received, stage_time, &user.name, verb, request_uri])
}

/// Whether an audit record has all of its identifiers.
fn is_identified(audit: &AuditEvent<'_>) -> bool {
    let is_time = |text| Stamp::parse_set(text).is_some();
    !audit.stage.is_empty() && is_time(&audit.stage_time) && is_time(&audit.request_received)
}

/// One object may violate a constraint in several ways: Gatekeeper's results are a set over message and details. From one
/// run of the audit to the next, all but the run and the time stays the same.
fn of_violation(violation: &Violation<'_>, body: &[u8]) -> (Identity, Version) {
    if !is_found_by_a_run(violation) {
        return (equal(Kind::Violation, body), Version(0));
    }
    let found = content_hash::hash_without(Kind::Violation, body, &["id", "timestamp"]);
    (hash(&["violation and details", &format!("{found:032x}")]), Version::parse(&violation.run))
}

/// Whether a violation has all of its identifiers, including the run.
fn is_found_by_a_run(violation: &Violation<'_>) -> bool {
    let Violation { constraint, resource, run, message, .. } = violation;
    let parts = [run, &constraint.kind, &constraint.name, &resource.kind, &resource.name, message];
    parts.into_iter().all(|part| !part.is_empty())
}

/// The identity of a record without its own identifiers: a hash of all its known fields.
fn equal(kind: Kind, body: &[u8]) -> Identity {
    hash(&["equal", kind.name(), &format!("{:032x}", content_hash::hash(kind, body))])
}

/// The identity of a series of events: the uid, or, without one, namespace, name, reason, object and first time.
#[must_use]
pub fn series(event: &KubeEvent<'_>) -> Identity {
    if !event.metadata.uid.is_empty() {
        return of_uid(&event.metadata.uid);
    }
    let object = &event.object;
    let first_time = event.first_time().map(|time| time.to_string()).unwrap_or_default();
    hash(&[
        "series",
        &event.metadata.namespace,
        &event.metadata.name,
        &event.reason,
        &object.kind,
        &object.namespace,
        &object.name,
        &object.uid,
        &object.field_path,
        &first_time,
    ])
}

/// A stable hash over the parts. It includes their lengths, so that the same text split elsewhere gives another hash.
fn hash(parts: &[&str]) -> Identity {
    // To hash one piece takes a fifth of the time, and most parts are short.
    let mut piece = [0; 128];
    let mut rest = &mut piece[..];
    for part in parts {
        let len = (part.len() as u64).to_le_bytes();
        let Some((place, behind)) = rest.split_at_mut_checked(len.len() + part.len()) else {
            return hash_in_pieces(parts);
        };
        place[..len.len()].copy_from_slice(&len);
        place[len.len()..].copy_from_slice(part.as_bytes());
        rest = behind;
    }
    let left = rest.len();
    Identity(xxh3_128(&piece[..piece.len() - left]))
}

fn hash_in_pieces(parts: &[&str]) -> Identity {
    let mut hasher = Xxh3::new();
    for part in parts {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    Identity(hasher.digest128())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_one_piece_or_in_many_the_hash_is_the_same() {
        for len in 0..200 {
            let text = "x".repeat(len);
            for parts in [&["uid", &text][..], &["event", &text, "", &text, "name"]] {
                assert_eq!(hash(parts), hash_in_pieces(parts), "{len}");
            }
        }
        // The value with which the first ledgers were written.
        assert_eq!(hash(&["uid", "a"]).0, 0x41561b7c96db73409bd187ea5d7f4df0);
    }
}
