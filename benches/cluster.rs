//! What following a cluster costs a host: `make bench`.
//!
//! The plugin runs in the mini host, and the tests' API server with a generated cluster in another process, so that only
//! the host's process is measured. Memory is the difference to the same host with `correlate off`; processor time is that
//! of all threads of the host.

#![allow(clippy::print_stdout, reason = "printing is what a benchmark is for")]
#![allow(clippy::unwrap_used, reason = "the cluster is ours, and holds what it should")]

use testkit as support;

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

use event_gateway::clock;
use serde_json::{Value, json};
use support::chunk;
use support::cluster::{Change, Cluster, Size};
use support::gateway::TestGateway;
use support::host::{Build, Code, MiniHost};
use support::kube_api::{ALL, KubeApi};
use support::value;

const UPDATES_A_SECOND: usize = 5_000;
const LOAD_SECONDS: usize = 10;
/// Updates come in groups, because a timer is not precise enough for single ones.
const HANDFUL: usize = 25;
const WATCHES: usize = 14;
const BOUND: Duration = Duration::from_secs(120);
/// The kernel's clock for processes (`sysconf(_SC_CLK_TCK)`), 100 on every Linux that Fluent Bit runs on.
const TICKS_A_SECOND: f64 = 100.0;

fn main() {
    for (name, size) in [("standard", Size::STANDARD), ("largest", Size::LARGEST)] {
        println!("{name}: {} pods, {} Services, {} nodes", size.pods, size.services, size.nodes);
        let (cluster, api) = (Cluster::generate(size, 1), KubeApi::start());
        api.fill(cluster.objects());
        let gateway = TestGateway::start();
        let mut off = support::started(Build::V5_1_1, &gateway, &[]);
        assert_eq!(off.deliver("a", "t", &chunk::of(&[event(0)])), Code::Ok);
        let bare = off.rss_kib();
        off.quit();

        let start = clock::monotonic();
        let mut host = support::started(Build::V5_1_1, &gateway, &[("kube_url", &api.url())]);
        host.metrics_when(|metrics| value(metrics, "topology_ready") > 0.0);
        let ready = start.elapsed();
        api.wait_for_watches(ALL, WATCHES, BOUND);
        thread::sleep(Duration::from_secs(1));
        let held = (host.rss_kib() - bare) as f64 / 1_024.0;
        println!("  {:<40} {:>8.1} s, {:.1} s of a core", "listed", ready.as_secs_f64(), cpu_seconds(&host));
        println!("  {:<40} {held:>8.1} MiB", "memory, threads and connections included");
        load(&cluster, &api, &mut host);
        host.quit();
    }
}

fn load(cluster: &Cluster, api: &KubeApi, host: &mut MiniHost) {
    let updates: Vec<_> = cluster.updates(UPDATES_A_SECOND * LOAD_SECONDS).collect();
    // The cost of the events themselves and of the host's own threads.
    let (start, before) = (clock::monotonic(), cpu_seconds(host));
    let quiet = latencies(host, || true);
    let without = (cpu_seconds(host) - before) / start.elapsed().as_secs_f64();
    let (start, before) = (clock::monotonic(), cpu_seconds(host));
    let done = AtomicBool::new(false);
    let busy = thread::scope(|scope| {
        scope.spawn(|| {
            for (number, handful) in updates.chunks(HANDFUL).enumerate() {
                for update in handful {
                    match update.change {
                        Change::Deleted => api.remove(update.resource, update.object.clone()),
                        _ => api.put(update.resource, update.object.clone()),
                    };
                }
                let due = Duration::from_secs_f64(((number + 1) * HANDFUL) as f64 / UPDATES_A_SECOND as f64);
                thread::sleep(due.saturating_sub(start.elapsed()));
            }
            done.store(true, Relaxed);
        });
        latencies(host, || !done.load(Relaxed))
    });
    let took = start.elapsed().as_secs_f64();
    let share = (cpu_seconds(host) - before) / took - without;
    println!(
        "  {:<40} {:>8.1} % of a core at {:.0} a second",
        "updates, beside 25 events a second",
        share * 100.0,
        updates.len() as f64 / took
    );
    for (name, times) in
        [("an event is answered, at rest", quiet), ("an event is answered, under updates", busy)]
    {
        let at = |share: usize| times[(times.len() - 1) * share / 100].as_secs_f64() * 1e3;
        println!("  {name:<40} {:>8.1} ms median, {:.1} ms 99th of 100", at(50), at(99));
    }
}

/// How long single events take, one after the other, at least 100 and until the updates end.
fn latencies(host: &mut MiniHost, goes_on: impl Fn() -> bool) -> Vec<Duration> {
    let mut times = Vec::new();
    while times.len() < 200 || (goes_on() && times.len() < 400) {
        let start = clock::monotonic();
        assert_eq!(host.deliver("a", "t", &chunk::of(&[event(1 + times.len())])), Code::Ok);
        times.push(start.elapsed());
        thread::sleep(Duration::from_millis(20));
    }
    times.sort_unstable();
    times
}

fn event(number: usize) -> Value {
    let mut event = support::event(&format!("e{number}-{:?}", clock::monotonic()), 1, 1);
    event["involvedObject"] =
        json!({"apiVersion": "v1", "kind": "Pod", "namespace": "a", "name": "b", "uid": "c"});
    event
}

/// The processor time of all threads, in user and kernel mode.
fn cpu_seconds(host: &MiniHost) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", host.pid())).unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks: f64 = fields[11..13].iter().map(|ticks| ticks.parse::<f64>().unwrap()).sum();
    ticks / TICKS_A_SECOND
}
