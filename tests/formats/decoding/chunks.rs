//! What does decoding make of bytes that are no good chunk?
//!
//! It finds what is whole around what is broken, and takes no longer than for a good one. Mutants are tried in
//! `mutations`.
#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    clippy::disallowed_methods,
    reason = "a test may fail, and reads the clock"
)]

use std::time::Duration;

use super::{bodies, chunk, cpu_time, dice};
use bodies::Body;
use bodies::chunk::Chunk;
use chunk::Stamp;
use dice::Dice;
use event_gateway::record::chunk::Records;
use event_gateway::record::cursor::{DecodeError, DecodeErrorKind, MAX_DEPTH};
use serde_json::{Value, json};

/// The offsets of the records and the faults, all of it held against what must be so of any bytes.
fn read(bytes: &[u8]) -> (Vec<usize>, Vec<DecodeError>) {
    let mut chunk = Chunk::new();
    chunk.check(bytes, true);
    (chunk.offsets, chunk.faults)
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
            let (good, faults) = read(&bytes);
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
    use DecodeErrorKind::{Expected, Reserved, TooDeep, Truncated};
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
        let (found, faults) = read(&bytes);
        assert_eq!(found, offsets);
        let faults: Vec<_> = faults.iter().map(|fault| (fault.offset - place, fault.kind)).collect();
        assert_eq!(faults, [(offset, kind)], "{broken:02x?}");
    }
    // Without an EventTime there are no heads to look for: a whole value still shows the way.
    let plain = chunk::v1(&json!({"involvedObject": {}}), Stamp::Seconds(1));
    let bytes = [&plain[..], &[0x93, 1, 2, 3], &plain, &[0x92, 1, 2], &plain].concat();
    let (found, faults) = read(&bytes);
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
        let start = cpu_time::of_this_thread();
        let (found, faults) = read(&bytes);
        let took = cpu_time::of_this_thread() - start;
        assert!(!faults.is_empty() && found.len() <= 1, "{name}: {} records", found.len());
        // A good chunk of this size takes some 10 ms; quadratic time would be minutes.
        assert!(took < Duration::from_secs(3), "{name}: {took:?}");
    }
    assert_eq!(read(b"").0.len(), 0);
}
