//! An immutable snapshot of the cluster with its look-ups.
//!
//! Snapshots share everything that did not change between them. So the writer can publish one after every few
//! changes, and a reader can keep its snapshot as long as it likes.

use std::sync::Arc;

use imbl::OrdMap;

use super::endpoints::{Membership, Memberships, Service};
use super::freshness::{Freshness, FreshnessTable};
use super::key::Key;
use super::kind::{KINDS, ObjectKind};
use super::node_services::{NodeServices, NodeServicesIter};
use super::object::Object;
use super::relation::Relation;
use super::scope::within;
use super::table::Table;

/// How many former holders of a name are checked for being a mirror pod. A tenant who creates and deletes
/// pods under one name makes thousands of them, and each look-up would visit all.
const MOST_FORMER: usize = 64;

/// The cluster at one moment. Deleted objects stay for a while, marked as deleted.
#[derive(Debug, Clone, Default)]
pub struct Index {
    /// Objects by uid.
    pub(super) objects: Table<Arc<Object>>,
    /// Name → uid of the live object, or of the last one deleted.
    pub(super) names: OrdMap<Key, Key>,
    /// Name → uids of objects that had the name earlier.
    pub(super) former: Relation,
    /// Services by namespace and name.
    pub(super) services: Table<Arc<Service>>,
    /// Namespace and one label → Services whose selector contains that label. Each Service is filed under
    /// only one of its labels: a pod that it selects carries that label too.
    pub(super) selectors: Table<Arc<[Key]>>,
    /// Pod uid [`within`] the namespace of the slices that hold it → Services whose
    /// endpoints include the pod, now or in the past.
    pub(super) memberships: Table<Memberships>,
    /// Service name → its slices.
    pub(super) slices: Relation,
    /// Owner's uid [`within`] the namespace of the owned object → owned objects, live or
    /// deleted.
    pub(super) children: Relation,
    /// Kind, name and uid of an owner that may be cluster-scoped
    /// ([`Owner::reference_key`](super::object::Owner::reference_key)) → namespaces in which it owns
    /// something.
    pub(super) owner_namespaces: Relation,
    /// Owner's name → its uids, as its children state them.
    pub(super) owner_names: Relation,
    /// Claim name → pods that mount it.
    pub(super) claims: Relation,
    /// Volume name → claims bound to it.
    pub(super) volumes: Relation,
    /// Node name → namespaces whose Services have endpoints on the node.
    pub(super) node_namespaces: Relation,
    /// Node name → Services with endpoints on the node.
    pub(super) on_node: NodeServices,
    /// Node name → its uid. `names` has the same, but every pod event looks up its node, so this table is
    /// faster.
    pub(super) nodes: Table<Key>,
    /// Namespace → its pods.
    pub(super) pods: Relation,
    /// Kinds that were listed or given up.
    pub(super) settled: KindSet,
    pub(super) listed: KindSet,
    pub(super) freshness: FreshnessTable,
    /// How many object changes were applied so far.
    pub(super) changes: u64,
}

/// A set of kinds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct KindSet(u16);

impl KindSet {
    pub(super) fn add(&mut self, kind: ObjectKind) {
        self.0 |= 1 << kind.index();
    }

    fn has(self, kind: ObjectKind) -> bool {
        self.0 & (1 << kind.index()) != 0
    }

    fn is_whole(self) -> bool {
        self.0.count_ones() as usize == KINDS
    }
}

impl Index {
    /// Whether every kind was listed once or given up. If every kind was given up, nothing is known and any
    /// result would be a guess.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.settled.is_whole() && self.listed != KindSet::default()
    }

    /// How many object changes this snapshot includes. Two snapshots of one writer with the same number have
    /// the same relations.
    #[must_use]
    pub fn changes(&self) -> u64 {
        self.changes
    }

    /// Whether the kind was ever listed in this run. If not, an object restored from an earlier run may be
    /// live or deleted.
    #[must_use]
    pub fn was_listed(&self, kind: ObjectKind) -> bool {
        self.listed.has(kind)
    }

    /// How fresh the objects of this kind are.
    #[must_use]
    pub const fn freshness(&self, kind: ObjectKind) -> Freshness {
        self.freshness.of(kind)
    }

    /// Number of objects, deleted ones included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.objects.len()
    }

    /// Whether there is no object.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty()
    }

    /// All objects, live or deleted.
    pub fn objects(&self) -> impl Iterator<Item = &Arc<Object>> {
        self.objects.values()
    }

    /// The object with this uid.
    #[must_use]
    pub fn by_uid(&self, uid: Key) -> Option<(Key, &Object)> {
        self.objects.get(&uid).map(|object| (uid, &**object))
    }

    /// The mirror of a static pod, by the pod's name ([`Key::held`]) and the uid that its kubelet uses. The
    /// name is part of the look-up because anybody who may create a pod may write any uid into the
    /// annotation.
    #[must_use]
    pub fn mirror(&self, name: Key, uid: Key) -> Option<(Key, &Object)> {
        let named = self.names.get(&name).copied().into_iter().chain(self.former.of(name).take(MOST_FORMER));
        let mirrors =
            self.known(named).filter(|(_, pod)| pod.mirrors().is_some_and(|text| Key::of(text) == uid));
        mirrors.max_by_key(|(_, pod)| pod.rank())
    }

    /// The object with this name ([`Key::object`]): the live one, or the last one deleted.
    #[must_use]
    pub fn by_name(&self, name: Key) -> Option<&Object> {
        self.names.get(&name).and_then(|uid| self.objects.get(uid)).map(|object| &**object)
    }

    /// The node with this name ([`Key::of`]).
    #[must_use]
    pub fn node(&self, name: Key) -> Option<&Object> {
        self.nodes.get(&name).and_then(|uid| self.objects.get(uid)).map(|object| &**object)
    }

    /// The Service with this name ([`Key::name`]), possibly known from its slices alone.
    #[must_use]
    pub fn service(&self, name: Key) -> Option<&Service> {
        self.services.get(&name).map(|service| &**service)
    }

    /// Names ([`Key::name`]) of the namespace's Services that are filed under this label; their selectors
    /// contain it.
    #[must_use]
    pub fn selectors_with(&self, namespace: Key, label: Key) -> &[Key] {
        self.selectors.get(&namespace.with(label)).map_or(&[], |services| &**services)
    }

    /// Memberships of a pod in Services of its namespace, past ones included.
    #[must_use]
    pub fn memberships(&self, uid: Key, pod: &Object) -> &[Membership] {
        let of_pod = self.memberships.get(&within(&pod.namespace, uid));
        of_pod.map_or(&[], |memberships| &**memberships)
    }

    /// The objects that an owner has in one namespace, live or deleted. The key is the owner's uid [`within`] that
    /// namespace.
    pub fn children(&self, owner: Key) -> impl Iterator<Item = (Key, &Object)> {
        self.known(self.children.of(owner))
    }

    /// Namespaces ([`Key::of`]) in which an owner that may be cluster-scoped owns something.
    pub fn owner_namespaces(&self, owner: Key) -> impl Iterator<Item = Key> {
        self.owner_namespaces.of(owner)
    }

    /// Uids of an owner of any kind, as its children state them.
    pub fn owners_named(&self, name: Key) -> impl Iterator<Item = Key> {
        self.owner_names.of(name)
    }

    /// Pods that mount the claim of this name, live or deleted.
    pub fn mounting(&self, claim: Key) -> impl Iterator<Item = (Key, &Object)> {
        self.known(self.claims.of(claim))
    }

    /// Claims that are bound to the volume of this name.
    pub fn claims_of(&self, volume: Key) -> impl Iterator<Item = (Key, &Object)> {
        self.known(self.volumes.of(volume))
    }

    /// Namespaces ([`Key::of`]) whose Services have endpoints on the node of this name.
    pub fn node_namespaces(&self, node: Key) -> impl Iterator<Item = Key> {
        self.node_namespaces.of(node)
    }

    /// Services with endpoints on a node, each with its namespace, in the order of
    /// [`Index::node_namespaces`].
    #[must_use]
    pub fn on_node(&self, node: Key) -> NodeServicesIter<'_> {
        self.on_node.of(node)
    }

    /// All pods of a namespace, live or deleted.
    pub fn pods_in(&self, namespace: Key) -> impl Iterator<Item = (Key, &Object)> {
        self.known(self.pods.of(namespace))
    }

    fn known(&self, uids: impl Iterator<Item = Key>) -> impl Iterator<Item = (Key, &Object)> {
        uids.filter_map(|uid| self.objects.get(&uid).map(|object| (uid, &**object)))
    }
}
