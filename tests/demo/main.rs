//! `make demo`: a recording of a real cluster goes through the plugin twice, and the gateway gets it once,
//! with the Services that each event touches.
//!
//! It is a test with a table instead of a green dot: it fails, with exit code 1, when a record of the
//! first pass is missing, the second pass delivers anything, or a record names a Service that never stood behind its
//! object. How many name one depends on what is faster, an event or the watches that tell of its object, so that is
//! shown and not judged. `cargo test` runs it as well.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "printing is what a demo is for")]

mod hosts;
mod pass;
mod replay;
mod rightness;
mod table;

use testkit as support;

use std::collections::HashSet;
use std::process::ExitCode;

use hosts::Host;
use pass::Pass;
use support::chunk;
use support::gateway::TestGateway;
use support::kube_api::KubeApi;
use table::Table;

/// Below cargo's target directory: what a killed demo leaves behind goes with `make clean`.
const SCRATCH: &str = env!("CARGO_TARGET_TMPDIR");

fn main() -> ExitCode {
    match asked(std::env::args().skip(1)) {
        Asked::Run => {}
        Asked::List => {
            println!("demo: test");
            return ExitCode::SUCCESS;
        }
        Asked::Nothing => return ExitCode::SUCCESS,
    }
    let errors = run();
    for error in &errors {
        eprintln!("\nThe demo failed: {error}");
    }
    ExitCode::from(u8::from(!errors.is_empty()))
}

enum Asked {
    Run,
    List,
    Nothing,
}

/// Stands in for libtest: `cargo test <filter>` and `cargo test -- --list` speak to every test.
fn asked(mut arguments: impl Iterator<Item = String>) -> Asked {
    let (mut asked, mut filters) = (Asked::Run, Vec::new());
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--ignored" => return Asked::Nothing,
            "--list" => asked = Asked::List,
            // Those have a value of their own, which is no filter.
            "--color" | "--format" | "--logfile" | "--skip" | "--test-threads" => drop(arguments.next()),
            flag if flag.starts_with('-') => {}
            filter => filters.push("demo".contains(filter)),
        }
    }
    if filters.is_empty() || filters.contains(&true) { asked } else { Asked::Nothing }
}

fn run() -> Vec<String> {
    let table = Table::for_stdout();
    let folder = tempfile::tempdir_in(SCRATCH).expect("a folder for the demo");
    let gateway = TestGateway::start();
    let events = chunk::recording_events();
    let host = Host::find();
    table.heading(events.len());

    let cluster = KubeApi::start();
    let settings = [
        ("endpoint", gateway.url()),
        ("kube_url", cluster.url()),
        ("cluster_name", "demo".to_owned()),
        ("state_file", folder.path().join("ledger").display().to_string()),
        // On a machine that has other things to do a gateway may be slow, and the first look at a cluster.
        ("timeout", "10m".to_owned()),
        ("topology_wait", "10m".to_owned()),
    ];
    // Each pass is a new process, which knows of the other only by the ledger's file.
    let first = host.pass(&cluster, &settings, folder.path());
    let delivered = gateway.accepted_records();
    table.events(&delivered);
    let second = host.pass(&cluster, &settings, folder.path());
    table.totals(&[("pass 1", &first), ("pass 2", &second)]);
    table.outcomes(&first);
    table.notes(&[&host.name(), host.timed()]);

    let ids = gateway.accepted_ids();
    let mut errors = errors(&events.iter().map(chunk::event_id).collect(), &first, &second, &ids);
    errors.extend(rightness::errors(&events, &delivered));
    if errors.is_empty() {
        table.verdict(ids.len());
    }
    errors
}

/// Holds what the plugin counted against what the gateway saw.
fn errors(wanted: &HashSet<String>, first: &Pass, second: &Pass, ids: &[String]) -> Vec<String> {
    let arrived: HashSet<&String> = ids.iter().collect();
    let missing = wanted.iter().filter(|id| !arrived.contains(id)).count();
    let in_second = u64::try_from(ids.len()).unwrap_or(u64::MAX).saturating_sub(first.delivered);
    let mut errors = Vec::new();
    if second.delivered > 0 || in_second > 0 {
        let delivered = second.delivered.max(in_second);
        errors.push(format!("the second pass delivered {delivered} records; it must deliver none."));
    }
    if missing > 0 {
        errors.push(format!("{missing} of {} records never arrived at the gateway.", wanted.len()));
    }
    if arrived.len() < ids.len() {
        errors.push(format!("{} records arrived more than once.", ids.len() - arrived.len()));
    }
    for (name, pass) in [("first", first), ("second", second)] {
        let left = pass.records.saturating_sub(pass.duplicates + pass.delivered);
        if left > 0 {
            errors.push(format!("{left} records of the {name} pass were neither delivered nor duplicates."));
        }
    }
    errors
}
