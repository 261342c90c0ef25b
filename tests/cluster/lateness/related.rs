//! Which Services may ever be named for an object.
//!
//! A Service is wrong for an object if no version of the one ever led to any version of the other, through any versions
//! of what lies between: slices, pods, owners, claims. A topology that is late puts versions of different moments
//! together, by kind, so no smaller bound holds at every moment; and each Service within it was once connected with the
//! object, or is named by it.

use std::collections::BTreeSet;

use event_gateway::topology::kind::ObjectKind;
use serde_json::Value;

use super::world::{About, Change};

/// Namespace and name.
pub type Name = (String, String);

/// Every version of everything that ever was.
pub struct Related {
    versions: Vec<(ObjectKind, Value)>,
}

fn text<'v>(value: &'v Value, pointer: &str) -> &'v str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn namespace(value: &Value) -> &str {
    text(value, "/metadata/namespace")
}

fn name(value: &Value) -> &str {
    text(value, "/metadata/name")
}

fn uid(value: &Value) -> &str {
    text(value, "/metadata/uid")
}

fn all(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], |all| all)
}

fn holds(labels: &Value, selector: &Value) -> bool {
    selector.as_object().is_none_or(|all| all.iter().all(|(key, value)| labels.get(key) == Some(value)))
}

fn service_of(slice: &Value) -> &str {
    slice["metadata"]["labels"]["kubernetes.io/service-name"].as_str().unwrap_or_default()
}

/// The labels that pods of a workload have.
fn template(kind: ObjectKind, value: &Value) -> &Value {
    match kind {
        ObjectKind::ReplicaSet => &value["metadata"]["labels"],
        ObjectKind::CronJob => &value["spec"]["jobTemplate"]["spec"]["template"]["metadata"]["labels"],
        _ => &value["spec"]["template"]["metadata"]["labels"],
    }
}

impl Related {
    pub fn of(changes: &[(ObjectKind, Change)]) -> Self {
        Self { versions: changes.iter().map(|(kind, change)| (*kind, change.object.clone())).collect() }
    }

    fn kind(&self, kind: ObjectKind) -> impl Iterator<Item = &Value> {
        self.versions.iter().filter(move |(of, _)| *of == kind).map(|(_, value)| value)
    }

    pub fn may_name(&self, about: &About) -> BTreeSet<Name> {
        let kind = ObjectKind::of(None, &about.kind).filter(|_| !about.api_version.starts_with("serving"));
        let itself = (about.namespace.clone(), about.name.clone());
        let by_name = about.uid.is_empty() || about.uid == about.name;
        let is_it = |value: &&Value| match by_name {
            true => (namespace(value), name(value)) == (&*about.namespace, &*about.name),
            false => uid(value) == about.uid,
        };
        let Some(kind) = kind else {
            return match &*about.kind {
                "Endpoints" => [itself].into(),
                "PersistentVolume" => {
                    let claims = self.kind(ObjectKind::PersistentVolumeClaim);
                    let of_it = claims.filter(|claim| text(claim, "/spec/volumeName") == about.name);
                    of_it.flat_map(|claim| self.of_claim(namespace(claim), name(claim))).collect()
                }
                kind => self.of_owner_or_named(about, kind, by_name),
            };
        };
        let versions = || self.kind(kind).filter(is_it);
        match kind {
            ObjectKind::Service => [itself].into(),
            ObjectKind::EndpointSlice => {
                versions().map(|slice| (namespace(slice).to_owned(), service_of(slice).to_owned())).collect()
            }
            ObjectKind::Pod => versions().flat_map(|pod| self.of_pod(uid(pod))).collect(),
            ObjectKind::Node => {
                let on_it = |slice: &&Value| {
                    all(&slice["endpoints"]).iter().any(|one| one["nodeName"] == *about.name)
                };
                let slices = self.kind(ObjectKind::EndpointSlice).filter(on_it);
                slices.map(|slice| (namespace(slice).to_owned(), service_of(slice).to_owned())).collect()
            }
            ObjectKind::HorizontalPodAutoscaler => versions()
                .flat_map(|scaler| {
                    let target = &scaler["spec"]["scaleTargetRef"];
                    self.of_named(text(target, "/kind"), namespace(scaler), text(target, "/name"))
                })
                .collect(),
            ObjectKind::PodDisruptionBudget => versions().flat_map(|budget| self.of_budget(budget)).collect(),
            ObjectKind::PersistentVolumeClaim => self.of_claim(&about.namespace, &about.name),
            ObjectKind::Ingress => {
                let rules = versions().flat_map(|ingress| all(&ingress["spec"]["rules"]));
                let paths = rules.flat_map(|rule| all(&rule["http"]["paths"]));
                paths
                    .map(|path| (about.namespace.clone(), text(path, "/backend/service/name").to_owned()))
                    .collect()
            }
            kind => self.of_owner_or_named(about, kind.name(), by_name),
        }
    }

    fn selecting(&self, within: &str, labels: &Value) -> impl Iterator<Item = Name> {
        let services = self.kind(ObjectKind::Service).filter(move |service| namespace(service) == within);
        let is_set =
            |service: &&Value| service["spec"]["selector"].as_object().is_some_and(|all| !all.is_empty());
        let takes = move |service: &&Value| holds(labels, &service["spec"]["selector"]);
        services.filter(is_set).filter(takes).map(|one| (namespace(one).to_owned(), name(one).to_owned()))
    }

    fn of_pod(&self, pod: &str) -> BTreeSet<Name> {
        let holds =
            |slice: &&Value| all(&slice["endpoints"]).iter().any(|one| one["targetRef"]["uid"] == pod);
        let holding = self.kind(ObjectKind::EndpointSlice).filter(holds);
        let named = holding.map(|slice| (namespace(slice).to_owned(), service_of(slice).to_owned()));
        let versions = self.kind(ObjectKind::Pod).filter(|value| uid(value) == pod);
        named
            .chain(versions.flat_map(|pod| self.selecting(namespace(pod), &pod["metadata"]["labels"])))
            .collect()
    }

    /// What an owner's pods, and the pods that it would make, stand behind.
    fn of_owner(&self, owner: &str, seen: &mut BTreeSet<String>) -> BTreeSet<Name> {
        if !seen.insert(owner.to_owned()) {
            return BTreeSet::new();
        }
        let mut names = BTreeSet::new();
        for (kind, value) in &self.versions {
            if uid(value) == owner && kind.is_workload() {
                names.extend(self.selecting(namespace(value), template(*kind, value)));
            }
            if all(&value["metadata"]["ownerReferences"]).iter().any(|one| one["uid"] == owner) {
                match kind {
                    ObjectKind::Pod => names.extend(self.of_pod(uid(value))),
                    _ => names.extend(self.of_owner(uid(value), seen)),
                }
            }
        }
        names
    }

    fn of_owner_or_named(&self, about: &About, kind: &str, by_name: bool) -> BTreeSet<Name> {
        match by_name {
            true => self.of_named(kind, &about.namespace, &about.name),
            false => self.of_owner(&about.uid, &mut BTreeSet::new()),
        }
    }

    /// All that bore this name, or is called so by what it owns.
    fn of_named(&self, kind: &str, within: &str, wanted: &str) -> BTreeSet<Name> {
        let mut uids = BTreeSet::new();
        for (of, value) in self.versions.iter().filter(|(_, value)| namespace(value) == within) {
            if of.name() == kind && name(value) == wanted {
                uids.insert(uid(value));
            }
            let owners = all(&value["metadata"]["ownerReferences"]).iter();
            let named = owners.filter(|owner| text(owner, "/kind") == kind && text(owner, "/name") == wanted);
            uids.extend(named.map(|owner| text(owner, "/uid")));
        }
        uids.into_iter().flat_map(|uid| self.of_owner(uid, &mut BTreeSet::new())).collect()
    }

    /// An upper bound: expressions of a selector are taken to hold.
    fn of_budget(&self, budget: &Value) -> BTreeSet<Name> {
        let labels = &budget["spec"]["selector"]["matchLabels"];
        let taken =
            |pod: &&Value| namespace(pod) == namespace(budget) && holds(&pod["metadata"]["labels"], labels);
        let pods = self.kind(ObjectKind::Pod).filter(taken);
        pods.flat_map(|pod| self.of_pod(uid(pod))).chain(self.selecting(namespace(budget), labels)).collect()
    }

    fn of_claim(&self, within: &str, claim: &str) -> BTreeSet<Name> {
        let mounts = |pod: &&Value| {
            let names = all(&pod["spec"]["volumes"]).iter();
            namespace(pod) == within
                && names.into_iter().any(|one| text(one, "/persistentVolumeClaim/claimName") == claim)
        };
        self.kind(ObjectKind::Pod).filter(mounts).flat_map(|pod| self.of_pod(uid(pod))).collect()
    }
}
