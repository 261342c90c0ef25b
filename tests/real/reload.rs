//! Does a hot reload of a real Fluent Bit lose or repeat nothing, ten times in a row and with a gateway
//! that does not answer, and does it leave nothing behind?
//!
//! RELOADS (10) says how often the last is asked.

#![allow(clippy::disallowed_methods)] // a test that measures reads the clock, where the plugin may not

use std::path::Path;
use std::time::{Duration, Instant};

use crate::{real, support};
use serde_json::Value;

use real::{BOUND, assert_once, config, counts, on_every_host, state_file, stop, to_gateway};
use support::chunk;
use support::fluent_bit::Config;
use support::gateway::{Answer, TestGateway};
use support::kube_api::KubeApi;
use support::variables::number_from;

const RELOADS: usize = 10;
/// What the plugin logs in each Init that succeeds.
const STARTED: &str = "] delivers to ";

/// Events from there to here, and whether a reload waits for each chunk.
fn reloadable(
    config: Config,
    waits_for_chunks: &str,
    api: &KubeApi,
    gateway: &TestGateway,
    folder: &Path,
) -> String {
    config
        .hot_reload()
        .service("hot_reload.ensure_thread_safety", waits_for_chunks)
        .kubernetes_events(&api.url())
        .event_gateway(&to_gateway(&gateway.url(), &state_file(folder)))
        .text()
}

#[test]
fn ten_reloads_under_way_lose_and_repeat_nothing() {
    on_every_host(|fluent_bit, folder| {
        let listed: Vec<Value> = chunk::listed_events().into_iter().take(50).collect();
        let mut wanted: Vec<String> = listed.iter().map(chunk::event_id).collect();
        let (api, gateway) = (KubeApi::holding(listed.clone()), TestGateway::start());
        // Slow enough that a reload meets requests on their way.
        gateway.set_default(Answer::ok().delay_before(Duration::from_millis(100)));
        // Hosts before 3.2.3 answer RETRY for the output while they reload, without asking it; so a reload
        // that waits for every chunk never ends there. With `off` it gives the chunk up, which the list
        // then brings again.
        let wait_for_chunks = if fluent_bit.version >= (3, 2, 3) { "on" } else { "off" };
        let config = reloadable(config(folder), wait_for_chunks, &api, &gateway, folder);

        let mut host = fluent_bit.start(&config, folder);
        host.wait_for_log(STARTED, BOUND);
        for reload in 0..RELOADS {
            let requests = gateway.requests().len();
            for number in 0..20 {
                wanted.push(chunk::event_id(&api.add(chunk::fresh(&listed[0], reload * 100 + number))));
                if number == 10 {
                    // In turns: a request is on its way, or the last reload is hardly over.
                    if reload % 2 == 0 {
                        gateway.wait_for_requests(requests + 1);
                    }
                    host.reload(BOUND);
                }
            }
            host.wait_for_log_times(STARTED, reload + 2, BOUND);
        }
        gateway.wait_for_ids(wanted.len());
        let exits = counts(&{
            let log = host.log();
            stop(host);
            log
        });
        assert_eq!(exits.len(), RELOADS, "one exit for each reload");
        assert!(exits[1..].iter().any(|exit| exit.duplicates >= 50), "nothing was read again: {exits:?}");
        assert_once(&gateway, &wanted);
    });
}

#[test]
fn a_gateway_that_is_away_does_not_hold_up_a_reload_that_need_not_wait_for_chunks() {
    // With hot_reload.ensure_thread_safety on, the host waits for the chunk indefinitely (trap 7).
    on_every_host(|fluent_bit, folder| {
        let listed: Vec<Value> = chunk::listed_events().into_iter().take(50).collect();
        let wanted: Vec<String> = listed.iter().map(chunk::event_id).collect();
        let (api, gateway) = (KubeApi::holding(listed), TestGateway::start());
        gateway.set_default(Answer::hang());
        let mut host = fluent_bit.start(&reloadable(config(folder), "off", &api, &gateway, folder), folder);
        gateway.wait_for_requests(1);
        let start = Instant::now();
        host.sighup();
        host.wait_for_log_times(STARTED, 2, BOUND);
        let took = start.elapsed();
        assert!(took < Duration::from_secs(6), "the reload took {took:?}, with a grace of 2 s");

        gateway.set_default(Answer::ok());
        gateway.wait_for_ids(wanted.len());
        stop(host);
        assert_once(&gateway, &wanted);
    });
}

/// The threads, descriptors and resident memory in KiB of the process. Pipes are not counted: the plugin has none, and
/// 3.2 leaves six of its own behind at each reload, without any plugin, too.
fn held(pid: u32) -> (usize, usize, usize) {
    let entries = |folder: &str| {
        let entries = std::fs::read_dir(format!("/proc/{pid}/{folder}")).expect("a process");
        let targets = entries.map(|entry| std::fs::read_link(entry.expect("an entry").path()).ok());
        targets.filter(|to| !to.as_ref().is_some_and(|to| to.to_string_lossy().starts_with("pipe:"))).count()
    };
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("a process");
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("its memory");
    let kib = resident.trim().trim_end_matches(" kB").parse().expect("a number");
    (entries("task"), entries("fd"), kib)
}

#[test]
#[allow(clippy::print_stdout)]
fn reloads_leave_neither_threads_nor_descriptors_nor_memory_behind() {
    const WARM_UP: usize = 5;
    /// What the host itself leaves behind of a configuration, and no more than a plugin could hide in it.
    const MOST_KIB_A_RELOAD: usize = 64;
    let reloads = number_from("RELOADS").unwrap_or(RELOADS);
    on_every_host(|fluent_bit, folder| {
        let listed: Vec<Value> = chunk::listed_events().into_iter().take(20).collect();
        let (api, gateway) = (KubeApi::holding(listed.clone()), TestGateway::start());
        let config = config(folder).service("grace", "1");
        let mut host = fluent_bit.start(&reloadable(config, "off", &api, &gateway, folder), folder);
        host.wait_for_log(STARTED, BOUND);
        let mut before = (0, 0, 0);
        for reload in 0..WARM_UP + reloads {
            if reload == WARM_UP {
                before = held(host.pid());
            }
            // Each second flush is given up by the host at the end of its grace.
            let requests = gateway.requests().len();
            gateway.set_default(if reload % 2 == 0 { Answer::hang() } else { Answer::ok() });
            api.add(chunk::fresh(&listed[0], reload));
            gateway.wait_for_requests(requests + 1);
            host.sighup();
            host.wait_for_log_times(STARTED, reload + 2, BOUND);
        }
        let after = held(host.pid());
        println!("{reloads} reloads: {before:?} threads, descriptors and KiB, then {after:?}");
        assert!(after.0 <= before.0, "threads: {} and then {}", before.0, after.0);
        assert!(after.1 <= before.1 + 2, "descriptors: {} and then {}", before.1, after.1);
        let grown = after.2.saturating_sub(before.2);
        assert!(grown <= 1_024 + MOST_KIB_A_RELOAD * reloads, "{grown} KiB more after {reloads} reloads");
        gateway.set_default(Answer::ok());
        stop(host);
    });
}
