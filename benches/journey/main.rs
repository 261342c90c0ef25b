//! What each stage of the journey costs an event: `make bench`.
//!
//! Real events, one core, no network: the stages between the host's chunk and the gateway's socket. The
//! best of several runs counts, because everything that disturbs a run only ever makes it slower.

#![allow(clippy::print_stdout, reason = "printing is what a benchmark is for")]

use std::hint::black_box;
use std::io::Write;
use std::time::Duration;

use event_gateway::clock;
use event_gateway::config::{Format, LedgerSettings, Updates};
use event_gateway::correlate::{Correlation, Impact};
use event_gateway::ledger::identity::{Version, identity, record_id, version_text};
use event_gateway::ledger::{Ledger, Verdict, Versioned};
use event_gateway::record::chunk::Records;
use event_gateway::record::event::KubeEvent;
use event_gateway::record::peek::peek;
use event_gateway::record::text::Repair;
use event_gateway::render::{Record, Renderer};

const RUNS: usize = 30;

fn main() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/chunk-list.msgpack");
    let chunk = std::fs::read(path).expect("the recorded chunk");
    let bodies: Vec<&[u8]> = Records::new(&chunk).filter_map(Result::ok).map(|record| record.body).collect();
    let repair = Repair::default();
    let events: Vec<KubeEvent<'_>> =
        bodies.iter().filter_map(|body| KubeEvent::read(body, &repair).ok().flatten()).collect();
    println!("{} events, {} bytes each on average\n", events.len(), chunk.len() / events.len());

    let report = |name: &str, work: &mut dyn FnMut()| report(name, events.len(), work);
    report("find records and read them", &mut || {
        let mut records = Records::new(&chunk);
        while let Some(record) = records.next_with(|body| KubeEvent::read_at(body, &repair)) {
            let _ = black_box(record);
        }
    });
    report("find records", &mut || {
        black_box(Records::new(&chunk).count());
    });
    report("peek", &mut || {
        bodies.iter().for_each(|body| {
            let _ = black_box(peek(body));
        });
    });
    report("read event", &mut || {
        bodies.iter().for_each(|body| drop(black_box(KubeEvent::read(body, &repair))))
    });
    report("ledger, new", &mut || judge_all(&mut ledger(), &events));
    let mut known = ledger();
    judge_all(&mut known, &events);
    report("ledger, known", &mut || judge_all(&mut known, &events));
    for (name, format) in [
        ("render native", Format::Native),
        ("render cloudevents", Format::CloudEvents),
        ("render raw", Format::Raw),
    ] {
        let renderer = Renderer::new(format, "prod-eu");
        let mut text = Vec::new();
        report(name, &mut || {
            text.clear();
            render_all(&renderer, &events, &bodies, &mut text);
        });
        let mut packed = Vec::new();
        report(
            &format!("gzip -1, {} → {} bytes", text.len() / events.len(), packed_size(&text) / events.len()),
            &mut || {
                packed.clear();
                pack(&text, &mut packed);
            },
        );
    }
}

fn report(name: &str, events: usize, work: &mut dyn FnMut()) {
    let mut best = Duration::MAX;
    for _ in 0..RUNS {
        let start = clock::monotonic();
        work();
        best = best.min(start.elapsed());
    }
    println!("{name:<28} {:>6} ns an event", best.as_nanos() / events.max(1) as u128);
}

fn ledger() -> Ledger {
    let settings =
        LedgerSettings { state_file: None, ttl: Duration::from_secs(10_800), max_entries: 1_000_000 };
    Ledger::open(&settings, Updates::Every, 0).expect("a ledger in memory").0
}

fn judge_all(ledger: &mut Ledger, events: &[KubeEvent<'_>]) {
    let mut tickets = Vec::with_capacity(events.len());
    for event in events {
        let versioned =
            Versioned { identity: identity(event), version: Version::parse(&version_text(event)), count: 1 };
        if let Verdict::New { ticket } | Verdict::Update { ticket, .. } = ledger.begin(versioned) {
            tickets.push(ticket);
        }
    }
    ledger.commit(&tickets, 0).expect("no file, no error");
}

fn render_all(renderer: &Renderer, events: &[KubeEvent<'_>], bodies: &[&[u8]], text: &mut Vec<u8>) {
    for (event, body) in events.iter().zip(bodies) {
        let id = record_id(event);
        renderer.render(
            &Record { id: &id, event, new_occurrences: 1, impact: &Impact::without(Correlation::Off), body },
            text,
        );
        text.push(b'\n');
    }
}

fn pack(text: &[u8], packed: &mut Vec<u8>) {
    let mut encoder = flate2::write::GzEncoder::new(packed, flate2::Compression::fast());
    encoder.write_all(text).and_then(|()| encoder.finish().map(drop)).expect("memory takes everything");
}

fn packed_size(text: &[u8]) -> usize {
    let mut packed = Vec::new();
    pack(text, &mut packed);
    packed.len()
}
