//! The cost of each stage between the host's chunk and the gateway's socket.

use std::hint::black_box;
use std::path::Path;

use event_gateway::config::FormatName;
use event_gateway::correlate::{About, Work};
use event_gateway::gateway::batch::Batch;
use event_gateway::record::chunk::Records;
use event_gateway::record::content::Content;
use event_gateway::select;

use crate::measure::{Cost, print_head};
use crate::posting;
use crate::stages::judge::Judge;
use crate::stages::recorded::Recorded;
use crate::stages::work::{self, LIMITS};
use crate::support::recording;
use crate::support::replay::Replay;

/// The formats whose size and compression cost are also printed, because their shapes differ.
const PACKED: [&str; 5] = ["native", "cloudevents", "raw", "template", "otlp"];

pub fn print(recorded: &'static Recorded) {
    let report = |name: &str, work: &mut dyn FnMut()| Cost::best(recorded.events.len(), work).print(name);
    print_head("stages");
    report("decode: find records and read them", &mut work::decode(recorded));
    report("find records alone", &mut || {
        black_box(Records::new(recorded.chunk).count());
    });
    selection(recorded, &report);
    ledger(recorded, &report);
    correlation(recorded, &report);
    for (name, format) in FormatName::WORDS {
        report(&format!("render {name}, without impact"), &mut work::render(recorded, *format));
    }
    for (name, format) in FormatName::WORDS.iter().copied().filter(|(name, _)| PACKED.contains(name)) {
        let text = work::text(recorded, format);
        let mut pack = work::pack_text(text.clone());
        let each = |bytes: usize| bytes / recorded.events.len();
        let packed = pack();
        report(&format!("gzip {name}, {} → {} bytes", each(text.len()), each(packed)), &mut || {
            pack();
        });
    }
    batch(recorded, &report);
    report("all of these, from chunk to gzip, native", &mut work::journey(recorded));
    println!();
}

type Report<'r> = &'r dyn Fn(&str, &mut dyn FnMut());

fn selection(recorded: &'static Recorded, report: Report<'_>) {
    let rules = [("namespaces", "*"), ("exclude_namespaces", "kube-*"), ("types", "Warning,Normal")];
    for (name, rules) in [("select, no rules", &[][..]), ("select, three rules", &rules)] {
        let rules = posting::settings("http://127.0.0.1/", rules).selection;
        report(name, &mut || {
            for (event, _) in &recorded.events {
                black_box(select::selects(&rules, &Content::Event(event)));
            }
        });
    }
}

fn ledger(recorded: &'static Recorded, report: Report<'_>) {
    report("ledger in memory, new and committed", &mut work::judge(recorded));
    let known = |mut judge: Judge| {
        move || {
            for (event, body) in &recorded.events {
                assert!(!black_box(judge.is_new(event, body)));
            }
        }
    };
    report("ledger in memory, known", &mut known(Judge::new(recorded)));
    // This folder is on a disk; a folder for temporary files may be in memory.
    let folder = tempfile::tempdir_in(Path::new(env!("CARGO_TARGET_TMPDIR"))).expect("a folder");
    let file = |name: &str| Judge::with_file(recorded, &folder.path().join(name));
    report("ledger with a file, new and synced", &mut work::judge_with(recorded, file("new")));
    report("ledger with a file, known", &mut known(file("known")));
}

/// Correlates the recorded events with the final state of the recorded cluster.
fn correlation(recorded: &'static Recorded, report: Report<'_>) {
    let mut replay = Replay::new();
    recording::lines().filter(|line| line.resource != "events").for_each(|line| replay.apply(&line));
    let index = replay.index();
    report("correlate, in the recorded cluster", &mut || {
        // The events of a chunk share this limit.
        let mut work = Work::default();
        for (event, _) in &recorded.events {
            black_box(replay.correlator.correlate_within(&index, &About::from(event), &mut work));
        }
    });
}

/// The work of a batch: it copies lines, and makes ids, the key and the body.
fn batch(recorded: &'static Recorded, report: Report<'_>) {
    let lines = work::lines(recorded, FormatName::Native);
    report("batch: gather and name it", &mut || {
        let mut batch = Batch::new(event_gateway::format::Framing::LINES, LIMITS);
        lines.iter().for_each(|(id, line)| batch.push(id, line, ()));
        let all = 0..batch.len();
        black_box((batch.idempotency_key(&all), batch.body(&all)));
    });
}
