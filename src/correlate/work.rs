//! How much of the cluster is looked at for one event, and for one chunk of events.
//!
//! Whoever may create pods and Services decides how many of them an event leads to, and behind a filter the whole engine of
//! Fluent Bit waits for the answer. So work is counted, in objects looked at, and bounded. No clock is read: the same records and
//! the same cluster give the same answers, within one run, as keys have another order in the next.
//!
//! Each record has a share of its own. What it needs beyond that comes from a supply for the namespace in which the event lies, and
//! that from one for the chunk: a namespace cannot use up what the events of another one need.

use foldhash::{HashMap, HashMapExt};

use crate::topology::index::Index;
use crate::topology::key::Key;

/// Objects looked at for one record at most, in all.
pub const MOST_FOR_RECORD: usize = 20_000;
/// Objects that each record of a chunk may look at, whatever others needed.
pub const SHARE_OF_RECORD: usize = 200;
/// Objects that the events of one namespace may look at in one chunk, beyond their shares.
pub const MOST_FOR_NAMESPACE: usize = 50_000;
/// Objects that all records of a chunk may look at, beyond their shares.
pub const MOST_FOR_CHUNK: usize = 200_000;

/// Of an event about an object of the cluster, objects of each namespace that may be looked at, whatever others needed.
pub const LEAST_OF_NAMESPACE: usize = 16;
/// Services that cost one unit each; beyond them each takes several units, as they are sorted by their names.
const CHEAP_SERVICES: usize = 256;
const UNITS_OF_SERVICE: usize = 4;

/// What the records of one chunk may still look at, and what was found below owners: a chunk often has many events of one.
#[derive(Debug)]
pub struct Work {
    /// For the record at hand.
    left: usize,
    granted: usize,
    is_short: bool,
    namespace: Key,
    of_chunk: usize,
    of_namespaces: HashMap<Key, usize>,
    /// Owner → names of Services.
    below: HashMap<Key, Box<[Key]>>,
    /// [`Index::changes`] when these were found.
    changes: u64,
}

/// A namespace that is looked into.
pub(super) struct Entered {
    namespace: Key,
    share: usize,
    granted: usize,
    kept: usize,
}

impl Default for Work {
    fn default() -> Self {
        Self {
            left: 0,
            granted: 0,
            is_short: false,
            namespace: Key::LEAST,
            of_chunk: MOST_FOR_CHUNK,
            of_namespaces: HashMap::new(),
            below: HashMap::new(),
            changes: 0,
        }
    }
}

impl Work {
    /// Begins a record of an event that lies in this namespace. What was found in another state of the cluster is forgotten.
    pub(super) fn begin(&mut self, index: &Index, namespace: &str) {
        if std::mem::replace(&mut self.changes, index.changes()) != index.changes() {
            self.below.clear();
        }
        self.namespace = Key::of(namespace);
        let of_namespace = self.of_namespaces.get(&self.namespace).copied().unwrap_or(MOST_FOR_NAMESPACE);
        self.granted = MOST_FOR_RECORD.min(SHARE_OF_RECORD + of_namespace.min(self.of_chunk));
        self.left = self.granted;
        self.is_short = false;
    }

    /// Ends the record. Answers whether a bound was reached, so that there may be more than was found.
    pub(super) fn end(&mut self) -> bool {
        let beyond = (self.granted - self.left).saturating_sub(SHARE_OF_RECORD);
        self.charge(self.namespace, beyond);
        self.is_short
    }

    /// Asks to look at one more object.
    pub(super) fn take(&mut self) -> bool {
        self.take_many(1)
    }

    /// Asks to look at so many, or to do what takes as long.
    pub(super) fn take_many(&mut self, many: usize) -> bool {
        let is_enough = self.left >= many;
        self.left = self.left.saturating_sub(many);
        self.is_short |= !is_enough;
        is_enough
    }

    /// Goes on with an equal part of what is left, for one of so many that share it. Answers what the others keep.
    pub(super) fn part(&mut self, of: usize) -> usize {
        let part = self.left.div_ceil(of.max(1));
        std::mem::replace(&mut self.left, part) - part
    }

    /// Begins to look at objects of several namespaces, for an event about an object of the cluster. Each namespace pays for its
    /// own: where the event lies, those of others lie as well. Answers what is left for the rest of the record.
    pub(super) fn begin_others(&mut self) -> usize {
        std::mem::replace(&mut self.left, MOST_FOR_RECORD)
    }

    pub(super) fn end_others(&mut self, own: usize) {
        self.left = own;
    }

    /// Goes on in one namespace, the one at this place of so many.
    pub(super) fn enter(&mut self, namespace: Key, place: usize, of: usize) -> Entered {
        let kept = self.part(of - place);
        let share = (SHARE_OF_RECORD / of.max(1)).max(LEAST_OF_NAMESPACE);
        let of_namespace = self.of_namespaces.get(&namespace).copied().unwrap_or(MOST_FOR_NAMESPACE);
        let beyond_supply = self.left.saturating_sub(share + of_namespace.min(self.of_chunk));
        self.left -= beyond_supply;
        Entered { namespace, share, granted: self.left, kept: kept + beyond_supply }
    }

    pub(super) fn leave(&mut self, entered: &Entered) {
        self.charge(entered.namespace, (entered.granted - self.left).saturating_sub(entered.share));
        self.left += entered.kept;
    }

    fn charge(&mut self, namespace: Key, beyond: usize) {
        if beyond > 0 {
            let of_namespace = self.of_namespaces.entry(namespace).or_insert(MOST_FOR_NAMESPACE);
            *of_namespace = of_namespace.saturating_sub(beyond);
            self.of_chunk = self.of_chunk.saturating_sub(beyond);
        }
    }

    /// Asks to tell one more Service, after so many.
    pub(super) fn take_service(&mut self, named: usize) -> bool {
        self.take_many(if named < CHEAP_SERVICES { 1 } else { UNITS_OF_SERVICE })
    }

    /// Gives back what the others kept.
    pub(super) fn rejoin(&mut self, kept: usize) {
        self.left += kept;
    }

    /// Whether the record at hand was cut short.
    pub(super) fn is_short(&self) -> bool {
        self.is_short
    }

    /// Names of the Services found below an owner before, if all of them were found.
    pub(super) fn found_below(&self, owner: Key) -> Option<&[Key]> {
        self.below.get(&owner).map(|services| &**services)
    }

    pub(super) fn remember_below(&mut self, owner: Key, services: impl Iterator<Item = Key>) {
        if !self.is_short {
            self.below.insert(owner, services.collect());
        }
    }
}
