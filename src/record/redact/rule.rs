//! A redaction rule: which field, and what to do with it.

use crate::pattern::Patterns;

/// Replaces a secret.
pub(super) const REDACTED: &str = "[redacted]";

/// The treatment of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Remove it.
    Remove,
    /// Replace it by `sha256:` and 128 bits of the hash of its text, which is the same everywhere for the
    /// same text. In a list or a map, each value is hashed.
    Hash,
    /// Cut a text above this many bytes, at a character boundary, and mark it.
    Cut(usize),
}

/// One step of a path.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum PathStep {
    Key(Box<str>),
    /// It contains a star.
    Any(Patterns),
}

impl PathStep {
    pub(super) fn takes(&self, key: &[u8]) -> bool {
        match self {
            Self::Key(name) => name.as_bytes() == key,
            Self::Any(patterns) => patterns.matches(&String::from_utf8_lossy(key)),
        }
    }
}

/// A path in a record as it came. A step into a list is taken in each of its items.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Rule {
    pub(super) path: Vec<PathStep>,
    pub(super) action: Action,
}
