//! Transports other than HTTP over TCP: a Unix socket with requests, one with lines, and files in a folder.
//! Each file here asks one question.

mod crashes;
mod disks;
mod files;
mod folder;
mod formats;
mod over_http;
mod reader;
mod relay;
mod stream;

use testkit as support;
use testkit::{dice, small_disk};

use std::thread;
use std::time::Duration;

use event_gateway::clock;
use serde_json::Value;
use support::host::{Build, Code, MiniHost};

/// A mini host of which the instance "a" delivers to this endpoint.
fn started(endpoint: &str, settings: &[(&str, &str)]) -> MiniHost {
    let mut host = MiniHost::start(Build::V5_1_1);
    begin(&mut host, "a", endpoint, settings);
    host
}

fn begin(host: &mut MiniHost, instance: &str, endpoint: &str, settings: &[(&str, &str)]) {
    host.set(instance, "endpoint", endpoint).set(instance, "timeout", "5m");
    for (key, value) in settings {
        host.set(instance, key, value);
    }
    assert_eq!(host.init(instance), 1, "{:?}", host.logs());
}

/// As a host brings a chunk again and again, until it is taken. How often it was not.
fn deliver_at_last(host: &mut MiniHost, chunk: &[u8]) -> usize {
    let end = clock::monotonic() + Duration::from_secs(120);
    let mut retries = 0;
    while host.deliver("a", "t", chunk) != Code::Ok {
        assert!(clock::monotonic() < end, "never taken: {:?}", host.logs());
        retries += 1;
        pause(100);
    }
    retries
}

#[allow(clippy::disallowed_methods, reason = "it waits for another process")]
fn pause(millis: u64) {
    thread::sleep(Duration::from_millis(millis));
}

/// Waits for what another process does.
fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let end = clock::monotonic() + Duration::from_secs(120);
    while !is_so() {
        assert!(clock::monotonic() < end, "waited for {what}");
        pause(10);
    }
}

/// The ids of lines of JSON, each whole.
fn ids_of(lines: &[u8]) -> Vec<String> {
    assert!(lines.is_empty() || lines.ends_with(b"\n"), "half a line at the end");
    let lines = lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let id = |line: &[u8]| {
        let record: Value = serde_json::from_slice(line).expect("a line of JSON");
        record["id"].as_str().expect("an id").to_owned()
    };
    lines.map(id).collect()
}

/// `u3.1` to `u6.1` for 3..7.
fn ids(numbers: std::ops::Range<usize>) -> Vec<String> {
    numbers.map(|number| format!("u{number}.1")).collect()
}

/// The chunk of those.
fn chunk(numbers: std::ops::Range<usize>) -> Vec<u8> {
    support::events(numbers.map(|number| format!("u{number}")))
}
