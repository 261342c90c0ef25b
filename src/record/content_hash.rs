//! What a record says of what its kind's reader knows, as a hash.
//!
//! A record that has no identity of its own differs from others by all that it says. What the host or its filters
//! added says nothing of it, and would differ after a restart, so only members that the reader of its kind reads
//! count, but each of these whole. The two API groups of events, and Gatekeeper's export and its log, call the same
//! things by two names; a member that is null is none.

use super::canonical::{self, Hash};
use super::cursor::{Cursor, Token};
use crate::kind::Kind;

/// Names of members, with the one name that stands for both of two.
type Names = &'static [(&'static str, &'static str)];

const EVENT: Names = &[
    ("action", "action"),
    ("count", "count"),
    ("deprecatedCount", "count"),
    ("deprecatedFirstTimestamp", "firstTimestamp"),
    ("deprecatedLastTimestamp", "lastTimestamp"),
    ("deprecatedSource", "source"),
    ("eventTime", "eventTime"),
    ("firstTimestamp", "firstTimestamp"),
    ("involvedObject", "object"),
    ("lastTimestamp", "lastTimestamp"),
    ("message", "message"),
    ("metadata", "metadata"),
    ("note", "message"),
    ("reason", "reason"),
    ("regarding", "object"),
    ("related", "related"),
    ("reportingComponent", "reportingComponent"),
    ("reportingController", "reportingComponent"),
    ("reportingInstance", "reportingInstance"),
    ("series", "series"),
    ("severity", "severity"),
    ("source", "source"),
    ("timestamp", "timestamp"),
    ("type", "type"),
];

const AUDIT: Names = &[
    ("annotations", "annotations"),
    ("auditID", "auditID"),
    ("impersonatedUser", "impersonatedUser"),
    ("level", "level"),
    ("objectRef", "objectRef"),
    ("requestObject", "requestObject"),
    ("requestReceivedTimestamp", "requestReceivedTimestamp"),
    ("requestURI", "requestURI"),
    ("responseObject", "responseObject"),
    ("responseStatus", "responseStatus"),
    ("sourceIPs", "sourceIPs"),
    ("stage", "stage"),
    ("stageTimestamp", "stageTimestamp"),
    ("user", "user"),
    ("userAgent", "userAgent"),
    ("verb", "verb"),
];

const VIOLATION: Names = &[
    ("audit_id", "id"),
    ("constraintAnnotations", "constraintAnnotations"),
    ("constraint_action", "enforcementAction"),
    ("constraint_annotations", "constraintAnnotations"),
    ("constraint_api_version", "version"),
    ("constraint_enforcement_actions", "enforcementActions"),
    ("constraint_group", "group"),
    ("constraint_kind", "kind"),
    ("constraint_name", "name"),
    ("constraint_namespace", "namespace"),
    ("details", "details"),
    ("dryRun", "dryRun"),
    ("enforcementAction", "enforcementAction"),
    ("enforcementActions", "enforcementActions"),
    ("eventType", "eventType"),
    ("event_type", "eventType"),
    ("group", "group"),
    ("id", "id"),
    ("kind", "kind"),
    ("message", "message"),
    ("msg", "message"),
    ("name", "name"),
    ("namespace", "namespace"),
    ("operation", "operation"),
    ("requestResource", "requestResource"),
    ("requestSubresource", "requestSubresource"),
    ("requestUserGroups", "requestUserGroups"),
    ("requestUserUID", "requestUserUID"),
    ("requestUsername", "requestUsername"),
    ("request_username", "requestUsername"),
    ("resourceAPIVersion", "resourceAPIVersion"),
    ("resourceGroup", "resourceGroup"),
    ("resourceKind", "resourceKind"),
    ("resourceLabels", "resourceLabels"),
    ("resourceName", "resourceName"),
    ("resourceNamespace", "resourceNamespace"),
    ("resource_api_version", "resourceAPIVersion"),
    ("resource_group", "resourceGroup"),
    ("resource_kind", "resourceKind"),
    ("resource_labels", "resourceLabels"),
    ("resource_name", "resourceName"),
    ("resource_namespace", "resourceNamespace"),
    ("timestamp", "timestamp"),
    ("ts", "timestamp"),
];

/// The hash of all that a body says of its kind. Of a record of no known kind nothing is known.
///
/// `body` is whole, as all bodies are that were read; of one that is not the hash is over what was read of it.
#[must_use]
pub fn hash(kind: Kind, body: &[u8]) -> Hash {
    hash_without(kind, body, &[])
}

/// The same without members that are known by these names.
#[must_use]
pub fn hash_without(kind: Kind, body: &[u8], left_out: &[&str]) -> Hash {
    let names = match kind {
        Kind::Event => EVENT,
        Kind::Audit => AUDIT,
        Kind::Violation => VIOLATION,
        Kind::Other => &[],
    };
    let mut found = Vec::with_capacity(names.len());
    members(names, body, &mut found);
    found.retain(|(_, one, value)| value.is_some() && !left_out.contains(one));
    // Where a record has a thing under both names, it matters which says what.
    let has_both =
        |name: &str, one: &str| found.iter().any(|(other, its_one, _)| *its_one == one && *other != name);
    let mut named: Vec<_> = found
        .iter()
        .filter_map(|(name, one, value)| Some((if has_both(name, one) { *name } else { *one }, (*value)?)))
        .collect();
    canonical::of_members(&mut named)
}

/// Each member that is known: its name, the name that stands for it, and what it says, unless that is nothing.
type KnownMember = (&'static str, &'static str, Option<Hash>);

fn members(names: Names, body: &[u8], found: &mut Vec<KnownMember>) {
    let mut cursor = Cursor::new(body);
    let Ok(Token::Map(len)) = cursor.token() else { return };
    for _ in 0..len {
        let Ok(key) = cursor.token() else { return };
        let Token::Str(key) = key else {
            if cursor.skip_children(key).and_then(|()| cursor.skip()).is_err() {
                return;
            }
            continue;
        };
        let known = names.iter().find(|(name, _)| name.as_bytes() == key);
        let Some((name, one)) = known else {
            if cursor.skip().is_err() {
                return;
            }
            continue;
        };
        let is_null = matches!(cursor.clone().token(), Ok(Token::Nil));
        let Ok(value) = canonical::hash(&mut cursor) else { return };
        // Of a name that comes twice the last value counts; of two names for one thing both do.
        match found.iter_mut().find(|(known, ..)| known == name) {
            Some(known) => known.2 = (!is_null).then_some(value),
            None => found.push((name, one, (!is_null).then_some(value))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_in_order_so_that_none_stands_twice() {
        for names in [EVENT, AUDIT, VIOLATION] {
            assert!(names.is_sorted_by(|one, other| one.0 < other.0));
        }
    }
}
