//! Values that are null if the record does not have them.

use std::borrow::Cow;

use serde::{Serialize, Serializer};

use crate::time::Stamp;

/// A text, or null if it is empty: Kubernetes writes an absent text as an empty one.
pub(super) struct OrNull<'r>(pub(super) &'r str);

impl Serialize for OrNull<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.is_empty() { serializer.serialize_none() } else { serializer.serialize_str(self.0) }
    }
}

/// The same for a text that may be owned.
pub(super) struct MessageOrNull<'r>(pub(super) Cow<'r, str>);

impl Serialize for MessageOrNull<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        OrNull(&self.0).serialize(serializer)
    }
}

/// A time as RFC 3339 in UTC, or null.
pub(in crate::format) struct Time(pub Option<Stamp>);

impl Time {
    /// Whether it is null.
    pub(in crate::format) fn is_unknown(&self) -> bool {
        self.0.is_none()
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Some(stamp) => serializer.serialize_str(stamp.text().as_str()),
            None => serializer.serialize_none(),
        }
    }
}
