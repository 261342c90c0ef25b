//! A body becomes a violation of a Gatekeeper constraint.
//!
//! Gatekeeper tells of them in two ways, with other names for the same things (`pkg/export/util/util.go`,
//! `pkg/logging/logging.go`): in the records that its disk driver exports, and in the lines of its own log. Of
//! both there are those of an audit, which finds the same violations again in every run, and those of an admission,
//! each of a request.

use super::cursor::{Cursor, DecodeError, Token};
use super::fields::FieldReader;
use super::raw::Raw;
use super::text::{Repair, Text};
use crate::time::Stamp;

/// One violation, borrowed from the chunk.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Violation<'a> {
    /// `violation_audited`, `violation_admission`, or `violation` in the log of an admission.
    pub event_type: Text<'a>,
    /// Of an audit, when its run began: all violations of the run share it. Of an exported admission, the request's
    /// uid, which it shares with other violations of the same request. Absent in the log of an admission.
    pub run: Text<'a>,
    /// When it was found. Of an exported audit, when its run began.
    pub time: Option<Stamp>,
    pub message: Text<'a>,
    /// What the policy adds to its message, whatever that is.
    pub details: Raw<'a>,
    pub constraint: Constraint<'a>,
    /// `deny`, `warn`, `dryrun`, `scoped`, …
    pub enforcement_action: Text<'a>,
    /// Of a scoped one, the actions at its points.
    pub enforcement_actions: Raw<'a>,
    /// What violates it.
    pub resource: ViolatingObject<'a>,
    /// Of an admission.
    pub request: AdmissionRequest<'a>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Constraint<'a> {
    pub group: Text<'a>,
    pub version: Text<'a>,
    pub kind: Text<'a>,
    pub namespace: Text<'a>,
    pub name: Text<'a>,
    pub annotations: Raw<'a>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ViolatingObject<'a> {
    /// Group and version, `apps/v1`.
    pub api_version: Text<'a>,
    pub kind: Text<'a>,
    pub namespace: Text<'a>,
    pub name: Text<'a>,
    pub labels: Raw<'a>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AdmissionRequest<'a> {
    pub operation: Text<'a>,
    pub resource: Text<'a>,
    pub subresource: Text<'a>,
    pub user: Text<'a>,
    pub user_uid: Text<'a>,
    pub user_groups: Raw<'a>,
    pub dry_run: Option<bool>,
}

impl<'a> Violation<'a> {
    /// Reads a body. `None` when it is no violation: its type says something else, or it names no constraint.
    ///
    /// # Errors
    /// When the body is no whole MessagePack value.
    pub fn read(body: &'a [u8], repair: &Repair) -> Result<Option<Self>, DecodeError> {
        let mut violation = Self::default();
        let mut resource_group = Text::default();
        let reader = FieldReader { repair };
        // The names of the log first: where a record has a field under both, the export's says it.
        reader.fields(&mut Cursor::new(body), |key, value| {
            let Violation { constraint, resource, request, .. } = &mut violation;
            match key {
                b"event_type" => violation.event_type = reader.text(value)?,
                b"audit_id" => violation.run = reader.text(value)?,
                b"ts" => violation.time = reader.time(value)?,
                b"msg" => violation.message = reader.text(value)?,
                b"constraint_group" => constraint.group = reader.text(value)?,
                b"constraint_api_version" => constraint.version = reader.text(value)?,
                b"constraint_kind" => constraint.kind = reader.text(value)?,
                b"constraint_namespace" => constraint.namespace = reader.text(value)?,
                b"constraint_name" => constraint.name = reader.text(value)?,
                b"constraint_annotations" => constraint.annotations = reader.map(value)?,
                b"constraint_action" => violation.enforcement_action = reader.text(value)?,
                b"constraint_enforcement_actions" => violation.enforcement_actions = reader.list(value)?,
                b"resource_group" => resource_group = reader.text(value)?,
                b"resource_api_version" => resource.api_version = reader.text(value)?,
                b"resource_kind" => resource.kind = reader.text(value)?,
                b"resource_namespace" => resource.namespace = reader.text(value)?,
                b"resource_name" => resource.name = reader.text(value)?,
                b"resource_labels" => resource.labels = reader.map(value)?,
                b"request_username" => request.user = reader.text(value)?,
                _ => value.skip()?,
            }
            Ok(())
        })?;
        reader.fields(&mut Cursor::new(body), |key, value| {
            let Violation { constraint, resource, request, .. } = &mut violation;
            match key {
                b"eventType" => set_if_given(&mut violation.event_type, reader.text(value)?),
                b"id" => set_if_given(&mut violation.run, reader.text(value)?),
                b"timestamp" => set_if_given(&mut violation.time, reader.time(value)?),
                b"message" => set_if_given(&mut violation.message, reader.text(value)?),
                b"details" => violation.details = reader.any(value)?,
                b"group" => set_if_given(&mut constraint.group, reader.text(value)?),
                b"version" => set_if_given(&mut constraint.version, reader.text(value)?),
                b"kind" => set_if_given(&mut constraint.kind, reader.text(value)?),
                b"namespace" => set_if_given(&mut constraint.namespace, reader.text(value)?),
                b"name" => set_if_given(&mut constraint.name, reader.text(value)?),
                b"constraintAnnotations" => set_if_given(&mut constraint.annotations, reader.map(value)?),
                b"enforcementAction" => set_if_given(&mut violation.enforcement_action, reader.text(value)?),
                b"enforcementActions" => {
                    set_if_given(&mut violation.enforcement_actions, reader.list(value)?)
                }
                b"resourceGroup" => set_if_given(&mut resource_group, reader.text(value)?),
                b"resourceAPIVersion" => set_if_given(&mut resource.api_version, reader.text(value)?),
                b"resourceKind" => set_if_given(&mut resource.kind, reader.text(value)?),
                b"resourceNamespace" => set_if_given(&mut resource.namespace, reader.text(value)?),
                b"resourceName" => set_if_given(&mut resource.name, reader.text(value)?),
                b"resourceLabels" => set_if_given(&mut resource.labels, reader.map(value)?),
                b"operation" => request.operation = reader.text(value)?,
                b"requestResource" => request.resource = reader.text(value)?,
                b"requestSubresource" => request.subresource = reader.text(value)?,
                b"requestUsername" => set_if_given(&mut request.user, reader.text(value)?),
                b"requestUserUID" => request.user_uid = reader.text(value)?,
                b"requestUserGroups" => request.user_groups = reader.list(value)?,
                b"dryRun" => request.dry_run = reader.truth(value)?,
                _ => value.skip()?,
            }
            Ok(())
        })?;
        if !is_violation(violation.event_type.as_bytes()) || violation.constraint.name.is_empty() {
            return Ok(None);
        }
        if violation.time.is_none() {
            violation.time = Stamp::parse_set(&violation.run);
        }
        let version = &mut violation.resource.api_version;
        if !resource_group.is_empty() && !version.is_empty() {
            *version = format!("{resource_group}/{version}").into();
        }
        Ok(Some(violation))
    }

    /// Whether a run of the audit found it, rather than a request that was to be admitted.
    #[must_use]
    pub fn is_of_an_audit(&self) -> bool {
        self.event_type == "violation_audited"
    }
}

/// Puts a value in its place, unless it says nothing.
fn set_if_given<T: Default + PartialEq>(place: &mut T, value: T) {
    if value != T::default() {
        *place = value;
    }
}

impl FieldReader<'_> {
    /// RFC 3339, or seconds since 1970 as zap writes them into a log.
    fn time(&self, cursor: &mut Cursor<'_>) -> Result<Option<Stamp>, DecodeError> {
        let mut ahead = *cursor;
        let seconds = match ahead.token()? {
            Token::Float(seconds) => seconds,
            #[expect(clippy::cast_precision_loss, reason = "exact for all times of the calendar")]
            Token::Int(seconds) => seconds as f64,
            _ => return Ok(Stamp::parse_set(&self.text(cursor)?)),
        };
        *cursor = ahead;
        Ok(Stamp::from_unix_millis(seconds * 1e3).filter(|time| time.is_set()))
    }
}

/// Whether Gatekeeper calls a violation so.
pub(super) fn is_violation(event_type: &[u8]) -> bool {
    matches!(event_type, b"violation" | b"violation_audited" | b"violation_admission")
}
