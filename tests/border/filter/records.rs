//! What does the filter do to records: to events, to repetitions, to `managedFields`, and above all to
//! whatever is none of its business?

use super::support;
use rmpv::Value as Packed;
use serde_json::{Value, json};

use support::chunk::{self, Stamp};
use support::host::{Build, Outcome};
use support::service_impact::{EACH, filtering, left_of};
use support::{event, events};

/// A filter that changes events in every chunk it gets: it removes nothing but `managedFields`.
const CUTTING: [(&str, &str); 1] = [("dedup", "off")];

fn managed(uid: &str) -> Value {
    let mut event = event(uid, 1, 1);
    event["metadata"]["managedFields"] = json!([{"manager": "kubelet", "fieldsV1": {"f:count": {}}}]);
    event
}

/// The values of a chunk, by another reader than ours.
fn values(mut chunk: &[u8]) -> Vec<Packed> {
    let mut values = Vec::new();
    while !chunk.is_empty() {
        values.push(rmpv::decode::read_value(&mut chunk).expect("MessagePack"));
    }
    values
}

/// The same without `metadata.managedFields`, by the oracle's own means.
fn without_managed_fields(mut record: Packed) -> Packed {
    let Packed::Array(parts) = &mut record else { panic!("no record") };
    let Some(Packed::Map(body)) = parts.last_mut() else { panic!("no body") };
    for (key, value) in body {
        if let (Some("metadata"), Packed::Map(metadata)) = (key.as_str(), value) {
            metadata.retain(|(key, _)| key.as_str() != Some("managedFields"));
        }
    }
    record
}

#[test]
fn every_real_event_keeps_all_but_its_managed_fields() {
    let (mut host, _image) = filtering(Build::V5_1_1, &CUTTING);
    let real = ["chunk-list.msgpack", "chunk-watch.msgpack"]
        .map(|name| std::fs::read(chunk::data_file(name)).expect("a chunk"));
    let recorded = [chunk::watch_events(), chunk::listed_events(), chunk::recording_events()];
    let recorded = recorded.map(|events| chunk::of(&events));
    let mut cut = 0;
    for chunk in real.iter().chain(&recorded) {
        for place in EACH {
            let left = left_of(&mut host, chunk, place);
            cut += chunk.len() - left.len();
            let wanted: Vec<Packed> = values(chunk).into_iter().map(without_managed_fields).collect();
            assert!(values(&left) == wanted, "{place:?}");
        }
    }
    assert!(cut > 500_000, "only {cut} bytes of managedFields");
    host.quit();
}

/// Makes a record of an event.
type Framing<'f> = &'f dyn Fn(&Value) -> Vec<u8>;

#[test]
fn every_framing_stays_what_it_was() {
    let (mut host, _image) = filtering(Build::V5_1_1, &CUTTING);
    let (with, without) = (managed("u1"), event("u1", 1, 1));
    let metadata = json!({"trace": "t"});
    let framings: [Framing<'_>; 6] = [
        &|event| chunk::v2(event, 7),
        &|event| chunk::v2_before_5(event, 7),
        &|event| chunk::v2_with_metadata(event, 7, 8, &metadata),
        &|event| chunk::v1(event, Stamp::EventTime(7, 8)),
        &|event| chunk::v1(event, Stamp::Seconds(7)),
        &|event| chunk::v1(event, Stamp::Float(7.5)),
    ];
    for (number, framing) in framings.iter().enumerate() {
        for place in EACH {
            let chunk = [framing(&with), framing(&with)].concat();
            let wanted = [framing(&without), framing(&without)].concat();
            assert_eq!(left_of(&mut host, &chunk, place), wanted, "framing {number} {place:?}");
        }
    }
    host.quit();
}

#[test]
fn what_is_no_event_stays_byte_for_byte() {
    let (mut host, _image) = filtering(Build::V5_1_1, &[]);
    let line = json!({"log": "a line", "metadata": {"managedFields": [1]}, "impact": "none of ours"});
    let list = json!({"kind": "EventList", "items": [managed("a"), managed("a")]});
    // A map of one pair in its longest form, which a re-encoding would shorten.
    let long = [&[0x92, 0x01][..], &[0xdf, 0, 0, 0, 1, 0xa1, b'a', 0xce, 0, 0, 0, 1]].concat();
    let strangers = [
        chunk::v2(&line, 1),
        chunk::v2(&list, 1),
        chunk::v2(&json!({}), 1),
        chunk::v1(&json!({"involvedObject": "a text"}), Stamp::Seconds(1)),
        chunk::group_start(&json!({"schema": "otlp"}), &json!({"resource": {"a": 1}})),
        chunk::group_end(),
        long,
        vec![0xc0],
        b"no MessagePack \xc1\xff".to_vec(),
        // A record of which the end is missing.
        chunk::v2(&managed("cut"), 1)[..60].to_vec(),
    ];
    for place in EACH {
        for stranger in &strangers {
            let filtered = host.filter("f", "t", stranger, place);
            assert_eq!(filtered.outcome, Outcome::NoTouch, "{stranger:02x?} {place:?}");
        }
        assert_eq!(host.filter("f", "t", b"", place).outcome, Outcome::NoTouch);
    }
    host.quit();
}

#[test]
fn strangers_among_events_stay_where_they_are() {
    let strangers = [
        chunk::group_start(&json!({"schema": "otlp"}), &json!({"a": 1})),
        chunk::v2(&json!({"log": "a line"}), 1),
        chunk::group_end(),
        b"\xc1\xc1 bytes that nobody can read".to_vec(),
    ];
    for place in EACH {
        let (mut host, _image) = filtering(Build::V5_1_1, &[]);
        let chunk: Vec<u8> = strangers
            .iter()
            .enumerate()
            .flat_map(|(n, stranger)| {
                [chunk::v2(&managed(&format!("u{n}")), 5), stranger.clone(), chunk::v2(&managed("twice"), 5)]
            })
            .flatten()
            .collect();
        let event = |uid: &str| chunk::v2(&event(uid, 1, 1), 5);
        let wanted = [
            event("u0"),
            strangers[0].clone(),
            event("twice"),
            event("u1"),
            strangers[1].clone(),
            event("u2"),
            strangers[2].clone(),
            event("u3"),
            strangers[3].clone(),
        ];
        assert_eq!(left_of(&mut host, &chunk, place), wanted.concat(), "{place:?}");
        host.quit();
    }
}

#[test]
fn keep_managed_fields_keeps_them() {
    let (mut host, _image) = filtering(Build::V5_1_1, &[("dedup", "off"), ("keep_managed_fields", "on")]);
    for place in EACH {
        let filtered = host.filter("f", "t", &chunk::v2(&managed("u1"), 1), place);
        assert_eq!(filtered.outcome, Outcome::NoTouch);
    }
    host.quit();
}

#[test]
fn a_repetition_goes_and_an_update_stays() {
    for place in EACH {
        let (mut host, _image) = filtering(Build::V5_1_1, &[]);
        let first = events(["u1", "u2"]);
        assert_eq!(host.filter("f", "t", &first, place).outcome, Outcome::NoTouch, "all new, nothing to cut");
        assert_eq!(host.filter("f", "t", &first, place).outcome, Outcome::Modified(Vec::new()), "{place:?}");
        let update = event("u1", 2, 5);
        let mixed = [events(["u2", "u3"]), chunk::of([&update]), events(["u3"])].concat();
        let wanted = [events(["u3"]), chunk::of([&update])].concat();
        assert_eq!(left_of(&mut host, &mixed, place), wanted, "{place:?}");
        // A state that comes late is another version, and so no repetition.
        let late = chunk::of([&event("u3", 9, 9), &event("u3", 5, 5)]);
        assert_eq!(left_of(&mut host, &late, place), late);
        host.exit("f");
        let said = host.wait_log("saw").text;
        let totals = "[filter:service_impact:service_impact.0] saw 10 events in 10 records; 4 duplicates dropped, 0 \
                      rewritten; 0 name Services, 0 name none, ";
        assert!(said.starts_with(totals) && said.contains(" (ran for "), "{said}");
        host.quit();
    }
}

#[test]
fn events_of_the_other_group_are_events_too() {
    let (mut host, _image) = filtering(Build::V5_1_1, &[]);
    let text = std::fs::read_to_string(chunk::data_file("events-events.k8s.io-v1.ndjson")).expect("events");
    let chunk = chunk::from_ndjson(&text, false);
    let left = left_of(&mut host, &chunk, EACH[1]);
    let wanted: Vec<Packed> = values(&chunk).into_iter().map(without_managed_fields).collect();
    assert!(values(&left) == wanted);
    assert_eq!(left_of(&mut host, &chunk, EACH[0]), b"", "all of them are known");
    host.quit();
}
