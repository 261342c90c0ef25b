//! The naive answer: every rule as one search.

use std::collections::BTreeSet;

use event_gateway::topology::kind::ObjectKind;
use serde_json::Value;

use super::subject::Subject;
use super::{Model, Thing, hold_all};
use crate::oracle::answer::{Answer, Hit};
use crate::oracle::world::About;

impl Model {
    pub fn answer(&self, about: &About) -> Answer {
        let subject = self.subject(about);
        let mut services = self.hits(&subject);
        if subject.kind != Some(ObjectKind::Node) {
            services.sort_by_key(|hit| (hit.namespace.clone(), hit.name.clone()));
            services.sort_by_key(|hit| hit.via != "endpoint");
        }
        Answer {
            total: services.len(),
            services,
            workload: self.workload(&subject),
            node: self.node(subject.thing),
            deleted: subject.thing.map(|thing| thing.deleted.is_some()),
        }
    }

    fn hits(&self, subject: &Subject<'_>) -> Vec<Hit> {
        let &Subject { about, kind, namespace, thing, has_its_name, by_name } = subject;
        match (kind, thing) {
            (Some(ObjectKind::Service), Some(thing)) if has_its_name => {
                vec![self.hit(namespace, thing.name(), "self")]
            }
            (Some(ObjectKind::Service), thing) => {
                let alone = self.by_name(ObjectKind::Service, namespace, &about.name).is_none();
                let (ready, total) = if alone { self.counts(namespace, &about.name, None) } else { (0, 0) };
                let deleted = thing.is_some_and(|thing| thing.deleted.is_some());
                let uid = about.uid.clone();
                let (namespace, name) = (namespace.to_owned(), about.name.clone());
                vec![Hit { namespace, name, uid, via: "self".into(), ready, total, here: None, deleted }]
            }
            (Some(ObjectKind::EndpointSlice), Some(slice)) => {
                let known = self.services().contains(&(namespace.to_owned(), slice.service().to_owned()));
                known.then(|| self.hit(namespace, slice.service(), "self")).into_iter().collect()
            }
            (Some(ObjectKind::Pod), Some(pod)) => self.of_pod(pod, "endpoint", "selector"),
            (Some(ObjectKind::Node), _) if has_its_name => self.on_node(&about.name),
            (Some(ObjectKind::HorizontalPodAutoscaler), Some(thing)) => {
                self.target(namespace, &thing.value["spec"]["scaleTargetRef"], "scale-target")
            }
            (Some(ObjectKind::PodDisruptionBudget), Some(thing)) => {
                let labels = &thing.value["spec"]["selector"]["matchLabels"];
                let of_pods = self.of_pods(&self.budget_pods(thing), true, "selector");
                of_pods.unwrap_or_else(|| self.selecting(labels, thing, "selector"))
            }
            (Some(ObjectKind::PersistentVolumeClaim), _) if has_its_name => {
                self.of_claim(namespace, &about.name)
            }
            (Some(ObjectKind::Ingress), Some(thing)) => {
                let rules = thing.value["spec"]["rules"].as_array().unwrap();
                let paths = rules.iter().flat_map(|rule| rule["http"]["paths"].as_array().unwrap());
                let names: BTreeSet<&str> =
                    paths.map(|path| path["backend"]["service"]["name"].as_str().unwrap()).collect();
                let known = names.into_iter().filter(|name| {
                    self.services().contains(&(namespace.to_owned(), (*name).to_owned()))
                        && self.is_hit(namespace, name, thing)
                });
                known.map(|name| self.hit(namespace, name, "backend")).collect()
            }
            (Some(kind), thing) if kind.is_workload() => {
                let uid = thing.map_or(&*about.uid, Thing::uid);
                if uid.is_empty() {
                    self.named_below(about, namespace)
                } else {
                    self.below(namespace, uid, thing, "owner")
                }
            }
            (None, _) => match &*about.kind {
                "Endpoints" => {
                    let known = self.services().contains(&(namespace.to_owned(), about.name.clone()));
                    known.then(|| self.hit(namespace, &about.name, "self")).into_iter().collect()
                }
                "PersistentVolume" => {
                    let claims = self.claims_of(&about.name);
                    let hits = claims.iter().flat_map(|claim| self.of_claim(claim.namespace(), claim.name()));
                    hits.collect::<BTreeSet<_>>().into_iter().collect()
                }
                _ if by_name => self.named_below(about, namespace),
                _ if about.namespace.is_empty() => {
                    let namespaces: BTreeSet<&str> = self.things.iter().map(Thing::namespace).collect();
                    let below = |namespace: &str| self.below(namespace, &about.uid, None, "owner");
                    namespaces.into_iter().flat_map(below).collect()
                }
                _ => self.below(namespace, &about.uid, None, "owner"),
            },
            _ => Vec::new(),
        }
    }

    fn hit(&self, namespace: &str, name: &str, via: &str) -> Hit {
        let object = self.by_name(ObjectKind::Service, namespace, name);
        let (ready, total) = self.counts(namespace, name, None);
        Hit {
            namespace: namespace.into(),
            name: name.into(),
            uid: object.map_or("", Thing::uid).into(),
            via: via.into(),
            ready,
            total,
            here: None,
            deleted: object.is_some_and(|object| object.deleted.is_some()),
        }
    }

    /// Whether a Service can be hit through a thing.
    fn is_hit(&self, namespace: &str, name: &str, about: &Thing) -> bool {
        match self.by_name(ObjectKind::Service, namespace, name).and_then(|service| service.deleted) {
            None => true,
            Some(deleted) => about.deleted.is_some() && about.created() <= deleted,
        }
    }

    fn selecting(&self, labels: &Value, about: &Thing, via: &str) -> Vec<Hit> {
        let selects = |namespace: &str, name: &str| {
            let selector =
                self.by_name(ObjectKind::Service, namespace, name).map(|one| &one.value["spec"]["selector"]);
            let is_set = |selector: &&Value| selector.as_object().is_some_and(|all| !all.is_empty());
            selector.filter(is_set).is_some_and(|selector| hold_all(labels, selector))
        };
        let all = self.services().into_iter().filter(|(namespace, name)| {
            namespace == about.namespace() && selects(namespace, name) && self.is_hit(namespace, name, about)
        });
        all.map(|(namespace, name)| self.hit(&namespace, &name, via)).collect()
    }

    fn of_pod(&self, pod: &Thing, endpoint: &str, selector: &str) -> Vec<Hit> {
        let holds = |namespace: &str, name: &str| {
            let slices = self.slices(namespace, name);
            namespace == pod.namespace()
                && slices
                    .iter()
                    .any(|slice| slice.endpoints().iter().any(|one| one["targetRef"]["uid"] == pod.uid()))
        };
        let held = |namespace: &str, name: &str| {
            let key = (pod.uid().to_owned(), namespace.to_owned(), name.to_owned());
            pod.deleted.is_some() && namespace == pod.namespace() && self.held.contains(&key)
        };
        let mut hits: Vec<Hit> = Vec::new();
        for (namespace, name) in self.services() {
            let stands = holds(&namespace, &name) || held(&namespace, &name);
            if stands && self.is_hit(&namespace, &name, pod) {
                hits.push(self.hit(&namespace, &name, endpoint));
            }
        }
        for hit in self.selecting(pod.labels(), pod, selector) {
            if hits.iter().all(|one| one.uid != hit.uid) {
                hits.push(hit);
            }
        }
        hits
    }

    /// Hits of pods: of those that are live, or of those that are gone.
    fn of_pods(&self, pods: &[&Thing], live: bool, via: &str) -> Option<Vec<Hit>> {
        let pods: Vec<_> = pods.iter().filter(|pod| pod.deleted.is_none() == live).collect();
        let hits: BTreeSet<Hit> = pods.iter().flat_map(|pod| self.of_pod(pod, via, via)).collect();
        (!pods.is_empty()).then(|| hits.into_iter().collect())
    }

    fn below(&self, namespace: &str, owner: &str, thing: Option<&Thing>, via: &str) -> Vec<Hit> {
        let pods = self.pods_below(namespace, owner);
        if let Some(hits) = self.of_pods(&pods, true, via) {
            return hits;
        }
        let template = thing.and_then(|thing| Some((thing.template()?, thing)));
        let hits = template.map_or(Vec::new(), |(labels, thing)| self.selecting(labels, thing, via));
        if hits.is_empty() { self.of_pods(&pods, false, via).unwrap_or_default() } else { hits }
    }

    fn target(&self, namespace: &str, target: &Value, via: &str) -> Vec<Hit> {
        let (kind, name) = (target["kind"].as_str().unwrap(), target["name"].as_str().unwrap());
        if let Some(thing) = ObjectKind::of(None, kind).and_then(|kind| self.by_name(kind, namespace, name)) {
            return self.below(namespace, thing.uid(), Some(thing), via);
        }
        let uids = self.owners_named(kind, namespace, name);
        let hits: BTreeSet<Hit> = uids.iter().flat_map(|uid| self.below(namespace, uid, None, via)).collect();
        hits.into_iter().collect()
    }

    fn of_claim(&self, namespace: &str, claim: &str) -> Vec<Hit> {
        let pods = self.mounting(namespace, claim);
        let live = self.of_pods(&pods, true, "volume");
        live.or_else(|| self.of_pods(&pods, false, "volume")).unwrap_or_default()
    }

    fn named_below(&self, about: &About, namespace: &str) -> Vec<Hit> {
        let uids = self.owners_named(&about.kind, namespace, &about.name);
        let hits: BTreeSet<Hit> =
            uids.iter().flat_map(|uid| self.below(namespace, uid, None, "owner")).collect();
        hits.into_iter().collect()
    }

    fn on_node(&self, node: &str) -> Vec<Hit> {
        let mut hits = Vec::new();
        for (namespace, name) in self.services() {
            let (ready_here, here) = self.counts(&namespace, &name, Some(node));
            let hit = self.hit(&namespace, &name, "node");
            if here > 0 && !hit.deleted {
                let share = f64::from(ready_here) / f64::from(hit.ready.max(1));
                hits.push((share, here, Hit { here: Some(here), ..hit }));
            }
        }
        // The names are in order already, and the sort is stable.
        hits.sort_by(|a, b| b.0.total_cmp(&a.0).then(b.1.cmp(&a.1)));
        hits.into_iter().map(|(_, _, hit)| hit).collect()
    }
}
