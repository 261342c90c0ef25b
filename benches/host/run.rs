//! One run: the host starts and becomes idle, gets the file, and is measured until it is idle again.

use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::thread;
use std::time::Duration;

use event_gateway::clock;

use crate::process::{Memory, cpu_time, memory};
use crate::sink::{Arrived, Sink};
use crate::support::fluent_bit::{Config, FluentBit, Running};
use crate::support::kube_api::{ALL, KubeApi};
use crate::variant::Variant;

/// The kinds of objects that the plugin watches.
const WATCHES: usize = 14;
const BOUND: Duration = Duration::from_secs(600);
const LOOK: Duration = Duration::from_millis(100);
/// A host that uses less than 2 % of a core for this long is idle: its flush timer and its search for files run once a
/// second.
const QUIET: Duration = Duration::from_millis(2_500);
const QUIET_CPU: Duration = Duration::from_millis(50);
/// How long the idle host is measured.
const IDLE: Duration = Duration::from_secs(2);

/// The settings that all runs share.
pub struct Bench<'a> {
    pub host: &'a FluentBit,
    pub api: &'a KubeApi,
    pub sink: &'a Sink,
    pub events_file: &'a Path,
    pub events: usize,
    pub passes: usize,
}

#[derive(Clone, Copy, Debug)]
pub struct Measured {
    pub start_cpu: Duration,
    /// From idle to idle, including the time that shows that it is idle.
    pub cpu: Duration,
    pub took: Duration,
    /// Per second of the idle host after the work.
    pub idle_cpu: Duration,
    pub before: Memory,
    pub after: Memory,
    pub arrived: Arrived,
    /// Records that name a Service, by the plugin's own metric.
    pub matched: u64,
}

impl Bench<'_> {
    pub fn run(&self, variant: Variant) -> Measured {
        let folder = tempfile::tempdir_in(crate::SCRATCH).expect("a folder for a run");
        fs::write(folder.path().join("dedup.lua"), include_str!("dedup.lua")).expect("the script");
        let port = free_port();
        let config = self.config(variant, folder.path(), &port);
        let mut running = self.host.start(&config.text(), folder.path());
        let pid = running.pid();
        if variant.correlates() {
            self.api.wait_for_watches(ALL, WATCHES, BOUND);
        }
        wait_for_rest(&mut running);
        let (start_cpu, before) = (cpu_time(pid), memory(pid));

        let start = clock::monotonic();
        fs::hard_link(self.events_file, folder.path().join("events.ndjson")).expect("a link to the events");
        let mut metrics = BTreeMap::new();
        let mut rested;
        loop {
            rested = wait_for_rest(&mut running);
            metrics = scrape(&port).unwrap_or(metrics);
            if self.complete(variant, &metrics) {
                break;
            }
            let (name, log) = (variant.name(), running.log());
            assert!(
                start.elapsed() < BOUND,
                "{name} has not done all in {BOUND:?}: {metrics:?}; its log:\n{log}"
            );
        }
        let took = start.elapsed() - QUIET;
        let after = memory(pid);
        let (start, before_idle) = (clock::monotonic(), cpu_time(pid));
        thread::sleep(IDLE);
        let idle_cpu = (cpu_time(pid) - before_idle).div_f64(start.elapsed().as_secs_f64());
        running.sigterm();
        running.wait_for_exit(BOUND);
        let arrived = self.sink.take();
        self.verify(variant, &arrived);
        let matched = number(&metrics, "event_gateway_correlated_records_total{matched}").unwrap_or(0);
        Measured { start_cpu, cpu: rested - start_cpu, took, idle_cpu, before, after, arrived, matched }
    }

    fn config(&self, variant: Variant, folder: &Path, http_port: &str) -> Config {
        let path = folder.join("events.ndjson");
        let config = Config::new(folder)
            .service("flush", "1")
            .service("grace", "5")
            .service("http_server", "on")
            .service("http_listen", "127.0.0.1")
            .service("http_port", http_port)
            .section(
                "INPUT",
                &[
                    ("name", "tail"),
                    ("tag", "kube.events"),
                    ("path", &*path.to_string_lossy()),
                    ("parser", "whole_json"),
                    ("read_from_head", "on"),
                    ("refresh_interval", "1"),
                    // Reading is faster than any output, so without a limit the whole file would wait in memory.
                    ("mem_buf_limit", "20M"),
                ],
            );
        variant.add_to(config, folder, self.sink.port(), &self.api.url())
    }

    fn complete(&self, variant: Variant, metrics: &BTreeMap<String, f64>) -> bool {
        let lines = self.events * self.passes;
        let through = if variant == Variant::LuaHttp { self.events } else { lines };
        let is = |name: &str, count: usize| number(metrics, name) == u64::try_from(count).ok();
        is("fluentbit_input_records_total", lines) && is("fluentbit_output_proc_records_total", through)
    }

    /// A variant that loses or repeats a record gets no figure.
    fn verify(&self, variant: Variant, arrived: &Arrived) {
        let passes = if variant.repeats() { self.passes } else { 1 };
        let wanted = if variant == Variant::Null { (0, 0) } else { (self.events * passes, self.events) };
        assert_eq!((arrived.records, arrived.different), wanted, "{}: {arrived:?}", variant.name());
    }
}

/// Waits until the process has used almost nothing for a while; returns what it has used until then.
fn wait_for_rest(running: &mut Running) -> Duration {
    let (pid, start) = (running.pid(), clock::monotonic());
    let (mut since, mut used) = (start, cpu_time(pid));
    loop {
        thread::sleep(LOOK);
        let ended = running.exit_status();
        assert!(ended.is_none(), "the host ended: {ended:?}; its log:\n{}", running.log());
        assert!(start.elapsed() < BOUND, "the host never rests; its log:\n{}", running.log());
        let now = cpu_time(pid);
        if now - used > QUIET_CPU {
            (since, used) = (clock::monotonic(), now);
        } else if since.elapsed() >= QUIET {
            return now;
        }
    }
}

/// A free port. It may be taken meanwhile, but Fluent Bit cannot report a port that it chose itself.
fn free_port() -> String {
    let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    port.expect("a free port").port().to_string()
}

/// The host's own metrics and the plugin's, summed over their labels: there is one input and one output, and the host's
/// internal ones are zero.
fn scrape(port: &str) -> Option<BTreeMap<String, f64>> {
    let url = format!("http://127.0.0.1:{port}/api/v2/metrics/prometheus");
    let text = ureq::get(url).call().ok()?.body_mut().read_to_string().ok()?;
    let mut sums = BTreeMap::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (name, value) = line.rsplit_once('}').unwrap_or(line.split_once(' ')?);
        // Some hosts write a time after the value.
        let value: f64 = value.split_whitespace().next()?.parse().ok()?;
        let bare = name.split('{').next()?;
        // The outcomes of the correlation: records that name a Service are counted separately.
        let matched = name.contains("correlation=\"matched\"");
        let name = if matched { format!("{bare}{{matched}}") } else { bare.to_owned() };
        *sums.entry(name).or_default() += value;
    }
    Some(sums)
}

fn number(metrics: &BTreeMap<String, f64>, name: &str) -> Option<u64> {
    // The host's doubles hold counters below 2^53 exactly; going through text avoids a cast.
    format!("{:.0}", metrics.get(name)?).parse().ok()
}
