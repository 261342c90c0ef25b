//! Clusters made by rule: any size, always the same for one seed, and of the shape and weight of real ones.
//!
//! A cluster is a plan of a few hundred bytes a pod; its objects are made from it one at a time, as 100,000 pods
//! all at once as JSON values would fill the memory of a small machine.

mod container;
mod metadata;
mod nodes;
mod owners;
mod plan;
mod pods;
mod random;
mod services;
mod updates;

pub use plan::Cluster;
pub use updates::{Change, Update, Updates};

use serde_json::Value;

/// The resourceVersion of the first object; that of updates begins above all objects of the largest cluster.
const FIRST_VERSION: u64 = 1_000;
const FIRST_UPDATE_VERSION: u64 = 1_000_000;

/// How much of everything. Deployments, StatefulSets, DaemonSets and Jobs follow from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    pub pods: usize,
    pub services: usize,
    pub nodes: usize,
    /// Those of former rollouts included, which have no pods.
    pub replica_sets: usize,
    pub namespaces: usize,
}

impl Size {
    /// For tests that look at every object.
    pub const SMALL: Size = Size { pods: 300, services: 40, nodes: 10, replica_sets: 100, namespaces: 4 };
    /// What the requirements call a cluster.
    pub const STANDARD: Size =
        Size { pods: 10_000, services: 1_000, nodes: 500, replica_sets: 4_000, namespaces: 60 };
    pub const LARGEST: Size =
        Size { pods: 100_000, services: 10_000, nodes: 5_000, replica_sets: 40_000, namespaces: 400 };
}

impl Cluster {
    /// Every object with its resource, as a watch shows it: with kind, apiVersion, a resourceVersion of its own and
    /// managedFields. What is owned comes after its owner.
    pub fn objects(&self) -> impl Iterator<Item = (&'static str, Value)> + '_ {
        let nodes = (0..self.nodes.len()).map(|node| ("nodes", nodes::node(self, node)));
        let owners = (0..self.workloads.len()).flat_map(|workload| owners::of_workload(self, workload));
        let pods = self.pods.iter().flatten().map(|pod| ("pods", pods::pod(self, pod)));
        let services = (0..self.services.len()).flat_map(|service| services::of_service(self, service));
        let objects = nodes.chain(owners).chain(pods).chain(services);
        objects.zip(FIRST_VERSION..).map(|((resource, mut object), version)| {
            metadata::set_version(&mut object, version);
            (resource, object)
        })
    }
}
