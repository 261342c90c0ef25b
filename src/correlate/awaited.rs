//! The things for which an event may wait: an object that was never seen, or a kind that is not followed for
//! the moment.
//!
//! Checking whether it has arrived costs two look-ups and no correlation, so that many events can wait.

use super::about::About;
use super::kinds_read;
use super::subject::Subject;
use crate::topology::freshness::Freshness;
use crate::topology::index::Index;
use crate::topology::key::Key;
use crate::topology::kind::ObjectKind;

/// What an event waits for.
#[derive(Debug, Clone, Copy)]
pub struct Awaited {
    object: Option<(ObjectKind, AwaitedObject)>,
    /// The kinds that the rule for the object reads.
    kinds: &'static [ObjectKind],
}

/// An object that is not there yet.
#[derive(Debug, Clone, Copy)]
enum AwaitedObject {
    Uid(Key),
    /// A pod; for a static pod, the uid may be the one that its kubelet uses.
    Pod {
        name: Key,
        uid: Key,
    },
    Name(Key),
}

impl Awaited {
    /// The things for which an event waits. `None` if waiting cannot change it, or before the first lists.
    #[must_use]
    pub fn of(index: &Index, about: &About<'_>) -> Option<Self> {
        if !index.is_ready() {
            return None;
        }
        let subject = Subject::find(index, *about);
        if subject.is_foreign {
            return None;
        }
        let awaited = Self {
            object: subject.kind.filter(|_| subject.is_unknown(index)).map(|kind| {
                let name = || Key::object(about.api_version, about.kind, subject.namespace, about.name);
                let wanted = match subject.uid {
                    Some(uid) if kind == ObjectKind::Pod => AwaitedObject::Pod { name: name(), uid },
                    Some(uid) => AwaitedObject::Uid(uid),
                    None => AwaitedObject::Name(name()),
                };
                (kind, wanted)
            }),
            kinds: kinds_read::kinds_read(subject.kind, about.kind),
        };
        (!awaited.has_come(index)).then_some(awaited)
    }

    /// Whether the topology knows by now what was missing.
    #[must_use]
    pub fn has_come(&self, index: &Index) -> bool {
        let is_there = match self.object {
            None => true,
            // The kind may have been refused in the meantime.
            Some((kind, _)) if index.freshness(kind) == Freshness::Refused => true,
            Some((_, AwaitedObject::Uid(uid))) => index.by_uid(uid).is_some(),
            Some((_, AwaitedObject::Pod { name, uid })) => {
                index.by_uid(uid).is_some() || index.mirror(name, uid).is_some()
            }
            Some((_, AwaitedObject::Name(name))) => index.by_name(name).is_some(),
        };
        let is_late =
            |kind: &ObjectKind| matches!(index.freshness(*kind), Freshness::Behind | Freshness::Stale);
        is_there && !self.kinds.iter().any(is_late)
    }
}
