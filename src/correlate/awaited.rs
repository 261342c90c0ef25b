//! What an event may wait for: an object that was never seen, or a kind that is about to be followed again.
//!
//! To ask whether it has come costs two look-ups and no correlation, so that many may wait.

use super::{About, Subject, reads};
use crate::topology::freshness::Freshness;
use crate::topology::index::Index;
use crate::topology::key::Key;
use crate::topology::kind::Kind;

#[derive(Debug, Clone, Copy)]
pub struct Awaited {
    object: Option<Wanted>,
    /// The kinds that the rule reads.
    kinds: &'static [Kind],
}

/// An object that is not there yet.
#[derive(Debug, Clone, Copy)]
enum Wanted {
    Uid(Key),
    Name(Key),
}

impl Awaited {
    /// What the answer for an object waits for; `None` when waiting cannot change it, and before the first lists.
    #[must_use]
    pub fn of(index: &Index, about: &About<'_>) -> Option<Self> {
        if !index.is_ready() {
            return None;
        }
        let subject = Subject::find(index, *about);
        let awaited = Self {
            object: subject.is_unknown(index).then(|| match subject.uid {
                Some(uid) => Wanted::Uid(uid),
                None => {
                    Wanted::Name(Key::object(about.api_version, about.kind, subject.namespace, about.name))
                }
            }),
            kinds: reads::kinds_read(subject.kind, about.kind),
        };
        (!awaited.has_come(index)).then_some(awaited)
    }

    /// Whether it waits for an object, and not only for a kind.
    #[must_use]
    pub const fn is_for_an_object(&self) -> bool {
        self.object.is_some()
    }

    #[must_use]
    pub fn has_come(&self, index: &Index) -> bool {
        let is_there = match self.object {
            None => true,
            Some(Wanted::Uid(uid)) => index.by_uid(uid).is_some(),
            Some(Wanted::Name(name)) => index.by_name(name).is_some(),
        };
        let is_late = |kind: &Kind| matches!(index.freshness(*kind), Freshness::Behind | Freshness::Stale);
        is_there && !self.kinds.iter().any(is_late)
    }
}
