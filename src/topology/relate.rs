//! What follows from an object: every look-up of the [`Index`](super::index::Index) is kept up here.
//!
//! One rule for all: what an object contributed is taken away as it was and added as it is. What it means
//! does not depend on the order in which objects of different kinds arrive: nothing is skipped because
//! something else is not there yet.

use std::collections::HashSet;
use std::sync::Arc;

use super::endpoints::{Service, changed, count};
use super::index::Entry;
use super::key::Key;
use super::kind::Kind;
use super::object::{Details, Object};
use super::selectors;
use super::writer::Writer;

impl Writer {
    /// Exchanges an entry, and all that follows from it.
    pub(super) fn set(&mut self, uid: Key, old: Option<&Entry>, new: Option<Entry>) {
        match &new {
            Some(entry) => self.index.objects.insert(uid, entry.clone()),
            None => self.index.objects.remove(&uid),
        };
        let (before, after) = (old.map(|entry| &*entry.object), new.as_ref().map(|entry| &*entry.object));
        self.relate_owners(uid, before, after);
        let kind = before.or(after).map(|object| object.kind);
        match kind {
            Some(Kind::Pod) => self.relate_pod(uid, before, after),
            Some(Kind::PersistentVolumeClaim) => self.relate_claim(uid, before, after),
            Some(Kind::Service) => {
                for object in [before, after].into_iter().flatten().take(1) {
                    self.refresh_service(&object.namespace, &object.name);
                }
            }
            Some(Kind::EndpointSlice) => {
                let live = |entry: Option<&Entry>| entry.filter(|entry| entry.is_live()).cloned();
                self.relate_slice(uid, live(old).as_ref(), live(new.as_ref()).as_ref());
            }
            _ => {}
        }
    }

    fn relate_owners(&mut self, uid: Key, before: Option<&Object>, after: Option<&Object>) {
        if before.map(|object| &object.owners) == after.map(|object| &object.owners) {
            return;
        }
        for (object, owner) in
            before.iter().flat_map(|object| object.owners.iter().map(move |one| (object, one)))
        {
            let owner_uid = Key::of(&owner.uid);
            self.index.children.remove(owner_uid, uid);
            if !self.index.children.has_any(owner_uid) {
                self.index.owner_names.remove(owner.name_key(&object.namespace), owner_uid);
            }
        }
        for (object, owner) in
            after.iter().flat_map(|object| object.owners.iter().map(move |one| (object, one)))
        {
            let owner_uid = Key::of(&owner.uid);
            self.index.children.insert(owner_uid, uid);
            self.index.owner_names.insert(owner.name_key(&object.namespace), owner_uid);
        }
    }

    fn relate_pod(&mut self, uid: Key, before: Option<&Object>, after: Option<&Object>) {
        let claims = |object: Option<&Object>| match object.map(|object| &object.details) {
            Some(Details::Pod { claims, .. }) => Arc::clone(claims),
            _ => Arc::from([]),
        };
        let (old, new) = (claims(before), claims(after));
        let Some(namespace) = before.or(after).map(|object| Arc::clone(&object.namespace)) else { return };
        if old != new {
            for claim in old.iter() {
                self.index.claims.remove(Key::name(&namespace, claim), uid);
            }
            for claim in new.iter() {
                self.index.claims.insert(Key::name(&namespace, claim), uid);
            }
        }
        match (before, after) {
            (None, Some(_)) => self.index.pods.insert(Key::of(&namespace), uid),
            (Some(_), None) => self.index.pods.remove(Key::of(&namespace), uid),
            _ => {}
        }
        self.relate_mirror(uid, before, after);
    }

    /// A kubelet reports on static pods by another uid than their mirror in the API server has.
    fn relate_mirror(&mut self, uid: Key, before: Option<&Object>, after: Option<&Object>) {
        let alias = |object: Option<&Object>| match object.map(|object| &object.details) {
            Some(Details::Pod { mirrors: Some(mirrors), .. }) => Some(Key::of(mirrors)),
            _ => None,
        };
        if let Some(old) = alias(before) {
            self.index.mirrors.remove(old, uid);
        }
        if let Some(new) = alias(after) {
            self.index.mirrors.insert(new, uid);
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

    fn relate_slice(&mut self, uid: Key, before: Option<&Entry>, after: Option<&Entry>) {
        let service_of = |entry: Option<&Entry>| {
            let object = &entry?.object;
            match &object.details {
                Details::EndpointSlice { service, .. } if !service.is_empty() => {
                    Some((Arc::clone(&object.namespace), Arc::clone(service)))
                }
                _ => None,
            }
        };
        let (old, new) = (service_of(before), service_of(after));
        let key = |service: &Option<(Arc<str>, Arc<str>)>| {
            service.as_ref().map(|(namespace, name)| Key::name(namespace, name))
        };
        let held = members(before, key(&old));
        let holds = members(after, key(&new));
        for (pod, service) in held.difference(&holds) {
            self.member(*pod, *service, false);
        }
        for (pod, service) in holds.difference(&held) {
            self.member(*pod, *service, true);
        }
        if key(&old) != key(&new) {
            if let Some(old) = key(&old) {
                self.index.slices.remove(old, uid);
            }
            if let Some(new) = key(&new) {
                self.index.slices.insert(new, uid);
            }
        }
        for (namespace, name) in old.iter().chain(new.iter().filter(|new| Some(*new) != old.as_ref())) {
            self.refresh_service(namespace, name);
        }
    }

    /// One slice of a Service more, or less, holds a pod.
    pub(super) fn member(&mut self, pod: Key, service: Key, holds: bool) {
        let before = self.index.memberships.get(&pod).map_or(&[][..], |memberships| &**memberships);
        let after = changed(before, service, holds);
        if after.iter().all(|one| one.slices == 0) && !self.index.objects.contains_key(&pod) {
            // Nobody has shown us this pod; if nobody does, it must not stay for ever.
            self.graves.dig(pod, self.now_seconds);
        }
        self.index.memberships.insert(pod, after);
    }

    /// Past memberships go with the pod; present ones are the slices' to end.
    pub(super) fn forget_memberships(&mut self, pod: Key) {
        let Some(memberships) = self.index.memberships.get(&pod) else { return };
        let present: Vec<_> = memberships.iter().filter(|one| one.slices > 0).copied().collect();
        if present.is_empty() {
            self.index.memberships.remove(&pod);
        } else {
            self.index.memberships.insert(pod, present.into());
        }
    }

    /// Makes anew what is known of a Service.
    fn refresh_service(&mut self, namespace: &Arc<str>, name: &Arc<str>) {
        let key = Key::name(namespace, name);
        let object = self.index.by_name(Key::held(Kind::Service, namespace, name)).cloned();
        let slices: Vec<_> =
            self.index.slices.of(key).filter_map(|uid| self.index.objects.get(&uid)).collect();
        let endpoints = slices.iter().flat_map(|entry| match &entry.object.details {
            Details::EndpointSlice { endpoints, .. } => &endpoints[..],
            _ => &[],
        });
        let (counts, nodes) = count(endpoints);
        let is_known = object.is_some() || !slices.is_empty();
        let new = is_known.then(|| {
            let (namespace, name) = (Arc::clone(namespace), Arc::clone(name));
            Arc::new(Service { namespace, name, object, endpoints: counts, nodes })
        });
        let old = match &new {
            Some(new) => self.index.services.insert(key, Arc::clone(new)),
            None => self.index.services.remove(&key),
        };
        selectors::exchange(&mut self.index.selectors, key, old.as_deref(), new.as_deref());
        for node in old.iter().flat_map(|old| old.nodes.iter()) {
            if new.as_ref().is_none_or(|new| new.on_node(node.node).total == 0) {
                self.index.on_node.remove(node.node, key);
            }
        }
        for node in new.iter().flat_map(|new| new.nodes.iter()) {
            if old.as_ref().is_none_or(|old| old.on_node(node.node).total == 0) {
                self.index.on_node.insert(node.node, key);
            }
        }
    }
}

/// The pods that a slice holds, each with the slice's Service.
fn members(slice: Option<&Entry>, service: Option<Key>) -> HashSet<(Key, Key)> {
    let (Some(entry), Some(service)) = (slice, service) else { return HashSet::new() };
    match &entry.object.details {
        Details::EndpointSlice { endpoints, .. } => {
            endpoints.iter().filter(|one| one.is_pod).map(|one| (one.target, service)).collect()
        }
        _ => HashSet::new(),
    }
}
