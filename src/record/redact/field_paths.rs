//! Where the fields of `format native` are in records as they came.

use std::fmt;

use super::PathStep;
use crate::kind::Kind;
use crate::pattern::Patterns;

/// Why a field cannot be redacted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PathError {
    /// No record has it.
    Unknown,
    /// The record's id depends on it, or it is not a text of the record. Without it, records could not be
    /// distinguished.
    Needed,
    /// A quote is not closed, or a step is empty.
    Malformed,
}

impl fmt::Display for PathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unknown => "is no field of format native that comes with a record",
            Self::Needed => "is what distinguishes records",
            Self::Malformed => "is no path: a step is empty, or a quote is not closed",
        })
    }
}

/// Whether a path may continue below a field.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Below {
    /// No: the field is a text, or is redacted as a whole.
    Nothing,
    /// It is a map whose keys contain dots, so the rest of the path is one key.
    Keys,
    /// It is any document.
    Anything,
}

use Below::{Anything, Keys, Nothing};

/// Field, kind, path in the record (one row per path, steps separated by dots), and what may follow.
const FIELDS: &[(&str, Kind, &str, Below)] = &[
    ("message", Kind::Event, "message", Nothing),
    ("message", Kind::Event, "note", Nothing),
    ("message", Kind::Violation, "message", Nothing),
    ("message", Kind::Violation, "msg", Nothing),
    ("action", Kind::Event, "action", Nothing),
    ("source.component", Kind::Event, "source.component", Nothing),
    ("source.component", Kind::Event, "deprecatedSource.component", Nothing),
    ("source.component", Kind::Event, "reportingComponent", Nothing),
    ("source.component", Kind::Event, "reportingController", Nothing),
    ("source.host", Kind::Event, "source.host", Nothing),
    ("source.host", Kind::Event, "deprecatedSource.host", Nothing),
    ("source.instance", Kind::Event, "reportingInstance", Nothing),
    ("object.name", Kind::Event, "involvedObject.name", Nothing),
    ("object.name", Kind::Event, "regarding.name", Nothing),
    ("object.name", Kind::Audit, "objectRef.name", Nothing),
    // If the request did not contain it.
    ("object.name", Kind::Audit, "responseObject.metadata.name", Nothing),
    ("object.name", Kind::Audit, "responseObject.details.name", Nothing),
    ("object.name", Kind::Audit, "responseStatus.details.name", Nothing),
    ("object.name", Kind::Audit, "requestObject.metadata.name", Nothing),
    ("object.name", Kind::Violation, "resourceName", Nothing),
    ("object.name", Kind::Violation, "resource_name", Nothing),
    ("object.namespace", Kind::Event, "involvedObject.namespace", Nothing),
    ("object.namespace", Kind::Event, "regarding.namespace", Nothing),
    ("object.namespace", Kind::Audit, "objectRef.namespace", Nothing),
    ("object.namespace", Kind::Audit, "responseObject.metadata.namespace", Nothing),
    ("object.namespace", Kind::Audit, "requestObject.metadata.namespace", Nothing),
    ("object.namespace", Kind::Violation, "resourceNamespace", Nothing),
    ("object.namespace", Kind::Violation, "resource_namespace", Nothing),
    ("object.field_path", Kind::Event, "involvedObject.fieldPath", Nothing),
    ("object.field_path", Kind::Event, "regarding.fieldPath", Nothing),
    // It contains the object's name.
    ("event.name", Kind::Event, "metadata.name", Nothing),
    ("event.annotations", Kind::Event, "metadata.annotations", Keys),
    ("event.labels", Kind::Event, "metadata.labels", Keys),
    ("audit.user.name", Kind::Audit, "user.username", Nothing),
    ("audit.user.uid", Kind::Audit, "user.uid", Nothing),
    ("audit.user.groups", Kind::Audit, "user.groups", Nothing),
    ("audit.user.extra", Kind::Audit, "user.extra", Keys),
    ("audit.user", Kind::Audit, "user", Nothing),
    ("audit.impersonated_user.name", Kind::Audit, "impersonatedUser.username", Nothing),
    ("audit.impersonated_user.uid", Kind::Audit, "impersonatedUser.uid", Nothing),
    ("audit.impersonated_user.groups", Kind::Audit, "impersonatedUser.groups", Nothing),
    ("audit.impersonated_user.extra", Kind::Audit, "impersonatedUser.extra", Keys),
    ("audit.impersonated_user", Kind::Audit, "impersonatedUser", Nothing),
    ("audit.source_ips", Kind::Audit, "sourceIPs", Nothing),
    ("audit.user_agent", Kind::Audit, "userAgent", Nothing),
    ("audit.request_uri", Kind::Audit, "requestURI", Nothing),
    ("audit.response.message", Kind::Audit, "responseStatus.message", Nothing),
    ("audit.decision", Kind::Audit, "annotations.\"authorization.k8s.io/decision\"", Nothing),
    ("audit.decision_reason", Kind::Audit, "annotations.\"authorization.k8s.io/reason\"", Nothing),
    ("audit.annotations", Kind::Audit, "annotations", Keys),
    ("audit.request_object", Kind::Audit, "requestObject", Anything),
    ("audit.response_object", Kind::Audit, "responseObject", Anything),
    ("violation.details", Kind::Violation, "details", Anything),
    ("violation.resource_labels", Kind::Violation, "resourceLabels", Keys),
    ("violation.resource_labels", Kind::Violation, "resource_labels", Keys),
    ("violation.constraint.annotations", Kind::Violation, "constraintAnnotations", Keys),
    ("violation.constraint.annotations", Kind::Violation, "constraint_annotations", Keys),
    ("violation.request.user", Kind::Violation, "requestUsername", Nothing),
    ("violation.request.user", Kind::Violation, "request_username", Nothing),
    ("violation.request.user_uid", Kind::Violation, "requestUserUID", Nothing),
    ("violation.request.user_groups", Kind::Violation, "requestUserGroups", Nothing),
    ("record", Kind::Other, "", Anything),
];

/// The fields by which formats and gateways tell records apart.
const NEEDED: [&str; 9] = [
    "id",
    "kind",
    "event.uid",
    "event.resource_version",
    "audit.id",
    "audit.stage",
    "violation.run",
    "record",
    "time",
];

/// The paths of a field: the kind and the steps for each.
pub(super) fn in_records(field: &str) -> Result<Vec<(Kind, Vec<PathStep>)>, PathError> {
    if NEEDED.contains(&field) {
        return Err(PathError::Needed);
    }
    let mut found = Vec::new();
    for (name, kind, place, below) in FIELDS {
        let Some(rest) = field.strip_prefix(name) else { continue };
        let rest = match (rest.strip_prefix('.'), below) {
            (None, _) if rest.is_empty() => Vec::new(),
            (Some(rest), Keys) => vec![step(rest)?],
            (Some(rest), Anything) => steps(rest)?,
            _ => continue,
        };
        let mut path = if place.is_empty() { Vec::new() } else { steps(place)? };
        path.extend(rest);
        found.push((*kind, path));
    }
    if found.is_empty() { Err(PathError::Unknown) } else { Ok(found) }
}

/// Splits a path at dots. A quoted step may contain dots.
fn steps(path: &str) -> Result<Vec<PathStep>, PathError> {
    let mut steps = Vec::new();
    let mut rest = Some(path);
    while let Some(path) = rest {
        let (one, behind) = match path.strip_prefix('"') {
            Some(quoted) => {
                let (one, behind) = quoted.split_once('"').ok_or(PathError::Malformed)?;
                let behind = match behind.strip_prefix('.') {
                    Some(behind) => Some(behind),
                    None if behind.is_empty() => None,
                    None => return Err(PathError::Malformed),
                };
                (one, behind)
            }
            None => path.split_once('.').map_or((path, None), |(one, behind)| (one, Some(behind))),
        };
        steps.push(step(one)?);
        rest = behind;
    }
    Ok(steps)
}

fn step(text: &str) -> Result<PathStep, PathError> {
    let text = text.trim_matches('"');
    match text {
        "" => Err(PathError::Malformed),
        _ if text.contains('*') => Ok(PathStep::Any(Patterns::parse(text))),
        _ => Ok(PathStep::Key(text.into())),
    }
}
