//! A random world, the servers that show it, and the real threads that follow it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use event_gateway::clock;
use event_gateway::cluster::{Cluster, Timing};
use event_gateway::config::{Endpoint, Tls, TopologySettings};
use event_gateway::correlate::{About as Subject, Awaited, Correlation, Correlator};
use event_gateway::pattern::Patterns;
use event_gateway::topology::freshness::Freshness;
use event_gateway::topology::index::Index;
use event_gateway::topology::key::Key;
use event_gateway::topology::kind::ObjectKind;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::answer::Answer;
use super::support::kube_api::{Balancer, Choice, KubeApi};
use super::world::{About, Change, World};

pub const BOUND: Duration = Duration::from_secs(60);
/// Changes of a world.
const CHANGES: usize = 150;
/// Before the time of this test, so that what is made is older than what went by either clock.
const CREATED: &str = "2020-01-01T00:00:00Z";

pub struct Stage {
    pub api: KubeApi,
    pub behind: KubeApi,
    /// Dropped before the servers.
    _balancer: Balancer,
    folder: TempDir,
    settings: TopologySettings,
    pub cluster: Option<Cluster>,
    pub timeline: Vec<(ObjectKind, Change)>,
    happened: usize,
    pub live: BTreeMap<(ObjectKind, String, String), Value>,
    /// Versions, by kind.
    marks: [u64; ObjectKind::ALL.len()],
    round: u64,
    /// Some states were delivered to nobody.
    pub is_history_lost: bool,
}

/// What the topology says of one object.
pub struct Said {
    pub word: Correlation,
    pub answer: Answer,
    /// It may be another one soon: a record waits for that.
    pub waits: bool,
}

impl Stage {
    pub fn new(seed: u64) -> Self {
        let (api, folder) = (KubeApi::start(), tempfile::tempdir().expect("a folder"));
        let behind = api.replica();
        let balancer = Balancer::start(&[&api, &behind], Choice::Random(seed));
        let settings = TopologySettings {
            url: Endpoint { url: balancer.url(), https: false, shown: balancer.url() },
            tls: Tls::default(),
            token_file: None,
            tombstone_ttl: Duration::from_secs(3_600),
            annotations: Patterns::default(),
            snapshot_file: Some(folder.path().join("memory")),
        };
        let mut timeline = World::random(seed, CHANGES).in_order();
        for (_, change) in &mut timeline {
            change.object["metadata"]["creationTimestamp"] = CREATED.into();
        }
        let live = BTreeMap::new();
        let mut stage = Self {
            api,
            behind,
            _balancer: balancer,
            folder,
            settings,
            cluster: None,
            timeline,
            happened: 0,
            live,
            marks: [0; ObjectKind::ALL.len()],
            round: 0,
            is_history_lost: false,
        };
        stage.start();
        // What comes and goes before the first lists is never seen.
        stage.rest();
        stage
    }

    pub fn start(&mut self) {
        let hurry = Duration::from_millis(5);
        let (tick, save, turn) = (hurry * 4, hurry * 10, hurry * 20);
        let timing = Timing { publication: hurry, tick, save, turn, ..Timing::default() };
        let cluster = Cluster::start(&self.settings, &timing, || {});
        self.cluster = Some(cluster.unwrap_or_else(|errors| panic!("{errors:?}")));
    }

    fn memory(&self) -> PathBuf {
        self.folder.path().join("memory")
    }

    /// Ends the process: in good order, or with the file that a kill would leave.
    pub fn end(&mut self, is_kill: bool) {
        let left = std::fs::read(self.memory());
        drop(self.cluster.take());
        match left {
            Ok(left) if is_kill => std::fs::write(self.memory(), left).expect("a file"),
            Err(_) if is_kill => drop(std::fs::remove_file(self.memory())),
            _ => {}
        }
    }

    /// Both servers go away, and the topology notices.
    pub fn servers_go(&self) {
        self.api.stop();
        self.behind.stop();
        let cluster = self.cluster.as_ref().expect("it runs");
        let notices = |kind| cluster.current().freshness(kind) != Freshness::Current;
        let end = clock::monotonic() + BOUND;
        while !ObjectKind::ALL.into_iter().all(notices) {
            assert!(clock::monotonic() < end, "the topology does not notice that the API server is away");
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    pub fn servers_return(&self) {
        self.api.restart();
        self.behind.restart();
    }

    pub fn is_over(&self) -> bool {
        self.happened == self.timeline.len()
    }

    /// Lets some more happen. A name has one object at a time: what had it goes first.
    pub fn happen(&mut self, changes: usize) {
        let end = self.timeline.len().min(self.happened + changes);
        for (kind, change) in &self.timeline[self.happened..end] {
            let text = |key: &str| change.object["metadata"][key].as_str().unwrap_or_default().to_owned();
            let name = (*kind, text("namespace"), text("name"));
            if let Some(old) = self.live.remove(&name).filter(|old| old["metadata"]["uid"] != text("uid")) {
                self.api.remove(kind.resource(), old);
            }
            if change.is_deletion {
                self.api.remove(kind.resource(), change.object.clone());
            } else {
                self.api.put(kind.resource(), change.object.clone());
                self.live.insert(name, change.object.clone());
            }
        }
        self.happened = end;
    }

    pub fn past(&self) -> &[(ObjectKind, Change)] {
        &self.timeline[..self.happened]
    }

    /// Waits until the topology has seen of each kind what was put last.
    pub fn rest(&mut self) {
        self.mark();
        let end = clock::monotonic() + BOUND;
        while !self.is_at_rest() {
            assert!(clock::monotonic() < end, "not all kinds are followed within {BOUND:?}");
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// A change of each kind, by which is seen what was followed.
    pub fn mark(&mut self) {
        self.round += 1;
        self.marks = ObjectKind::ALL.map(|kind| {
            let mark = json!({"metadata": {"name": "mark", "namespace": "marks", "uid": format!("mark-{}", kind.name()),
                "creationTimestamp": CREATED, "labels": {"mark": self.round.to_string()}}});
            let served = self.api.put(kind.resource(), mark);
            let version = served["metadata"]["resourceVersion"].as_str().and_then(|text| text.parse().ok());
            version.expect("a version")
        });
    }

    /// Whether the last mark of a kind has come.
    fn has_mark(index: &Index, (kind, version): (ObjectKind, u64)) -> bool {
        let mark = index.by_uid(Key::of(&format!("mark-{}", kind.name())));
        mark.is_some_and(|(_, mark)| mark.version == version && mark.is_live())
    }

    /// Whether the last marks of all kinds have come, and all are believed.
    pub fn is_at_rest(&self) -> bool {
        let index = self.cluster.as_ref().expect("it runs").current();
        let mut kinds = ObjectKind::ALL.into_iter().zip(self.marks);
        kinds.all(|mark| Self::has_mark(&index, mark) && index.freshness(mark.0) == Freshness::Current)
    }

    /// Whether the other kinds have caught up, and their answers are believed again.
    pub fn is_followed_but_for(&self, away: ObjectKind) -> bool {
        let index = self.cluster.as_ref().expect("it runs").current();
        let mut others = ObjectKind::ALL.into_iter().zip(self.marks).filter(|(kind, _)| *kind != away);
        others.all(|mark| Self::has_mark(&index, mark) && index.freshness(mark.0) == Freshness::Current)
    }

    pub fn say(&self, abouts: &[About]) -> Vec<Said> {
        let index = self.cluster.as_ref().expect("it runs").current();
        let correlator =
            Correlator { max_services: 100, labels: Patterns::default(), annotations: Patterns::default() };
        let say = |about: &About| {
            let About { api_version, kind, namespace, name, uid } = about;
            let about = Subject {
                api_version,
                kind,
                namespace,
                name,
                uid,
                event_namespace: if namespace.is_empty() { "default" } else { namespace },
            };
            let impact = correlator.correlate(&index, &about);
            Said {
                word: impact.correlation,
                answer: Answer::from(&impact),
                waits: Awaited::of(&index, &about).is_some(),
            }
        };
        abouts.iter().map(say).collect()
    }
}
