//! The Services that have endpoints on a node, grouped by namespace.
//!
//! An event about a node visits all of them in order. The iterator can skip the rest of a namespace that has
//! too many, at no cost.

use std::iter::Peekable;
use std::ops::Bound;

use imbl::OrdSet;
use imbl::ordset::RangedIter;

use super::key::Key;

/// Node name, namespace ([`Key::of`]) and Service name ([`Key::name`]).
type NodeService = (Key, Key, Key);

/// Node, namespace and Service, in this order.
#[derive(Debug, Clone, Default)]
pub struct NodeServices(OrdSet<NodeService>);

/// Iterates over the Services on one node.
pub struct NodeServicesIter<'i> {
    all: &'i NodeServices,
    node: Key,
    rest: Peekable<RangedIter<'i, NodeService, imbl::shared_ptr::DefaultSharedPtr>>,
}

impl NodeServices {
    /// Notes that the Service has an endpoint on the node.
    pub fn insert(&mut self, node: Key, namespace: Key, service: Key) {
        self.0.insert((node, namespace, service));
    }

    /// Notes that it has none any more.
    pub fn remove(&mut self, node: Key, namespace: Key, service: Key) {
        self.0.remove(&(node, namespace, service));
    }

    /// Whether a Service of this namespace has an endpoint on the node.
    #[must_use]
    pub fn has_any(&self, node: Key, namespace: Key) -> bool {
        self.0.range((node, namespace, Key::LEAST)..=(node, namespace, Key::GREATEST)).next().is_some()
    }

    /// The Services with an endpoint on the node, by namespace.
    #[must_use]
    pub fn of(&self, node: Key) -> NodeServicesIter<'_> {
        let rest = self.0.range((node, Key::LEAST, Key::LEAST)..=(node, Key::GREATEST, Key::GREATEST));
        NodeServicesIter { all: self, node, rest: rest.peekable() }
    }
}

impl NodeServicesIter<'_> {
    /// The next Service, if it is in this namespace.
    pub fn next_of(&mut self, namespace: Key) -> Option<Key> {
        self.rest.next_if(|place| place.1 == namespace).map(|place| place.2)
    }

    /// Skips the rest of this namespace.
    pub fn pass(&mut self, namespace: Key) {
        let (last, end) = ((self.node, namespace, Key::GREATEST), (self.node, Key::GREATEST, Key::GREATEST));
        self.rest = self.all.0.range((Bound::Excluded(last), Bound::Included(end))).peekable();
    }
}

impl Iterator for NodeServicesIter<'_> {
    type Item = Key;

    fn next(&mut self) -> Option<Key> {
        self.rest.next().map(|place| place.2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_namespace_can_be_passed_over() {
        let [node, other, a, b] = ["node", "other", "a", "b"].map(Key::of);
        let mut services = NodeServices::default();
        for (node, namespace, name) in
            [(node, a, "1"), (node, a, "2"), (node, b, "3"), (node, b, "5"), (other, b, "4")]
        {
            services.insert(node, namespace, Key::of(name));
        }
        let mut namespaces = [a, b];
        namespaces.sort_unstable();
        let mut all = services.of(node);
        assert!(all.next_of(namespaces[0]).is_some());
        all.pass(namespaces[0]);
        assert_eq!(all.next_of(namespaces[0]), None);
        assert!(all.next_of(namespaces[1]).is_some());
        assert!(services.has_any(other, b) && !services.has_any(other, a));
        services.remove(other, b, Key::of("4"));
        assert!(!services.has_any(other, b));
    }
}
