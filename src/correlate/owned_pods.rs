//! Finds the pods below an owner or a PodDisruptionBudget, and their Services.

use foldhash::{HashSet, HashSetExt};

use super::impact::{Affected, Via};
use super::service_search::{PAIRS_OF_UNIT, ServiceSearch};
use super::subject::Subject;
use super::work::Work;
use crate::topology::index::Index;
use crate::topology::key::Key;
use crate::topology::kind::ObjectKind;
use crate::topology::object::{Details, Object, ScaleTarget};
use crate::topology::scope::within;

/// Maximum depth of owners. Kubernetes' own chains have three levels (CronJob, Job, Pod); the limit ends
/// loops.
pub(super) const MAX_DEPTH: usize = 8;

impl<'i> ServiceSearch<'_, 'i> {
    pub(super) fn owner(&mut self, subject: &Subject<'i>) {
        match subject.uid.or(subject.entry.map(|(uid, _)| uid)) {
            Some(uid) if subject.may_be_of_cluster => {
                let namespaces: Vec<Key> = self.index.owner_namespaces(subject.reference_key(uid)).collect();
                self.for_each_namespace(&namespaces, |found, _, namespace| {
                    found.below(namespace.with(uid), None, Via::Owner);
                });
            }
            Some(uid) => {
                let entry = subject.entry.map(|(_, entry)| entry);
                self.below(within(subject.namespace, uid), entry, Via::Owner);
            }
            None => {
                let about = subject.about;
                let name = Key::object(about.api_version, about.kind, subject.namespace, about.name);
                self.below_named(name, subject.namespace, Via::Owner);
            }
        }
    }

    /// Visits each namespace with an equal share of the work limit, charged to that namespace, so that none
    /// takes work from the others.
    pub(super) fn for_each_namespace(
        &mut self,
        namespaces: &[Key],
        mut look: impl FnMut(&mut Self, usize, Key),
    ) {
        let own = self.work.begin_others();
        for (place, namespace) in namespaces.iter().enumerate() {
            let entered = self.work.enter(*namespace, place, namespaces.len());
            look(self, place, *namespace);
            self.work.leave(&entered);
        }
        self.work.end_others(own);
    }

    /// Services of all pods below an owner, by the owner's uid [`within`] their namespace. If it has no live
    /// pods, uses its template's labels; without a template, its deleted pods.
    pub(super) fn below(&mut self, owner: Key, entry: Option<&'i Object>, via: Via) {
        if let Some(known) = self.work.found_below(owner).filter(|_| entry.is_some()) {
            // Naming a known Service costs as much as finding it: it is looked up, named and sorted.
            let known: Vec<Key> = known.to_vec();
            for service in known.iter().filter_map(|service| self.index.service(*service)) {
                if !self.work.take_service(self.services.len()) {
                    return;
                }
                self.services.push(Affected::new(service, via));
            }
            return;
        }
        // Separate from the results for other owners of the same name, because an empty result leads to the
        // next fallback.
        let mut own: ServiceSearch<'_, 'i> =
            ServiceSearch { index: self.index, work: self.work, services: Vec::new() };
        let pods = pods_below(own.index, owner, own.work);
        if !own.pods(&pods, true, via) {
            if let Some(entry) = entry
                && let Details::Workload { template: Some(template) } = &entry.details
            {
                own.selecting(template, entry, via, &mut HashSet::new());
            }
            if own.services.is_empty() {
                own.pods(&pods, false, via);
            }
        }
        let services = own.services;
        if entry.is_some() {
            self.work.remember_below(owner, services.iter().map(|one| Key::name(one.namespace, one.name)));
        }
        self.services.extend(services);
    }

    /// Services of an owner of a kind that the topology does not hold. Such an owner is known from its
    /// children alone.
    pub(super) fn below_named(&mut self, name: Key, namespace: &str, via: Via) {
        for uid in self.index.owners_named(name) {
            if !self.work.take() {
                return;
            }
            self.below(within(namespace, uid), None, via);
        }
    }
}

/// All pods below an owner, live or deleted, by its uid [`within`] the namespace of its children. Uses at
/// most half of the work limit; the other half is for their Services.
pub(super) fn pods_below<'i>(index: &'i Index, owner: Key, work: &mut Work) -> Vec<(Key, &'i Object)> {
    let kept = work.part(2);
    let mut pods = Vec::new();
    let mut level = vec![owner];
    let mut seen = HashSet::new();
    for _ in 0..MAX_DEPTH {
        let mut next = Vec::new();
        let children = level.iter().flat_map(|owner| index.children(*owner));
        for (uid, entry) in children.take_while(|_| work.take()) {
            if entry.kind == ObjectKind::Pod {
                pods.push((uid, entry));
            } else if seen.insert(uid) {
                next.push(within(&entry.namespace, uid));
            }
        }
        if next.is_empty() {
            break;
        }
        level = next;
    }
    work.rejoin(kept);
    pods
}

pub(super) fn target_name(target: &ScaleTarget, namespace: &str) -> Key {
    Key::object(&target.api_version, &target.kind, namespace, &target.name)
}

/// The pods that a budget selects, live or deleted. Uses at most half of the work limit.
pub(super) fn budget_pods<'i>(
    index: &'i Index,
    budget: &'i Object,
    work: &mut Work,
) -> Vec<(Key, &'i Object)> {
    let Details::Budget { selector: Some(selector) } = &budget.details else { return Vec::new() };
    let kept = work.part(2);
    // Comparing a thousand values takes longer than looking at one pod, so long selectors cost more.
    let units = 1 + selector.pairs() / PAIRS_OF_UNIT;
    let pods = index.pods_in(Key::of(&budget.namespace)).take_while(|_| work.take_many(units));
    let selected = pods.filter(|(_, pod)| selector.selects(&pod.labels)).collect();
    work.rejoin(kept);
    selected
}
