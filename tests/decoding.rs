//! What does decoding make of bytes that are no good chunk?
//!
//! It never panics, never reads past the end, finds what is whole around what is broken, and takes no
//! longer than for a good one. `MUTATIONS=1000000` sets how many mutants of real chunks are tried,
//! `MUTATION_SEED` which.
#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    clippy::disallowed_methods,
    reason = "a test may fail, and reads the clock"
)]

#[path = "support/chunk.rs"]
mod chunk;
#[path = "support/dice.rs"]
mod dice;

use std::time::{Duration, Instant};

use chunk::Stamp;
use dice::Dice;
use event_gateway::config::Format;
use event_gateway::correlate::{Correlation, Impact};
use event_gateway::ledger::identity::{identity, record_id};
use event_gateway::record::chunk::Records;
use event_gateway::record::cursor::{FaultKind, MAX_DEPTH};
use event_gateway::record::event::KubeEvent;
use event_gateway::record::peek::{Items, Shape, peek};
use event_gateway::record::text::Repair;
use event_gateway::render::{Record, Renderer};
use serde_json::{Value, json};

/// Everything the plugin does with a body before the network.
struct Reader {
    repair: Repair,
    renderers: [Renderer; 2],
    out: Vec<u8>,
    /// Parse what was rendered.
    check_json: bool,
    events: usize,
}

impl Reader {
    fn new() -> Self {
        let renderers = [Renderer::new(Format::Raw, "c"), Renderer::new(Format::CloudEvents, "c")];
        Self { repair: Repair::default(), renderers, out: Vec::new(), check_json: true, events: 0 }
    }

    /// The offsets of the records and the faults.
    fn chunk(&mut self, bytes: &[u8]) -> (Vec<usize>, Vec<event_gateway::record::cursor::Fault>) {
        let (mut offsets, mut faults) = (Vec::new(), Vec::new());
        let range = bytes.as_ptr_range();
        let mut end = range.start;
        for record in Records::new(bytes) {
            match record {
                Ok(envelope) => {
                    let body = envelope.body.as_ptr_range();
                    assert!(end <= body.start && body.end <= range.end, "a body outside, or twice");
                    assert!(bytes[envelope.offset..].as_ptr() >= end);
                    end = body.end;
                    offsets.push(envelope.offset);
                    self.body(envelope.body, true);
                }
                Err(fault) => {
                    assert!(fault.offset <= bytes.len());
                    faults.push(fault);
                }
            }
        }
        (offsets, faults)
    }

    fn body(&mut self, body: &[u8], may_be_list: bool) {
        match peek(body) {
            Ok(Shape::List { items }) if may_be_list => {
                Items::new(items).for_each(|item| self.body(item, false));
            }
            Ok(Shape::Event) => {
                let Ok(Some(event)) = KubeEvent::read(body, &self.repair) else { return };
                self.events += 1;
                let id = record_id(&event);
                let _ = identity(&event);
                for renderer in &self.renderers {
                    self.out.clear();
                    let record = Record {
                        id: &id,
                        event: &event,
                        new_occurrences: 1,
                        impact: &Impact::without(Correlation::Off),
                        body,
                    };
                    renderer.render(&record, &mut self.out);
                    // A byte is six at the most, "\u0000", and stands in an id, a subject and a field.
                    assert!(self.out.len() < 24 * body.len() + 1_000, "{} of {}", self.out.len(), body.len());
                    if self.check_json {
                        serde_json::from_slice::<serde::de::IgnoredAny>(&self.out).unwrap();
                    }
                }
            }
            _ => {}
        }
    }
}

/// A few records each, of all kinds that a host sends.
fn seeds() -> Vec<Vec<u8>> {
    let events = chunk::watch_events();
    let listed = chunk::listed_events();
    let mut seeds = Vec::new();
    for pick in 0..40 {
        let some = [&events[pick * 20], &listed[pick * 11], &events[pick * 7 + 3]];
        seeds.push(chunk::of(some));
        seeds.push(some.into_iter().flat_map(|event| chunk::v2_before_5(event, 1)).collect());
        seeds.push(some.into_iter().flat_map(|event| chunk::v1(event, Stamp::EventTime(1, 2))).collect());
        seeds.push(some.into_iter().flat_map(|event| chunk::v1(event, Stamp::Seconds(1))).collect());
        seeds.push(chunk::v2(&json!({"kind": "EventList", "metadata": {}, "items": some}), 1));
    }
    let real = std::fs::read(chunk::data_file("chunk-watch.msgpack")).unwrap();
    let starts: Vec<_> = Records::new(&real).map(|record| record.unwrap().offset).collect();
    seeds.extend(starts.windows(3).map(|starts| real[starts[0]..starts[2]].to_vec()));
    let audit = std::fs::read(chunk::data_file("chunk-audit-in-http.msgpack")).unwrap();
    seeds.push(audit);
    seeds
}

/// One mutation in place.
fn mutate(bytes: &mut Vec<u8>, seeds: &[Vec<u8>], dice: &mut Dice) {
    let at = dice.below(bytes.len());
    let end = (at + dice.below(24)).min(bytes.len());
    match dice.below(9) {
        0 if at < bytes.len() => bytes[at] ^= 1 << dice.below(8),
        1 if at < bytes.len() => bytes[at] = dice.roll() as u8,
        2 => bytes.truncate(at),
        3 => drop(bytes.drain(at..end)),
        4 => {
            let noise: Vec<_> = (0..dice.below(9)).map(|_| dice.roll() as u8).collect();
            drop(bytes.splice(at..at, noise));
        }
        5 => {
            let copy = bytes[at..end].to_vec();
            let to = dice.below(bytes.len());
            drop(bytes.splice(to..to, copy));
        }
        6 => {
            // A length that lies: the head of something long, or a longer tail of the one that is there.
            let marker = 0xc4 + dice.below(0x3c) as u8;
            let lie = [marker, dice.roll() as u8, dice.roll() as u8, 0xff, dice.roll() as u8];
            let lie = &lie[..1 + dice.below(5)];
            drop(bytes.splice(at..(at + lie.len()).min(bytes.len()), lie.iter().copied()));
        }
        7 => {
            let depth = dice.below(90);
            drop(bytes.splice(at..at, std::iter::repeat_n([0x91, 0x81][depth % 2], depth)));
        }
        _ => {
            let other = &seeds[dice.below(seeds.len())];
            let from = dice.below(other.len());
            let to = (from + dice.below(2_000)).min(other.len());
            drop(bytes.splice(at..end, other[from..to].iter().copied()));
        }
    }
}

fn from_environment(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}

#[test]
fn no_mutant_of_a_real_chunk_makes_it_panic() {
    let count = from_environment("MUTATIONS", 100_000);
    let seed = from_environment("MUTATION_SEED", 1);
    let (seeds, mut dice, mut reader) = (seeds(), Dice(seed), Reader::new());
    let (mut records, mut faults) = (0, 0);
    let mut bytes = Vec::new();
    for number in 0..count {
        bytes.clone_from(&seeds[dice.below(seeds.len())]);
        for _ in 0..=dice.below(3) {
            mutate(&mut bytes, &seeds, &mut dice);
        }
        reader.check_json = number % 16 == 0;
        let (found, broken) = reader.chunk(&bytes);
        records += found.len();
        faults += broken.len();
    }
    println!("{count} mutants, seed {seed}: {records} records, {} events, {faults} faults", reader.events);
    // Else the mutants were all good or all rubbish, and showed nothing.
    assert!(faults as u64 > count / 10 && reader.events as u64 > count / 10);
}

type Framing = fn(&Value, u32) -> Vec<u8>;

const FRAMINGS: [Framing; 3] =
    [chunk::v2, chunk::v2_before_5, |event, seconds| chunk::v1(event, Stamp::EventTime(seconds, 0))];

/// Good records, and the first of them once more, to be broken.
fn good_records(framing: Framing) -> (Vec<Vec<u8>>, Vec<u8>) {
    let events = chunk::watch_events();
    let records: Vec<_> = events[100..109].iter().map(|event| framing(event, 1_700_000_000)).collect();
    let first = records[0].clone();
    (records, first)
}

/// A chunk of the records with a broken one in their middle, and the offsets of the good ones.
fn around(records: &[Vec<u8>], broken: &[u8]) -> (Vec<u8>, Vec<usize>) {
    let (mut bytes, mut offsets) = (Vec::new(), Vec::new());
    for (place, record) in records.iter().enumerate() {
        if place == 4 {
            bytes.extend_from_slice(broken);
        }
        offsets.push(bytes.len());
        bytes.extend_from_slice(record);
    }
    (bytes, offsets)
}

#[test]
fn a_record_cut_anywhere_costs_no_other() {
    for framing in FRAMINGS {
        let (records, whole) = good_records(framing);
        // One byte alone, 0x92, would make a head of v2 of the v1 head behind it.
        for cut in 2..whole.len() {
            let (bytes, offsets) = around(&records, &whole[..cut]);
            let (good, faults) = Reader::new().chunk(&bytes);
            assert_eq!(good, offsets, "cut after {cut} bytes");
            let broken = offsets[3]..offsets[4] + 1;
            assert!(faults.len() == 1 && broken.contains(&faults[0].offset), "cut after {cut}: {faults:?}");
        }
    }
}

#[test]
fn a_byte_changed_anywhere_costs_no_other_record() {
    for framing in FRAMINGS {
        let (records, whole) = good_records(framing);
        for at in 0..whole.len() {
            for byte in [0xc1, 0x00, 0xff, 0xdf, 0xdb, whole[at] ^ 0x01, whole[at] ^ 0x80] {
                let mut changed = whole.clone();
                changed[at] = byte;
                let (bytes, offsets) = around(&records, &changed);
                let found: Vec<_> = Records::new(&bytes).flatten().map(|envelope| envelope.offset).collect();
                let is_found = |offset| found.contains(offset);
                assert!(offsets.iter().all(is_found), "byte {at} made {byte:#x}: {found:?}, not {offsets:?}");
                assert!(found.len() <= offsets.len() + 1);
            }
        }
    }
}

#[test]
fn faults_say_what_is_wrong_and_where() {
    use FaultKind::{Expected, Reserved, TooDeep, Truncated};
    let (records, _) = good_records(chunk::v2);
    let head = [0x92, 0x92, 0xd7, 0, 0, 0, 0, 1, 0, 0, 0, 0];
    let after_head = |tail: &[u8]| [&head[..], tail].concat();
    let deep: Vec<u8> = [&[0x80, 0x81, 0xa1, b'a'][..], &[0x91; MAX_DEPTH], &[0xc0]].concat();
    let cases = [
        (after_head(&[0x80, 0x81, 0xa1, b'a', 0xc1]), 16, Reserved),
        (after_head(&[0x80, 0x81, 0xa1, b'a', 0xdb, 0xff, 0xff, 0xff, 0xff]), 16, Truncated),
        (after_head(&[0x80, 0x82, 0xa1, b'a', 0xc0]), 17, Truncated),
        (after_head(&deep), 16 + MAX_DEPTH - 2, TooDeep),
        (after_head(&[0xc0, 0x80]), 12, Expected("metadata, a map")),
        (after_head(&[0x80, 0xa1, b'b']), 13, Expected("a body, a map")),
        (vec![0x92, 0xa1, b't', 0x80], 1, Expected("a timestamp")),
        (vec![0x93, 0x01, 0x80, 0x80], 0, Expected("a record, an array of two")),
        (vec![0xc0], 0, Expected("a record, an array of two")),
    ];
    for (broken, offset, kind) in cases {
        let (bytes, offsets) = around(&records, &broken);
        let place = offsets[4] - broken.len();
        let (found, faults) = Reader::new().chunk(&bytes);
        assert_eq!(found, offsets);
        let faults: Vec<_> = faults.iter().map(|fault| (fault.offset - place, fault.kind)).collect();
        assert_eq!(faults, [(offset, kind)], "{broken:02x?}");
    }
    // Without an EventTime there are no heads to look for: a whole value still shows the way.
    let plain = chunk::v1(&json!({"involvedObject": {}}), Stamp::Seconds(1));
    let bytes = [&plain[..], &[0x93, 1, 2, 3], &plain, &[0x92, 1, 2], &plain].concat();
    let (found, faults) = Reader::new().chunk(&bytes);
    assert_eq!((found.len(), faults.len()), (3, 2));
}

#[test]
fn rubbish_bombs_and_claims_are_read_in_linear_time() {
    const LEN: usize = 2_000_000;
    let mut dice = Dice(7);
    let head = [0x92, 0x92, 0xd7, 0, 0, 0, 0, 1, 0, 0, 0, 0];
    let record = |tail: &[u8], len: usize| [&head[..], tail, &vec![0xc0; len]].concat();
    let claims = [0xdf, 0, 0, 0, 0, 0xdf, 0xff, 0xff, 0xff, 0xff];
    let bombs = [
        ("noise", (0..LEN).map(|_| dice.roll() as u8).collect::<Vec<_>>()),
        ("text", b"<html>not a chunk</html>".repeat(LEN / 24)),
        ("zeros", vec![0; LEN]),
        ("heads", head[..4].repeat(LEN / 4)),
        ("old heads", [0xdd, 0, 0, 0, 2, 0xdd, 0, 0, 0, 2, 0xd7, 0].repeat(LEN / 12)),
        ("arrays of two", vec![0x92; LEN]),
        ("arrays of two nils", [0x92, 0xc0, 0xc0].repeat(LEN / 3)),
        ("maps in maps", vec![0x81; LEN]),
        ("arrays of 2^32", [0xdd, 0xff, 0xff, 0xff, 0xff].repeat(LEN / 5)),
        ("records that claim 2^32 pairs", record(&claims, 978).repeat(LEN / 1_000)),
        (
            "records of a deep body",
            record(&[&[0x80, 0x81, 0xc0][..], &[0x91; 900]].concat(), 1).repeat(2_000),
        ),
        ("one string of 2^32", record(&[0x80, 0xdb, 0xff, 0xff, 0xff, 0xff], LEN)),
    ];
    for (name, bytes) in bombs {
        let start = Instant::now();
        let (found, faults) = Reader::new().chunk(&bytes);
        let took = start.elapsed();
        assert!(!faults.is_empty() && found.len() <= 1, "{name}: {} records", found.len());
        // A good chunk of this size takes some 10 ms; quadratic time would be minutes.
        assert!(took < Duration::from_secs(3), "{name}: {took:?}");
    }
    assert_eq!(Reader::new().chunk(b"").0.len(), 0);
}
