//! The plan of a cluster: who there is, who owns whom, and which pods stand behind which Service. The objects are
//! made from it.

use super::Size;
use super::random::Random;

/// As the endpoint slice controller fills a slice.
pub(super) const SLICE_ENDPOINTS: usize = 100;

/// When a generated cluster stands as planned, in seconds since 1970: 2026-11-21.
pub(super) const START: u64 = 1_795_219_200;

const APPS: [&str; 16] = [
    "checkout",
    "cart",
    "catalog",
    "search",
    "payments",
    "ledger",
    "shipping",
    "pricing",
    "identity",
    "gateway",
    "notifier",
    "reports",
    "inventory",
    "recommender",
    "media",
    "sessions",
];
const TIERS: [&str; 6] = ["api", "worker", "web", "consumer", "cache", "scheduler"];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Deployment,
    StatefulSet,
    DaemonSet,
    Job { of_cron_job: bool },
}

/// A rollout of a Deployment; only the newest has pods.
#[derive(Clone, Debug)]
pub(super) struct Revision {
    pub(super) number: u64,
}

#[derive(Clone, Debug)]
pub(super) struct Workload {
    pub(super) kind: Kind,
    pub(super) name: String,
    pub(super) namespace: usize,
    pub(super) seed: u64,
    pub(super) revisions: Vec<Revision>,
    /// Which of the cluster's pods are its own.
    pub(super) pods: Vec<usize>,
    /// Which of the cluster's Services select them.
    pub(super) services: Vec<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Pending,
    Running,
    Succeeded,
}

#[derive(Clone, Debug)]
pub(super) struct Pod {
    /// In the cluster's list; it never changes.
    pub(super) place: usize,
    pub(super) workload: usize,
    /// The revision of a Deployment's pod; otherwise 0.
    pub(super) revision: u64,
    pub(super) ordinal: usize,
    pub(super) seed: u64,
    pub(super) node: Option<usize>,
    pub(super) phase: Phase,
    pub(super) ready: bool,
    pub(super) terminating: bool,
    pub(super) restarts: u64,
    pub(super) dual_stack: bool,
    pub(super) created_at: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ServiceKind {
    ClusterIp { dual_stack: bool },
    Headless,
    WithoutSelector,
    ExternalName,
}

#[derive(Clone, Debug)]
pub(super) struct Service {
    pub(super) kind: ServiceKind,
    pub(super) name: String,
    pub(super) seed: u64,
    /// Whose pods it selects.
    pub(super) workload: usize,
    /// The pods of each slice, of one address family; those of another have the same.
    pub(super) slices: Vec<Vec<usize>>,
}

#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) name: String,
    pub(super) seed: u64,
    pub(super) pressure: bool,
}

/// A cluster; `objects` and `updates` make its JSON.
#[derive(Clone, Debug)]
pub struct Cluster {
    pub(super) size: Size,
    pub(super) random: Random,
    pub(super) namespaces: Vec<String>,
    pub(super) nodes: Vec<Node>,
    pub(super) workloads: Vec<Workload>,
    /// A pod that was deleted leaves its place empty.
    pub(super) pods: Vec<Option<Pod>>,
    pub(super) services: Vec<Service>,
    /// Seconds since 1970 of the last thing that happened.
    pub(super) now: u64,
}

impl Cluster {
    /// The same for the same size and seed, on every machine.
    pub fn generate(size: Size, seed: u64) -> Self {
        let mut random = Random(seed);
        let namespaces = (0..size.namespaces.max(1)).map(|number| match number {
            0 => "kube-system".to_owned(),
            number => format!("team-{}-{number}", APPS[number % APPS.len()]),
        });
        let nodes = (0..size.nodes.max(1)).map(|number| {
            let seed = random.next();
            let name = format!("ip-10-{}-{}.eu-central-1.compute.internal", number / 250, number % 250);
            Node { name, seed, pressure: false }
        });
        let (namespaces, nodes) = (namespaces.collect(), nodes.collect());
        let (workloads, pods, services) = (Vec::new(), Vec::new(), Vec::new());
        let mut cluster = Cluster { size, random, namespaces, nodes, workloads, pods, services, now: START };
        cluster.plan_workloads();
        cluster.plan_services();
        cluster
    }

    fn plan_workloads(&mut self) {
        let Size { pods, services, nodes, replica_sets, .. } = self.size;
        // A fifth of the pods belong to agents on every node, a tenth to StatefulSets, 2 % to Jobs.
        let daemon_sets = (pods / 5 / nodes.max(1)).min(6);
        for _ in 0..daemon_sets {
            self.workload(Kind::DaemonSet, nodes);
        }
        for number in 0..pods / 50 {
            self.workload(Kind::Job { of_cron_job: number % 2 == 0 }, 1);
        }
        let mut stateful = pods / 10;
        while stateful > 0 {
            let replicas = (1 + 2 * self.random.below(4)).min(stateful);
            self.workload(Kind::StatefulSet, replicas);
            stateful -= replicas;
        }
        // What remains is of Deployments: most small, and every fortieth so large that it needs several slices.
        let rest = pods.saturating_sub(self.pods.len());
        let deployments = (services * 7 / 10).min(rest).min(replica_sets).max(1);
        let first = self.workloads.len();
        let mut left = rest;
        for number in 0..deployments {
            let share = left / (deployments - number);
            let replicas = match number {
                _ if number + 1 == deployments => left,
                _ if number % 200 == 0 => (share * 30).min(left / 2),
                _ if number % 40 == 0 => (share * 12).min(left / 2),
                _ => (1 + self.random.below(2 * share.max(1) - 1)).min(left),
            };
            left -= replicas;
            self.workload(Kind::Deployment, replicas);
        }
        for extra in 0..replica_sets.saturating_sub(deployments) {
            let revisions = &mut self.workloads[first + extra % deployments].revisions;
            revisions.push(Revision { number: revisions.len() as u64 + 1 });
        }
        for pod in self.pods.iter_mut().flatten() {
            pod.revision = self.workloads[pod.workload].revisions.len() as u64;
        }
    }

    fn workload(&mut self, kind: Kind, replicas: usize) {
        let (place, seed) = (self.workloads.len(), self.random.next());
        let app = APPS[self.random.below(APPS.len())];
        let namespace = match kind {
            Kind::DaemonSet => 0,
            _ => 1.min(self.namespaces.len() - 1) + self.random.below(self.namespaces.len().max(2) - 1),
        };
        let name = match kind {
            Kind::Deployment => format!("{app}-{}-{place}", TIERS[self.random.below(TIERS.len())]),
            Kind::StatefulSet => format!("{app}-db-{place}"),
            Kind::DaemonSet => format!("node-agent-{place}"),
            Kind::Job { of_cron_job: true } => {
                format!("{app}-nightly-{place}-29{:06}", place * 7 % 1_000_000)
            }
            Kind::Job { of_cron_job: false } => format!("{app}-migrate-{place}"),
        };
        let revisions = if kind == Kind::Deployment { vec![Revision { number: 1 }] } else { Vec::new() };
        self.workloads.push(Workload {
            kind,
            name,
            namespace,
            seed,
            revisions,
            pods: Vec::new(),
            services: Vec::new(),
        });
        for ordinal in 0..replicas {
            self.start_pod(place, ordinal, true);
        }
    }

    /// A new pod of this workload: settled, or just made.
    pub(super) fn start_pod(&mut self, workload: usize, ordinal: usize, settled: bool) -> usize {
        let (place, seed) = (self.pods.len(), self.random.next());
        let of = &self.workloads[workload];
        let node = if of.kind == Kind::DaemonSet { ordinal } else { self.random.below(self.nodes.len()) };
        let finished = matches!(of.kind, Kind::Job { .. });
        let failing = self.random.one_in(50);
        let phase = match settled {
            false => Phase::Pending,
            true if finished => Phase::Succeeded,
            true => Phase::Running,
        };
        let pod = Pod {
            place,
            workload,
            revision: of.revisions.len() as u64,
            ordinal,
            seed,
            node: settled.then_some(node),
            phase,
            ready: phase == Phase::Running && !failing,
            terminating: false,
            restarts: if failing { 7 } else { 0 },
            dual_stack: of.seed.is_multiple_of(10),
            created_at: if settled { self.now - 60 - seed % 400_000 } else { self.now },
        };
        self.pods.push(Some(pod));
        self.workloads[workload].pods.push(place);
        place
    }

    /// Nine of ten Services have the pods of a workload behind them; a workload can have two Services.
    fn plan_services(&mut self) {
        let serving = |workload: &Workload| matches!(workload.kind, Kind::Deployment | Kind::StatefulSet);
        let candidates: Vec<usize> =
            (0..self.workloads.len()).filter(|place| serving(&self.workloads[*place])).collect();
        for number in 0..self.size.services {
            let workload = candidates[(number * 7 + number / candidates.len()) % candidates.len()];
            let seed = self.random.next();
            let of = &self.workloads[workload];
            let kind = match number % 40 {
                3 => ServiceKind::ExternalName,
                7 | 23 => ServiceKind::WithoutSelector,
                _ if of.kind == Kind::StatefulSet => ServiceKind::Headless,
                11 => ServiceKind::Headless,
                _ => ServiceKind::ClusterIp { dual_stack: of.seed.is_multiple_of(10) },
            };
            let slices = match kind {
                ServiceKind::ExternalName | ServiceKind::WithoutSelector => Vec::new(),
                _ if of.pods.is_empty() => vec![Vec::new()],
                _ => of.pods.chunks(SLICE_ENDPOINTS).map(<[usize]>::to_vec).collect(),
            };
            let name = format!("{}-{}", of.name, if number < candidates.len() { "svc" } else { "internal" });
            self.workloads[workload].services.push(number);
            self.services.push(Service { kind, name: format!("{name}-{number}"), seed, workload, slices });
        }
    }

    pub(super) fn namespace_of(&self, workload: usize) -> &str {
        &self.namespaces[self.workloads[workload].namespace]
    }
}
