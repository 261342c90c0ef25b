//! Beginnings and ends: who shares a cluster, what a start refuses, and that a stop waits for nobody.

use std::sync::Arc;
use std::time::Duration;

use event_gateway::cluster::shared;
use event_gateway::config::{Tls, TopologySettings};

use super::support::kube_api::{ALL, Delivery, KubeApi};
use super::*;

#[test]
fn equal_settings_share_one_cluster_and_the_last_to_go_stops_it() {
    let (api, other_api) = (KubeApi::start(), KubeApi::start());
    let one = shared(&settings(&api), || {}).unwrap();
    // A filter comes first and has no file; the output that joins it has one.
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("memory");
    let with_memory = TopologySettings { snapshot_file: Some(file.clone()), ..settings(&api) };
    let two = shared(&with_memory, || {}).unwrap();
    assert!(Arc::ptr_eq(&one, &two));
    let other = shared(&settings(&other_api), || {}).unwrap();
    assert!(!Arc::ptr_eq(&one, &other));
    let more = TopologySettings { annotations: Patterns::parse("a"), ..settings(&other_api) };
    assert!(!Arc::ptr_eq(&other, &shared(&more, || {}).unwrap()));
    drop(one);
    api.wait_for_watches(ALL, KINDS, BOUND);
    wait_ready(&two);
    drop(two);
    api.wait_for_watches(ALL, 0, BOUND);
    assert!(file.exists());
    let again = shared(&settings(&api), || {}).unwrap();
    wait_ready(&again);
    drop((again, other));
}

#[test]
fn a_start_names_every_file_that_is_wrong() {
    let api = KubeApi::start();
    let wrong = TopologySettings {
        url: Endpoint { url: "https://127.0.0.1:1".into(), https: true, shown: String::new() },
        tls: Tls { ca_file: Some("Cargo.toml".into()), ..Tls::default() },
        token_file: Some("no/such/token".into()),
        ..settings(&api)
    };
    let errors = Cluster::start(&wrong, &TIMING, || {}).err().unwrap();
    let keys: Vec<_> = errors.iter().map(|error| error.key).collect();
    assert_eq!(keys, ["kube_token_file", "kube_ca_file"]);
    assert!(shared(&wrong, || {}).is_err());
    assert!(api.requests().is_empty());
}

#[test]
fn a_stop_waits_neither_for_a_watch_nor_for_a_server_that_hangs() {
    // Longer than any stop takes on a busy machine.
    let long = Duration::from_secs(120);
    let timing = Timing { connect: long, head: long, list_head: long, silence: long, ..TIMING };
    let started = |settings: &TopologySettings| start_with(settings, &timing);
    let prompt = |cluster: Cluster| {
        let began = clock::monotonic();
        drop(cluster);
        let took = clock::monotonic() - began;
        assert!(took < Duration::from_secs(60), "{took:?}");
    };
    // In the middle of watches.
    let api = KubeApi::start();
    let cluster = started(&settings(&api));
    api.wait_for_watches(ALL, KINDS, BOUND);
    prompt(cluster);
    api.wait_for_watches(ALL, 0, BOUND);
    // In the middle of lists that do not come.
    let api = KubeApi::start();
    api.deliver(ALL, Delivery::Slow { bytes: 1, pause: Duration::from_secs(3_600) });
    let cluster = started(&settings(&api));
    api.wait_for_requests("every list", BOUND, |requests| requests.len() >= KINDS);
    prompt(cluster);
    // In the middle of waits.
    let api = KubeApi::start();
    api.unavailable(ALL, 1, 500);
    let cluster = started(&settings(&api));
    api.wait_for_requests("every list", BOUND, |requests| requests.len() >= KINDS);
    prompt(cluster);
    // While nobody listens, or takes a connection up.
    let api = KubeApi::start();
    api.stop();
    let cluster = started(&settings(&api));
    std::thread::sleep(Duration::from_millis(100));
    prompt(cluster);
    let deaf = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", deaf.local_addr().unwrap());
    let cluster = started(&TopologySettings {
        url: Endpoint { url: url.clone(), https: false, shown: url },
        ..settings(&api)
    });
    std::thread::sleep(Duration::from_millis(100));
    prompt(cluster);
}
