//! A hash of the fields that the reader of a record's kind knows.
//!
//! A record without an id of its own is identified by its content. Fields that the host or its filters added
//! are not part of the content, and may differ after a restart. So only the fields that the reader knows are
//! hashed, each as a whole. The two API groups of events, and Gatekeeper's export and log, use two names for
//! some fields. A field that is null counts as missing.

use super::canonical::{self, Hash};
use super::cursor::{Cursor, Token};
use crate::kind::Kind;

/// Field names, each with the name that is hashed for it.
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

/// The hash of all known fields of a body. A record of no known kind has none.
///
/// `body` should be whole; if it is not, the hash covers what could be read.
#[must_use]
pub fn hash(kind: Kind, body: &[u8]) -> Hash {
    hash_without(kind, body, &[])
}

/// The same without the fields of these names.
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
    // If a record has a field under both names, it matters which one has which value.
    let has_both =
        |name: &str, one: &str| found.iter().any(|(other, its_one, _)| *its_one == one && *other != name);
    let mut named: Vec<_> = found
        .iter()
        .filter_map(|(name, one, value)| Some((if has_both(name, one) { *name } else { *one }, (*value)?)))
        .collect();
    canonical::of_members(&mut named)
}

/// A known field: its name, the name that is hashed for it, and the hash of its value unless it is null.
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
        // If a name occurs twice, the last value counts. If both names occur, both count.
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
