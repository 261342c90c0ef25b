//! The members `event`, `audit` and `violation`, with the fields of one kind.

use serde::Serialize;

use super::values::OrNull;
use crate::record::audit::{AuditEvent, AuditUser};
use crate::record::event::KubeEvent;
use crate::record::raw::Raw;
use crate::record::violation::Violation;

/// The event object itself, as opposed to the object that it is about.
#[derive(Serialize)]
pub(super) struct EventFields<'r> {
    namespace: OrNull<'r>,
    name: OrNull<'r>,
    uid: OrNull<'r>,
    resource_version: OrNull<'r>,
    /// The event's own count, if `count` is limited.
    #[serde(skip_serializing_if = "Option::is_none")]
    original_count: Option<u64>,
}

pub(super) fn event<'r>(event: &'r KubeEvent<'_>) -> EventFields<'r> {
    EventFields {
        namespace: OrNull(&event.metadata.namespace),
        name: OrNull(&event.metadata.name),
        uid: OrNull(&event.metadata.uid),
        resource_version: OrNull(&event.metadata.resource_version),
        original_count: event.implausible_count(),
    }
}

#[derive(Serialize)]
pub(super) struct AuditFields<'r> {
    id: &'r str,
    stage: OrNull<'r>,
    level: OrNull<'r>,
    verb: OrNull<'r>,
    user: UserFields<'r>,
    impersonated_user: Option<UserFields<'r>>,
    source_ips: Raw<'r>,
    user_agent: OrNull<'r>,
    request_uri: OrNull<'r>,
    response: ResponseFields<'r>,
    decision: OrNull<'r>,
    decision_reason: OrNull<'r>,
    annotations: Raw<'r>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_object: Option<Raw<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_object: Option<Raw<'r>>,
}

#[derive(Serialize)]
struct UserFields<'r> {
    name: OrNull<'r>,
    uid: OrNull<'r>,
    groups: Raw<'r>,
    extra: Raw<'r>,
}

#[derive(Serialize)]
struct ResponseFields<'r> {
    code: Option<u64>,
    status: OrNull<'r>,
    reason: OrNull<'r>,
    message: OrNull<'r>,
}

pub(super) fn audit<'r>(audit: &'r AuditEvent<'_>, with_bodies: bool) -> AuditFields<'r> {
    AuditFields {
        id: &audit.audit_id,
        stage: OrNull(&audit.stage),
        level: OrNull(&audit.level),
        verb: OrNull(&audit.verb),
        user: user_fields(&audit.user),
        impersonated_user: audit.impersonated_user.as_ref().map(user_fields),
        source_ips: audit.source_ips,
        user_agent: OrNull(&audit.user_agent),
        request_uri: OrNull(&audit.request_uri),
        response: ResponseFields {
            code: audit.response.code,
            status: OrNull(&audit.response.status),
            reason: OrNull(&audit.response.reason),
            message: OrNull(&audit.response.message),
        },
        decision: OrNull(&audit.decision),
        decision_reason: OrNull(&audit.decision_reason),
        annotations: audit.annotations,
        request_object: with_bodies.then_some(audit.request_object),
        response_object: with_bodies.then_some(audit.response_object),
    }
}

fn user_fields<'r>(user: &'r AuditUser<'_>) -> UserFields<'r> {
    UserFields { name: OrNull(&user.name), uid: OrNull(&user.uid), groups: user.groups, extra: user.extra }
}

#[derive(Serialize)]
pub(in crate::format) struct ViolationFields<'r> {
    /// `audit` or `admission`.
    process: &'static str,
    run: OrNull<'r>,
    constraint: ConstraintFields<'r>,
    enforcement_action: OrNull<'r>,
    enforcement_actions: Raw<'r>,
    details: Raw<'r>,
    resource_labels: Raw<'r>,
    request: Option<AdmissionFields<'r>>,
}

#[derive(Serialize)]
struct ConstraintFields<'r> {
    group: OrNull<'r>,
    version: OrNull<'r>,
    kind: OrNull<'r>,
    namespace: OrNull<'r>,
    name: OrNull<'r>,
    annotations: Raw<'r>,
}

/// The request of an admission.
#[derive(Serialize)]
struct AdmissionFields<'r> {
    operation: OrNull<'r>,
    user: OrNull<'r>,
    user_uid: OrNull<'r>,
    user_groups: Raw<'r>,
    dry_run: Option<bool>,
}

pub(in crate::format) fn violation<'r>(violation: &'r Violation<'_>) -> ViolationFields<'r> {
    let Violation { constraint, request, .. } = violation;
    let is_of_an_audit = violation.is_of_an_audit();
    ViolationFields {
        process: if is_of_an_audit { "audit" } else { "admission" },
        run: OrNull(&violation.run),
        constraint: ConstraintFields {
            group: OrNull(&constraint.group),
            version: OrNull(&constraint.version),
            kind: OrNull(&constraint.kind),
            namespace: OrNull(&constraint.namespace),
            name: OrNull(&constraint.name),
            annotations: constraint.annotations,
        },
        enforcement_action: OrNull(&violation.enforcement_action),
        enforcement_actions: violation.enforcement_actions,
        details: violation.details,
        resource_labels: violation.resource.labels,
        request: (!is_of_an_audit).then(|| AdmissionFields {
            operation: OrNull(&request.operation),
            user: OrNull(&request.user),
            user_uid: OrNull(&request.user_uid),
            user_groups: request.user_groups,
            dry_run: request.dry_run,
        }),
    }
}
