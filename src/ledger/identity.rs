//! What makes two records the same, and which of two is newer.
//!
//! The API server gives each event object a uid for life and a new resourceVersion with each change; both
//! are the same seen from every replica, restart and retry.

use std::borrow::Cow;
use std::fmt::Write;

use xxhash_rust::xxh3::{Xxh3, xxh3_64, xxh3_128};

use super::Versioned;
use crate::record::audit::AuditEvent;
use crate::record::content::Content;
use crate::record::event::KubeEvent;
use crate::record::violation::Violation;

/// Names one event object. 128 bits, because a collision would swallow an event: with a million entries
/// the chance of one is below 10⁻²⁶.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Identity(pub u128);

/// One state of an event object. Numeric versions (etcd revisions, below 2⁶³, without leading zeros) keep their order;
/// any other text is kept as a hash with the top bit set and has none. So two texts are one version only when they
/// are one text, as in a record's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Version(pub u64);

const TEXT: u64 = 1 << 63;

impl Version {
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let is_number = text == "0" || text.starts_with(|first| matches!(first, '1'..='9'));
        match text.parse::<u64>() {
            Ok(number) if is_number && number < TEXT => Self(number),
            _ => Self(xxh3_64(text.as_bytes()) | TEXT),
        }
    }

    fn is_number(self) -> bool {
        self.0 < TEXT
    }

    /// By number when both are numbers; else any other version is newer.
    #[must_use]
    pub fn is_newer_than(self, other: Self) -> bool {
        if self.is_number() && other.is_number() { self > other } else { self != other }
    }
}

/// The uid, else a hash of what stays the same over the life of an event: namespace, name, reason,
/// object and first time.
#[must_use]
pub fn identity(event: &KubeEvent<'_>) -> Identity {
    if !event.metadata.uid.is_empty() {
        return hash(&["uid", &event.metadata.uid]);
    }
    let object = &event.object;
    hash(&[
        "event",
        &event.metadata.namespace,
        &event.metadata.name,
        &event.reason,
        &object.kind,
        &object.namespace,
        &object.name,
        &object.uid,
        &object.field_path,
        event.first_time(),
    ])
}

/// The resourceVersion; for a record without one, what moves when the event does.
#[must_use]
pub fn version_text<'e>(event: &'e KubeEvent<'_>) -> Cow<'e, str> {
    if event.metadata.resource_version.is_empty() {
        Cow::Owned(format!("{}-{}", event.occurrences(), event.time()))
    } else {
        Cow::Borrowed(&event.metadata.resource_version)
    }
}

/// What makes an audit record the same: one request passes through several stages, and each is told once.
///
/// A client may choose the id of its request (the header `Audit-ID`). So that nobody can hide a request behind the id
/// of another, it takes more than the id to make a repetition.
#[must_use]
pub fn identity_of_audit(audit: &AuditEvent<'_>) -> Identity {
    let AuditEvent { audit_id, stage, request_received, stage_time, user, verb, request_uri, .. } = audit;
    hash(&["audit", audit_id, stage, request_received, stage_time, &user.name, verb, request_uri])
}

/// What makes a violation the same from one run of the audit to the next: the constraint, what violates it, and what
/// is wrong. One object may violate a constraint in several ways.
#[must_use]
pub fn identity_of_violation(violation: &Violation<'_>) -> Identity {
    let Violation { constraint, resource, request, .. } = violation;
    hash(&[
        "violation",
        if violation.is_of_an_audit() { "audit" } else { "admission" },
        &constraint.group,
        &constraint.kind,
        &constraint.namespace,
        &constraint.name,
        &resource.api_version,
        &resource.kind,
        &resource.namespace,
        &resource.name,
        &request.user,
        &violation.message,
    ])
}

/// The run that found it, or the request; for a record without one, the time.
#[must_use]
pub fn version_of_violation<'v>(violation: &'v Violation<'_>) -> Cow<'v, str> {
    if violation.run.is_empty() {
        let time = violation.time.map(|time| time.to_string());
        Cow::Owned(time.unwrap_or_default())
    } else {
        Cow::Borrowed(&violation.run)
    }
}

/// What the ledger remembers of a record: nothing of one whose kind nobody knows.
#[must_use]
pub fn versioned(content: &Content<'_, '_>) -> Option<Versioned> {
    let (identity, version) = match content {
        Content::Event(event) => (identity(event), Version::parse(&version_text(event))),
        Content::Audit(audit) => (identity_of_audit(audit), Version(0)),
        Content::Violation(violation) => {
            (identity_of_violation(violation), Version::parse(&version_of_violation(violation)))
        }
        Content::Other => return None,
    };
    let count = u32::try_from(content.occurrences()).unwrap_or(u32::MAX);
    Some(Versioned { identity, version, count })
}

/// Puts the id of a record into a buffer that may be used for many: [`record_id`] of an event,
/// `<auditID>.<stage>.<hash>`, `<violation>.<run>`, and of anything else a hash of all that it says. Whoever drops
/// repetitions by the id must not be led to drop an audit record whose client chose another's `auditID`; nobody chooses
/// the microseconds. What may have to be taken out of a record is not in its id, where it could be guessed and tried.
pub fn write_id(content: &Content<'_, '_>, body: &[u8], id: &mut String) {
    if let Content::Event(event) = content {
        return write_record_id(event, id);
    }
    id.clear();
    // Writing to a String cannot fail.
    let _ = match content {
        Content::Event(_) => Ok(()),
        Content::Audit(audit) => {
            let AuditEvent { audit_id, stage, request_received, stage_time, verb, .. } = *audit;
            let hash = hash(&[audit_id, stage, request_received, stage_time, verb]).0 >> 64;
            write!(id, "{audit_id}.{stage}.{hash:016x}")
        }
        Content::Violation(violation) => {
            write!(id, "{:032x}.{}", identity_of_violation(violation).0, version_of_violation(violation))
        }
        Content::Other => write!(id, "{:032x}", xxh3_128(body)),
    };
}

/// `<event uid>.<resourceVersion>`: the id of a record, the same from every replica, restart and retry.
#[must_use]
pub fn record_id(event: &KubeEvent<'_>) -> String {
    let mut id = String::new();
    write_record_id(event, &mut id);
    id
}

/// Puts the id of a record into a buffer that may be used for many.
pub fn write_record_id(event: &KubeEvent<'_>, id: &mut String) {
    id.clear();
    if event.metadata.uid.is_empty() {
        // Writing to a String cannot fail.
        let _ = write!(id, "{:032x}", identity(event).0);
    } else {
        id.push_str(&event.metadata.uid);
    }
    id.push('.');
    id.push_str(&version_text(event));
}

/// A stable hash over the parts; the length of each goes in, so that moving a border changes it.
fn hash(parts: &[&str]) -> Identity {
    // In one piece it is made in a fifth of the time, and a uid is short.
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
    fn numbers_have_an_order_and_texts_have_none() {
        let (old, new) = (Version::parse("9"), Version::parse("10"));
        assert!(new.is_newer_than(old) && !old.is_newer_than(new) && !new.is_newer_than(new));
        let (a, b) = (Version::parse("abc"), Version::parse("abd"));
        assert!(a.is_newer_than(b) && b.is_newer_than(a) && !a.is_newer_than(a));
        assert!(a.is_newer_than(new) && new.is_newer_than(a));
        for odd in ["", "-1", "+1", "18446744073709551615", "9223372036854775808", "1 ", "1x", "00", "07"] {
            assert!(!Version::parse(odd).is_number(), "{odd}");
            assert!(Version::parse(odd).is_newer_than(Version::parse("7")), "{odd}");
        }
    }

    #[test]
    fn in_one_piece_or_in_many_the_hash_is_the_same() {
        for len in 0..200 {
            let text = "x".repeat(len);
            for parts in [&["uid", &text][..], &["event", &text, "", &text, "name"]] {
                assert_eq!(hash(parts), hash_in_pieces(parts), "{len}");
            }
        }
        // As it was when the first ledgers were written.
        assert_eq!(hash(&["uid", "a"]).0, 0x41561b7c96db73409bd187ea5d7f4df0);
    }

    #[test]
    fn without_a_uid_the_parts_make_the_identity() {
        let one = KubeEvent { reason: "ab".into(), ..KubeEvent::default() };
        let other = KubeEvent {
            metadata: crate::record::event::Metadata { name: "a".into(), ..Default::default() },
            reason: "b".into(),
            ..KubeEvent::default()
        };
        assert_eq!(identity(&one), identity(&one.clone()));
        assert_ne!(identity(&one), identity(&other));
    }
}
