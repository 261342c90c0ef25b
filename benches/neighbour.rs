//! How much longer a tenant's event waits behind another tenant's worst chunk: `make bench`.
//!
//! The hostile tenant has the worst case that we tried: 1,000 pods of one Deployment, each with its own labels, and 2,000
//! Services that select all of them. The mini host flushes a chunk of 1,000 events about them, and at the same moment one
//! event of another tenant.

#![allow(clippy::print_stdout, reason = "printing is what a benchmark is for")]

#[path = "host/sink.rs"]
mod sink;

use testkit as support;
use testkit::swarm;

use std::thread;
use std::time::Duration;

use event_gateway::clock;
use serde_json::Value;
use sink::Sink;
use support::chunk;
use support::host::{Build, Code, MiniHost};
use support::kube_api::{ALL, KubeApi};
use swarm::{HOSTILE, OTHER};

const PODS: usize = 1_000;
const SERVICES: usize = 2_000;
const EVENTS: usize = 1_000;
const ROUNDS: usize = 30;
const WATCHES: usize = 14;
const BOUND: Duration = Duration::from_secs(60);

fn main() {
    let (api, sink) = (KubeApi::start(), Sink::start());
    api.fill(swarm::selected(HOSTILE, "swarm", SERVICES, PODS));
    api.fill(swarm::selected(OTHER, "web", 1, 3));
    let mut host = MiniHost::start(Build::V5_1_1);
    host.set("a", "endpoint", format!("http://127.0.0.1:{}/events", sink.port()));
    host.set("a", "kube_url", api.url());
    assert_eq!(host.init("a"), 1);
    api.wait_for_watches(ALL, WATCHES, BOUND);
    thread::sleep(Duration::from_secs(1));

    let mut number = 0;
    let (mut alone, mut behind, mut hostile) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        alone.push(deliver(&mut host, &[honest(&mut number)]).remove(0));
        let both = deliver(&mut host, &[worst(&mut number), honest(&mut number)]);
        hostile.push(both[0]);
        behind.push(both[1]);
    }
    println!("swarm: {PODS} pods below one Deployment, {SERVICES} Services that select each of them");
    for (name, times) in [
        ("an event of another tenant, alone", &mut alone),
        ("the same behind the worst chunk", &mut behind),
        ("the worst chunk itself", &mut hostile),
    ] {
        times.sort_unstable();
        let [median, most] =
            [times[times.len() / 2], times[times.len() - 1]].map(|time| time.as_secs_f64() * 1e3);
        println!("  {name:<42} {median:>8.2} ms median, {most:.2} ms most");
    }
    let arrived = sink.take();
    assert_eq!(arrived.different, number, "an event is missing");
    println!("  {number} events in {} requests", arrived.requests);
    host.quit();
}

/// Flushes chunks at once, and returns how long each took until it was acknowledged.
fn deliver(host: &mut MiniHost, chunks: &[Vec<u8>]) -> Vec<Duration> {
    let start = clock::monotonic();
    let flushes: Vec<u64> = chunks.iter().map(|chunk| host.flush("a", "kube.events", chunk)).collect();
    let acknowledged = flushes.into_iter().map(|flush| {
        assert_eq!(host.wait_within(flush, BOUND), Some(Code::Ok));
        start.elapsed()
    });
    acknowledged.collect()
}

fn honest(number: &mut usize) -> Vec<u8> {
    *number += 1;
    chunk::of(&[swarm::event("Deployment", OTHER, "web", *number)])
}

/// Half of the events are about the most expensive object.
fn worst(number: &mut usize) -> Vec<u8> {
    let events: Vec<Value> = (0..EVENTS)
        .map(|place| {
            *number += 1;
            match place % 2 {
                0 => swarm::event("Deployment", HOSTILE, "swarm", *number),
                _ => swarm::event("Pod", HOSTILE, &format!("swarm-{}", place % PODS), *number),
            }
        })
        .collect();
    chunk::of(&events)
}
