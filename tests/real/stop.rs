//! Does a SIGTERM end a real Fluent Bit in bounded time while the gateway is away, and does the next start deliver
//! everything, once?
#![allow(clippy::disallowed_methods)] // a test that measures reads the clock, where the plugin may not

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::{real, support};
use real::{BOUND, assert_once, config, on_every_host, state_file, stop};
use support::chunk;
use support::fluent_bit::{Config, FluentBit, Running};
use support::gateway::{Answer, TestGateway};
use support::kube_api::KubeApi;

/// The configuration's grace is 2 s, and the request on its way gets half a second more. The rest is for a busy
/// machine: a wait for an answer would be the whole `timeout`.
const STOP: Duration = Duration::from_secs(10);
const TIMEOUT: &str = "60s";

#[derive(Debug, Clone, Copy)]
enum Away {
    Refuses,
    Hangs,
}

/// Starts against a gateway that is away, and waits until the plugin has met it.
fn start(
    fluent_bit: &FluentBit,
    folder: &Path,
    config: &Config,
    gateway: &TestGateway,
    away: Away,
) -> Running {
    match away {
        Away::Refuses => gateway.stop(),
        Away::Hangs => gateway.set_default(Answer::hang()),
    }
    let mut host = fluent_bit.start(&config.text(), folder);
    match away {
        Away::Refuses => host.wait_for_log("records wait", BOUND),
        Away::Hangs => drop(gateway.wait_for_requests(1)),
    }
    host
}

#[test]
fn a_gateway_that_is_away_does_not_hold_up_a_stop() {
    on_every_host(|fluent_bit, folder| {
        for away in [Away::Refuses, Away::Hangs] {
            let folder = folder.join(format!("{away:?}"));
            fs::create_dir(&folder).expect("a folder");
            let listed: Vec<_> = chunk::listed_events().into_iter().take(50).collect();
            let wanted: Vec<_> = listed.iter().map(chunk::event_id).collect();
            let (api, gateway) = (KubeApi::holding(listed), TestGateway::start());
            let (url, ledger) = (gateway.url(), state_file(&folder));
            let keys = [("endpoint", &*url), ("state_file", &ledger), ("timeout", TIMEOUT)];
            let config = config(&folder).kubernetes_events(&api.url()).event_gateway(&keys);

            let mut host = start(fluent_bit, &folder, &config, &gateway, away);
            let since = Instant::now();
            host.sigterm();
            let status = host.wait_for_exit(BOUND);
            let (took, log) = (since.elapsed(), host.log());
            assert!(status.success(), "{away:?}: {status}\n{log}");
            println!("{away:?}: stopped in {} ms", took.as_millis());
            assert!(took < STOP, "{away:?}: the stop took {took:?}");

            gateway.set_default(Answer::ok());
            if matches!(away, Away::Refuses) {
                gateway.restart();
            }
            let host = fluent_bit.start(&config.text(), &folder);
            gateway.wait_for_ids(wanted.len());
            stop(host);
            assert_once(&gateway, &wanted);
        }
    });
}

#[test]
fn with_workers_a_stop_waits_for_the_timeout_and_loses_nothing() {
    // The host joins its workers before it tells the plugin to stop, so that a flush ends by its own bound.
    on_every_host(|fluent_bit, folder| {
        for workers in ["1", "4"] {
            let folder = folder.join(workers);
            fs::create_dir(&folder).expect("a folder");
            let listed: Vec<_> = chunk::listed_events().into_iter().take(50).collect();
            let wanted: Vec<_> = listed.iter().map(chunk::event_id).collect();
            let (api, gateway) = (KubeApi::holding(listed), TestGateway::start());
            let (url, ledger) = (gateway.url(), state_file(&folder));
            let keys =
                [("endpoint", &*url), ("state_file", &ledger), ("timeout", "3s"), ("workers", workers)];
            let config = config(&folder).kubernetes_events(&api.url()).event_gateway(&keys);

            let mut host = start(fluent_bit, &folder, &config, &gateway, Away::Hangs);
            let since = Instant::now();
            host.sigterm();
            let status = host.wait_for_exit(BOUND * 2);
            let log = host.log();
            assert!(status.success(), "{workers} workers: {status}\n{log}");
            println!("{workers} workers: stopped in {} ms", since.elapsed().as_millis());

            gateway.set_default(Answer::ok());
            let host = fluent_bit.start(&config.text(), &folder);
            gateway.wait_for_ids(wanted.len());
            stop(host);
            assert_once(&gateway, &wanted);
        }
    });
}
