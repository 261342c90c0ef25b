//! The other parts of an impact: the workload, the node, and a pod's own fields.

use std::net::IpAddr;

use super::impact::{Node, UidText, Workload};
use super::owned_pods::{MAX_DEPTH, budget_pods, pods_below, target_name};
use super::subject::Subject;
use super::work::Work;
use crate::time::Stamp;
use crate::topology::index::Index;
use crate::topology::key::Key;
use crate::topology::kind::ObjectKind;
use crate::topology::object::{Details, Object, Owner};
use crate::topology::scope::{may_refer, within};

/// The topmost owner. For an autoscaler, a budget or a claim, the topmost owner of its pods, if they all have
/// the same.
pub(super) fn workload<'i>(index: &'i Index, subject: &Subject<'i>, work: &mut Work) -> Option<Workload<'i>> {
    let Some((uid, entry)) = subject.entry else { return unheld(index, subject, work) };
    match &entry.details {
        Details::Pod { .. } | Details::Workload { .. } => Some(topmost(index, entry)),
        Details::Autoscaler { target } => {
            let name = target_name(target, subject.namespace);
            if let Some(target) = index.by_name(name) {
                return Some(topmost(index, target));
            }
            let mut pods = Vec::new();
            for owner in index.owners_named(name).take_while(|_| work.take()).collect::<Vec<_>>() {
                pods.extend(pods_below(index, within(subject.namespace, owner), work));
            }
            common(index, pods.into_iter().map(|(_, pod)| pod), work)
        }
        Details::Budget { .. } => {
            let pods = budget_pods(index, entry, work);
            common(index, pods.into_iter().map(|(_, pod)| pod).filter(|pod| pod.is_live()), work)
        }
        Details::Claim { .. } => {
            let claim = Key::name(subject.namespace, subject.about.name);
            let is_its_name = index.by_name(entry.name_key()).is_none_or(|one| one.key() == uid);
            common(index, index.mounting(claim).map(|(_, pod)| pod).filter(|_| is_its_name), work)
        }
        _ => None,
    }
}

/// The workload for a kind that the topology does not hold. An owner is its own workload; a volume has that
/// of the pods that mount it.
fn unheld<'i>(index: &'i Index, subject: &Subject<'i>, work: &mut Work) -> Option<Workload<'i>> {
    let about = subject.about;
    if about.kind == "PersistentVolume" {
        let claims = index.claims_of(Key::of(about.name));
        let names = claims.map(|(_, claim)| Key::name(&claim.namespace, &claim.name));
        return common(index, names.flat_map(|claim| index.mounting(claim)).map(|(_, pod)| pod), work);
    }
    if subject.kind.is_some() {
        return None;
    }
    let uid = subject.uid.or_else(|| {
        let name = Key::object(about.api_version, about.kind, subject.namespace, about.name);
        let mut uids = index.owners_named(name);
        // If two owners have this name, the event is ambiguous.
        uids.next().filter(|_| uids.next().is_none())
    })?;
    let mut children: Box<dyn Iterator<Item = _>> = Box::new(index.children(within(subject.namespace, uid)));
    if subject.may_be_of_cluster {
        let namespaces = index.owner_namespaces(subject.reference_key(uid));
        children = Box::new(namespaces.flat_map(move |namespace| index.children(namespace.with(uid))));
    }
    // If the event has no uid, the children provide it. Kind and name must match too, because a child's
    // writer chose the reference.
    let is_meant =
        |owner: &&Owner| owner.key == uid && (&*owner.kind, &*owner.name) == (about.kind, about.name);
    let children = children.take_while(|_| work.take());
    let (child, owner) =
        children.into_iter().find_map(|(_, child)| Some((child, child.owners().iter().find(is_meant)?)))?;
    Some(Workload {
        kind: &owner.kind,
        // Its children may be in several namespaces.
        namespace: if subject.may_be_of_cluster
            && index.owner_namespaces(subject.reference_key(uid)).nth(1).is_some()
        {
            ""
        } else {
            &child.namespace
        },
        name: &owner.name,
        uid: UidText::Known(&owner.uid),
    })
}

/// The common workload of all pods. Unknown if not all pods were checked.
fn common<'i>(
    index: &'i Index,
    pods: impl Iterator<Item = &'i Object>,
    work: &mut Work,
) -> Option<Workload<'i>> {
    let mut same = None;
    for pod in pods {
        let topmost = topmost(index, pod);
        if !work.take() || *same.get_or_insert(topmost) != topmost {
            return None;
        }
    }
    same.filter(|_| !work.is_short())
}

/// Follows the controlling owners upwards. A static pod is owned by its Node, which is not a workload.
fn topmost<'i>(index: &'i Index, entry: &'i Object) -> Workload<'i> {
    let mut object: &Object = entry;
    for _ in 0..MAX_DEPTH {
        let Some(owner) = object.controller().filter(|owner| &*owner.kind != ObjectKind::Node.name()) else {
            break;
        };
        match index.by_uid(owner.key) {
            Some((_, above)) if may_refer(object, above) => object = above,
            // The owner's kind is not followed, or the owner is in another tenant's namespace. In both cases
            // only the reference itself is shown.
            _ => {
                return Workload {
                    kind: &owner.kind,
                    namespace: &object.namespace,
                    name: &owner.name,
                    uid: UidText::Known(&owner.uid),
                };
            }
        }
    }
    Workload {
        kind: object.kind.name(),
        namespace: &object.namespace,
        name: &object.name,
        uid: UidText::Known(&object.uid),
    }
}

/// The node itself, or the one on which the pod runs or ran.
pub(super) fn node<'i>(index: &'i Index, subject: &Subject<'i>) -> Option<Node<'i>> {
    let (_, entry) = subject.entry?;
    match &entry.details {
        Details::Node { .. } => Some(facts(&entry.name, Some(entry))),
        Details::Pod { node, .. } if !node.is_empty() => Some(facts(node, index.node(Key::of(node)))),
        _ => None,
    }
}

fn facts<'i>(name: &'i str, entry: Option<&'i Object>) -> Node<'i> {
    match entry.map(|entry| &entry.details) {
        Some(Details::Node { zone, region, addresses }) => Node { name, zone, region, addresses },
        _ => Node { name, zone: "", region: "", addresses: &[] },
    }
}

/// A pod's address and start time; nothing for other kinds.
pub(super) fn pod_facts(object: &Object) -> (Option<IpAddr>, Option<Stamp>) {
    match &object.details {
        Details::Pod { ip, started_seconds, .. } => {
            (*ip, started_seconds.and_then(|seconds| Stamp::from_unix_seconds(seconds.get())))
        }
        _ => (None, None),
    }
}
