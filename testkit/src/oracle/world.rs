//! A small world that changes at random: few names, few labels, so that everything collides.

use std::collections::BTreeMap;

use event_gateway::topology::kind::ObjectKind;
use serde_json::{Value, json};

use crate::dice::Dice;

/// One change of one object. `seconds` is when it happened, whenever it arrives.
#[derive(Debug, Clone)]
pub struct Change {
    pub object: Value,
    pub is_deletion: bool,
    pub seconds: u64,
}

/// What happened, by kind, each kind in its own order.
#[derive(Debug, Default)]
pub struct World {
    changes: BTreeMap<ObjectKind, Vec<Change>>,
}

/// What an event may say that it is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct About {
    pub api_version: String,
    pub kind: String,
    pub namespace: String,
    pub name: String,
    pub uid: String,
}

pub const NAMESPACES: [&str; 2] = ["shop", "pay"];
/// 2026-11-20, in seconds; each change is a second later.
const START: u64 = 1_795_132_800;

/// The parts of objects that chance chooses.
impl Dice {
    fn name(&mut self, stem: &str, of: usize) -> String {
        format!("{stem}{}", self.below(of))
    }

    /// Labels of a workload or a pod: `app` nearly always.
    fn labels(&mut self) -> Value {
        let mut labels = serde_json::Map::new();
        if !self.one_in(8) {
            labels.insert("app".into(), self.name("a", 3).into());
        }
        if self.one_in(2) {
            labels.insert("tier".into(), self.name("t", 2).into());
        }
        Value::Object(labels)
    }

    fn uid(&mut self, kind: ObjectKind, namespace: &str, name: &str) -> String {
        uid(kind, namespace, name, self.below(2))
    }

    /// The namespace of what an object refers to by its uid: nobody checks that it is the object's own.
    fn also_of_others<'n>(&mut self, namespace: &'n str) -> &'n str {
        if self.one_in(6) { NAMESPACES[self.below(2)] } else { namespace }
    }

    /// An owner of this kind, which may exist, have existed or never exist.
    fn owner(&mut self, kinds: &[(&str, &str, &str)], namespace: &str) -> Value {
        let (api_version, kind, stem) = kinds[self.below(kinds.len())];
        let name = self.name(stem, 2);
        let namespace = self.also_of_others(namespace);
        let uid = format!("{kind}-{namespace}-{name}-{}", self.below(2));
        let controller = !self.one_in(6);
        json!({"apiVersion": api_version, "kind": kind, "name": name, "uid": uid, "controller": controller})
    }
}

fn uid(kind: ObjectKind, namespace: &str, name: &str, generation: usize) -> String {
    format!("{}-{namespace}-{name}-{generation}", kind.name())
}

impl World {
    pub fn random(seed: u64, changes: usize) -> Self {
        let mut dice = Dice(seed);
        let mut world = Self::default();
        // What is live now, with its generation: a name is given again with another uid.
        let mut live: BTreeMap<(ObjectKind, String, String), (usize, Value)> = BTreeMap::new();
        let mut generations: BTreeMap<(ObjectKind, String, String), usize> = BTreeMap::new();
        for step in 0..changes {
            let seconds = START + step as u64;
            // Pods and slices change most.
            let kind = if dice.one_in(2) {
                [ObjectKind::Pod, ObjectKind::EndpointSlice, ObjectKind::Service, ObjectKind::ReplicaSet]
                    [dice.below(4)]
            } else {
                ObjectKind::ALL[dice.below(ObjectKind::ALL.len())]
            };
            let namespace = if kind == ObjectKind::Node { "" } else { NAMESPACES[dice.below(2)] };
            let name = dice.name(stem(kind), names(kind));
            let at = (kind, namespace.to_owned(), name.clone());
            let is_live = live.contains_key(&at);
            if is_live && dice.one_in(3) {
                let (_, mut object) = live.remove(&at).expect("live");
                object["metadata"]["resourceVersion"] = (step + 1).to_string().into();
                world.push(kind, Change { object, is_deletion: true, seconds });
                continue;
            }
            // A new one under the name of a live one: nobody says that the old one went.
            let is_new = !is_live || dice.one_in(8);
            let generation = generations.entry(at.clone()).or_insert(0);
            if is_new {
                *generation += 1;
            }
            let generation = *generation - 1;
            let created = if is_new { seconds } else { live[&at].0 as u64 };
            let mut object = spec(kind, &mut dice, namespace, &name);
            let metadata = object["metadata"].as_object_mut().expect("an object");
            metadata.insert("name".into(), name.clone().into());
            metadata.insert("uid".into(), uid(kind, namespace, &name, generation).into());
            metadata.insert("resourceVersion".into(), (step + 1).to_string().into());
            metadata.insert("creationTimestamp".into(), stamp(created).into());
            if !namespace.is_empty() {
                metadata.insert("namespace".into(), namespace.into());
            }
            live.insert(at, (usize::try_from(created).expect("64 bits"), object.clone()));
            world.push(kind, Change { object, is_deletion: false, seconds });
        }
        world
    }

    /// A world in which just this happened.
    pub fn of(changes: impl IntoIterator<Item = (ObjectKind, Change)>) -> Self {
        let mut world = Self::default();
        changes.into_iter().for_each(|(kind, change)| world.push(kind, change));
        world
    }

    /// What happened, in the order in which it did.
    pub fn in_order(&self) -> Vec<(ObjectKind, Change)> {
        let of_kind = |(kind, changes): (&ObjectKind, &Vec<Change>)| {
            changes.iter().map(|change| (*kind, change.clone())).collect::<Vec<_>>()
        };
        let mut all: Vec<_> = self.changes.iter().flat_map(of_kind).collect();
        all.sort_by_key(|(_, change)| change.seconds);
        all
    }

    fn push(&mut self, kind: ObjectKind, change: Change) {
        self.changes.entry(kind).or_default().push(change);
    }

    /// What happened in one namespace and to the objects of the cluster.
    pub fn of_namespace(&self, namespace: &str) -> Self {
        let is_in = |change: &&Change| {
            let metadata = &change.object["metadata"];
            metadata.get("namespace").is_none_or(|lies_in| lies_in == namespace)
        };
        let of_kind = |changes: &Vec<Change>| changes.iter().filter(is_in).cloned().collect();
        Self { changes: self.changes.iter().map(|(kind, changes)| (*kind, of_kind(changes))).collect() }
    }

    /// The same world, without what happened to one kind.
    pub fn without(&self, kind: ObjectKind) -> Self {
        let others = self.changes.iter().filter(|(other, _)| **other != kind);
        Self { changes: others.map(|(kind, changes)| (*kind, changes.clone())).collect() }
    }

    pub fn changes(&self, kind: ObjectKind) -> &[Change] {
        self.changes.get(&kind).map_or(&[], |changes| changes)
    }

    /// Everything an event could be about: each object by its uid and by its name, some that never were,
    /// and the kinds that nobody watches.
    pub fn abouts(&self) -> Vec<About> {
        let mut abouts = Vec::new();
        let mut push = |api_version: &str, kind: &str, namespace: &str, name: &str, uid: &str| {
            let [api_version, kind, namespace, name, uid] =
                [api_version, kind, namespace, name, uid].map(str::to_owned);
            abouts.push(About { api_version, kind, namespace, name, uid });
        };
        for kind in ObjectKind::ALL {
            let version =
                if kind.group().is_empty() { "v1".to_owned() } else { format!("{}/v1", kind.group()) };
            let namespaces = if kind == ObjectKind::Node { &[""][..] } else { &NAMESPACES };
            for namespace in namespaces {
                for number in 0..names(kind) {
                    let name = format!("{}{number}", stem(kind));
                    push(&version, kind.name(), namespace, &name, "");
                    for generation in 0..3 {
                        push(
                            &version,
                            kind.name(),
                            namespace,
                            &name,
                            &uid(kind, namespace, &name, generation),
                        );
                    }
                    if kind == ObjectKind::Node {
                        push(&version, "Node", "", &name, &name);
                    }
                }
            }
        }
        for namespace in NAMESPACES {
            for number in 0..3 {
                push("v1", "Endpoints", namespace, &format!("s{number}"), "e");
                let rollout = format!("r{number}");
                push("argoproj.io/v1alpha1", "Rollout", namespace, &rollout, "");
                push(
                    "argoproj.io/v1alpha1",
                    "Rollout",
                    namespace,
                    &rollout,
                    &format!("Rollout-{namespace}-{rollout}-0"),
                );
                push("serving.knative.dev/v1", "Service", namespace, &format!("s{number}"), "k");
            }
            push("v1", "Namespace", "", namespace, "n");
            // An owner that belongs to the cluster, and has children in several namespaces.
            push("argoproj.io/v1alpha1", "Rollout", "", "r0", &format!("Rollout-{namespace}-r0-0"));
        }
        for number in 0..2 {
            push("v1", "PersistentVolume", "", &format!("v{number}"), "v");
        }
        abouts
    }
}

fn stem(kind: ObjectKind) -> &'static str {
    match kind {
        ObjectKind::Service => "s",
        ObjectKind::Node => "n",
        ObjectKind::PersistentVolumeClaim => "c",
        _ => "x",
    }
}

/// How many names a kind has in a namespace.
fn names(kind: ObjectKind) -> usize {
    match kind {
        ObjectKind::Pod => 4,
        ObjectKind::Service | ObjectKind::EndpointSlice => 3,
        _ => 2,
    }
}

fn stamp(seconds: u64) -> String {
    event_gateway::time::Stamp::from_unix_seconds(seconds).expect("a time").to_string()
}

fn spec(kind: ObjectKind, dice: &mut Dice, namespace: &str, _name: &str) -> Value {
    match kind {
        ObjectKind::Service => {
            let selector = if dice.one_in(5) { json!({}) } else { dice.labels() };
            json!({"metadata": {}, "spec": {"selector": selector}})
        }
        ObjectKind::EndpointSlice => {
            let endpoints: Vec<Value> = (0..dice.below(4)).map(|_| endpoint(dice, namespace)).collect();
            let labels = if dice.one_in(10) {
                json!({})
            } else {
                json!({"kubernetes.io/service-name": dice.name("s", 3)})
            };
            json!({"metadata": {"labels": labels}, "endpoints": endpoints})
        }
        ObjectKind::Pod => {
            let owners = [
                ("apps/v1", "ReplicaSet", "x"),
                ("apps/v1", "StatefulSet", "x"),
                ("apps/v1", "DaemonSet", "x"),
                ("batch/v1", "Job", "x"),
                ("argoproj.io/v1alpha1", "Rollout", "r"),
                ("v1", "Node", "n"),
            ];
            let owners: Vec<Value> = (0..dice.below(3)).map(|_| dice.owner(&owners, namespace)).collect();
            let node = if dice.one_in(4) { String::new() } else { dice.name("n", 2) };
            let volumes: Vec<Value> = (0..dice.below(2))
                .map(|_| json!({"name": "d", "persistentVolumeClaim": {"claimName": dice.name("c", 2)}}))
                .collect();
            json!({
                "metadata": {"labels": dice.labels(), "ownerReferences": owners},
                "spec": {"nodeName": node, "volumes": volumes},
            })
        }
        ObjectKind::Node => {
            json!({"metadata": {"labels": {"topology.kubernetes.io/zone": dice.name("z", 2)}}})
        }
        ObjectKind::ReplicaSet => {
            let owners = [("apps/v1", "Deployment", "x"), ("argoproj.io/v1alpha1", "Rollout", "r")];
            let owners: Vec<Value> = (0..dice.below(2)).map(|_| dice.owner(&owners, namespace)).collect();
            json!({"metadata": {"labels": dice.labels(), "ownerReferences": owners}})
        }
        ObjectKind::Job => {
            let owners = [("batch/v1", "CronJob", "x")];
            let owners: Vec<Value> = (0..dice.below(2)).map(|_| dice.owner(&owners, namespace)).collect();
            json!({
                "metadata": {"ownerReferences": owners},
                "spec": {"template": {"metadata": {"labels": dice.labels()}}},
            })
        }
        ObjectKind::Deployment | ObjectKind::StatefulSet | ObjectKind::DaemonSet => {
            json!({"metadata": {}, "spec": {"template": {"metadata": {"labels": dice.labels()}}}})
        }
        ObjectKind::CronJob => json!({"metadata": {}, "spec": {"jobTemplate": {"spec": {"template": {
            "metadata": {"labels": dice.labels()}}}}}}),
        ObjectKind::HorizontalPodAutoscaler => {
            let targets = [
                ("apps/v1", "Deployment", "x"),
                ("apps/v1", "StatefulSet", "x"),
                ("argoproj.io/v1alpha1", "Rollout", "r"),
            ];
            let (api_version, kind, stem) = targets[dice.below(3)];
            let target = json!({"apiVersion": api_version, "kind": kind, "name": dice.name(stem, 2)});
            json!({"metadata": {}, "spec": {"scaleTargetRef": target}})
        }
        ObjectKind::PodDisruptionBudget => {
            let selector = match dice.below(4) {
                0 => Value::Null,
                1 => json!({"matchExpressions": [{"key": "app", "operator": "In", "values": ["a0", "a1"]}]}),
                _ => json!({"matchLabels": dice.labels()}),
            };
            json!({"metadata": {}, "spec": {"selector": selector}})
        }
        ObjectKind::PersistentVolumeClaim => {
            let volume = if dice.one_in(3) { String::new() } else { dice.name("v", 2) };
            let phase = ["Bound", "Bound", "Pending"][dice.below(3)];
            json!({"metadata": {}, "spec": {"volumeName": volume}, "status": {"phase": phase}})
        }
        ObjectKind::Ingress => {
            let path = |dice: &mut Dice| json!({"backend": {"service": {"name": dice.name("s", 4)}}});
            let paths: Vec<Value> = (0..dice.below(3)).map(|_| path(dice)).collect();
            json!({"metadata": {}, "spec": {"rules": [{"http": {"paths": paths}}]}})
        }
    }
}

fn endpoint(dice: &mut Dice, namespace: &str) -> Value {
    let ready = [json!(true), json!(false), Value::Null][dice.below(3)].clone();
    if dice.one_in(5) {
        return json!({"addresses": [dice.name("10.0.0.", 3)], "conditions": {"ready": ready}});
    }
    let name = dice.name("x", 4);
    let namespace = dice.also_of_others(namespace);
    let uid = dice.uid(ObjectKind::Pod, namespace, &name);
    // A pod has one node for life.
    let node = format!("n{}", uid.bytes().map(usize::from).sum::<usize>() % 2);
    json!({
        "addresses": ["10.1.1.1"], "conditions": {"ready": ready}, "nodeName": node,
        "targetRef": {"kind": "Pod", "namespace": namespace, "name": name, "uid": uid},
    })
}
