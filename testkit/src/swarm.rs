//! A cluster in which one tenant has made as many pods and Services as it takes to be looked at for long.
use std::sync::Arc;

use event_gateway::pattern::Patterns;
use event_gateway::topology::index::Index;
use event_gateway::topology::kind::ObjectKind;
use event_gateway::topology::parse::Parser;
use event_gateway::topology::writer::IndexWriter;
use serde_json::{Value, json};

/// Whose namespace it is, and whose the others' is.
pub const HOSTILE: &str = "aaa";
pub const OTHER: &str = "shop";

pub struct Swarm {
    writer: IndexWriter,
    parsers: Vec<Parser>,
}

impl Swarm {
    /// One Deployment whose pods all stand behind all of the Services, and all have labels of their own: nothing
    /// that was found for one of them can serve for the next.
    pub fn of(services: usize, pods: usize) -> Self {
        let parsers = ObjectKind::ALL.map(|kind| Parser::new(kind, Patterns::parse("*"))).into();
        let mut swarm = Self { writer: IndexWriter::new(u64::MAX), parsers };
        for kind in ObjectKind::ALL {
            swarm.writer.replace(kind, Vec::new());
        }
        swarm.add(HOSTILE, services, pods);
        swarm.deployment(OTHER, "web", 3, false);
        let uids = pods_of(OTHER, "web", 3);
        swarm.service(OTHER, "web", &json!({"app": "web"}), &uids);
        swarm
    }

    /// The same Deployment and Services in one more namespace.
    pub fn add(&mut self, namespace: &str, services: usize, pods: usize) {
        self.deployment(namespace, "swarm", pods, true);
        let uids = pods_of(namespace, "swarm", pods);
        for service in 0..services {
            self.service(namespace, &format!("s{service}"), &json!({"app": "swarm"}), &uids);
        }
    }

    /// A Deployment, its ReplicaSet and so many pods.
    pub fn deployment(&mut self, namespace: &str, name: &str, pods: usize, have_labels_of_their_own: bool) {
        for (kind, object) in deployment(namespace, name, pods, have_labels_of_their_own) {
            self.parse(kind, &object);
        }
    }

    /// A Service, and slices that hold these pods, as many as Kubernetes puts into one.
    pub fn service(&mut self, namespace: &str, name: &str, selector: &Value, pods: &[String]) {
        self.put(ObjectKind::Service, namespace, name, json!({"spec": {"selector": selector}}));
        for (number, pods) in pods.chunks(100).enumerate() {
            let endpoint = |uid: &String| {
                let target = json!({"kind": "Pod", "namespace": namespace, "uid": uid});
                json!({"addresses": ["10.0.0.1"], "conditions": {"ready": true}, "targetRef": target, "nodeName": "node-a"})
            };
            let endpoints: Vec<Value> = pods.iter().map(endpoint).collect();
            let labels = json!({"kubernetes.io/service-name": name});
            let slice =
                json!({"metadata": {"labels": labels}, "addressType": "IPv4", "endpoints": endpoints});
            self.put(ObjectKind::EndpointSlice, namespace, &format!("{name}-{number}"), slice);
        }
    }

    pub fn put(&mut self, kind: ObjectKind, namespace: &str, name: &str, object: Value) {
        self.parse(kind, &named(kind, namespace, name, object));
    }

    fn parse(&mut self, kind: ObjectKind, object: &Value) {
        let object = self.parsers[kind.index()].object(object.to_string().as_bytes()).expect("a good object");
        self.writer.put(Arc::new(object));
    }

    pub fn index(&mut self) -> Index {
        self.writer.snapshot()
    }
}

/// A Deployment whose pods are selected by so many Services, as an API server has them.
pub fn selected(
    namespace: &str,
    name: &str,
    services: usize,
    pods: usize,
) -> impl Iterator<Item = (&'static str, Value)> {
    let services = (0..services).map(|service| {
        let service = format!("{name}-{service}");
        (
            ObjectKind::Service,
            named(ObjectKind::Service, namespace, &service, json!({"spec": {"selector": {"app": name}}})),
        )
    });
    let objects: Vec<_> = deployment(namespace, name, pods, true).chain(services).collect();
    objects.into_iter().map(|(kind, object)| (kind.resource(), object))
}

fn deployment(
    namespace: &str,
    name: &str,
    pods: usize,
    have_labels_of_their_own: bool,
) -> impl Iterator<Item = (ObjectKind, Value)> {
    let replica_set = format!("{name}-rs");
    let owner = |kind: ObjectKind, of: &str| json!([{"apiVersion": "apps/v1", "kind": kind.name(), "name": of, "uid": uid_of(kind.name(), namespace, of), "controller": true}]);
    let template = json!({"spec": {"template": {"metadata": {"labels": {"app": name}}}}});
    let owned = json!({"metadata": {"ownerReferences": owner(ObjectKind::Deployment, name)}});
    let above = [
        (ObjectKind::Deployment, named(ObjectKind::Deployment, namespace, name, template)),
        (ObjectKind::ReplicaSet, named(ObjectKind::ReplicaSet, namespace, &replica_set, owned)),
    ];
    let owners = owner(ObjectKind::ReplicaSet, &replica_set);
    let pods = (0..pods).map(move |pod| {
        let labels = if have_labels_of_their_own {
            json!({"app": name, "pod": pod.to_string()})
        } else {
            json!({"app": name})
        };
        let metadata = json!({"labels": labels, "ownerReferences": owners});
        let object = json!({"metadata": metadata, "spec": {"nodeName": "node-a"}});
        (ObjectKind::Pod, named(ObjectKind::Pod, namespace, &format!("{name}-{pod}"), object))
    });
    above.into_iter().chain(pods)
}

fn named(kind: ObjectKind, namespace: &str, name: &str, mut object: Value) -> Value {
    object["metadata"]["name"] = name.into();
    let uid = object["metadata"]["uid"]
        .as_str()
        .map_or_else(|| uid_of(kind.name(), namespace, name), str::to_owned);
    object["metadata"]["uid"] = uid.into();
    object["metadata"]["resourceVersion"] = "1".into();
    object["metadata"]["creationTimestamp"] = "2026-11-20T23:28:49Z".into();
    if !kind.is_of_cluster() {
        object["metadata"]["namespace"] = namespace.into();
    }
    object
}

fn uid_of(kind: &str, namespace: &str, name: &str) -> String {
    format!("{kind}-{namespace}-{name}")
}

/// The uids of the pods of a Deployment.
pub fn pods_of(namespace: &str, name: &str, pods: usize) -> Vec<String> {
    (0..pods).map(|pod| uid_of("Pod", namespace, &format!("{name}-{pod}"))).collect()
}

/// An event about an object of a swarm.
pub fn event(kind: &str, namespace: &str, name: &str, number: usize) -> Value {
    let api_version = if matches!(kind, "Pod" | "Node") { "v1" } else { "apps/v1" };
    let lies_in = if namespace.is_empty() { "default" } else { namespace };
    let uid = uid_of(kind, namespace, name);
    json!({
        "metadata": {"uid": format!("{kind} {namespace} {name} {number}"), "resourceVersion": "1", "namespace": lies_in},
        "involvedObject": {"apiVersion": api_version, "kind": kind, "namespace": namespace, "name": name, "uid": uid},
    })
}
