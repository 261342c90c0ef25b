//! Limits how many objects are looked at for one event and for one chunk.
//!
//! Anybody who may create pods and Services decides how many of them an event leads to, and a filter blocks
//! the whole engine of Fluent Bit. So the work is counted in look-ups and bounded. No clock is involved: the
//! same records and the same cluster give the same results within one run (keys are ordered differently in
//! another run).
//!
//! Each record has a share of its own. Beyond it, the record uses the supply of the event's namespace, and
//! that uses the supply of the chunk. So one namespace cannot use up the work of another.

use foldhash::{HashMap, HashMapExt};

use crate::topology::index::Index;
use crate::topology::key::Key;

/// Maximum number of look-ups for one record.
pub const MOST_FOR_RECORD: usize = 20_000;
/// Look-ups that each record of a chunk may always use.
pub const SHARE_OF_RECORD: usize = 200;
/// Look-ups that the events of one namespace may use per chunk, beyond their shares.
pub const MOST_FOR_NAMESPACE: usize = 50_000;
/// Look-ups that all records of a chunk may use, beyond their shares.
pub const MOST_FOR_CHUNK: usize = 200_000;

/// For an event about a cluster-scoped object: look-ups that are always allowed in each namespace.
pub const LEAST_OF_NAMESPACE: usize = 16;
/// Up to this many Services cost one unit each; more of them cost more, because they are sorted by name.
const CHEAP_SERVICES: usize = 256;
const UNITS_OF_SERVICE: usize = 4;

/// The work left for the records of one chunk. Also caches the Services found below owners, because a chunk
/// often has many events of one owner.
#[derive(Debug)]
pub struct Work {
    /// Left for the current record.
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

/// A namespace in which look-ups are done.
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
    /// Starts a record for an event in this namespace. If the cluster has changed, clears the cache.
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

    /// Ends the record. Returns whether a limit was reached, so that there may be more Services.
    pub(super) fn end(&mut self) -> bool {
        let beyond = (self.granted - self.left).saturating_sub(SHARE_OF_RECORD);
        self.charge(self.namespace, beyond);
        self.is_short
    }

    /// Takes one look-up.
    pub(super) fn take(&mut self) -> bool {
        self.take_many(1)
    }

    /// Takes several look-ups, or an equal amount of other work.
    pub(super) fn take_many(&mut self, many: usize) -> bool {
        let is_enough = self.left >= many;
        self.left = self.left.saturating_sub(many);
        self.is_short |= !is_enough;
        is_enough
    }

    /// Continues with an equal part of what is left, for one of `of` parts. Returns what the other parts
    /// keep.
    pub(super) fn part(&mut self, of: usize) -> usize {
        let part = self.left.div_ceil(of.max(1));
        std::mem::replace(&mut self.left, part) - part
    }

    /// Starts look-ups in several namespaces, for an event about a cluster-scoped object. Each namespace is
    /// charged for its own, because the namespace of such events holds those of others too. Returns what is
    /// left for the rest of the record.
    pub(super) fn begin_others(&mut self) -> usize {
        std::mem::replace(&mut self.left, MOST_FOR_RECORD)
    }

    pub(super) fn end_others(&mut self, own: usize) {
        self.left = own;
    }

    /// Continues in one namespace, number `place` of `of`.
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

    /// Takes the work for naming one more Service.
    pub(super) fn take_service(&mut self, named: usize) -> bool {
        self.take_many(if named < CHEAP_SERVICES { 1 } else { UNITS_OF_SERVICE })
    }

    /// Gives back what the other parts kept.
    pub(super) fn rejoin(&mut self, kept: usize) {
        self.left += kept;
    }

    /// Whether a limit cut the current record short.
    pub(super) fn is_short(&self) -> bool {
        self.is_short
    }

    /// Services found below an owner earlier, if the search was complete.
    pub(super) fn found_below(&self, owner: Key) -> Option<&[Key]> {
        self.below.get(&owner).map(|services| &**services)
    }

    pub(super) fn remember_below(&mut self, owner: Key, services: impl Iterator<Item = Key>) {
        if !self.is_short {
            self.below.insert(owner, services.collect());
        }
    }
}
