//! Which records are ours, by namespace, type and reason.

use std::borrow::Cow;

use crate::config::Admission;
use crate::pattern::Patterns;
use crate::record::peek::Peek;

/// Whether an event is taken. An exclusion wins over an inclusion.
#[must_use]
pub fn admits(rules: &Admission, peek: &Peek<'_>) -> bool {
    included(&rules.namespaces, peek.namespace)
        && !excluded(&rules.exclude_namespaces, peek.namespace)
        && included(&rules.types, peek.event_type)
        && included(&rules.reasons, peek.reason)
        && !excluded(&rules.exclude_reasons, peek.reason)
}

/// An empty list takes everything.
fn included(list: &Patterns, bytes: &[u8]) -> bool {
    list.is_empty() || list.matches(&text(bytes))
}

fn excluded(list: &Patterns, bytes: &[u8]) -> bool {
    !list.is_empty() && list.matches(&text(bytes))
}

fn text(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}
