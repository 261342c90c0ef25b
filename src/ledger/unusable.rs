//! Why a file can never be used as it is, and where it was moved.

use std::fmt;
use std::path::PathBuf;

use crate::record::identity::rules::RULES;

/// Why a file can never be used as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unusable {
    /// It is no ledger, or a damaged one.
    Damaged(String),
    /// A newer version of this plugin wrote it, by these identity rules.
    Newer {
        /// Higher than the number that this version knows.
        rules: u32,
    },
}

impl Unusable {
    /// What a file that is moved aside gets at the end of its name, before the time.
    #[must_use]
    pub fn suffix(&self) -> &'static str {
        match self {
            Self::Damaged(_) => ".damaged",
            Self::Newer { .. } => ".newer",
        }
    }
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Damaged(why) => write!(f, "is damaged ({why})"),
            Self::Newer { rules } => write!(
                f,
                "was written by a newer version of this plugin (identity rules {rules}; this version knows {RULES})"
            ),
        }
    }
}

/// A file that was moved aside. Shown: is damaged (…) and was moved to …
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MovedAside {
    /// `<file>.damaged-<time>` or `<file>.newer-<time>`.
    pub to: PathBuf,
    /// Also decides the suffix.
    pub why: Unusable,
}

impl MovedAside {
    /// What a person can do about it.
    #[must_use]
    pub fn advice(&self) -> &'static str {
        match self.why {
            Unusable::Damaged(_) => "look at the disk",
            Unusable::Newer { .. } => "put it back when the newer version runs again",
        }
    }
}

impl fmt::Display for MovedAside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} and was moved to {}", self.why, self.to.display())
    }
}
