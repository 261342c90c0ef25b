//! What goes on in a cluster: pods that become unready and ready again, rollouts of a pod at a time, heartbeats of
//! nodes; each with all that follows from it, in the order in which the controllers write it.

use std::collections::VecDeque;

use serde_json::Value;

use super::metadata::set_version;
use super::owners;
use super::plan::{Cluster, Kind, Phase, SLICE_ENDPOINTS};
use super::pods;
use super::random::Random;
use super::services::slice_objects;
use super::{FIRST_UPDATE_VERSION, nodes};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    Added,
    Modified,
    Deleted,
}

/// What a watch of the resource tells.
#[derive(Clone, Debug)]
pub struct Update {
    pub resource: &'static str,
    pub change: Change,
    pub object: Value,
}

/// A stream of updates; the cluster as it stands after them goes along.
pub struct Updates {
    pub cluster: Cluster,
    left: usize,
    random: Random,
    version: u64,
    ready: VecDeque<Update>,
}

impl Cluster {
    /// So many updates of this cluster, the same every time, with versions above those of `objects`. Of 100 updates
    /// about 60 are of pods, 25 of slices, the rest of ReplicaSets, Deployments and nodes.
    pub fn updates(&self, updates: usize) -> Updates {
        let random = Random(self.random.0 ^ 1);
        let version = FIRST_UPDATE_VERSION;
        Updates { cluster: self.clone(), left: updates, random, version, ready: VecDeque::new() }
    }
}

impl Iterator for Updates {
    type Item = Update;

    fn next(&mut self) -> Option<Update> {
        self.left = self.left.checked_sub(1)?;
        while self.ready.is_empty() {
            self.cluster.now += 1;
            match self.random.below(10) {
                0 => self.heartbeat(),
                1..=4 => self.roll_a_pod(),
                _ => self.flap_a_pod(),
            }
        }
        let mut update = self.ready.pop_front()?;
        self.version += 1;
        set_version(&mut update.object, self.version);
        Some(update)
    }
}

impl Updates {
    fn heartbeat(&mut self) {
        let node = self.random.below(self.cluster.nodes.len());
        if self.random.one_in(20) {
            self.cluster.nodes[node].pressure ^= true;
        }
        self.push("nodes", Change::Modified, nodes::node(&self.cluster, node));
    }

    /// Unready after a restart, and ready again.
    fn flap_a_pod(&mut self) {
        let Some(place) = self.running_pod() else { return self.heartbeat() };
        for ready in [false, true] {
            let Some(pod) = self.cluster.pods[place].as_mut() else { return };
            pod.ready = ready;
            pod.restarts += u64::from(!ready);
            self.pod(place, Change::Modified);
            self.slices_of(place);
        }
    }

    /// A pod is replaced: made, scheduled, started and ready; then the one that it replaces goes.
    fn roll_a_pod(&mut self) {
        let Some(old) = self.running_pod() else { return self.heartbeat() };
        let Some(workload) = self.cluster.pods[old].as_ref().map(|pod| pod.workload) else { return };
        if self.cluster.workloads[workload].kind != Kind::Deployment {
            return self.flap_a_pod();
        }
        let node = self.random.below(self.cluster.nodes.len());
        let new = self.cluster.start_pod(workload, 0, false);
        self.pod(new, Change::Added);
        self.cluster.pods[new].as_mut().expect("just made").node = Some(node);
        self.pod(new, Change::Modified);
        self.cluster.pods[new].as_mut().expect("just made").phase = Phase::Running;
        self.pod(new, Change::Modified);
        self.join_slices(workload, new);
        self.cluster.pods[new].as_mut().expect("just made").ready = true;
        self.pod(new, Change::Modified);
        self.slices_of(new);

        self.cluster.pods[old].as_mut().expect("it is running").terminating = true;
        self.pod(old, Change::Modified);
        self.slices_of(old);
        self.cluster.pods[old].as_mut().expect("it is running").ready = false;
        self.pod(old, Change::Modified);
        let last = self.cluster.pods[old].as_ref().map(|pod| pods::pod(&self.cluster, pod));
        self.cluster.workloads[workload].pods.retain(|pod| *pod != old);
        self.cluster.pods[old] = None;
        self.push("pods", Change::Deleted, last.expect("it is running"));
        self.slices_of_workload(workload, old);
        for service in self.cluster.workloads[workload].services.clone() {
            let service = &mut self.cluster.services[service];
            service.slices.iter_mut().for_each(|slice| slice.retain(|pod| *pod != old));
        }
        let newest = self.cluster.workloads[workload].revisions.len() as u64;
        let replica_set = owners::replica_set(&self.cluster, workload, newest);
        self.push("replicasets", Change::Modified, replica_set);
        self.push("deployments", Change::Modified, owners::deployment(&self.cluster, workload));
    }

    fn running_pod(&mut self) -> Option<usize> {
        (0..100).map(|_| self.random.below(self.cluster.pods.len())).find(|place| {
            let pod = self.cluster.pods[*place].as_ref();
            pod.is_some_and(|pod| pod.phase == Phase::Running && pod.ready)
        })
    }

    /// A new pod takes a free place in the slices of its Services, or makes a new slice when all are full.
    fn join_slices(&mut self, workload: usize, pod: usize) {
        let mut made = Vec::new();
        for place in self.cluster.workloads[workload].services.clone() {
            let service = &mut self.cluster.services[place];
            if service.slices.is_empty() {
                continue; // it has no selector
            }
            match service.slices.iter_mut().find(|slice| slice.len() < SLICE_ENDPOINTS) {
                Some(slice) => slice.push(pod),
                None => {
                    service.slices.push(vec![pod]);
                    let service = &self.cluster.services[place];
                    made.extend(slice_objects(&self.cluster, service, service.slices.len() - 1));
                }
            }
        }
        made.into_iter().for_each(|(resource, slice)| self.push(resource, Change::Added, slice));
    }

    fn slices_of(&mut self, pod: usize) {
        if let Some(workload) = self.cluster.pods[pod].as_ref().map(|pod| pod.workload) {
            self.slices_of_workload(workload, pod);
        }
    }

    /// The slices that hold this pod, of all Services before its workload.
    fn slices_of_workload(&mut self, workload: usize, pod: usize) {
        let cluster = &self.cluster;
        let mut changed = Vec::new();
        for service in cluster.workloads[workload].services.iter().map(|place| &cluster.services[*place]) {
            let holding = (0..service.slices.len()).filter(|slice| service.slices[*slice].contains(&pod));
            holding.for_each(|slice| changed.extend(slice_objects(cluster, service, slice)));
        }
        for (resource, object) in changed {
            self.push(resource, Change::Modified, object);
        }
    }

    fn pod(&mut self, place: usize, change: Change) {
        if let Some(pod) = &self.cluster.pods[place] {
            let object = pods::pod(&self.cluster, pod);
            self.push("pods", change, object);
        }
    }

    fn push(&mut self, resource: &'static str, change: Change, object: Value) {
        self.ready.push_back(Update { resource, change, object });
    }
}
