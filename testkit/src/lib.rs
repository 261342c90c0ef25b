//! What the tests share: the mini host, a gateway, an API server and clusters for it, chunks as Fluent Bit makes
//! them, a real Fluent Bit.
//!
//! A crate of its own, so that it is compiled once. What replaces functions of the C library lies in `tests/interpose`: a program
//! that does not ask for it must not have it.
#![allow(
    clippy::new_without_default,
    clippy::should_implement_trait,
    reason = "tests call what a test needs, by its plain name"
)]

pub mod cases;
pub mod certificates;
pub mod chunk;
pub mod cloudevent;
pub mod cluster;
pub mod cpu_time;
pub mod dice;
pub mod doc_rows;
pub mod fluent_bit;
pub mod found;
pub mod gateway;
pub mod golden;
pub mod held;
pub mod host;
pub mod hostile;
pub mod http;
pub mod kube_api;
pub mod kube_client;
pub mod late_replay;
pub mod mark;
pub mod mutator;
pub mod odd_values;
pub mod oracle;
pub mod packing;
pub mod page;
pub mod painted;
pub mod places;
pub mod posting;
pub mod reading;
pub mod real;
pub mod recording;
pub mod replay;
pub mod rerun;
pub mod scratch;
pub mod secret_cases;
pub mod server;
pub mod service_impact;
pub mod small_disk;
pub mod sources;
pub mod swarm;
pub mod variables;
mod violations;
pub mod watch_script;
pub mod wrapped;

pub use violations::violations;

use std::collections::BTreeMap;

use gateway::TestGateway;
use host::{Build, MiniHost};

/// What an instance gets where a test asks for nothing else. A gateway that is slow is slow for want of a processor,
/// and then nothing may come of it.
pub const PATIENT: &[(&str, &str)] = &[("timeout", "5m"), ("topology_wait", "5m")];

/// A mini host of which the instance "a" runs with these settings and sends to this gateway.
pub fn started(build: Build, gateway: &TestGateway, settings: &[(&str, &str)]) -> MiniHost {
    let mut host = MiniHost::start(build);
    host.set("a", "endpoint", gateway.url());
    for (key, value) in PATIENT.iter().chain(settings) {
        host.set("a", key, value);
    }
    assert_eq!(host.init("a"), 1);
    host
}

/// One of the plugin's metrics, summed over the instances: `records_total`, …
pub fn value(metrics: &BTreeMap<String, f64>, name: &str) -> f64 {
    let full = format!("event_gateway_{name}");
    let of_all = metrics.iter().filter(|(key, _)| key.split('{').next() == Some(&*full));
    of_all.map(|(_, value)| value).sum()
}

/// A text as records show it: control characters by their numbers, line breaks and tabs as they are.
pub fn plain(text: &str) -> String {
    let shown = |c: char| match c {
        '\t' | '\n' | '\r' => c.to_string(),
        c if c.is_control() => format!("\\u{:04x}", u32::from(c)),
        c => c.to_string(),
    };
    text.chars().map(shown).collect()
}

/// The 487 lines of the audit log of a real API server.
pub fn audit_log() -> Vec<serde_json::Value> {
    let packed = std::fs::File::open(chunk::data_file("audit.ndjson.gz")).expect("test data");
    let lines = std::io::read_to_string(flate2::read::GzDecoder::new(packed)).expect("gzip");
    lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// An event with what a test cares about; `uid` and `version` make its id.
pub fn event(uid: &str, version: u64, count: u64) -> serde_json::Value {
    serde_json::json!({
        "apiVersion": "v1", "kind": "Event", "type": "Warning", "reason": "BackOff", "count": count,
        "message": format!("{uid} happened {count} times"),
        "firstTimestamp": "2026-11-20T23:28:49Z", "lastTimestamp": "2026-11-20T23:29:49Z",
        "involvedObject": {"apiVersion": "v1", "kind": "Pod", "namespace": "shop", "name": "cart-1", "uid": "p1"},
        "metadata": {"name": format!("{uid}.x"), "namespace": "shop", "uid": uid, "resourceVersion": version.to_string(),
                     "creationTimestamp": "2026-11-20T23:28:49Z"},
        "source": {"component": "kubelet", "host": "node-a"},
    })
}

/// A chunk of new events with these uids, version 1.
pub fn events(uids: impl IntoIterator<Item = impl std::fmt::Display>) -> Vec<u8> {
    chunk::of(&uids.into_iter().map(|uid| event(&uid.to_string(), 1, 1)).collect::<Vec<_>>())
}
