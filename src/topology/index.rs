//! An immutable snapshot of the cluster, with its look-ups.
//!
//! Copies share whatever did not change between them, so the writer hands out a new one after every few
//! changes, and a reader keeps the one it has for as long as it likes.

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

/// Objects that had a name before, as many as are asked whether they are a mirror: whoever creates and deletes pods of one name
/// makes thousands, and each look-up would go through all of them.
const MOST_FORMER: usize = 64;

/// The cluster at one moment. Deleted objects stay for a while, marked as such.
#[derive(Debug, Clone, Default)]
pub struct Index {
    /// By uid.
    pub(super) objects: Table<Arc<Object>>,
    /// Name → uid: of the object that is there, else of the one that went last.
    pub(super) names: OrdMap<Key, Key>,
    /// Name → uids of others that had it before.
    pub(super) former: Relation,
    /// By namespace and name.
    pub(super) services: Table<Arc<Service>>,
    /// Namespace and one label → the Services whose selector holds that label. A Service stands under one
    /// of its labels only: whoever it selects has that one too.
    pub(super) selectors: Table<Arc<[Key]>>,
    /// Pod, [within](super::scope::within) the namespace of the slices that hold it → the Services behind which its endpoints
    /// stand, or stood.
    pub(super) memberships: Table<Memberships>,
    /// Service's name → its slices.
    pub(super) slices: Relation,
    /// Owner's uid, [within](super::scope::within) the namespace of what it owns → what it owns, gone or not.
    pub(super) children: Relation,
    /// ObjectKind, name and uid of an owner that may belong to the cluster ([`Owner::called`](super::object::Owner::reference_key)) → namespaces in which it owns something.
    pub(super) owner_namespaces: Relation,
    /// Owner's name → its uids, as its children name them.
    pub(super) owner_names: Relation,
    /// Claim's name → pods that mount it.
    pub(super) claims: Relation,
    /// Volume's name → claims.
    pub(super) volumes: Relation,
    /// Node's name → namespaces whose Services have endpoints on it.
    pub(super) node_namespaces: Relation,
    /// Node's name → Services with endpoints on the node.
    pub(super) on_node: NodeServices,
    /// Node's name → its uid, as `names`: every pod's event asks for its node.
    pub(super) nodes: Table<Key>,
    /// Namespace → its pods.
    pub(super) pods: Relation,
    /// Listed, or given up.
    pub(super) settled: KindSet,
    pub(super) listed: KindSet,
    pub(super) freshness: FreshnessTable,
    /// How often an object has changed.
    pub(super) changes: u64,
}

/// Some of the kinds.
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
    /// Whether the first list of every kind is complete, or the kind was given up. Where all were given up
    /// nothing is known, and an answer would be a guess.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.settled.is_whole() && self.listed != KindSet::default()
    }

    /// How often an object had changed when the snapshot was taken. Two snapshots of one writer with the same number relate
    /// the same objects.
    #[must_use]
    pub fn changes(&self) -> u64 {
        self.changes
    }

    /// Whether the kind was ever listed. What an earlier run left of one that was not may be there or gone.
    #[must_use]
    pub fn was_listed(&self, kind: ObjectKind) -> bool {
        self.listed.has(kind)
    }

    /// How far the objects of a kind can be believed.
    #[must_use]
    pub const fn freshness(&self, kind: ObjectKind) -> Freshness {
        self.freshness.of(kind)
    }

    /// Objects held, those that are gone included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.objects.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty()
    }

    /// Every object held, gone or not.
    pub fn objects(&self) -> impl Iterator<Item = &Arc<Object>> {
        self.objects.values()
    }

    /// By uid.
    #[must_use]
    pub fn by_uid(&self, uid: Key) -> Option<(Key, &Object)> {
        self.objects.get(&uid).map(|object| (uid, &**object))
    }

    /// The mirror of a static pod, by the pod's name ([`Key::held`]) and the uid that its kubelet knows it by. The name is in
    /// the key because whoever may create a pod may write any uid into the annotation.
    #[must_use]
    pub fn mirror(&self, name: Key, uid: Key) -> Option<(Key, &Object)> {
        let named = self.names.get(&name).copied().into_iter().chain(self.former.of(name).take(MOST_FORMER));
        let mirrors =
            self.known(named).filter(|(_, pod)| pod.mirrors().is_some_and(|text| Key::of(text) == uid));
        mirrors.max_by_key(|(_, pod)| pod.rank())
    }

    /// The object of a name ([`Key::object`]): the one that is there, else the one that went last.
    #[must_use]
    pub fn by_name(&self, name: Key) -> Option<&Object> {
        self.names.get(&name).and_then(|uid| self.objects.get(uid)).map(|object| &**object)
    }

    /// A node by its name ([`Key::of`]).
    #[must_use]
    pub fn node(&self, name: Key) -> Option<&Object> {
        self.nodes.get(&name).and_then(|uid| self.objects.get(uid)).map(|object| &**object)
    }

    /// A Service by its name ([`Key::name`]), or what its slices tell of it.
    #[must_use]
    pub fn service(&self, name: Key) -> Option<&Service> {
        self.services.get(&name).map(|service| &**service)
    }

    /// Names ([`Key::name`]) of the Services of a namespace that are looked for under this label: their selector has it.
    #[must_use]
    pub fn selectors_with(&self, namespace: Key, label: Key) -> &[Key] {
        self.selectors.get(&namespace.with(label)).map_or(&[], |services| &**services)
    }

    /// The places of a pod, by its uid, behind Services of its namespace, those where it stood once included.
    #[must_use]
    pub fn memberships(&self, uid: Key, pod: &Object) -> &[Membership] {
        let of_pod = self.memberships.get(&within(&pod.namespace, uid));
        of_pod.map_or(&[], |memberships| &**memberships)
    }

    /// What an owner owns in one namespace, gone or not, by the owner's uid [`within`] it.
    pub fn children(&self, owner: Key) -> impl Iterator<Item = (Key, &Object)> {
        self.known(self.children.of(owner))
    }

    /// Namespaces ([`Key::of`]) in which an owner that may belong to the cluster owns something, by its kind, name and uid.
    pub fn owner_namespaces(&self, owner: Key) -> impl Iterator<Item = Key> {
        self.owner_namespaces.of(owner)
    }

    /// Uids of an owner of whatever kind, as its children name it.
    pub fn owners_named(&self, name: Key) -> impl Iterator<Item = Key> {
        self.owner_names.of(name)
    }

    /// Pods that mount a claim, gone or not, by the claim's name.
    pub fn mounting(&self, claim: Key) -> impl Iterator<Item = (Key, &Object)> {
        self.known(self.claims.of(claim))
    }

    /// Claims that are bound to a volume, by the volume's name.
    pub fn claims_of(&self, volume: Key) -> impl Iterator<Item = (Key, &Object)> {
        self.known(self.volumes.of(volume))
    }

    /// Namespaces ([`Key::of`]) whose Services have endpoints on a node, by the node's name.
    pub fn node_namespaces(&self, node: Key) -> impl Iterator<Item = Key> {
        self.node_namespaces.of(node)
    }

    /// Services with endpoints on a node, each with its namespace, in the order of [`Index::node_namespaces`].
    #[must_use]
    pub fn on_node(&self, node: Key) -> NodeServicesIter<'_> {
        self.on_node.of(node)
    }

    /// All pods of a namespace, gone or not.
    pub fn pods_in(&self, namespace: Key) -> impl Iterator<Item = (Key, &Object)> {
        self.known(self.pods.of(namespace))
    }

    fn known(&self, uids: impl Iterator<Item = Key>) -> impl Iterator<Item = (Key, &Object)> {
        uids.filter_map(|uid| self.objects.get(&uid).map(|object| (uid, &**object)))
    }
}
