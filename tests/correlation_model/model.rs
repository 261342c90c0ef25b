//! The naive answer: every rule as one search through all there is and was.

use std::collections::{BTreeMap, BTreeSet};

use event_gateway::correlate::Impact;
use event_gateway::topology::kind::Kind;
use serde_json::Value;

use crate::world::{About, World};

/// What is compared: all that a correlation says but labels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub services: Vec<Hit>,
    pub total: usize,
    pub workload: Option<(String, String, String, String)>,
    pub node: Option<(String, String)>,
    pub deleted: Option<bool>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hit {
    pub namespace: String,
    pub name: String,
    pub uid: String,
    pub via: String,
    pub ready: u32,
    pub total: u32,
    pub here: Option<u32>,
    pub deleted: bool,
}

impl From<&Impact<'_>> for Answer {
    fn from(impact: &Impact<'_>) -> Self {
        let via = |via| serde_json::to_value(via).unwrap().as_str().unwrap().to_owned();
        let hits = impact.services.iter().map(|one| Hit {
            namespace: one.namespace.into(),
            name: one.name.into(),
            uid: one.uid.to_string(),
            via: via(one.via),
            ready: one.endpoints_ready,
            total: one.endpoints_total,
            here: one.endpoints_here,
            deleted: one.deleted,
        });
        let workload = impact.workload.map(|one| {
            (one.kind.to_owned(), one.namespace.to_owned(), one.name.to_owned(), one.uid.to_string())
        });
        Self {
            services: hits.collect(),
            total: impact.services_total,
            workload,
            node: impact.node.map(|node| (node.name.to_owned(), node.zone.to_owned())),
            deleted: impact.deleted,
        }
    }
}

#[derive(Debug, Clone)]
struct Thing {
    kind: Kind,
    value: Value,
    deleted: Option<u64>,
}

#[derive(Debug)]
pub struct Model {
    things: Vec<Thing>,
    /// (pod's uid, namespace, Service) of every slice that ever was.
    held: BTreeSet<(String, String, String)>,
}

impl Thing {
    fn text(&self, pointer: &str) -> &str {
        self.value.pointer(pointer).and_then(Value::as_str).unwrap_or("")
    }
    fn uid(&self) -> &str {
        self.text("/metadata/uid")
    }
    fn name(&self) -> &str {
        self.text("/metadata/name")
    }
    fn namespace(&self) -> &str {
        self.text("/metadata/namespace")
    }
    fn labels(&self) -> &Value {
        &self.value["metadata"]["labels"]
    }
    fn created(&self) -> u64 {
        let stamp = event_gateway::time::Stamp::parse(self.text("/metadata/creationTimestamp")).unwrap();
        stamp.unix_seconds().try_into().unwrap()
    }
    fn owners(&self) -> &[Value] {
        self.value["metadata"]["ownerReferences"].as_array().map_or(&[], |owners| owners)
    }
    fn endpoints(&self) -> &[Value] {
        self.value["endpoints"].as_array().map_or(&[], |endpoints| endpoints)
    }
    fn service(&self) -> &str {
        self.value["metadata"]["labels"]["kubernetes.io/service-name"].as_str().unwrap_or("")
    }
    fn template(&self) -> Option<&Value> {
        match self.kind {
            Kind::ReplicaSet => Some(self.labels()),
            Kind::CronJob => self.value.pointer("/spec/jobTemplate/spec/template/metadata/labels"),
            kind if kind.is_workload() => self.value.pointer("/spec/template/metadata/labels"),
            _ => None,
        }
    }
}

/// Whether labels hold all of a selector.
fn hold_all(labels: &Value, selector: &Value) -> bool {
    selector.as_object().is_none_or(|all| all.iter().all(|(name, value)| labels.get(name) == Some(value)))
}

impl Model {
    pub fn of(world: &World) -> Self {
        let (mut things, mut held) = (Vec::<Thing>::new(), BTreeSet::new());
        for kind in Kind::ALL {
            let mut all: BTreeMap<String, Thing> = BTreeMap::new();
            for change in world.changes(kind) {
                let new = Thing { kind, value: change.object.clone(), deleted: None };
                for other in all.values_mut() {
                    let same_name = (other.namespace(), other.name()) == (new.namespace(), new.name());
                    if same_name && other.uid() != new.uid() {
                        other.deleted.get_or_insert(change.seconds);
                    }
                }
                if kind == Kind::EndpointSlice && !new.service().is_empty() {
                    held.extend(new.endpoints().iter().filter_map(|one| {
                        let uid = one["targetRef"]["uid"].as_str()?;
                        Some((uid.to_owned(), new.namespace().to_owned(), new.service().to_owned()))
                    }));
                }
                let deleted = change.is_deletion.then_some(change.seconds);
                all.insert(new.uid().to_owned(), Thing { deleted, ..new });
            }
            things.extend(all.into_values());
        }
        Self { things, held }
    }

    pub fn live(&self, kind: Kind) -> Vec<Value> {
        let live = self.things.iter().filter(|thing| thing.kind == kind && thing.deleted.is_none());
        live.map(|thing| thing.value.clone()).collect()
    }

    fn by_uid(&self, uid: &str) -> Option<&Thing> {
        self.things.iter().find(|thing| thing.uid() == uid)
    }

    fn by_name(&self, kind: Kind, namespace: &str, name: &str) -> Option<&Thing> {
        let named = self
            .things
            .iter()
            .filter(|thing| (thing.kind, thing.namespace(), thing.name()) == (kind, namespace, name));
        named.max_by_key(|thing| (thing.deleted.is_none(), thing.deleted))
    }

    fn slices(&self, namespace: &str, service: &str) -> Vec<&Thing> {
        let slices = self.things.iter().filter(|thing| {
            thing.kind == Kind::EndpointSlice && thing.deleted.is_none() && thing.namespace() == namespace
        });
        slices.filter(|thing| thing.service() == service && !service.is_empty()).collect()
    }

    /// (ready, total) of a Service, on one node or all.
    fn counts(&self, namespace: &str, service: &str, node: Option<&str>) -> (u32, u32) {
        let mut all: BTreeMap<String, bool> = BTreeMap::new();
        for endpoint in self.slices(namespace, service).iter().flat_map(|slice| slice.endpoints()) {
            if node.is_some_and(|node| endpoint["nodeName"] != node) {
                continue;
            }
            let target = endpoint["targetRef"]["uid"].as_str().or(endpoint["addresses"][0].as_str());
            *all.entry(target.unwrap().to_owned()).or_default() |= endpoint["conditions"]["ready"] != false;
        }
        let ready = all.values().filter(|ready| **ready).count();
        (ready.try_into().unwrap(), all.len().try_into().unwrap())
    }

    /// All names of Services, known from an object or from a slice.
    fn services(&self) -> BTreeSet<(String, String)> {
        let of = |thing: &Thing, name: &str| (thing.namespace().to_owned(), name.to_owned());
        let mut names = BTreeSet::new();
        for thing in &self.things {
            match thing.kind {
                Kind::Service => drop(names.insert(of(thing, thing.name()))),
                Kind::EndpointSlice if thing.deleted.is_none() && !thing.service().is_empty() => {
                    names.insert(of(thing, thing.service()));
                }
                _ => {}
            }
        }
        names
    }

    fn hit(&self, namespace: &str, name: &str, via: &str) -> Hit {
        let object = self.by_name(Kind::Service, namespace, name);
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
        match self.by_name(Kind::Service, namespace, name).and_then(|service| service.deleted) {
            None => true,
            Some(deleted) => about.deleted.is_some() && about.created() <= deleted,
        }
    }

    fn selecting(&self, labels: &Value, about: &Thing, via: &str) -> Vec<Hit> {
        let selects = |namespace: &str, name: &str| {
            let selector =
                self.by_name(Kind::Service, namespace, name).map(|one| &one.value["spec"]["selector"]);
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
            slices
                .iter()
                .any(|slice| slice.endpoints().iter().any(|one| one["targetRef"]["uid"] == pod.uid()))
        };
        let held = |namespace: &str, name: &str| {
            let key = (pod.uid().to_owned(), namespace.to_owned(), name.to_owned());
            pod.deleted.is_some() && self.held.contains(&key)
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

    fn pods_below<'m>(&'m self, owner: &str) -> Vec<&'m Thing> {
        let children =
            self.things.iter().filter(|thing| thing.owners().iter().any(|one| one["uid"] == owner));
        let below = |thing: &'m Thing| match thing.kind {
            Kind::Pod => vec![thing],
            _ => self.pods_below(thing.uid()),
        };
        children.flat_map(below).collect()
    }

    fn below(&self, owner: &str, thing: Option<&Thing>, via: &str) -> Vec<Hit> {
        let pods = self.pods_below(owner);
        if let Some(hits) = self.of_pods(&pods, true, via) {
            return hits;
        }
        let template = thing.and_then(|thing| Some((thing.template()?, thing)));
        let hits = template.map_or(Vec::new(), |(labels, thing)| self.selecting(labels, thing, via));
        if hits.is_empty() { self.of_pods(&pods, false, via).unwrap_or_default() } else { hits }
    }

    /// Uids of owners that children name so.
    fn owners_named(&self, kind: &str, namespace: &str, name: &str) -> BTreeSet<String> {
        let children = self.things.iter().filter(|thing| thing.namespace() == namespace);
        let owners = children.flat_map(|thing| thing.owners());
        let named = owners.filter(|owner| owner["kind"] == kind && owner["name"] == name);
        named.map(|owner| owner["uid"].as_str().unwrap().to_owned()).collect()
    }

    fn target(&self, namespace: &str, target: &Value, via: &str) -> Vec<Hit> {
        let (kind, name) = (target["kind"].as_str().unwrap(), target["name"].as_str().unwrap());
        if let Some(thing) = Kind::of(None, kind).and_then(|kind| self.by_name(kind, namespace, name)) {
            return self.below(thing.uid(), Some(thing), via);
        }
        let uids = self.owners_named(kind, namespace, name);
        let hits: BTreeSet<Hit> = uids.iter().flat_map(|uid| self.below(uid, None, via)).collect();
        hits.into_iter().collect()
    }

    fn mounting(&self, namespace: &str, claim: &str) -> Vec<&Thing> {
        let mounts = |thing: &&Thing| {
            let volumes = thing.value["spec"]["volumes"].as_array();
            let names = volumes.into_iter().flatten().map(|one| &one["persistentVolumeClaim"]["claimName"]);
            thing.kind == Kind::Pod
                && thing.namespace() == namespace
                && names.into_iter().any(|name| name == claim)
        };
        self.things.iter().filter(mounts).collect()
    }

    fn of_claim(&self, namespace: &str, claim: &str) -> Vec<Hit> {
        let pods = self.mounting(namespace, claim);
        let live = self.of_pods(&pods, true, "volume");
        live.or_else(|| self.of_pods(&pods, false, "volume")).unwrap_or_default()
    }

    fn claims_of(&self, volume: &str) -> Vec<&Thing> {
        let is_claim = |thing: &&Thing| thing.kind == Kind::PersistentVolumeClaim;
        self.things.iter().filter(is_claim).filter(|thing| thing.text("/spec/volumeName") == volume).collect()
    }

    fn budget_pods(&self, budget: &Thing) -> Vec<&Thing> {
        let selector = &budget.value["spec"]["selector"];
        let selects = |labels: &Value| {
            let expressions = selector["matchExpressions"].as_array();
            let all_in = expressions.into_iter().flatten().all(|one| {
                labels
                    .get(one["key"].as_str().unwrap())
                    .is_some_and(|value| one["values"].as_array().unwrap().contains(value))
            });
            hold_all(labels, &selector["matchLabels"]) && all_in
        };
        let pods = self.things.iter().filter(|thing| {
            thing.kind == Kind::Pod && thing.namespace() == budget.namespace() && !selector.is_null()
        });
        pods.filter(|pod| selects(pod.labels())).collect()
    }

    fn topmost(&self, thing: &Thing) -> (String, String, String, String) {
        let mut thing = thing;
        loop {
            let controller = thing.owners().iter().find(|owner| owner["controller"] == true);
            let owner = controller.or(thing.owners().first()).filter(|owner| owner["kind"] != "Node");
            let Some(owner) = owner else {
                let [kind, namespace, name, uid] =
                    [thing.kind.name(), thing.namespace(), thing.name(), thing.uid()].map(str::to_owned);
                return (kind, namespace, name, uid);
            };
            let text = |key: &str| owner[key].as_str().unwrap().to_owned();
            match self.by_uid(&text("uid")) {
                Some(above) => thing = above,
                None => return (text("kind"), thing.namespace().to_owned(), text("name"), text("uid")),
            }
        }
    }

    fn common(&self, pods: &[&Thing]) -> Option<(String, String, String, String)> {
        let all: BTreeSet<_> = pods.iter().map(|pod| self.topmost(pod)).collect();
        if all.len() == 1 { all.into_iter().next() } else { None }
    }

    pub fn answer(&self, about: &About) -> Answer {
        let is_foreign = about.api_version.starts_with("serving");
        let kind = Kind::of(None, &about.kind).filter(|_| !is_foreign);
        let namespace = match (kind, &*about.namespace) {
            (Some(Kind::Node), _) => "",
            (_, "") => "default",
            (_, namespace) => namespace,
        };
        let by_name = about.uid.is_empty() || about.uid == about.name && kind == Some(Kind::Node);
        let thing = match kind {
            Some(kind) if by_name => self.by_name(kind, namespace, &about.name),
            Some(kind) => self.by_uid(&about.uid).filter(|thing| thing.kind == kind),
            None => None,
        };
        let namesake = kind.and_then(|kind| self.by_name(kind, namespace, &about.name));
        let has_its_name = match thing {
            Some(thing) => namesake.is_none_or(|named| named.uid() == thing.uid()),
            None => by_name || namesake.is_none(),
        };
        let mut services = self.hits(about, kind, namespace, thing, has_its_name, by_name);
        if kind != Some(Kind::Node) {
            services.sort_by_key(|hit| (hit.namespace.clone(), hit.name.clone()));
            services.sort_by_key(|hit| hit.via != "endpoint");
        }
        Answer {
            total: services.len(),
            services,
            workload: self.workload(about, kind, namespace, thing, has_its_name, by_name),
            node: self.node(thing),
            deleted: thing.map(|thing| thing.deleted.is_some()),
        }
    }

    fn hits(
        &self,
        about: &About,
        kind: Option<Kind>,
        namespace: &str,
        thing: Option<&Thing>,
        has_its_name: bool,
        by_name: bool,
    ) -> Vec<Hit> {
        match (kind, thing) {
            (Some(Kind::Service), Some(thing)) if has_its_name => {
                vec![self.hit(namespace, thing.name(), "self")]
            }
            (Some(Kind::Service), thing) => {
                let alone = self.by_name(Kind::Service, namespace, &about.name).is_none();
                let (ready, total) = if alone { self.counts(namespace, &about.name, None) } else { (0, 0) };
                let deleted = thing.is_some_and(|thing| thing.deleted.is_some());
                let uid = about.uid.clone();
                let (namespace, name) = (namespace.to_owned(), about.name.clone());
                vec![Hit { namespace, name, uid, via: "self".into(), ready, total, here: None, deleted }]
            }
            (Some(Kind::EndpointSlice), Some(slice)) => {
                let known = self.services().contains(&(namespace.to_owned(), slice.service().to_owned()));
                known.then(|| self.hit(namespace, slice.service(), "self")).into_iter().collect()
            }
            (Some(Kind::Pod), Some(pod)) => self.of_pod(pod, "endpoint", "selector"),
            (Some(Kind::Node), _) if has_its_name => self.on_node(&about.name),
            (Some(Kind::HorizontalPodAutoscaler), Some(thing)) => {
                self.target(namespace, &thing.value["spec"]["scaleTargetRef"], "scale-target")
            }
            (Some(Kind::PodDisruptionBudget), Some(thing)) => {
                let labels = &thing.value["spec"]["selector"]["matchLabels"];
                let of_pods = self.of_pods(&self.budget_pods(thing), true, "selector");
                of_pods.unwrap_or_else(|| self.selecting(labels, thing, "selector"))
            }
            (Some(Kind::PersistentVolumeClaim), _) if has_its_name => self.of_claim(namespace, &about.name),
            (Some(Kind::Ingress), Some(thing)) => {
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
                    self.below(uid, thing, "owner")
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
                _ => self.below(&about.uid, None, "owner"),
            },
            _ => Vec::new(),
        }
    }

    fn named_below(&self, about: &About, namespace: &str) -> Vec<Hit> {
        let uids = self.owners_named(&about.kind, namespace, &about.name);
        let hits: BTreeSet<Hit> = uids.iter().flat_map(|uid| self.below(uid, None, "owner")).collect();
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

    fn node(&self, thing: Option<&Thing>) -> Option<(String, String)> {
        let thing = thing?;
        let zone = |thing: &Thing| {
            thing.value["metadata"]["labels"]["topology.kubernetes.io/zone"].as_str().unwrap_or("").to_owned()
        };
        match thing.kind {
            Kind::Node => Some((thing.name().to_owned(), zone(thing))),
            Kind::Pod if !thing.text("/spec/nodeName").is_empty() => {
                let name = thing.text("/spec/nodeName");
                Some((name.to_owned(), self.by_name(Kind::Node, "", name).map_or(String::new(), zone)))
            }
            _ => None,
        }
    }

    fn workload(
        &self,
        about: &About,
        kind: Option<Kind>,
        namespace: &str,
        thing: Option<&Thing>,
        has_its_name: bool,
        by_name: bool,
    ) -> Option<(String, String, String, String)> {
        match (kind, thing) {
            (Some(Kind::Pod), Some(thing)) => Some(self.topmost(thing)),
            (Some(kind), Some(thing)) if kind.is_workload() => Some(self.topmost(thing)),
            (Some(Kind::HorizontalPodAutoscaler), Some(thing)) => {
                let target = &thing.value["spec"]["scaleTargetRef"];
                let (kind, name) = (target["kind"].as_str().unwrap(), target["name"].as_str().unwrap());
                if let Some(target) =
                    Kind::of(None, kind).and_then(|kind| self.by_name(kind, namespace, name))
                {
                    return Some(self.topmost(target));
                }
                let uids = self.owners_named(kind, namespace, name);
                let pods: Vec<_> = uids.iter().flat_map(|uid| self.pods_below(uid)).collect();
                self.common(&pods)
            }
            (Some(Kind::PodDisruptionBudget), Some(thing)) => {
                let mut pods = self.budget_pods(thing);
                pods.retain(|pod| pod.deleted.is_none());
                self.common(&pods)
            }
            (Some(Kind::PersistentVolumeClaim), Some(_)) if has_its_name => {
                self.common(&self.mounting(namespace, &about.name))
            }
            (None, _) if about.kind == "PersistentVolume" => {
                let claims = self.claims_of(&about.name);
                let pods: Vec<_> =
                    claims.iter().flat_map(|claim| self.mounting(claim.namespace(), claim.name())).collect();
                self.common(&pods)
            }
            (None, _) => {
                let uid = if by_name {
                    let uids = self.owners_named(&about.kind, namespace, &about.name);
                    uids.iter().next().filter(|_| uids.len() == 1)?.clone()
                } else {
                    about.uid.clone()
                };
                let owner_in = |child: &Thing| {
                    let owner = child.owners().iter().find(|owner| owner["uid"] == uid.as_str())?;
                    let text = |key: &str| owner[key].as_str().unwrap().to_owned();
                    Some((text("kind"), child.namespace().to_owned(), text("name"), text("uid")))
                };
                self.things.iter().find_map(owner_in)
            }
            _ => None,
        }
    }
}
