//! The selection: by kind and namespace, and by fields that only one kind has.

use crate::config::Selection;
use crate::pattern::Patterns;
use crate::record::audit::AuditEvent;
use crate::record::content::Content;
use crate::record::event::KubeEvent;
use crate::record::violation::Violation;
use crate::topology::kind::{ObjectKind, group_of};
use crate::topology::scope::{is_of_cluster, may_report};

/// Whether a record is selected. An exclusion wins over an inclusion. Records of unknown kind have none of these fields
/// and are always selected.
#[must_use]
pub fn selects(rules: &Selection, content: &Content<'_, '_>) -> bool {
    let is_selected = match content {
        Content::Event(event) => selects_event(rules, event),
        Content::Audit(audit) => selects_audit(rules, audit),
        Content::Violation(violation) => selects_violation(rules, violation),
        Content::Other => return true,
    };
    is_selected && rules.kinds.has(content.kind()) && selects_namespaces(rules, content)
}

/// Checks the namespace of an event and the namespace of its object, because RBAC limits only the former and the event may
/// name any object. A cluster-scoped object has no namespace to be excluded by; its events are in `default`, and are
/// included by that namespace.
fn selects_namespaces(rules: &Selection, content: &Content<'_, '_>) -> bool {
    let (included_ones, excluded_ones) = (&rules.namespaces, &rules.exclude_namespaces);
    if included_ones.is_empty() && excluded_ones.is_empty() {
        return true;
    }
    let (lies_in, names) = match content {
        Content::Event(event) => (&*event.metadata.namespace, &*event.object.namespace),
        _ => (content.namespace(), ""),
    };
    if let Content::Event(event) = content
        && may_report(lies_in, "")
        && is_about_cluster(event, names, lies_in)
    {
        return included(included_ones, lies_in) && !excluded(excluded_ones, "");
    }
    let selects = |namespace| included(included_ones, namespace) && !excluded(excluded_ones, namespace);
    // Both namespaces may be empty.
    selects(lies_in) && (names.is_empty() || names == lies_in || selects(names))
}

fn is_about_cluster(event: &KubeEvent<'_>, names: &str, lies_in: &str) -> bool {
    let kind = ObjectKind::of(group_of(&event.object.api_version), &event.object.kind);
    is_of_cluster(kind, &event.object.kind, names, lies_in)
}

fn selects_event(rules: &Selection, event: &KubeEvent<'_>) -> bool {
    selects_type(&rules.types, &event.event_type)
        && included(&rules.reasons, &event.reason)
        && !excluded(&rules.exclude_reasons, &event.reason)
}

/// A request with impersonation has two users. It is included by either of them, but excluded only if both are excluded:
/// otherwise a user could hide by impersonating an excluded one.
fn selects_audit(rules: &Selection, audit: &AuditEvent<'_>) -> bool {
    let object = &audit.object;
    let users = || [Some(&audit.user), audit.impersonated_user.as_ref()].into_iter().flatten();
    let is_of = |list: &Patterns| users().any(|user| list.matches(&user.name));
    let is_about = |list: &Patterns| {
        list.matches(&object.resource)
            || (!object.subresource.is_empty()
                && list.matches(&format!("{}/{}", object.resource, object.subresource)))
    };
    included(&rules.verbs, &audit.verb)
        && included(&rules.levels, &audit.level)
        && (rules.users.is_empty() || is_of(&rules.users))
        && !users().all(|user| rules.exclude_users.matches(&user.name))
        && (rules.resources.is_empty() || is_about(&rules.resources))
}

fn selects_violation(rules: &Selection, violation: &Violation<'_>) -> bool {
    let list = &rules.enforcement_actions;
    included(list, &violation.enforcement_action)
        || violation.enforcement_actions.texts().any(|action| list.matches(&action))
}

/// Kubernetes writes `Warning`, other senders `warning` and `WARNING`.
fn selects_type(list: &Patterns, event_type: &str) -> bool {
    list.is_empty() || list.matches_in_any_case(event_type.trim())
}

/// An empty list includes everything.
fn included(list: &Patterns, text: &str) -> bool {
    list.is_empty() || list.matches(text)
}

fn excluded(list: &Patterns, text: &str) -> bool {
    list.matches(text)
}
