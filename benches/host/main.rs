//! What an event costs in a real Fluent Bit, with this plugin and with the host's own outputs: `make bench-host`.
//!
//! Each variant processes the same file, in turn and several times. The figure is the processor time of the whole process
//! minus that of the bare host, which reads the same file and drops it. After each run it is checked that exactly the
//! events of the file arrived.

#![allow(clippy::print_stdout, reason = "printing is what a benchmark is for")]
#![allow(clippy::print_stderr, reason = "its table goes to a file, what it is doing to a person")]

mod events;
mod machine;
#[path = "../palette.rs"]
mod palette;
mod plot;
mod process;
mod report;
mod run;
mod sink;
mod summary;
mod variant;

use testkit as support;

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use machine::Machine;
use run::Bench;
use sink::Sink;
use summary::Rounds;
use support::cluster::{Cluster, Size};
use support::fluent_bit::FluentBit;
use support::kube_api::KubeApi;
use variant::Variant;

/// Below cargo's target directory, so that `make clean` removes what a killed run leaves.
const SCRATCH: &str = env!("CARGO_TARGET_TMPDIR");
/// The folder for the plot and the figures.
const RESULTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/bench");

fn main() -> ExitCode {
    let Some(host) = FluentBit::all().into_iter().next() else {
        eprintln!("No Fluent Bit here: name a binary in FLUENT_BIT, or have fluent-bit in PATH.");
        return ExitCode::FAILURE;
    };
    let (events, rounds, passes) = (number("EVENTS", 100_000), number("ROUNDS", 5), number("PASSES", 1));
    let machine = Machine::with(&host);
    let rounds = measure(&host, events, rounds, passes);
    println!("{}", report::table(&machine, &rounds));

    let results = Path::new(RESULTS);
    fs::create_dir_all(results).expect("a folder for the results");
    let json = serde_json::to_string_pretty(&report::json(&machine, &rounds)).expect("JSON");
    fs::write(results.join("host.json"), json + "\n").expect("the numbers");
    plot::draw(&results.join("host.svg"), &machine, &rounds).expect("a plot");
    ExitCode::SUCCESS
}

/// A number from the environment; make passes an empty text for an unset variable.
fn number(name: &str, default: usize) -> usize {
    let text = std::env::var(name).ok().filter(|text| !text.is_empty());
    let number = text.map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is no number: {text}")));
    number.unwrap_or(default).max(1)
}

/// Every round has every variant, so that a machine that becomes slower does so for all.
fn measure(host: &FluentBit, events: usize, rounds: usize, passes: usize) -> Rounds {
    let folder = tempfile::tempdir_in(SCRATCH).expect("a folder for the events");
    let file = folder.path().join("events.ndjson");
    let (cluster, api, sink) = (Cluster::generate(Size::STANDARD, 1), KubeApi::start(), Sink::start());
    api.fill(cluster.objects());
    let event_bytes = events::write(&file, &cluster, events, passes);
    let bench = Bench { host, api: &api, sink: &sink, events_file: &file, events, passes };
    let mut measured = Rounds { events, passes, event_bytes, rounds: Vec::new() };
    for round in 1..=rounds {
        let mut of_round = Vec::new();
        for variant in Variant::ALL {
            let run = bench.run(variant);
            let (cpu_us, seconds) = (measured.cpu_us(&run), run.took.as_secs_f64());
            eprintln!(
                "round {round} of {rounds}: {cpu_us:>6.1} µs an event in {seconds:>4.1} s, {}",
                variant.name()
            );
            of_round.push(run);
        }
        measured.rounds.push(of_round);
    }
    measured
}
