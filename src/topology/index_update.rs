//! Keeps every look-up of the [`Index`](super::index::Index) up to date when an object changes.
//!
//! One rule covers all look-ups: remove what the old state contributed, add what the new state contributes.
//! The result does not depend on the order in which objects of different kinds arrive, because nothing is
//! skipped when a related object is still missing.

use std::sync::Arc;

use super::endpoints::{Service, changed, count};
use super::key::Key;
use super::kind::{ObjectKind, group_of};
use super::object::{Details, Object, Owner, PodExtras};
use super::scope::within;
use super::selector_index;
use super::tombstones::Tombstone;
use super::writer::IndexWriter;

/// How many children are checked for still naming an owner.
const MOST_ASKED: usize = 16;

impl IndexWriter {
    /// Replaces an object and updates everything derived from it.
    pub(super) fn set(&mut self, uid: Key, old: Option<&Object>, new: Option<Arc<Object>>) {
        self.index.changes += 1;
        match &new {
            Some(object) => self.index.objects.insert(uid, Arc::clone(object)),
            None => self.index.objects.remove(&uid),
        };
        let new = new.as_deref();
        self.relate_owners(uid, old, new);
        let Some(known) = old.or(new) else { return };
        match known.kind {
            ObjectKind::Pod => self.relate_pod(uid, old, new),
            ObjectKind::PersistentVolumeClaim => self.relate_claim(uid, old, new),
            ObjectKind::Node => {
                let name = Key::of(&known.name);
                match self.index.names.get(&known.name_key()).copied() {
                    Some(uid) => self.index.nodes.insert(name, uid),
                    None => self.index.nodes.remove(&name),
                };
            }
            ObjectKind::Service => self.mark_outdated(&known.namespace, &known.name),
            ObjectKind::EndpointSlice => {
                let live = |object: &&Object| object.is_live();
                self.relate_slice(uid, old.filter(live), new.filter(live));
            }
            _ => {}
        }
    }

    fn relate_owners(&mut self, uid: Key, before: Option<&Object>, after: Option<&Object>) {
        if before.map(Object::owners) == after.map(Object::owners) {
            return;
        }
        for (object, owner) in owned(before) {
            let here = within(&object.namespace, owner.key);
            self.index.children.remove(here, uid);
            if !self.is_still_referenced(here, owner) {
                self.index.owner_names.remove(owner.name_key(&object.namespace), owner.key);
                self.index.owner_namespaces.remove(owner.reference_key(), Key::of(&object.namespace));
            }
        }
        for (object, owner) in owned(after) {
            self.index.children.insert(within(&object.namespace, owner.key), uid);
            self.index.owner_names.insert(owner.name_key(&object.namespace), owner.key);
            // An owner of a followed kind is in its children's namespace, unless it is a Node.
            if ObjectKind::of(group_of(&owner.api_version), &owner.kind).is_none() {
                self.index.owner_namespaces.insert(owner.reference_key(), Key::of(&object.namespace));
            }
        }
    }

    /// Whether a child still refers to the owner by this kind and name. All children of a real owner do, so
    /// checking a few is enough.
    fn is_still_referenced(&self, here: Key, owner: &Owner) -> bool {
        let children = self.index.children(here).take(MOST_ASKED);
        children
            .flat_map(|(_, child)| child.owners())
            .any(|other| other.reference_key() == owner.reference_key())
    }

    fn relate_pod(&mut self, uid: Key, before: Option<&Object>, after: Option<&Object>) {
        let Some(namespace) = before.or(after).map(|object| &*object.namespace) else { return };
        match (before, after) {
            (None, Some(_)) => self.index.pods.insert(Key::of(namespace), uid),
            (Some(_), None) => self.index.pods.remove(Key::of(namespace), uid),
            _ => {}
        }
        let (old, new) = (extras(before), extras(after));
        if old == new {
            return;
        }
        for claim in old.iter().flat_map(|extras| &extras.claims) {
            self.index.claims.remove(Key::name(namespace, claim), uid);
        }
        for claim in new.iter().flat_map(|extras| &extras.claims) {
            self.index.claims.insert(Key::name(namespace, claim), uid);
        }
    }

    fn relate_claim(&mut self, uid: Key, before: Option<&Object>, after: Option<&Object>) {
        let volume = |object: Option<&Object>| match object.map(|object| &object.details) {
            Some(Details::Claim { volume }) if !volume.is_empty() => Some(Key::of(volume)),
            _ => None,
        };
        if let Some(old) = volume(before) {
            self.index.volumes.remove(old, uid);
        }
        if let Some(new) = volume(after) {
            self.index.volumes.insert(new, uid);
        }
    }

    fn relate_slice(&mut self, uid: Key, before: Option<&Object>, after: Option<&Object>) {
        if before.map(|slice| &slice.details) == after.map(|slice| &slice.details) {
            return;
        }
        let (old, new) = (service_of(before), service_of(after));
        let key = |(namespace, name): (&Arc<str>, &Arc<str>)| Key::name(namespace, name);
        let (old_key, new_key) = (old.map(key), new.map(key));
        let (held, holds) = (members(before), members(after));
        let stay = |pod: &Key, others: &[Key]| old_key == new_key && others.binary_search(pod).is_ok();
        let Some(namespace) = before.or(after).map(|slice| Key::of(&slice.namespace)) else { return };
        for pod in held.iter().filter(|pod| !stay(pod, &holds)) {
            old_key.into_iter().for_each(|service| self.member(namespace, *pod, service, false));
        }
        for pod in holds.iter().filter(|pod| !stay(pod, &held)) {
            new_key.into_iter().for_each(|service| self.member(namespace, *pod, service, true));
        }
        if old_key != new_key {
            old_key.into_iter().for_each(|old| self.index.slices.remove(old, uid));
            new_key.into_iter().for_each(|new| self.index.slices.insert(new, uid));
        }
        for (namespace, name) in old.into_iter().chain(new.filter(|new| Some(*new) != old)) {
            self.mark_outdated(namespace, name);
        }
    }

    /// Records that one slice of a Service of this namespace started or stopped holding a pod.
    pub(super) fn member(&mut self, namespace: Key, pod: Key, service: Key, holds: bool) {
        let here = namespace.with(pod);
        let before = self.index.memberships.get(&here).map_or(&[][..], |memberships| &**memberships);
        let after = changed(before, service, holds);
        if after.iter().all(|one| one.slices == 0) && !self.is_held_in(namespace, pod) {
            // The pod was never listed in this namespace. The tombstone bounds how long its memberships are
            // kept if it never is.
            self.tombstones.insert(Tombstone { seconds: self.now_seconds, namespace, uid: pod });
        }
        self.index.memberships.insert(here, after);
    }

    /// Whether an object with this uid is in this namespace ([`Key::of`]).
    pub(super) fn is_held_in(&self, namespace: Key, uid: Key) -> bool {
        self.index.objects.get(&uid).is_some_and(|object| Key::of(&object.namespace) == namespace)
    }

    /// Removes the past memberships of a pod. Present ones end when the slices change.
    pub(super) fn forget_memberships(&mut self, namespace: Key, pod: Key) {
        let pod = namespace.with(pod);
        let Some(memberships) = self.index.memberships.get(&pod) else { return };
        let present: Vec<_> = memberships.iter().filter(|one| one.slices > 0).copied().collect();
        if present.is_empty() {
            self.index.memberships.remove(&pod);
        } else {
            self.index.memberships.insert(pod, present.into());
        }
    }

    /// Marks a Service as outdated; it is recomputed before the next snapshot. Recomputing at once would
    /// count a Service of a thousand slices a thousand times during a list.
    fn mark_outdated(&mut self, namespace: &Arc<str>, name: &str) {
        self.outdated
            .entry(Key::name(namespace, name))
            .or_insert_with(|| (Arc::clone(namespace), name.into()));
    }

    /// Recomputes the Services that are marked as outdated.
    pub(super) fn refresh_services(&mut self) {
        // One at a time: if one panics, the next snapshot refreshes the others.
        while let Some((key, (namespace, name))) = self.outdated.pop_first() {
            self.refresh_service(key, &namespace, name);
        }
    }

    fn refresh_service(&mut self, key: Key, namespace: &Arc<str>, name: Box<str>) {
        let named = self.index.names.get(&Key::held(ObjectKind::Service, namespace, &name));
        let object = named.and_then(|uid| self.index.objects.get(uid)).cloned();
        let slices: Vec<_> =
            self.index.slices.of(key).filter_map(|uid| self.index.objects.get(&uid)).collect();
        let endpoints = slices.iter().flat_map(|slice| match &slice.details {
            Details::EndpointSlice { endpoints, .. } => &endpoints[..],
            _ => &[],
        });
        let (counts, nodes) = count(endpoints);
        let is_known = object.is_some() || !slices.is_empty();
        let new = is_known.then(|| {
            let namespace = Arc::clone(namespace);
            Arc::new(Service { namespace, name, object, endpoints: counts, nodes })
        });
        let old = match &new {
            Some(new) => self.index.services.insert(key, Arc::clone(new)),
            None => self.index.services.remove(&key),
        };
        selector_index::exchange(&mut self.index.selectors, key, old.as_deref(), new.as_deref());
        let here = Key::of(namespace);
        for node in old.iter().flat_map(|old| old.nodes.iter()) {
            if new.as_ref().is_none_or(|new| new.on_node(node.node).total == 0) {
                self.index.on_node.remove(node.node, here, key);
                if !self.index.on_node.has_any(node.node, here) {
                    self.index.node_namespaces.remove(node.node, here);
                }
            }
        }
        for node in new.iter().flat_map(|new| new.nodes.iter()) {
            if old.as_ref().is_none_or(|old| old.on_node(node.node).total == 0) {
                self.index.on_node.insert(node.node, here, key);
                self.index.node_namespaces.insert(node.node, here);
            }
        }
    }
}

/// Each owner of an object, with the object.
fn owned(object: Option<&Object>) -> impl Iterator<Item = (&Object, &Owner)> {
    object.into_iter().flat_map(|object| object.owners().iter().map(move |owner| (object, owner)))
}

fn extras(object: Option<&Object>) -> Option<&PodExtras> {
    match &object?.details {
        Details::Pod { extras, .. } => extras.as_deref(),
        _ => None,
    }
}

/// Namespace and name of the Service to which a slice belongs.
fn service_of(slice: Option<&Object>) -> Option<(&Arc<str>, &Arc<str>)> {
    match &slice?.details {
        Details::EndpointSlice { service, .. } if !service.is_empty() => Some((&slice?.namespace, service)),
        _ => None,
    }
}

/// The pods in a slice, sorted.
fn members(slice: Option<&Object>) -> Vec<Key> {
    let Some(Details::EndpointSlice { endpoints, .. }) = slice.map(|slice| &slice.details) else {
        return Vec::new();
    };
    let mut pods: Vec<Key> = endpoints.iter().filter(|one| one.is_pod).map(|one| one.target).collect();
    pods.sort_unstable();
    pods.dedup();
    pods
}
