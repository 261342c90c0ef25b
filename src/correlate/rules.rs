//! One rule for each kind of object: which Services are under impact when something happens to it.

use std::cmp::Reverse;
use std::sync::Arc;

use foldhash::HashSet;

use super::Subject;
use super::impact::{Affected, UidText, Via};
use super::order::sort_by_key;
use crate::topology::endpoints::{Counts, Service};
use crate::topology::index::Index;
use crate::topology::key::Key;
use crate::topology::kind::Kind;
use crate::topology::labels::Labels;
use crate::topology::object::{Details, Object, Target};

/// Owners above owners. Kubernetes' own chains have three (CronJob, Job, Pod); a loop must end.
pub(super) const MAX_DEPTH: usize = 8;

/// All Services under impact, and their number.
pub(super) fn services<'i>(index: &'i Index, subject: &Subject<'i>) -> (Vec<Affected<'i>>, usize) {
    let mut found = Found { index, services: Vec::new() };
    match subject.kind {
        Some(Kind::Service) => found.itself(subject),
        Some(Kind::EndpointSlice) => found.slice(subject),
        Some(Kind::Pod) => {
            if let Some((uid, entry)) = subject.entry {
                found.pod(uid, entry, None);
            }
        }
        Some(Kind::Node) => found.node(subject),
        Some(Kind::HorizontalPodAutoscaler) => found.scale_target(subject),
        Some(Kind::PodDisruptionBudget) => found.budget(subject),
        Some(Kind::PersistentVolumeClaim) => {
            if subject.has_its_name(index) {
                found.claim(Key::name(subject.namespace, subject.about.name));
            }
        }
        Some(Kind::Ingress) => found.ingress(subject),
        // ReplicaSet, Deployment, StatefulSet, DaemonSet, Job and CronJob, and whatever else owns pods.
        _ => match subject.about.kind {
            "Endpoints" => found.named(subject.namespace, subject.about.name, Via::Itself),
            "PersistentVolume" => found.volume(Key::of(subject.about.name)),
            _ => found.owner(subject),
        },
    }
    let services = found.sorted();
    let total = services.len();
    (services, total)
}

struct Found<'i> {
    index: &'i Index,
    services: Vec<Affected<'i>>,
}

impl<'i> Found<'i> {
    /// One entry a Service, the strongest reason first, then by name; Nodes have an order of their own.
    fn sorted(mut self) -> Vec<Affected<'i>> {
        if self.services.len() > 1 && self.services[0].via != Via::Node {
            sort_by_key(&mut self.services, |one| (one.namespace, one.name, one.uid, one.via));
            self.services.dedup_by_key(|one| (one.namespace, one.name, one.uid));
            sort_by_key(&mut self.services, |one| (one.via, one.namespace, one.name, one.uid));
        }
        self.services
    }

    /// Services of a pod: those whose slices hold it, and those that select it, ready or not. For one that
    /// is gone, also those whose slices held it, and Services that went with it.
    fn pod(&mut self, uid: Key, entry: &'i Object, via: Option<Via>) {
        let holding = self.index.holding(uid, !entry.is_live());
        self.add(holding, entry, via.unwrap_or(Via::Endpoint));
        self.selecting(&entry.labels, entry, via.unwrap_or(Via::Selector));
    }

    fn selecting(&mut self, labels: &'i Labels, about: &Object, via: Via) {
        let namespace = Key::of(&about.namespace);
        self.add(self.index.selecting(namespace, labels), about, via);
    }

    fn add(&mut self, services: impl Iterator<Item = &'i Service>, about: &Object, via: Via) {
        let hit = services.filter(|service| is_hit(service, about));
        self.services.extend(hit.map(|service| Affected::new(service, via)));
    }

    /// Services of many pods. Pods of one template share their labels, so the last answer is often the
    /// next one's, too. `false`: there was no pod.
    fn pods(&mut self, pods: &[(Key, &'i Object)], live: bool, via: Via) -> bool {
        let mut any = false;
        let mut last = None;
        let mut last_places = Vec::new();
        for (uid, entry) in pods.iter().filter(|(_, entry)| entry.is_live() == live) {
            any = true;
            // So do their places, while they live: then nothing is decided by when a pod was made.
            if !live || !self.index.places_now(*uid).eq(last_places.iter().copied()) {
                self.add_new(self.index.holding(*uid, !live), entry, via);
                last_places.clear();
                last_places.extend(self.index.places_now(*uid));
            }
            let object = entry;
            // When a pod that is gone was made decides what it can have hit.
            let created_seconds = if live { 0 } else { object.created_seconds };
            let same = (Arc::as_ptr(&object.labels), Arc::as_ptr(&object.namespace), created_seconds);
            if last != Some(same) {
                let namespace = Key::of(&object.namespace);
                self.add_new(self.index.selecting(namespace, &object.labels), entry, via);
                last = Some(same);
            }
        }
        any
    }

    /// As [`Found::add`], without what is there: a thousand pods stand behind the same few Services.
    fn add_new(&mut self, services: impl Iterator<Item = &'i Service>, about: &Object, via: Via) {
        for service in services.filter(|service| is_hit(service, about)) {
            let new = Affected::new(service, via);
            if !self.services.contains(&new) {
                self.services.push(new);
            }
        }
    }

    fn itself(&mut self, subject: &Subject<'i>) {
        let name = Key::name(subject.namespace, subject.about.name);
        let current = self.index.service(name);
        match (subject.entry, current) {
            (Some((uid, entry)), current) => {
                let is_current =
                    |service: &&Service| service.object.as_ref().is_some_and(|object| object.key() == uid);
                self.services.push(current.filter(is_current).map_or_else(
                    || Affected::former(entry, Via::Itself),
                    |service| Affected::new(service, Via::Itself),
                ));
            }
            // Not seen yet, or gone before we came: the event names it all the same.
            (None, current) if !subject.about.name.is_empty() => {
                let current = current.filter(|service| service.object.is_none());
                self.services.push(Affected {
                    namespace: subject.namespace,
                    name: subject.about.name,
                    uid: UidText::Said(subject.about.uid),
                    via: Via::Itself,
                    endpoints_ready: current.map_or(0, |service| service.endpoints.ready),
                    endpoints_total: current.map_or(0, |service| service.endpoints.total),
                    endpoints_here: None,
                    deleted: false,
                });
            }
            _ => {}
        }
    }

    fn named(&mut self, namespace: &str, name: &str, via: Via) {
        let service = self.index.service(Key::name(namespace, name));
        self.services.extend(service.map(|service| Affected::new(service, via)));
    }

    fn slice(&mut self, subject: &Subject<'i>) {
        if let Some((_, entry)) = subject.entry
            && let Details::EndpointSlice { service, .. } = &entry.details
        {
            self.named(subject.namespace, service, Via::Itself);
        }
    }

    /// Those that lose the largest share of their ready endpoints with the node come first.
    fn node(&mut self, subject: &Subject<'i>) {
        if !subject.has_its_name(self.index) {
            return;
        }
        let node = Key::of(subject.about.name);
        let live = self
            .index
            .on_node(node)
            .filter(|service| service.object.as_ref().is_none_or(|object| object.is_live()));
        let mut on: Vec<_> = live.map(|service| (service, service.on_node(node))).collect();
        sort_by_key(&mut on, |(service, here): (&Service, Counts)| {
            // Compared as whole numbers: a share in millionths.
            let share = u64::from(here.ready) * 1_000_000 / u64::from(service.endpoints.ready.max(1));
            (Reverse(share), Reverse(here.total), &*service.namespace, &*service.name)
        });
        self.services
            .extend(on.into_iter().map(|(service, here)| Affected::new(service, Via::Node).here(here)));
    }

    fn owner(&mut self, subject: &Subject<'i>) {
        match subject.uid.or(subject.entry.map(|(uid, _)| uid)) {
            Some(uid) => self.below(uid, subject.entry.map(|(_, entry)| entry), Via::Owner),
            None => self.below_named(
                Key::object(
                    subject.about.api_version,
                    subject.about.kind,
                    subject.namespace,
                    subject.about.name,
                ),
                Via::Owner,
            ),
        }
    }

    /// Services of all pods below an owner; with no pods, of its template's labels; with no template, of
    /// the pods that it had.
    fn below(&mut self, owner: Key, entry: Option<&'i Object>, via: Via) {
        // Apart from what others of the same name have brought: an empty answer asks for the next best.
        let mut own = Found { index: self.index, services: Vec::new() };
        let pods = pods_below(self.index, owner);
        if !own.pods(&pods, true, via) {
            if let Some(entry) = entry
                && let Details::Workload { template: Some(template) } = &entry.details
            {
                own.selecting(template, entry, via);
            }
            if own.services.is_empty() {
                own.pods(&pods, false, via);
            }
        }
        self.services.append(&mut own.services);
    }

    /// An owner of a kind that the topology does not hold is known from what it owns.
    fn below_named(&mut self, name: Key, via: Via) {
        for uid in self.index.owners_named(name) {
            self.below(uid, None, via);
        }
    }

    fn scale_target(&mut self, subject: &Subject<'i>) {
        let Some((_, entry)) = subject.entry else { return };
        let Details::Autoscaler { target } = &entry.details else { return };
        let name = target_name(target, subject.namespace);
        match self.index.by_name(name) {
            Some(target) => self.below(target.key(), Some(target), Via::ScaleTarget),
            None => self.below_named(name, Via::ScaleTarget),
        }
    }

    /// Services of the pods that a budget selects; with no pods, of the labels that it asks for.
    fn budget(&mut self, subject: &Subject<'i>) {
        let Some((_, entry)) = subject.entry else { return };
        let Details::Budget { selector: Some(selector) } = &entry.details else { return };
        let selected: Vec<_> = budget_pods(self.index, entry);
        if !self.pods(&selected, true, Via::Selector) {
            self.selecting(&selector.labels, entry, Via::Selector);
        }
    }

    fn claim(&mut self, claim: Key) {
        let pods: Vec<_> = self.index.mounting(claim).collect();
        if !self.pods(&pods, true, Via::Volume) {
            self.pods(&pods, false, Via::Volume);
        }
    }

    fn volume(&mut self, volume: Key) {
        for (_, claim) in self.index.claims_of(volume) {
            self.claim(Key::name(&claim.namespace, &claim.name));
        }
    }

    fn ingress(&mut self, subject: &Subject<'i>) {
        let Some((_, entry)) = subject.entry else { return };
        let Details::Ingress { backends } = &entry.details else { return };
        let services =
            backends.iter().filter_map(|name| self.index.service(Key::name(subject.namespace, name)));
        self.add(services, entry, Via::Backend);
    }
}

/// Whether a Service can be hit through this object. One that is gone cannot, unless the object is gone as
/// well and was there before the Service went.
fn is_hit(service: &Service, about: &Object) -> bool {
    match service.object.as_ref().and_then(|object| object.deleted_seconds) {
        None => true,
        Some(deleted) => !about.is_live() && about.created_seconds <= deleted.get(),
    }
}

/// All pods below an owner, gone or not.
pub(super) fn pods_below(index: &Index, owner: Key) -> Vec<(Key, &Object)> {
    let mut pods = Vec::new();
    let mut level = vec![owner];
    let mut seen = HashSet::from_iter([owner]);
    for _ in 0..MAX_DEPTH {
        let mut next = Vec::new();
        for (uid, entry) in level.iter().flat_map(|owner| index.children(*owner)) {
            if entry.kind == Kind::Pod {
                pods.push((uid, entry));
            } else if seen.insert(uid) {
                next.push(uid);
            }
        }
        if next.is_empty() {
            break;
        }
        level = next;
    }
    pods
}

pub(super) fn target_name(target: &Target, namespace: &str) -> Key {
    Key::object(&target.api_version, &target.kind, namespace, &target.name)
}

/// The pods that a budget selects, gone or not.
pub(super) fn budget_pods<'i>(index: &'i Index, budget: &'i Object) -> Vec<(Key, &'i Object)> {
    let Details::Budget { selector: Some(selector) } = &budget.details else { return Vec::new() };
    let pods = index.pods_in(Key::of(&budget.namespace));
    pods.filter(|(_, pod)| selector.selects(&pod.labels)).collect()
}
