//! Where the plugin runs: a real Fluent Bit if this machine has one, else the mini host.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::net::TcpListener;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::pass::{Pass, settled};
use crate::replay::windows;
use crate::support::chunk;
use crate::support::fluent_bit::{Config, FluentBit};
use crate::support::host::{Build, Code, MiniHost};
use crate::support::kube_api::{ALL, KubeApi};

/// Which Fluent Bit the mini host plays.
const MINI: Build = Build::V5_1_1;
/// Milliseconds of the recording that are replayed at a time: on the mini host an event meets the cluster
/// within that of its time. A real host flushes and tells its metrics a few times a second, no more.
const MINI_WINDOW_MS: u64 = 100;
const REAL_WINDOW_MS: u64 = 20_000;
/// The kinds of objects that the plugin watches.
const WATCHES: usize = 14;
/// How long one pass may take, on a machine that has other things to do.
const BOUND: Duration = Duration::from_secs(600);
/// How often a wait looks again.
const LOOK: Duration = Duration::from_millis(20);

pub type Settings = [(&'static str, String)];

pub enum Host {
    Real(FluentBit),
    Mini,
}

impl Host {
    /// The newest of the real ones, if FLUENT_BIT names several.
    pub fn find() -> Host {
        match FluentBit::all().into_iter().max_by_key(|host| host.version) {
            Some(host) => Host::Real(host),
            None => {
                // Compiles it on a fresh machine, which is no part of the time that a pass takes.
                MiniHost::start_empty(MINI, |_| {}).quit();
                Host::Mini
            }
        }
    }

    /// One line that says where the plugin ran.
    pub fn name(&self) -> String {
        match self {
            Host::Real(host) => {
                let (major, minor, patch) = host.version;
                format!("Ran on Fluent Bit {major}.{minor}.{patch}, with the input tail.")
            }
            Host::Mini => "Ran on the mini host: no Fluent Bit in FLUENT_BIT or PATH.".to_owned(),
        }
    }

    /// What the time of a pass is measured from and to.
    pub fn timed(&self) -> &'static str {
        match self {
            Host::Real(_) => {
                "TIME: from its start until its metrics, fresh twice a second, tell the outcome of all, in steps."
            }
            Host::Mini => {
                "TIME: from its start until the last chunk is answered, the cluster's own changes included."
            }
        }
    }

    /// Starts a host, gives it all events in order while the cluster changes, waits for their outcome and ends
    /// it in good order.
    pub fn pass(&self, api: &KubeApi, settings: &Settings, folder: &Path) -> Pass {
        match self {
            Host::Real(host) => real(host, api, settings, folder),
            Host::Mini => mini(api, settings),
        }
    }
}

#[allow(clippy::disallowed_methods)] // the demo says how long it took, so it reads the clock
fn mini(api: &KubeApi, settings: &Settings) -> Pass {
    let start = Instant::now();
    let mut host = MiniHost::start(MINI);
    for (key, value) in settings {
        host.set("demo", key, value);
    }
    host.init("demo");
    api.wait_for_watches(ALL, WATCHES, BOUND);
    let (mut flushes, mut records) = (Vec::new(), 0);
    for window in windows(MINI_WINDOW_MS) {
        window.change(api);
        records += window.events.len();
        let data = chunk::of(&window.events);
        flushes.push((host.flush("demo", "kube.events", &data), data));
    }
    for (flush, data) in flushes {
        match host.wait(flush) {
            Code::Ok => {}
            // As a host does.
            Code::Retry => drop(host.deliver_at_last("demo", "kube.events", &data)),
            code => panic!("a chunk was answered {code:?}"),
        }
    }
    let took = start.elapsed();
    let records = u64::try_from(records).expect("a count");
    let pass = Pass::new(&host.metrics_when(|metrics| settled(metrics, records)), took);
    host.quit();
    pass
}

/// `tail` brings exactly the recorded records, in order, on every version; `kubernetes_events` would list
/// only what an API server still has.
#[allow(clippy::disallowed_methods)] // as above
fn real(host: &FluentBit, api: &KubeApi, settings: &Settings, folder: &Path) -> Pass {
    let path = folder.join("events.ndjson");
    let mut file = File::create(&path).expect("a file for tail");
    // Free now; nobody else knows of it. Fluent Bit cannot say which port it would choose.
    let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    let port = port.expect("a free port").port().to_string();
    let settings: Vec<(&str, &str)> = settings.iter().map(|(key, value)| (*key, value.as_str())).collect();
    let config = Config::new(folder)
        .service("http_server", "on")
        .service("http_listen", "127.0.0.1")
        .service("http_port", &port)
        .output_plugin(&MiniHost::plugin_path())
        .tail(&path)
        .event_gateway(&settings);
    let start = Instant::now();
    let mut running = host.start(&config.text(), folder);
    api.wait_for_watches(ALL, WATCHES, BOUND);
    let url = format!("http://127.0.0.1:{port}/api/v2/metrics/prometheus");
    let (mut records, mut metrics) = (0, BTreeMap::new());
    for window in windows(REAL_WINDOW_MS) {
        window.change(api);
        for event in &window.events {
            writeln!(file, "{event}").expect("a file for tail");
        }
        records += u64::try_from(window.events.len()).expect("a count");
        while !settled(&metrics, records) {
            assert!(start.elapsed() < BOUND, "not done after {BOUND:?}; the log:\n{}", running.log());
            std::thread::sleep(LOOK);
            metrics = scrape(&url).unwrap_or_default();
        }
    }
    let took = start.elapsed();
    running.sigterm();
    running.wait_for_exit(BOUND);
    Pass::new(&metrics, took)
}

/// Nothing while the host is still starting.
fn scrape(url: &str) -> Option<BTreeMap<String, f64>> {
    let text = ureq::get(url).call().ok()?.body_mut().read_to_string().ok()?;
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let metrics = lines.filter_map(|line| {
        // Our labels hold no brace. A host may put the time after the value.
        let (name, value) = line.split_once("} ").or_else(|| line.split_once(' '))?;
        Some((name.to_owned(), value.split(' ').next()?.parse().ok()?))
    });
    Some(metrics.collect())
}
