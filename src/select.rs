//! Which records are ours: by kind and namespace, and by what each kind has of its own.

use crate::config::Selection;
use crate::pattern::Patterns;
use crate::record::audit::AuditEvent;
use crate::record::content::Content;
use crate::record::event::KubeEvent;
use crate::record::violation::Violation;
use crate::topology::kind::{ObjectKind, group_of};
use crate::topology::scope::{is_of_cluster, may_report};

/// Whether a record is taken. An exclusion wins over an inclusion. What is of no known kind has none of all this,
/// and is taken.
#[must_use]
pub fn selects(rules: &Selection, content: &Content<'_, '_>) -> bool {
    let is_ours = match content {
        Content::Event(event) => takes_event(rules, event),
        Content::Audit(audit) => takes_audit(rules, audit),
        Content::Violation(violation) => takes_violation(rules, violation),
        Content::Other => return true,
    };
    is_ours && rules.kinds.has(content.kind()) && takes_namespaces(rules, content)
}

/// RBAC says who may write an event into a namespace, and the event then names any other: so both are looked at. An object of the
/// cluster has no namespace to be excluded with; its events lie in `default`, and are included there.
fn takes_namespaces(rules: &Selection, content: &Content<'_, '_>) -> bool {
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
    // Both may be missing.
    selects(lies_in) && (names.is_empty() || names == lies_in || selects(names))
}

fn is_about_cluster(event: &KubeEvent<'_>, names: &str, lies_in: &str) -> bool {
    let kind = ObjectKind::of(group_of(&event.object.api_version), &event.object.kind);
    is_of_cluster(kind, &event.object.kind, names, lies_in)
}

fn takes_event(rules: &Selection, event: &KubeEvent<'_>) -> bool {
    takes_type(&rules.types, &event.event_type)
        && included(&rules.reasons, &event.reason)
        && !excluded(&rules.exclude_reasons, &event.reason)
}

/// Who acts as somebody else is looked for under both names, and is left out only under both: else whoever may act
/// as one of those that are left out would not be seen.
fn takes_audit(rules: &Selection, audit: &AuditEvent<'_>) -> bool {
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

fn takes_violation(rules: &Selection, violation: &Violation<'_>) -> bool {
    let list = &rules.enforcement_actions;
    included(list, &violation.enforcement_action)
        || violation.enforcement_actions.texts().any(|action| list.matches(&action))
}

/// Kubernetes writes `Warning`, other senders `warning` and `WARNING`.
fn takes_type(list: &Patterns, event_type: &str) -> bool {
    list.is_empty() || list.matches_in_any_case(event_type.trim())
}

/// An empty list takes everything.
fn included(list: &Patterns, text: &str) -> bool {
    list.is_empty() || list.matches(text)
}

fn excluded(list: &Patterns, text: &str) -> bool {
    list.matches(text)
}
