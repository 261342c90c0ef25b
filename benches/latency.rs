//! How long a record waits between the host's flush and the gateway's acknowledgement: `make bench`.
//!
//! The mini host calls the plugin as Fluent Bit's engine does, but at once, while Fluent Bit waits for its flush timer.
//! Each time starts when a chunk is passed to the host and ends when the host reports that the plugin returned FLB_OK.
//! Two parts of it are not the plugin's: the gateway's own time, which is measured there, and the way to the host and
//! back, which an empty flush measures.

#![allow(clippy::print_stdout, reason = "printing is what a benchmark is for")]

#[path = "host/events.rs"]
mod events;
#[path = "host/sink.rs"]
mod sink;

use testkit as support;

use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use event_gateway::clock;
use serde_json::Value;
use sink::Sink;
use support::chunk;
use support::cluster::{Cluster, Size};
use support::host::{Build, Code, MiniHost};
use support::kube_api::{ALL, KubeApi};

const WATCHES: usize = 14;
const BOUND: Duration = Duration::from_secs(60);

/// The events per second, the events per chunk, and the duration.
struct Load {
    a_second: usize,
    in_a_chunk: usize,
    seconds: usize,
}

const LOADS: [Load; 4] = [
    Load { a_second: 1, in_a_chunk: 1, seconds: 20 },
    Load { a_second: 20_000, in_a_chunk: 20, seconds: 10 },
    Load { a_second: 20_000, in_a_chunk: 100, seconds: 10 },
    Load { a_second: 20_000, in_a_chunk: 200, seconds: 10 },
];

fn main() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let (cluster, api, sink) = (Cluster::generate(Size::STANDARD, 1), KubeApi::start(), Sink::start());
    api.fill(cluster.objects());
    let mut host = MiniHost::start(Build::V5_1_1);
    host.set("a", "endpoint", format!("http://127.0.0.1:{}/events", sink.port()));
    host.set("a", "kube_url", api.url());
    assert_eq!(host.init("a"), 1);
    api.wait_for_watches(ALL, WATCHES, BOUND);
    thread::sleep(Duration::from_secs(1));

    let way = Times::of((0..100).map(|_| nothing(&mut host)).collect());
    println!("{:<44} {}", "to the mini host and back", way.text());
    let (lines, file) = (folder.path().join("events.ndjson"), folder.path().join("events.msgpack"));
    let all: usize = LOADS.iter().map(|load| load.a_second * load.seconds).sum();
    events::write(&lines, &cluster, all, 1);
    let mut lines = BufReader::new(File::open(&lines).expect("the events")).lines();
    for load in LOADS {
        let mut next = || {
            let line = lines.next().and_then(Result::ok).expect("one more event");
            serde_json::from_str::<Value>(&line).expect("an event")
        };
        let chunks = write_chunks(&file, &load, &mut next);
        let times = deliver(&mut host, &file, &chunks, &load);
        let own = Times::of(sink.own_times());
        let arrived = sink.take();
        assert_eq!(arrived.different, load.a_second * load.seconds, "{arrived:?}");
        println!("{} events a second, {} in a chunk", load.a_second, load.in_a_chunk);
        let requests = format!("gateway, each of {} requests", arrived.requests);
        let over = times.median.saturating_sub(own.median).saturating_sub(way.median);
        println!("  {:<42} {}", "handed over until acknowledged", times.text());
        println!("  {requests:<42} {}", own.text());
        println!("  {:<42} {:>8.2} ms median", "of the plugin: less gateway and way", millis(over));
    }
    host.quit();
}

/// An empty flush, from which the plugin returns at once.
fn nothing(host: &mut MiniHost) -> Duration {
    let start = clock::monotonic();
    let id = host.flush_null("a", "t");
    host.wait(id);
    start.elapsed()
}

/// One file with all chunks, and each chunk's offset and length: writing them one by one would disturb the measurement.
fn write_chunks(file: &Path, load: &Load, next: &mut dyn FnMut() -> Value) -> Vec<(u64, u64)> {
    let mut out = BufWriter::new(File::create(file).expect("a file of chunks"));
    let (mut places, mut offset) = (Vec::new(), 0);
    for _ in 0..load.a_second * load.seconds / load.in_a_chunk {
        let events: Vec<Value> = (0..load.in_a_chunk).map(|_| next()).collect();
        let chunk = chunk::of(&events);
        out.write_all(&chunk).expect("a chunk");
        let length = u64::try_from(chunk.len()).expect("a length");
        places.push((offset, length));
        offset += length;
    }
    out.flush().expect("a file of chunks");
    places
}

/// Passes each chunk to the host at its time, whether the earlier ones are acknowledged or not.
fn deliver(host: &mut MiniHost, file: &Path, chunks: &[(u64, u64)], load: &Load) -> Times {
    let pause = Duration::from_secs_f64(load.in_a_chunk as f64 / load.a_second as f64);
    let (mut waiting, mut times) = (VecDeque::new(), Vec::new());
    let mut due = clock::monotonic();
    for (offset, length) in chunks {
        collect(host, &mut waiting, &mut times, due);
        thread::sleep(due.saturating_duration_since(clock::monotonic()));
        let handed_over = clock::monotonic();
        waiting.push_back((host.flush_file("a", "kube.events", file, *offset, *length), handed_over));
        due += pause;
    }
    collect(host, &mut waiting, &mut times, clock::monotonic() + BOUND);
    assert_eq!(times.len(), chunks.len(), "some chunks never came back");
    Times::of(times)
}

/// Waits for the pending chunks, the oldest first, until all are acknowledged or the time is over.
fn collect(
    host: &mut MiniHost,
    waiting: &mut VecDeque<(u64, Instant)>,
    times: &mut Vec<Duration>,
    until: Instant,
) {
    while let Some((id, handed_over)) = waiting.front() {
        let left = until.saturating_duration_since(clock::monotonic());
        let Some(code) = host.wait_within(*id, left) else { return };
        assert_eq!(code, Code::Ok);
        times.push(handed_over.elapsed());
        waiting.pop_front();
    }
}

struct Times {
    median: Duration,
    ninety_ninth: Duration,
    most: Duration,
}

impl Times {
    fn of(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        let at = |share: usize| times[(times.len() - 1) * share / 100];
        Times { median: at(50), ninety_ninth: at(99), most: at(100) }
    }

    fn text(&self) -> String {
        let [median, ninety_ninth, most] = [self.median, self.ninety_ninth, self.most].map(millis);
        format!("{median:>8.2} ms median, {ninety_ninth:.2} ms 99th of 100, {most:.2} ms most")
    }
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
