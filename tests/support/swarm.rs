//! A cluster in which one tenant has made as many pods and Services as it takes to be looked at for long.
#![allow(dead_code, reason = "each test binary uses another part of it")]

use std::sync::Arc;

use event_gateway::pattern::Patterns;
use event_gateway::topology::index::Index;
use event_gateway::topology::kind::Kind;
use event_gateway::topology::parse::Parser;
use event_gateway::topology::writer::Writer;
use serde_json::{Value, json};

/// Whose namespace it is, and whose the others' is.
pub const HOSTILE: &str = "aaa";
pub const OTHER: &str = "shop";

pub struct Swarm {
    writer: Writer,
    parsers: Vec<Parser>,
}

impl Swarm {
    /// One Deployment whose pods all stand behind all of the Services, and all have labels of their own: nothing
    /// that was found for one of them can serve for the next.
    pub fn of(services: usize, pods: usize) -> Self {
        let parsers = Kind::ALL.map(|kind| Parser::new(kind, Patterns::default())).into();
        let mut swarm = Self { writer: Writer::new(u64::MAX), parsers };
        for kind in Kind::ALL {
            swarm.writer.replace(kind, Vec::new());
        }
        swarm.deployment(HOSTILE, "swarm", pods, true);
        let uids = pods_of(HOSTILE, "swarm", pods);
        for service in 0..services {
            swarm.service(HOSTILE, &format!("s{service}"), &json!({"app": "swarm"}), &uids);
        }
        swarm.deployment(OTHER, "web", 3, false);
        let uids = pods_of(OTHER, "web", 3);
        swarm.service(OTHER, "web", &json!({"app": "web"}), &uids);
        swarm
    }

    /// A Deployment, its ReplicaSet and so many pods.
    pub fn deployment(&mut self, namespace: &str, name: &str, pods: usize, have_labels_of_their_own: bool) {
        let owner = |kind: &str, uid: String| json!([{"apiVersion": "apps/v1", "kind": kind, "name": name, "uid": uid, "controller": true}]);
        let template = json!({"spec": {"template": {"metadata": {"labels": {"app": name}}}}});
        self.put(Kind::Deployment, namespace, name, template);
        let owners = owner("Deployment", uid_of("Deployment", namespace, name));
        self.put(
            Kind::ReplicaSet,
            namespace,
            &format!("{name}-rs"),
            json!({"metadata": {"ownerReferences": owners}}),
        );
        for pod in 0..pods {
            let labels = if have_labels_of_their_own {
                json!({"app": name, "pod": pod.to_string()})
            } else {
                json!({"app": name})
            };
            let owners = owner("ReplicaSet", uid_of("ReplicaSet", namespace, &format!("{name}-rs")));
            let metadata = json!({"labels": labels, "ownerReferences": owners});
            self.put(
                Kind::Pod,
                namespace,
                &format!("{name}-{pod}"),
                json!({"metadata": metadata, "spec": {"nodeName": "node-a"}}),
            );
        }
    }

    /// A Service, and slices that hold these pods, as many as Kubernetes puts into one.
    pub fn service(&mut self, namespace: &str, name: &str, selector: &Value, pods: &[String]) {
        self.put(Kind::Service, namespace, name, json!({"spec": {"selector": selector}}));
        for (number, pods) in pods.chunks(100).enumerate() {
            let endpoint = |uid: &String| {
                let target = json!({"kind": "Pod", "namespace": namespace, "uid": uid});
                json!({"addresses": ["10.0.0.1"], "conditions": {"ready": true}, "targetRef": target, "nodeName": "node-a"})
            };
            let endpoints: Vec<Value> = pods.iter().map(endpoint).collect();
            let labels = json!({"kubernetes.io/service-name": name});
            let slice =
                json!({"metadata": {"labels": labels}, "addressType": "IPv4", "endpoints": endpoints});
            self.put(Kind::EndpointSlice, namespace, &format!("{name}-{number}"), slice);
        }
    }

    pub fn put(&mut self, kind: Kind, namespace: &str, name: &str, mut object: Value) {
        object["metadata"]["name"] = name.into();
        object["metadata"]["uid"] = uid_of(kind.name(), namespace, name).into();
        object["metadata"]["resourceVersion"] = "1".into();
        object["metadata"]["creationTimestamp"] = "2026-11-20T23:28:49Z".into();
        if !kind.is_of_cluster() {
            object["metadata"]["namespace"] = namespace.into();
        }
        let object = self.parsers[kind.index()].object(object.to_string().as_bytes()).expect("a good object");
        self.writer.put(Arc::new(object));
    }

    pub fn index(&self) -> Index {
        self.writer.snapshot()
    }
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
