//! The labels and annotations of an object that a record includes.
//!
//! An object may have a megabyte of them, and each of its events would repeat it. So number and size are
//! bounded, and the record says how many were left out.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use crate::pattern::Patterns;
use crate::topology::labels::Labels;

/// Maximum number of pairs in a record.
pub const MOST_PAIRS: usize = 64;
/// Maximum total length of the names and values of these pairs.
pub const MOST_BYTES: usize = 16 << 10;
/// Maximum number of pairs checked, in order of their names. Kubernetes' own objects have about ten.
pub const MOST_LOOKED_AT: usize = 512;

/// The labels or annotations that a record includes.
#[derive(Debug, Clone, Copy)]
pub struct SelectedLabels<'i> {
    labels: Option<&'i Labels>,
    names: Option<&'i Patterns>,
}

impl<'i> SelectedLabels<'i> {
    pub(super) const NOTHING: Self = Self { labels: None, names: None };

    pub(super) fn of(labels: Option<&'i Labels>, names: &'i Patterns) -> Self {
        Self { labels, names: Some(names) }
    }

    /// Names and values, in the order of the names.
    pub fn iter(&self) -> impl Iterator<Item = (&'i str, &'i str)> {
        let mut left = MOST_BYTES;
        let fitting = self.wanted().filter(move |(name, value)| {
            let rest = left.checked_sub(name.len() + value.len());
            left = rest.unwrap_or(left);
            rest.is_some()
        });
        fitting.take(MOST_PAIRS)
    }

    /// How many were left out: selected but too many or too large, or not checked.
    #[must_use]
    pub fn omitted(&self) -> Option<usize> {
        let labels = self.labels?;
        // The usual case.
        if labels.len() <= MOST_PAIRS && labels.bytes() <= MOST_BYTES {
            return None;
        }
        let not_looked_at = labels.len().saturating_sub(MOST_LOOKED_AT);
        let omitted = self.wanted().count() - self.iter().count() + not_looked_at;
        (omitted > 0).then_some(omitted)
    }

    fn wanted(&self) -> impl Iterator<Item = (&'i str, &'i str)> {
        let names = self.names;
        let labels = self.labels.into_iter().flat_map(Labels::iter).take(MOST_LOOKED_AT);
        let wanted = labels.filter(move |label| names.is_some_and(|names| names.matches(&label.name)));
        wanted.map(|label| (&*label.name, &*label.value))
    }
}

impl Serialize for SelectedLabels<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // MessagePack needs the length first.
        let mut map = serializer.serialize_map(Some(self.iter().count()))?;
        for (name, value) in self.iter() {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}
