//! Whole rounds over a socket, from a chunk to its host result.
//!
//! Only the processor time of the plugin's thread counts, including the kernel's work for it. So the gateway hardly
//! matters for the cost, although it determines how long a round takes.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use event_gateway::clock;
use event_gateway::job::{HostResult, Job, reply};
use event_gateway::pipeline::Pipeline;

use crate::allocations::during;
use crate::fresh::Fresh;
use crate::measure::{Cost, print_head, thread_time};
use crate::stages::recorded::Recorded;
use crate::support::gateway::TestGateway;
use crate::{null_gateway, posting};

const MOST_ROUNDS: usize = 20;
const ENOUGH: Duration = Duration::from_millis(700);

pub fn print(recorded: &Recorded) {
    print_head("The whole delivery worker, CPU time of its thread");
    let folder = tempfile::tempdir_in(Path::new(env!("CARGO_TARGET_TMPDIR"))).expect("a folder");
    let file = folder.path().join("ledger").to_string_lossy().into_owned();
    let null = null_gateway::start();
    let mut fresh = Fresh::new(recorded, 5_000);
    let rows: [(&str, &[(&str, &str)]); 4] = [
        ("null gateway", &[]),
        ("null gateway, state_file", &[("state_file", &file)]),
        ("null gateway, compress none", &[("compress", "none")]),
        ("null gateway, cloudevents: one a request", &[("format", "cloudevents")]),
    ];
    for (name, settings) in rows {
        print_row(name, rounds(&mut pipeline(&null, settings), &mut fresh, || ()));
    }
    let gateway = TestGateway::start();
    let mut to_tests = pipeline(&gateway.url(), &[]);
    print_row("the tests' gateway", rounds(&mut to_tests, &mut fresh, || gateway.forget_requests()));
    let mut again = Again { pipeline: pipeline(&null, &[]), chunk: fresh.chunk(), events: fresh.events() };
    print_row("known events: nothing to send", again.rounds());
    println!();
}

fn print_row(name: &str, (cost, took): (Cost, Duration)) {
    cost.print(&format!("{name}, {:.0} ms a round", took.as_secs_f64() * 1e3));
}

/// Without a cluster: what a correlation costs is a row of its own. Its ledger is soon full.
pub fn pipeline(endpoint: &str, settings: &[(&str, &str)]) -> Pipeline {
    let common = [("correlate", "off"), ("cluster_name", "prod-eu"), ("ledger_max_entries", "20000")];
    let settings = posting::settings(endpoint, &[settings, &common].concat());
    Pipeline::open(&settings, &Arc::default(), &Arc::default(), || ()).expect("a pipeline")
}

/// The best of several rounds of new events, and how long it took until its answer; `after` each round something
/// may be done that does not count.
pub fn rounds(pipeline: &mut Pipeline, fresh: &mut Fresh, after: impl Fn()) -> (Cost, Duration) {
    let begin = clock::monotonic();
    // Until its ledger is full, and its buffers have their size.
    while begin.elapsed() < ENOUGH / 2 {
        round(pipeline, fresh.chunk(), fresh.events());
        after();
    }
    best(|| {
        let cost = round(pipeline, fresh.chunk(), fresh.events());
        after();
        cost
    })
}

/// The same chunk again and again, as after a restart of the host.
struct Again {
    pipeline: Pipeline,
    chunk: Vec<u8>,
    events: usize,
}

impl Again {
    fn rounds(&mut self) -> (Cost, Duration) {
        round(&mut self.pipeline, self.chunk.clone(), self.events);
        best(|| round(&mut self.pipeline, self.chunk.clone(), self.events))
    }
}

fn best(mut round: impl FnMut() -> (Cost, Duration)) -> (Cost, Duration) {
    let begin = clock::monotonic();
    let mut best = round();
    for _ in 1..MOST_ROUNDS {
        if begin.elapsed() > ENOUGH {
            break;
        }
        let next = round();
        if next.0.ns < best.0.ns {
            best = next;
        }
    }
    best
}

fn round(pipeline: &mut Pipeline, data: Vec<u8>, events: usize) -> (Cost, Duration) {
    let (reply, pending) = reply(Arc::new(|| ()));
    let jobs = vec![Job { tag: "kube.events".to_owned(), data, reply }];
    let (start, before) = (clock::monotonic(), thread_time());
    let asked = during(|| pipeline.round(jobs));
    let (spent, took) = (thread_time() - before, start.elapsed());
    assert_eq!(pending.poll(), Some(HostResult::Ok), "a gateway that takes everything");
    (Cost::of(spent, asked, events), took)
}
