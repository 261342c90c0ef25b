//! Which Services a pod backs, how many endpoints each Service has, and on which nodes.

use std::ops::Deref;
use std::sync::Arc;

use super::key::Key;
use super::labels::Labels;
use super::object::{Details, Endpoint, Object};

/// A Service with its endpoint counts. It may be known from its EndpointSlices alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// Its slices are in the same namespace.
    pub namespace: Arc<str>,
    /// From the Service, or from its slices' label `kubernetes.io/service-name`.
    pub name: Box<str>,
    /// The live object, or the last one deleted.
    pub object: Option<Arc<Object>>,
    /// Over all its slices; a pod in several slices counts once.
    pub endpoints: EndpointCounts,
    /// Sorted by the node.
    pub nodes: Box<[NodeEndpoints]>,
}

/// How many endpoints, and how many of them are ready.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EndpointCounts {
    /// Those that receive traffic: their condition `ready` is true or absent.
    pub ready: u32,
    /// Ready or not.
    pub total: u32,
}

/// A Service's endpoints on one node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NodeEndpoints {
    /// Key of the node's name.
    pub node: Key,
    /// Only those on this node.
    pub endpoints: EndpointCounts,
}

/// A pod's membership in the endpoints of one Service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Membership {
    /// Key of the Service's name.
    pub service: Key,
    /// How many of the Service's slices hold the pod now; 0 if they held it only in the past.
    pub slices: u32,
}

/// All memberships of a pod. Most pods have exactly one, which then needs no allocation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Memberships {
    /// Needs no allocation.
    One(Membership),
    /// None, or more than one.
    Many(Arc<[Membership]>),
}

impl Deref for Memberships {
    type Target = [Membership];

    fn deref(&self) -> &[Membership] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(many) => many,
        }
    }
}

impl From<Vec<Membership>> for Memberships {
    fn from(memberships: Vec<Membership>) -> Self {
        match memberships[..] {
            [one] => Self::One(one),
            _ => Self::Many(memberships.into()),
        }
    }
}

impl Service {
    /// Key of namespace and name.
    #[must_use]
    pub fn key(&self) -> Key {
        Key::name(&self.namespace, &self.name)
    }

    /// Whether the Service's selector matches these labels. A Service without a selector matches nothing.
    #[must_use]
    pub fn selects(&self, labels: &Labels) -> bool {
        self.selector().is_some_and(|selector| !selector.is_empty() && labels.hold_all(selector))
    }

    /// The live object's selector, or the last known one.
    #[must_use]
    pub fn selector(&self) -> Option<&Labels> {
        match &self.object.as_ref()?.details {
            Details::Service { selector } => Some(selector),
            _ => None,
        }
    }

    /// The endpoints on this node.
    #[must_use]
    pub fn on_node(&self, node: Key) -> EndpointCounts {
        let at = self.nodes.binary_search_by_key(&node, |on| on.node);
        at.map_or_else(|_| EndpointCounts::default(), |at| self.nodes[at].endpoints)
    }
}

/// Counts the endpoints in a Service's slices. A pod counts once even if several slices hold it: the IPv4 and
/// IPv6 slices hold the same pods, and Kubernetes moves an endpoint by adding it to the new slice first.
#[must_use]
pub fn count<'s>(endpoints: impl Iterator<Item = &'s Endpoint>) -> (EndpointCounts, Box<[NodeEndpoints]>) {
    let mut all: Vec<&Endpoint> = endpoints.collect();
    all.sort_unstable_by_key(|endpoint| (endpoint.target, endpoint.node));
    let mut sum = EndpointCounts::default();
    let mut nodes: Vec<NodeEndpoints> = Vec::new();
    for same in all.chunk_by(|a, b| a.target == b.target) {
        let one = EndpointCounts { ready: u32::from(same.iter().any(|endpoint| endpoint.ready)), total: 1 };
        sum.add(one);
        let node = same.last().and_then(|endpoint| endpoint.node);
        nodes.extend(node.map(|node| NodeEndpoints { node, endpoints: one }));
    }
    nodes.sort_unstable_by_key(|on| on.node);
    nodes.dedup_by(|next, first| {
        let is_same = next.node == first.node;
        if is_same {
            first.endpoints.add(next.endpoints);
        }
        is_same
    });
    (sum, nodes.into())
}

impl EndpointCounts {
    fn add(&mut self, other: Self) {
        self.ready += other.ready;
        self.total += other.total;
    }
}

/// How many past memberships are kept for a live pod.
pub const MOST_PAST: usize = 64;

/// The pod's memberships after one slice of `service` starts or stops holding it. A membership that falls to
/// 0 slices is kept as a past one.
#[must_use]
pub fn changed(memberships: &[Membership], service: Key, holds: bool) -> Memberships {
    let mut changed: Vec<Membership> = memberships.to_vec();
    let at = changed.iter().position(|membership| membership.service == service).unwrap_or_else(|| {
        changed.push(Membership { service, slices: 0 });
        changed.len() - 1
    });
    let slices = &mut changed[at].slices;
    *slices = if holds { *slices + 1 } else { slices.saturating_sub(1) };
    // A slice whose Service keeps changing would otherwise leave behind one past membership per change.
    while changed.iter().filter(|one| one.slices == 0).count() > MOST_PAST {
        let oldest = changed.iter().position(|one| one.slices == 0).unwrap_or(0);
        changed.remove(oldest);
    }
    changed.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pod_in_two_slices_counts_once_and_is_ready_if_any_says_so() {
        let endpoint = |pod: &str, node: &str, ready| Endpoint {
            target: Key::of(pod),
            node: (!node.is_empty()).then(|| Key::of(node)),
            ready,
            is_pod: true,
        };
        let endpoints = [
            endpoint("a", "n1", false),
            endpoint("a", "n1", true),
            endpoint("b", "n2", false),
            endpoint("c", "", true),
        ];
        let (sum, nodes) = count(endpoints.iter());
        assert_eq!(sum, EndpointCounts { ready: 2, total: 3 });
        let on = |name: &str| nodes.iter().find(|on| on.node == Key::of(name)).map(|on| on.endpoints);
        assert_eq!(on("n1"), Some(EndpointCounts { ready: 1, total: 1 }));
        assert_eq!(on("n2"), Some(EndpointCounts { ready: 0, total: 1 }));
        assert_eq!(nodes.len(), 2);
    }
}
