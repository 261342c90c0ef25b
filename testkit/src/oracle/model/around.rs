//! Whose an object is, and on which node.

use std::collections::BTreeSet;

use event_gateway::topology::kind::ObjectKind;

use super::subject::Subject;
use super::{Model, Thing};
use crate::oracle::answer::Workload;

impl Model {
    fn topmost(&self, thing: &Thing) -> Workload {
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
                Some(above) if above.namespace() == thing.namespace() => thing = above,
                _ => return (text("kind"), thing.namespace().to_owned(), text("name"), text("uid")),
            }
        }
    }

    fn common(&self, pods: &[&Thing]) -> Option<Workload> {
        let all: BTreeSet<_> = pods.iter().map(|pod| self.topmost(pod)).collect();
        if all.len() == 1 { all.into_iter().next() } else { None }
    }

    pub(super) fn node(&self, thing: Option<&Thing>) -> Option<(String, String)> {
        let thing = thing?;
        let zone = |thing: &Thing| {
            thing.value["metadata"]["labels"]["topology.kubernetes.io/zone"].as_str().unwrap_or("").to_owned()
        };
        match thing.kind {
            ObjectKind::Node => Some((thing.name().to_owned(), zone(thing))),
            ObjectKind::Pod if !thing.text("/spec/nodeName").is_empty() => {
                let name = thing.text("/spec/nodeName");
                Some((name.to_owned(), self.by_name(ObjectKind::Node, "", name).map_or(String::new(), zone)))
            }
            _ => None,
        }
    }

    pub(super) fn workload(&self, subject: &Subject<'_>) -> Option<Workload> {
        let &Subject { about, kind, namespace, thing, has_its_name, by_name } = subject;
        match (kind, thing) {
            (Some(ObjectKind::Pod), Some(thing)) => Some(self.topmost(thing)),
            (Some(kind), Some(thing)) if kind.is_workload() => Some(self.topmost(thing)),
            (Some(ObjectKind::HorizontalPodAutoscaler), Some(thing)) => {
                let target = &thing.value["spec"]["scaleTargetRef"];
                let (kind, name) = (target["kind"].as_str().unwrap(), target["name"].as_str().unwrap());
                if let Some(target) =
                    ObjectKind::of(None, kind).and_then(|kind| self.by_name(kind, namespace, name))
                {
                    return Some(self.topmost(target));
                }
                let uids = self.owners_named(kind, namespace, name);
                let pods: Vec<_> = uids.iter().flat_map(|uid| self.pods_below(namespace, uid)).collect();
                self.common(&pods)
            }
            (Some(ObjectKind::PodDisruptionBudget), Some(thing)) => {
                let mut pods = self.budget_pods(thing);
                pods.retain(|pod| pod.deleted.is_none());
                self.common(&pods)
            }
            (Some(ObjectKind::PersistentVolumeClaim), Some(_)) if has_its_name => {
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
                let mut children = self
                    .things
                    .iter()
                    .filter(|child| about.namespace.is_empty() || child.namespace() == namespace);
                let (kind, _, name, uid) = children.clone().find_map(owner_in)?;
                let namespaces: BTreeSet<&str> = children
                    .by_ref()
                    .filter(|child| owner_in(child).is_some())
                    .map(Thing::namespace)
                    .collect();
                let namespace = if namespaces.len() > 1 { "" } else { namespaces.first()? };
                Some((kind, namespace.to_owned(), name, uid))
            }
            _ => None,
        }
    }
}
