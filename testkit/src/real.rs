//! What the tests on real Fluent Bits share: one run for each binary, the usual configuration, and what
//! the plugin says of itself when it exits.
use std::collections::BTreeSet;
use std::net::TcpListener;
use std::path::Path;
use std::thread;
use std::time::Duration;

use event_gateway::clock;

use crate::fluent_bit::{Config, FluentBit, Running, say_once};
use crate::gateway::TestGateway;
use crate::host::MiniHost;

/// What a start or a stop of a real host may take on a busy machine.
pub const BOUND: Duration = Duration::from_secs(30);

/// Runs the test on every binary of this machine, one after the other, each in a folder of its own.
#[allow(clippy::print_stdout)]
pub fn on_every_host(test: impl Fn(&FluentBit, &Path)) {
    let hosts = FluentBit::all();
    if hosts.is_empty() {
        say_once();
    }
    for host in hosts {
        let (folder, start) = (tempfile::tempdir().expect("a folder"), clock::monotonic());
        let named = Named(host.name());
        test(&host, folder.path());
        println!("{}: {:.1} s", named.0, start.elapsed().as_secs_f64());
    }
}

/// Names the binary when a test fails on it: most assertions do not know it.
struct Named(String);

impl Drop for Named {
    #[allow(clippy::print_stdout)]
    fn drop(&mut self) {
        if thread::panicking() {
            println!("this was on {}", self.0);
        }
    }
}

/// Loads the plugin; inputs and outputs are to follow.
pub fn config(folder: &Path) -> Config {
    Config::new(folder).output_plugin(&MiniHost::plugin_path())
}

/// A port that nobody listens on just now.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    listener.local_addr().expect("its address").port()
}

/// With the host's HTTP server on this port.
pub fn with_http_server(config: Config, port: u16) -> Config {
    config
        .service("http_server", "on")
        .service("http_listen", "127.0.0.1")
        .service("http_port", &port.to_string())
}

/// The keys of an output that keeps its ledger in this folder.
pub fn to_gateway<'a>(url: &'a str, state_file: &'a str) -> [(&'static str, &'a str); 2] {
    [("endpoint", url), ("state_file", state_file)]
}

pub fn state_file(folder: &Path) -> String {
    folder.join("ledger").to_string_lossy().into_owned()
}

/// What an instance counted from its start to its exit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Count {
    pub delivered: u64,
    pub records: u64,
    pub duplicates: u64,
}

/// The counts of all instances that have exited, from the line each leaves in the log.
pub fn counts(log: &str) -> Vec<Count> {
    let number = |text: &str, before: &str| {
        let end = text.find(before)?;
        text[..end].rsplit(' ').next()?.parse().ok()
    };
    let count = |line: &str| {
        let line = &line[line.find("] delivered ")?..];
        Some(Count {
            delivered: number(line, " of ")?,
            records: number(line, " records in ")?,
            duplicates: number(line, " duplicates")?,
        })
    };
    log.lines().filter_map(count).collect()
}

/// Stops in good order, and returns what the last instance counted.
pub fn stop(mut host: Running) -> Count {
    host.sigterm();
    let status = host.wait_for_exit(BOUND);
    let log = host.log();
    assert!(status.success(), "{status}; its log:\n{log}");
    *counts(&log).last().unwrap_or_else(|| panic!("no word at the exit:\n{log}"))
}

/// The gateway has taken exactly these ids, each once, in whatever order.
pub fn assert_once(gateway: &TestGateway, wanted: &[String]) {
    let accepted = gateway.accepted_ids();
    let different: BTreeSet<&String> = accepted.iter().collect();
    assert_eq!(different.len(), accepted.len(), "some ids came twice");
    assert_eq!(different, wanted.iter().collect(), "not the ids that were to come");
}
