//! Does the plugin know the cluster as it is, through everything that an API server and a network do?
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod echoes;
mod ends;
mod faults;
mod memory;
mod outages;
mod panics;
mod restores;
mod trust;

use testkit as support;

use std::sync::Arc;
use std::time::Duration;

use event_gateway::clock;
use event_gateway::cluster::{Cluster, Timing};
use event_gateway::config::{Endpoint, Tls, TopologySettings};
use event_gateway::log::{Level, Line};
use event_gateway::pattern::Patterns;
use event_gateway::topology::index::Index;
use event_gateway::topology::key::Key;
use event_gateway::topology::kind::ObjectKind;
use serde_json::{Value, json};

use support::cluster::{Cluster as Plan, Size};
use support::kube_api::{ALL, Delivery, KubeApi};

const BOUND: Duration = Duration::from_secs(30);
/// In a hurry, but for silence: a loaded machine is silent now and then.
const TIMING: Timing = Timing {
    connect: Duration::from_secs(5),
    head: Duration::from_secs(20),
    list_head: Duration::from_secs(20),
    silence: Duration::from_secs(20),
    turn: Duration::from_millis(200),
    settle: Duration::from_millis(50),
    reopening: Duration::from_secs(1),
    stale: Duration::from_millis(300),
    quiet: Duration::from_secs(3),
    publication: Duration::from_millis(5),
    tick: Duration::from_millis(20),
    first_save: Duration::from_millis(50),
    save: Duration::from_millis(50),
};
const KINDS: usize = ObjectKind::ALL.len();

fn settings(api: &KubeApi) -> TopologySettings {
    TopologySettings {
        url: Endpoint { url: api.url(), https: api.url().starts_with("https"), shown: api.url() },
        tls: Tls::default(),
        token_file: None,
        tombstone_ttl: Duration::from_secs(3_600),
        annotations: Patterns::default(),
        snapshot_file: None,
    }
}

fn start(settings: &TopologySettings) -> Cluster {
    start_with(settings, &TIMING)
}

fn start_with(settings: &TopologySettings, timing: &Timing) -> Cluster {
    Cluster::start(settings, timing, || {}).unwrap_or_else(|errors| panic!("{errors:?}"))
}

#[track_caller]
fn wait(what: &str, mut done: impl FnMut() -> bool) {
    let end = clock::monotonic() + BOUND;
    while !done() {
        assert!(clock::monotonic() < end, "waited {BOUND:?} for {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[track_caller]
fn wait_ready(cluster: &Cluster) {
    wait("all first lists", || cluster.is_ready());
}

fn pod(name: &str) -> Value {
    json!({ "kind": "Pod", "apiVersion": "v1",
            "metadata": { "name": name, "namespace": "shop", "uid": format!("u-{name}") } })
}

fn is_live(index: &Index, uid: &str) -> bool {
    index.by_uid(Key::of(uid)).is_some_and(|(_, entry)| entry.is_live())
}

#[track_caller]
fn wait_live(cluster: &Cluster, uid: &str) {
    wait(uid, || is_live(&cluster.current(), uid));
}

#[track_caller]
fn wait_gone(cluster: &Cluster, uid: &str) {
    wait(uid, || cluster.current().by_uid(Key::of(uid)).is_some_and(|(_, entry)| !entry.is_live()));
}

fn lines(cluster: &Cluster) -> Vec<Line> {
    cluster.log().drain(clock::monotonic())
}

fn warnings(cluster: &Cluster) -> Vec<String> {
    lines(cluster).into_iter().filter(|line| line.level <= Level::Warn).map(|line| line.text).collect()
}

/// The kinds that are not followed.
fn unfollowed(cluster: &Cluster) -> Vec<ObjectKind> {
    let numbers = &cluster.numbers().unfollowed;
    ObjectKind::ALL.into_iter().filter(|kind| numbers[kind.index()].get() > 0).collect()
}

/// Every object of the plan is there, as live, and nothing else is.
#[track_caller]
fn assert_holds(cluster: &Cluster, plan: &Plan) {
    let index = cluster.current();
    let mut objects = 0;
    for (resource, object) in plan.objects() {
        let uid = object["metadata"]["uid"].as_str().unwrap();
        assert!(is_live(&index, uid), "{resource} {object}");
        objects += 1;
    }
    assert_eq!(index.objects().filter(|object| object.is_live()).count(), objects);
}

#[test]
fn the_first_lists_show_the_whole_cluster_in_any_pieces() {
    let plan = Plan::generate(Size { pods: 1_300, ..Size::SMALL }, 7);
    for delivery in [Delivery::Whole, Delivery::Chunks(1_021)] {
        let api = KubeApi::start();
        api.fill(plan.objects());
        api.deliver(ALL, delivery);
        let cluster = start(&settings(&api));
        wait_ready(&cluster);
        assert_holds(&cluster, &plan);
        let pages: Vec<_> =
            api.requests_for("pods").iter().map(|request| request.parameter("continue").is_some()).collect();
        assert!(pages.iter().filter(|continued| **continued).count() >= 2, "{pages:?}");
        api.wait_for_watches(ALL, KINDS, BOUND);
        let accept = api.requests_for("replicasets")[0].accept.clone().unwrap();
        assert!(accept.contains("PartialObjectMetadataList"), "{accept}");
        let numbers = cluster.numbers();
        assert_eq!(numbers.objects.get(), cluster.current().len() as u64);
        assert_eq!((numbers.skipped_objects.get(), numbers.watch_restarts.get()), (0, 0));
        let age = clock::unix_seconds(clock::wall())
            .saturating_sub(numbers.last_message_seconds[ObjectKind::Pod.index()].get());
        assert!(age < 30, "{age}");
        assert_eq!(warnings(&cluster), [""; 0]);
    }
}

#[test]
fn changes_arrive_in_any_pieces() {
    for delivery in [Delivery::Whole, Delivery::Chunks(1), Delivery::Chunks(100)] {
        let api = KubeApi::start();
        let cluster = start(&settings(&api));
        wait_ready(&cluster);
        api.deliver(ALL, delivery);
        api.wait_for_watches(ALL, KINDS, BOUND);
        for name in ["a", "b", "ü"] {
            api.put("pods", pod(name));
            wait_live(&cluster, &format!("u-{name}"));
        }
        let mut changed = pod("a");
        changed["spec"] = json!({"nodeName": "node-a"});
        let served = api.put("pods", changed);
        let version: u64 = served["metadata"]["resourceVersion"].as_str().unwrap().parse().unwrap();
        wait("the new state", || cluster.current().by_uid(Key::of("u-a")).unwrap().1.version == version);
        api.remove("pods", pod("a"));
        wait_gone(&cluster, "u-a");
        assert!(is_live(&cluster.current(), "u-b"));
    }
}

#[test]
fn a_storm_of_changes_is_shown_in_few_snapshots_and_none_is_lost() {
    let api = KubeApi::start();
    let cluster = start(&settings(&api));
    wait_ready(&cluster);
    api.wait_for_watches(ALL, KINDS, BOUND);
    let before = cluster.numbers().snapshots.get();
    let began = clock::monotonic();
    for n in 0..3_000 {
        api.put("pods", pod(&n.to_string()));
    }
    wait_live(&cluster, "u-2999");
    let took = clock::monotonic() - began;
    let snapshots = cluster.numbers().snapshots.get() - before;
    let most = took.as_millis() / TIMING.publication.as_millis() + 2;
    assert!(u128::from(snapshots) <= most, "{snapshots} in {took:?}");
    assert_eq!(cluster.current().len(), 3_000);
}

#[test]
fn what_is_gone_for_long_is_forgotten() {
    let api = KubeApi::start();
    let short = TopologySettings { tombstone_ttl: Duration::from_secs(1), ..settings(&api) };
    let cluster = start(&short);
    wait_ready(&cluster);
    api.wait_for_watches(ALL, KINDS, BOUND);
    api.put("pods", pod("a"));
    wait_live(&cluster, "u-a");
    api.remove("pods", pod("a"));
    wait("the end of its memory", || cluster.current().is_empty());
}

#[test]
fn readers_keep_what_they_have() {
    let api = KubeApi::start();
    let cluster = start(&settings(&api));
    wait_ready(&cluster);
    api.wait_for_watches(ALL, KINDS, BOUND);
    let before = Arc::clone(&cluster.current());
    api.put("pods", pod("a"));
    wait_live(&cluster, "u-a");
    assert!(before.is_empty());
}
