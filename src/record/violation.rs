//! Reads a violation of a Gatekeeper constraint.
//!
//! Gatekeeper reports violations in two ways, with different field names (`pkg/export/util/util.go`,
//! `pkg/logging/logging.go`): as records of its disk export, and as lines of its log. Both have violations
//! found by an audit, which finds the same ones in every run, and by an admission request.

use super::cursor::{Cursor, DecodeError, Token};
use super::fields::FieldReader;
use super::raw::Raw;
use super::text::{Repair, Text};
use crate::time::Stamp;

/// One violation, borrowed from the chunk.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Violation<'a> {
    /// `violation_audited`, `violation_admission`, or `violation` in the admission log.
    pub event_type: Text<'a>,
    /// For an audit: the start of its run, shared by all violations of the run. For an exported admission:
    /// the request's uid, shared by all violations of the request. Absent in the admission log.
    pub run: Text<'a>,
    /// When it was found; for an exported audit, when the run started.
    pub time: Option<Stamp>,
    /// The policy's words for people.
    pub message: Text<'a>,
    /// Extra data of the policy, of any type.
    pub details: Raw<'a>,
    /// The policy's rule, by name and kind.
    pub constraint: Constraint<'a>,
    /// `deny`, `warn`, `dryrun`, `scoped`, …
    pub enforcement_action: Text<'a>,
    /// For a scoped action: the actions per enforcement point.
    pub enforcement_actions: Raw<'a>,
    /// The violating object.
    pub resource: ViolatingObject<'a>,
    /// Set for admission requests.
    pub request: AdmissionRequest<'a>,
}

/// The constraint that was violated.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Constraint<'a> {
    /// `constraints.gatekeeper.sh`; empty if the sender left it out.
    pub group: Text<'a>,
    /// Such as `v1beta1`, without the group.
    pub version: Text<'a>,
    /// The name of its template, such as `K8sRequiredLabels`.
    pub kind: Text<'a>,
    /// Usually empty, because constraints are cluster-scoped.
    pub namespace: Text<'a>,
    /// Never empty: a record without it is no violation.
    pub name: Text<'a>,
    /// A map of strings.
    pub annotations: Raw<'a>,
}

/// The object that violates it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ViolatingObject<'a> {
    /// Group and version, such as `apps/v1`.
    pub api_version: Text<'a>,
    /// Singular, as in a manifest: `Pod`.
    pub kind: Text<'a>,
    /// Empty for cluster-scoped objects.
    pub namespace: Text<'a>,
    /// Empty for an object that the API server is to name (`generateName`).
    pub name: Text<'a>,
    /// A map of strings.
    pub labels: Raw<'a>,
}

/// The request that was checked, for a violation at an admission.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AdmissionRequest<'a> {
    /// `CREATE`, `UPDATE`, `DELETE` or `CONNECT`.
    pub operation: Text<'a>,
    /// Plural and lower case, as in the request path: `pods`.
    pub resource: Text<'a>,
    /// Such as `exec` or `scale`; usually empty.
    pub subresource: Text<'a>,
    /// The user who sent the request.
    pub user: Text<'a>,
    /// Distinguishes users who had the same name at different times; often empty.
    pub user_uid: Text<'a>,
    /// A list of strings.
    pub user_groups: Raw<'a>,
    /// Whether the request changes nothing anyway; `None` unless an exported violation says it.
    pub dry_run: Option<bool>,
}

impl<'a> Violation<'a> {
    /// Reads a body. `None` if it is not a violation: it has another type, or names no constraint.
    ///
    /// # Errors
    /// When the body is not one whole MessagePack value.
    pub fn read(body: &'a [u8], repair: &Repair) -> Result<Option<Self>, DecodeError> {
        let mut violation = Self::default();
        let mut resource_group = Text::default();
        let reader = FieldReader { repair };
        // Names of the log first: if a record has both names of a field, the export's value counts.
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

    /// Whether an audit run found it, rather than an admission request.
    #[must_use]
    pub fn is_of_an_audit(&self) -> bool {
        self.event_type == "violation_audited"
    }
}

/// Sets a field unless the value is empty.
fn set_if_given<T: Default + PartialEq>(place: &mut T, value: T) {
    if value != T::default() {
        *place = value;
    }
}

impl FieldReader<'_> {
    /// RFC 3339, or Unix seconds as zap writes them.
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

/// Whether this is one of Gatekeeper's event types for violations.
pub(super) fn is_violation(event_type: &[u8]) -> bool {
    matches!(event_type, b"violation" | b"violation_audited" | b"violation_admission")
}
