//! Where the plugin runs: a real Fluent Bit if this machine has one, else the mini host.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::pass::{Pass, settled};
use crate::support::chunk;
use crate::support::fluent_bit::{Config, FluentBit};
use crate::support::host::{Build, Code, MiniHost};

/// Which Fluent Bit the mini host plays.
const MINI: Build = Build::V5_1_1;
/// Records of one chunk on the mini host. Fluent Bit packs 2 MB; smaller chunks show that one request
/// serves several of them.
const CHUNK_RECORDS: usize = 100;
/// How long one pass may take.
const BOUND: Duration = Duration::from_secs(60);
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
                "TIME: from its start until its metrics, fresh twice a second, tell the fate of all."
            }
            Host::Mini => "TIME: from its start until the last chunk is answered.",
        }
    }

    /// Starts a host, gives it all events in order, waits for their fate and ends it in good order.
    pub fn pass(&self, events: &[Value], settings: &Settings, folder: &Path) -> Pass {
        match self {
            Host::Real(host) => real(host, events, settings, folder),
            Host::Mini => mini(events, settings),
        }
    }
}

#[allow(clippy::disallowed_methods)] // the demo says how long it took, so it reads the clock
fn mini(events: &[Value], settings: &Settings) -> Pass {
    let chunks: Vec<Vec<u8>> = events.chunks(CHUNK_RECORDS).map(chunk::of).collect();
    let start = Instant::now();
    let mut host = MiniHost::start(MINI);
    for (key, value) in settings {
        host.set("demo", key, value);
    }
    host.init("demo");
    let flushes: Vec<u64> = chunks.iter().map(|chunk| host.flush("demo", "kube.events", chunk)).collect();
    for flush in flushes {
        assert_eq!(host.wait(flush), Code::Ok, "a chunk was not acknowledged");
    }
    let took = start.elapsed();
    let records = u64::try_from(events.len()).expect("a count");
    let metrics = host.metrics_when(|metrics| settled(&without_labels(metrics), records));
    let pass = Pass::new(&without_labels(&metrics), took);
    host.quit();
    pass
}

/// `tail` brings exactly the recorded records, in order, on every version; `kubernetes_events` would list
/// only what an API server still has.
#[allow(clippy::disallowed_methods)] // as above
fn real(host: &FluentBit, events: &[Value], settings: &Settings, folder: &Path) -> Pass {
    let file = folder.join("events.ndjson");
    let lines = events.iter().fold(String::new(), |mut lines, event| {
        let _ = writeln!(lines, "{event}");
        lines
    });
    fs::write(&file, lines).expect("a file for tail");
    // Free now; nobody else is told of it. Fluent Bit cannot say which port it would choose.
    let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    let port = port.expect("a free port").port().to_string();
    let settings: Vec<(&str, &str)> = settings.iter().map(|(key, value)| (*key, value.as_str())).collect();
    let config = Config::new(folder)
        .service("http_server", "on")
        .service("http_listen", "127.0.0.1")
        .service("http_port", &port)
        .output_plugin(&MiniHost::plugin_path())
        .tail(&file)
        .event_gateway(&settings);
    let start = Instant::now();
    let mut running = host.start(&config.text(), folder);
    let records = u64::try_from(events.len()).expect("a count");
    let url = format!("http://127.0.0.1:{port}/api/v2/metrics/prometheus");
    let metrics = loop {
        let metrics = scrape(&url).unwrap_or_default();
        if settled(&metrics, records) {
            break metrics;
        }
        assert!(start.elapsed() < BOUND, "not done after {BOUND:?}; the log:\n{}", running.log());
        std::thread::sleep(LOOK);
    };
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
        let (name, value) = line.split_once(' ')?;
        // A host may put the time after the value.
        Some((name.to_owned(), value.split(' ').next()?.parse().ok()?))
    });
    Some(without_labels(&metrics.collect()))
}

fn without_labels(metrics: &BTreeMap<String, f64>) -> BTreeMap<String, f64> {
    let name = |name: &String| name.split('{').next().unwrap_or_default().to_owned();
    metrics.iter().map(|(full, value)| (name(full), *value)).collect()
}
