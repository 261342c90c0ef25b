//! Builds the next snapshot from the changes of objects.
//!
//! An object is put, is deleted, is kept for a while as a tombstone, and is erased. `index_update` maintains
//! the look-ups.

use std::collections::{BTreeMap, HashSet};
use std::num::NonZeroU64;
use std::sync::Arc;

use super::freshness::Freshness;
use super::index::Index;
use super::key::Key;
use super::kind::ObjectKind;
use super::object::{Object, UNORDERED};
use super::tombstones::{Tombstone, Tombstones};

/// Maximum number of deleted objects kept, whatever `tombstone_ttl` says.
pub const MAX_TOMBSTONES: usize = 50_000;

/// Holds the objects, and what changed since the last snapshot.
#[derive(Debug)]
pub struct IndexWriter {
    pub(super) index: Index,
    pub(super) tombstones: Tombstones,
    /// Services whose object or slices changed since the last snapshot, by name. The order is fixed within a
    /// run, so that the same changes give the same snapshot.
    pub(super) outdated: BTreeMap<Key, (Arc<str>, Box<str>)>,
    ttl_seconds: u64,
    pub(super) now_seconds: u64,
}

impl IndexWriter {
    /// Without an object; tombstones are kept this long.
    #[must_use]
    pub fn new(ttl_seconds: u64) -> Self {
        let (index, tombstones, outdated) = (Index::default(), Tombstones::default(), BTreeMap::new());
        Self { index, tombstones, outdated, ttl_seconds, now_seconds: 1 }
    }

    /// Sets the time that is used as time of deletion from now on.
    pub fn set_time(&mut self, now_seconds: u64) {
        self.now_seconds = now_seconds.max(1);
    }

    /// Number of objects, deleted ones included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.index.len()
    }

    /// Whether there is no object.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.index.is_empty()
    }

    /// The cluster as it is now.
    #[must_use]
    pub fn snapshot(&mut self) -> Index {
        self.refresh_services();
        self.index.clone()
    }

    /// Applies a complete list: exactly these objects of the kind are live. Versions are not compared,
    /// because etcd reuses them after a restore from a backup.
    pub fn replace(&mut self, kind: ObjectKind, objects: Vec<Arc<Object>>) {
        let there: HashSet<Key> = objects.iter().map(|object| object.key()).collect();
        for object in objects {
            self.place(object);
        }
        let live = self.index.objects.iter().filter(|(_, object)| object.is_live() && object.kind == kind);
        let gone: Vec<Key> = live.map(|(uid, _)| *uid).filter(|uid| !there.contains(uid)).collect();
        for uid in gone {
            self.mark_deleted(uid);
        }
        self.index.settled.add(kind);
        self.index.listed.add(kind);
    }

    /// Gives up a kind that cannot be listed; correlation goes on without it. Objects restored from an
    /// earlier run stay until they expire, except Services: they are erased, because their slices are a
    /// better source.
    pub fn give_up(&mut self, kind: ObjectKind) {
        if kind == ObjectKind::Service {
            let held = self.index.objects.iter().filter(|(_, object)| object.kind == kind);
            for uid in held.map(|(uid, _)| *uid).collect::<Vec<_>>() {
                self.erase(uid);
            }
        }
        self.index.settled.add(kind);
    }

    /// Sets how fresh the objects of a kind are. Returns whether that changed.
    pub fn set_freshness(&mut self, kind: ObjectKind, freshness: Freshness) -> bool {
        let is_news = self.index.freshness(kind) != freshness;
        self.index.freshness.set(kind, freshness);
        is_news
    }

    /// Applies a watch event: the object was added or modified. A state older than the held one, from an API
    /// server that lags behind, is ignored.
    pub fn put(&mut self, object: Arc<Object>) {
        if !self.is_past(&object) {
            self.place(object);
        }
    }

    /// Applies a watch event: the object was deleted; `last` is its last state.
    pub fn delete(&mut self, last: Arc<Object>) {
        if !self.is_past(&last) {
            let uid = last.key();
            self.place(last);
            self.mark_deleted(uid);
        }
    }

    /// Whether a later state is held, or the object is known to be deleted since this state.
    fn is_past(&self, object: &Object) -> bool {
        let held = self.index.objects.get(&object.key());
        held.is_some_and(|held| {
            object.is_older_than(held)
                || (!held.is_live() && object.version == held.version && held.version < UNORDERED)
        })
    }

    /// Stores the object as live.
    fn place(&mut self, mut object: Arc<Object>) {
        let uid = object.key();
        let old = self.index.objects.get(&uid).cloned();
        if old.as_ref().is_some_and(|old| old.is_live() && old.is_same_as(&object)) {
            return;
        }
        // A name has one object at a time, so the object that had it before must have been deleted.
        let name = object.name_key();
        if let Some(other) = self.index.names.get(&name).copied().filter(|other| *other != uid) {
            self.mark_deleted(other);
        }
        if let Some(tombstone) = old.as_deref().and_then(Tombstone::of) {
            self.tombstones.remove(tombstone);
        }
        if let (Some(old), Some(object)) = (&old, Arc::get_mut(&mut object)) {
            object.share(old);
        }
        let new = if object.is_live() { object } else { Arc::new(object.deleted_at(None)) };
        self.index.assign_name(name, uid);
        self.set(uid, old.as_deref(), Some(new));
    }

    /// Restores an object of an earlier run with the names of its Services. It counts as deleted until a list
    /// shows it.
    pub fn remember(&mut self, object: Arc<Object>, services: &[Box<str>], deleted_seconds: u64) {
        let uid = object.key();
        if self.index.objects.contains_key(&uid) {
            return;
        }
        let deleted = NonZeroU64::new(deleted_seconds).unwrap_or(NonZeroU64::MIN);
        let mut object = object.deleted_at(Some(deleted));
        let namespace = Key::of(&object.namespace);
        self.tombstones.insert(Tombstone { seconds: deleted.get(), namespace, uid });
        // The deletion is an assumption: a watch of a lagging server may still send the same state.
        object.version = UNORDERED;
        self.index.assign_former_name(object.name_key(), uid, object.rank());
        let object = Arc::new(object);
        self.set(uid, None, Some(Arc::clone(&object)));
        for service in services.iter().map(|name| Key::name(&object.namespace, name)) {
            self.member(namespace, uid, service, true);
            self.member(namespace, uid, service, false);
        }
    }

    /// Erases objects whose tombstones have expired, or that exceed the bound. Returns how many were erased
    /// early.
    pub fn expire(&mut self) -> u64 {
        while let Some(tombstone) =
            self.tombstones.take_until(self.now_seconds.saturating_sub(self.ttl_seconds))
        {
            self.erase_dead(tombstone);
        }
        let mut early = 0;
        // Before the first lists, most restored objects only wait to be found live.
        while self.index.is_ready()
            && let Some(tombstone) = self.tombstones.take_above(MAX_TOMBSTONES)
        {
            self.erase_dead(tombstone);
            early += 1;
        }
        early
    }

    fn mark_deleted(&mut self, uid: Key) {
        let Some(old) = self.index.objects.get(&uid).filter(|object| object.is_live()).cloned() else {
            return;
        };
        let deleted = NonZeroU64::new(self.now_seconds).unwrap_or(NonZeroU64::MIN);
        self.tombstones.insert(Tombstone { seconds: deleted.get(), namespace: Key::of(&old.namespace), uid });
        self.set(uid, Some(&old), Some(Arc::new(old.deleted_at(Some(deleted)))));
    }

    /// A tombstone may be outdated: its pod was known from a slice first and listed later. If that pod was
    /// then deleted, it has a newer tombstone.
    fn erase_dead(&mut self, tombstone: Tombstone) {
        if !self.is_held_in(tombstone.namespace, tombstone.uid) {
            self.forget_memberships(tombstone.namespace, tombstone.uid);
        } else if self.index.objects.get(&tombstone.uid).and_then(|object| Tombstone::of(object))
            == Some(tombstone)
        {
            self.erase(tombstone.uid);
        }
    }

    fn erase(&mut self, uid: Key) {
        let Some(old) = self.index.objects.get(&uid).cloned() else { return };
        if let Some(tombstone) = Tombstone::of(&old) {
            self.tombstones.remove(tombstone);
        }
        self.index.forget_name(old.name_key(), uid);
        self.set(uid, Some(&old), None);
        self.forget_memberships(Key::of(&old.namespace), uid);
    }
}
