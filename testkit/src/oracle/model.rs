//! All there is and was in a world, and the searches through it from end to end.

mod around;
mod rules;
mod subject;

use std::collections::{BTreeMap, BTreeSet};

use event_gateway::topology::kind::ObjectKind;
use serde_json::Value;

use crate::oracle::world::World;

#[derive(Debug, Clone)]
struct Thing {
    kind: ObjectKind,
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
            ObjectKind::ReplicaSet => Some(self.labels()),
            ObjectKind::CronJob => self.value.pointer("/spec/jobTemplate/spec/template/metadata/labels"),
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
        for kind in ObjectKind::ALL {
            let mut all: BTreeMap<String, Thing> = BTreeMap::new();
            for change in world.changes(kind) {
                let new = Thing { kind, value: change.object.clone(), deleted: None };
                for other in all.values_mut() {
                    let same_name = (other.namespace(), other.name()) == (new.namespace(), new.name());
                    if same_name && other.uid() != new.uid() {
                        other.deleted.get_or_insert(change.seconds);
                    }
                }
                if kind == ObjectKind::EndpointSlice && !new.service().is_empty() {
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

    pub fn live(&self, kind: ObjectKind) -> Vec<Value> {
        let live = self.things.iter().filter(|thing| thing.kind == kind && thing.deleted.is_none());
        live.map(|thing| thing.value.clone()).collect()
    }

    fn by_uid(&self, uid: &str) -> Option<&Thing> {
        self.things.iter().find(|thing| thing.uid() == uid)
    }

    fn by_name(&self, kind: ObjectKind, namespace: &str, name: &str) -> Option<&Thing> {
        let named = self
            .things
            .iter()
            .filter(|thing| (thing.kind, thing.namespace(), thing.name()) == (kind, namespace, name));
        named.max_by_key(|thing| (thing.deleted.is_none(), thing.deleted))
    }

    fn slices(&self, namespace: &str, service: &str) -> Vec<&Thing> {
        let slices = self.things.iter().filter(|thing| {
            thing.kind == ObjectKind::EndpointSlice
                && thing.deleted.is_none()
                && thing.namespace() == namespace
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
                ObjectKind::Service => drop(names.insert(of(thing, thing.name()))),
                ObjectKind::EndpointSlice if thing.deleted.is_none() && !thing.service().is_empty() => {
                    names.insert(of(thing, thing.service()));
                }
                _ => {}
            }
        }
        names
    }

    /// In one namespace: what lies in another and names the owner's uid is not its own.
    fn pods_below<'m>(&'m self, namespace: &str, owner: &str) -> Vec<&'m Thing> {
        let here = self.things.iter().filter(|thing| thing.namespace() == namespace);
        let children = here.filter(|thing| thing.owners().iter().any(|one| one["uid"] == owner));
        let below = |thing: &'m Thing| match thing.kind {
            ObjectKind::Pod => vec![thing],
            _ => self.pods_below(namespace, thing.uid()),
        };
        children.flat_map(below).collect()
    }

    /// Uids of owners that children name so.
    fn owners_named(&self, kind: &str, namespace: &str, name: &str) -> BTreeSet<String> {
        let children = self.things.iter().filter(|thing| thing.namespace() == namespace);
        let owners = children.flat_map(|thing| thing.owners());
        let named = owners.filter(|owner| owner["kind"] == kind && owner["name"] == name);
        named.map(|owner| owner["uid"].as_str().unwrap().to_owned()).collect()
    }

    fn mounting(&self, namespace: &str, claim: &str) -> Vec<&Thing> {
        let mounts = |thing: &&Thing| {
            let volumes = thing.value["spec"]["volumes"].as_array();
            let names = volumes.into_iter().flatten().map(|one| &one["persistentVolumeClaim"]["claimName"]);
            thing.kind == ObjectKind::Pod
                && thing.namespace() == namespace
                && names.into_iter().any(|name| name == claim)
        };
        self.things.iter().filter(mounts).collect()
    }

    fn claims_of(&self, volume: &str) -> Vec<&Thing> {
        let is_claim = |thing: &&Thing| thing.kind == ObjectKind::PersistentVolumeClaim;
        let is_bound = |thing: &&Thing| {
            thing.text("/spec/volumeName") == volume && thing.text("/status/phase") == "Bound"
        };
        self.things.iter().filter(is_claim).filter(is_bound).collect()
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
            thing.kind == ObjectKind::Pod && thing.namespace() == budget.namespace() && !selector.is_null()
        });
        pods.filter(|pod| selects(pod.labels())).collect()
    }
}
