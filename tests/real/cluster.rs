//! Do the output and the filter follow the cluster in one real Fluent Bit, through ten hot reloads and while
//! the API server goes and comes back?

use std::fs;
use std::thread;
use std::time::Duration;

use crate::{real, support};
use event_gateway::clock;
use serde_json::{Value, json};

use real::{BOUND, assert_once, config, on_every_host, state_file, stop};
use support::chunk;
use support::fluent_bit::Running;
use support::gateway::TestGateway;
use support::host::MiniHost;
use support::kube_api::{ALL, KubeApi};
use support::recording::cluster_after;

const RELOADS: usize = 10;
/// What the output logs in each Init that succeeds.
const STARTED: &str = "] delivers to ";
/// One for each kind, whoever asks: the output and the filter share them.
const WATCHES: usize = 14;
/// The API server is away from this reload on until that one.
const AWAY: std::ops::Range<usize> = 3..6;

/// An event about a pod that stands behind three Services.
fn about_a_pod(number: usize) -> Value {
    let mut event = support::event(&format!("e{number}"), 1_000 + number as u64, 1);
    event["involvedObject"] = json!({"apiVersion": "v1", "kind": "Pod", "namespace": "shop",
        "name": "web-589b65666d-kxnpj", "uid": "1d2419d7-a83c-477f-869a-ec86a994dd3b"});
    event
}

fn threads(host: &Running) -> usize {
    fs::read_dir(format!("/proc/{}/task", host.pid())).expect("its threads").count()
}

/// The host turns a signal away while the reload before it is not quite over.
fn reload(host: &mut Running, reloads: usize) {
    let start = clock::monotonic();
    while host.log().matches("[reload] stop everything").count() < reloads {
        assert!(start.elapsed() < BOUND, "the host does not reload; its log:\n{}", host.log());
        host.sighup();
        thread::sleep(Duration::from_millis(100));
    }
    host.wait_for_log_times(STARTED, reloads + 1, BOUND);
}

#[test]
fn output_and_filter_follow_one_cluster_through_reloads_and_outages() {
    on_every_host(|fluent_bit, folder| {
        let (events, cluster, gateway) = (KubeApi::start(), cluster_after(45), TestGateway::start());
        let (url, ledger, kube_url) = (gateway.url(), state_file(folder), cluster.url());
        let config = config(folder)
            .filter_plugin(&MiniHost::plugin_path())
            .hot_reload()
            .service("hot_reload.ensure_thread_safety", "off")
            .kubernetes_events(&events.url())
            .filter(
                "service_impact",
                &[("kube_url", &*kube_url), ("dedup", "off"), ("topology_wait", "300ms")],
            )
            .event_gateway(&[
                ("endpoint", &*url),
                ("state_file", &*ledger),
                ("kube_url", &*kube_url),
                ("topology_wait", "300ms"),
            ])
            .file_output()
            .text();
        let mut host = fluent_bit.start(&config, folder);
        host.wait_for_log(STARTED, BOUND);
        let (mut wanted, mut most_threads) = (Vec::new(), 0);
        for round in 0..=RELOADS {
            if round == AWAY.start {
                cluster.stop();
            }
            if round == AWAY.end {
                cluster.restart();
            }
            if round > 0 {
                reload(&mut host, round);
            }
            let is_away = AWAY.contains(&round);
            if !is_away {
                cluster.wait_for_watches(ALL, WATCHES, BOUND);
            }
            wanted.push(chunk::event_id(&events.add(about_a_pod(round))));
            gateway.wait_for_ids(wanted.len());
            let records = gateway.accepted_records();
            let record =
                records.iter().find(|record| record["id"] == **wanted.last().expect("one")).expect("it");
            let (correlation, services) = if is_away { ("not_ready", 0) } else { ("matched", 3) };
            assert_eq!(record["correlation"], correlation, "round {round}: {record}");
            assert_eq!(record["services"].as_array().map(Vec::len), Some(services));
            if round == 1 {
                most_threads = threads(&host);
            }
        }
        let end = threads(&host);
        assert!(end <= most_threads, "{end} threads after {RELOADS} reloads, {most_threads} after the first");
        stop(host);
        assert_once(&gateway, &wanted);
        // What the filter gave the output beside it, of every event at least once.
        let text = fs::read_to_string(folder.join("out")).expect("what the file output wrote");
        let there: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        for (round, id) in wanted.iter().enumerate() {
            let words = there.iter().filter(|event| chunk::event_id(event) == *id);
            let words: Vec<&Value> = words.map(|event| &event["impact"]["correlation"]).collect();
            // Every reload reads all events again.
            assert!(!words.is_empty() && words.contains(&&json!("matched")), "round {round}: {words:?}");
        }
    });
}
