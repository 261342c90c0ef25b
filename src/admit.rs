//! Which records are ours, by namespace, type and reason.

use crate::config::Admission;
use crate::pattern::Patterns;
use crate::record::event::KubeEvent;

/// Whether an event is taken. An exclusion wins over an inclusion.
#[must_use]
pub fn admits(rules: &Admission, event: &KubeEvent<'_>) -> bool {
    included(&rules.namespaces, event.namespace())
        && !excluded(&rules.exclude_namespaces, event.namespace())
        && included(&rules.types, &event.event_type)
        && included(&rules.reasons, &event.reason)
        && !excluded(&rules.exclude_reasons, &event.reason)
}

/// An empty list takes everything.
fn included(list: &Patterns, text: &str) -> bool {
    list.is_empty() || list.matches(text)
}

fn excluded(list: &Patterns, text: &str) -> bool {
    !list.is_empty() && list.matches(text)
}
