//! Collects affected Services, and finds those of a pod.

use std::sync::Arc;

use foldhash::{HashSet, HashSetExt};

use super::heapsort::sort_by_key;
use super::impact::{Affected, Via};
use super::work::Work;
use crate::topology::endpoints::{Membership, Service};
use crate::topology::index::Index;
use crate::topology::key::Key;
use crate::topology::labels::Labels;
use crate::topology::object::Object;

/// Comparing this many selector pairs or memberships takes as long as one object look-up.
pub(super) const PAIRS_OF_UNIT: usize = 16;
/// Up to this many Services, a linear search for duplicates is cheapest.
const FEW: usize = 8;

pub(super) struct ServiceSearch<'w, 'i> {
    pub(super) index: &'i Index,
    pub(super) work: &'w mut Work,
    pub(super) services: Vec<Affected<'i>>,
}

impl<'i> ServiceSearch<'_, 'i> {
    /// One entry per Service, sorted by reason and name. Services of a Node keep their own order.
    pub(super) fn sorted(mut self) -> Vec<Affected<'i>> {
        if self.services.len() > 1 && self.services[0].via != Via::Node {
            sort_by_key(&mut self.services, |one| (one.namespace, one.name, one.uid, one.via));
            self.services.dedup_by_key(|one| (one.namespace, one.name, one.uid));
            sort_by_key(&mut self.services, |one| (one.via, one.namespace, one.name, one.uid));
        }
        self.services
    }

    /// Services of a pod: those whose slices hold it and those whose selector matches it, ready or not. For a
    /// deleted pod also those whose slices held it, and Services deleted with it.
    pub(super) fn pod(&mut self, uid: Key, pod: &'i Object) {
        let mut seen = HashSet::new();
        self.holding(self.index.memberships(uid, pod), pod, Via::Endpoint, &mut seen);
        // A Service found both ways keeps the stronger reason.
        seen.clear();
        self.selecting(&pod.labels, pod, Via::Selector, &mut seen);
    }

    fn holding(&mut self, places: &[Membership], pod: &Object, via: Via, seen: &mut HashSet<Key>) {
        for membership in places {
            if !self.work.take() {
                return;
            }
            if (!pod.is_live() || membership.slices > 0)
                && let Some(service) = self.index.service(membership.service)
            {
                self.add(membership.service, service, pod, via, seen);
            }
        }
    }

    pub(super) fn selecting(
        &mut self,
        labels: &'i Labels,
        about: &Object,
        via: Via,
        seen: &mut HashSet<Key>,
    ) {
        let namespace = Key::of(&about.namespace);
        for label in labels.iter() {
            for key in self.index.selectors_with(namespace, label.key) {
                let Some(service) = self.index.service(*key) else { continue };
                let pairs = service.selector().map_or(0, Labels::len);
                if !self.work.take_many(1 + pairs / PAIRS_OF_UNIT) {
                    return;
                }
                if service.selects(labels) {
                    self.add(*key, service, about, via, seen);
                }
            }
            if !self.work.take() {
                return;
            }
        }
    }

    /// Adds a Service once, although a thousand pods may belong to it.
    pub(super) fn add(
        &mut self,
        key: Key,
        service: &'i Service,
        about: &Object,
        via: Via,
        seen: &mut HashSet<Key>,
    ) {
        if !is_hit(service, about) {
            return;
        }
        let new = Affected::new(service, via);
        // A few are compared directly, which needs no memory; `sorted` removes the remaining duplicates.
        let is_new = if self.services.len() < FEW { !self.services.contains(&new) } else { seen.insert(key) };
        if is_new && self.work.take_service(self.services.len()) {
            self.services.push(new);
        }
    }

    /// Services of many pods. Pods of one template share their labels, so the previous pod's result is often
    /// valid for the next one. `false` means that there was no pod.
    pub(super) fn pods(&mut self, pods: &[(Key, &'i Object)], live: bool, via: Via) -> bool {
        let mut any = false;
        let mut last = None;
        let mut last_places: &[Membership] = &[];
        let mut seen = HashSet::new();
        for (uid, pod) in pods.iter().copied().filter(|(_, pod)| pod.is_live() == live) {
            any = true;
            if !self.work.take() {
                break;
            }
            // Live pods of one template also share their memberships, whatever their age.
            let places = self.index.memberships(uid, pod);
            self.work.take_many(places.len() / PAIRS_OF_UNIT);
            if !live || !same_now(places, last_places) {
                self.holding(places, pod, via, &mut seen);
                last_places = places;
            }
            // For a deleted pod, its creation time decides which deleted Services it could affect.
            let created_seconds = if live { 0 } else { pod.created_seconds };
            let same = (Arc::as_ptr(&pod.labels), Arc::as_ptr(&pod.namespace), created_seconds);
            if last != Some(same) {
                self.selecting(&pod.labels, pod, via, &mut seen);
                last = Some(same);
            }
        }
        any
    }
}

/// Whether the object can affect the Service. A deleted Service is affected only by a deleted object that was
/// created before the Service was deleted.
fn is_hit(service: &Service, about: &Object) -> bool {
    match service.object.as_ref().and_then(|object| object.deleted_seconds) {
        None => true,
        Some(deleted) => !about.is_live() && about.created_seconds <= deleted.get(),
    }
}

/// Whether two pods are in the same Services now.
fn same_now(some: &[Membership], others: &[Membership]) -> bool {
    let is_now = |one: &&Membership| one.slices > 0;
    let (some, others) = (some.iter().filter(is_now), others.iter().filter(is_now));
    some.map(|one| one.service).eq(others.map(|one| one.service))
}
