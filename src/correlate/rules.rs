//! One rule per kind: which Services an event about such an object affects.

use std::cmp::Reverse;

use foldhash::{HashSet, HashSetExt};

use super::heapsort::sort_by_key;
use super::impact::{Affected, UidText, Via};
use super::owned_pods::{budget_pods, target_name};
use super::service_search::ServiceSearch;
use super::subject::Subject;
use super::work::{SHARE_OF_RECORD, Work};
use crate::topology::endpoints::{EndpointCounts, Service};
use crate::topology::index::Index;
use crate::topology::key::Key;
use crate::topology::kind::ObjectKind;
use crate::topology::object::{Details, Object};
use crate::topology::scope::within;

/// All affected Services, within the work limit.
pub(super) fn services<'i>(index: &'i Index, subject: &Subject<'i>, work: &mut Work) -> Vec<Affected<'i>> {
    let mut found = ServiceSearch { index, work, services: Vec::new() };
    match subject.kind {
        Some(ObjectKind::Service) => found.itself(subject),
        Some(ObjectKind::EndpointSlice) => found.slice(subject),
        Some(ObjectKind::Pod) => {
            if let Some((uid, entry)) = subject.entry {
                found.pod(uid, entry);
            }
        }
        Some(ObjectKind::Node) => found.node(subject),
        Some(ObjectKind::HorizontalPodAutoscaler) => found.scale_target(subject),
        Some(ObjectKind::PodDisruptionBudget) => found.budget(subject),
        Some(ObjectKind::PersistentVolumeClaim) => {
            if subject.has_its_name(index) {
                found.claim(Key::name(subject.namespace, subject.about.name));
            }
        }
        Some(ObjectKind::Ingress) => found.ingress(subject),
        // ReplicaSet, Deployment, StatefulSet, DaemonSet, Job, CronJob, and any other kind that owns pods.
        _ => match subject.about.kind {
            "Endpoints" => found.named(subject.namespace, subject.about.name, Via::Itself),
            "PersistentVolume" => found.volume(Key::of(subject.about.name)),
            _ => found.owner(subject),
        },
    }
    found.sorted()
}

impl<'i> ServiceSearch<'_, 'i> {
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
            // Not seen yet, or deleted before the first list. The event names the Service anyway.
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

    /// Services that lose the largest share of their ready endpoints with the node come first.
    fn node(&mut self, subject: &Subject<'i>) {
        if !subject.has_its_name(self.index) {
            return;
        }
        let node = Key::of(subject.about.name);
        let mut on = self.services_on(node);
        sort_by_key(&mut on, |(service, here): (&Service, EndpointCounts)| {
            // The share in millionths, so that whole numbers are compared.
            let share = u64::from(here.ready) * 1_000_000 / u64::from(service.endpoints.ready.max(1));
            (Reverse(share), Reverse(here.total), &*service.namespace, &*service.name)
        });
        self.services
            .extend(on.into_iter().map(|(service, here)| Affected::new(service, Via::Node).here(here)));
    }

    /// Live Services with endpoints on the node of this name. The few that most nodes have are not charged to
    /// any namespace.
    fn services_on(&mut self, node: Key) -> Vec<(&'i Service, EndpointCounts)> {
        let index = self.index;
        let live = |service: Key| {
            let service = index.service(service)?;
            let is_live = service.object.as_ref().is_none_or(|object| object.is_live());
            is_live.then(|| (service, service.on_node(node)))
        };
        let few: Vec<Key> = index.on_node(node).take(SHARE_OF_RECORD).collect();
        if few.len() < SHARE_OF_RECORD {
            self.work.take_many(few.len());
            return few.into_iter().filter_map(live).collect();
        }
        let namespaces: Vec<Key> = index.node_namespaces(node).collect();
        let (mut there, mut on) = (index.on_node(node), Vec::new());
        self.for_each_namespace(&namespaces, |found, _, namespace| {
            while let Some(service) = there.next_of(namespace) {
                if !found.work.take_service(on.len()) {
                    return there.pass(namespace);
                }
                on.extend(live(service));
            }
        });
        on
    }

    fn scale_target(&mut self, subject: &Subject<'i>) {
        let Some((_, entry)) = subject.entry else { return };
        let Details::Autoscaler { target } = &entry.details else { return };
        let name = target_name(target, subject.namespace);
        match self.index.by_name(name) {
            Some(target) => {
                self.below(within(&target.namespace, target.key()), Some(target), Via::ScaleTarget);
            }
            None => self.below_named(name, subject.namespace, Via::ScaleTarget),
        }
    }

    /// Services of the pods that a budget selects. Without pods, Services that match the selector's labels.
    fn budget(&mut self, subject: &Subject<'i>) {
        let Some((_, entry)) = subject.entry else { return };
        let Details::Budget { selector: Some(selector) } = &entry.details else { return };
        let selected = budget_pods(self.index, entry, self.work);
        if !self.pods(&selected, true, Via::Selector) {
            self.selecting(&selector.labels, entry, Via::Selector, &mut HashSet::new());
        }
    }

    fn claim(&mut self, claim: Key) {
        let kept = self.work.part(2);
        let mounting = self.index.mounting(claim).take_while(|_| self.work.take());
        let pods: Vec<_> = mounting.collect();
        self.work.rejoin(kept);
        if !self.pods(&pods, true, Via::Volume) {
            self.pods(&pods, false, Via::Volume);
        }
    }

    fn volume(&mut self, volume: Key) {
        let claims: Vec<&Object> = self.index.claims_of(volume).map(|(_, claim)| claim).collect();
        let namespaces: Vec<Key> = claims.iter().map(|claim| Key::of(&claim.namespace)).collect();
        self.for_each_namespace(&namespaces, |found, place, _| {
            let claim = claims[place];
            found.claim(Key::name(&claim.namespace, &claim.name));
        });
    }

    fn ingress(&mut self, subject: &Subject<'i>) {
        let Some((_, entry)) = subject.entry else { return };
        let Details::Ingress { backends } = &entry.details else { return };
        let mut seen = HashSet::new();
        for name in &**backends {
            if !self.work.take() {
                return;
            }
            let key = Key::name(subject.namespace, name);
            if let Some(service) = self.index.service(key) {
                self.add(key, service, entry, Via::Backend, &mut seen);
            }
        }
    }
}
