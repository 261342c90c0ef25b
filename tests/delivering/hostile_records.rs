//! Is nothing lost, and nothing told twice, of records that nobody should send?
//!
//! Each case goes through the whole plugin, between two good records, and once more: everything is delivered the
//! first time, with what it says, and nothing the second.

use std::collections::BTreeSet;

use crate::support;
use event_gateway::record::MAX_RECORD_BYTES;
use event_gateway::record::cursor::MAX_DEPTH;
use serde_json::{Value, json};
use support::gateway::{Answer, TestGateway};
use support::host::{Build, Code, MiniHost};
use support::kube_api::KubeApi;
use support::{chunk, event, value};

/// Clears a screen, rings, begins a line of its own, and the C1 way to an escape.
const ESCAPES: &str = "\u{1b}[2J\u{1b}]0;title\u{7}\r\n[error] forged\u{0}\u{85}\u{9b}31m\u{7f}";

fn started(gateway: &TestGateway, settings: &[(&str, &str)]) -> MiniHost {
    support::started(Build::V5_1_1, gateway, settings)
}

/// Delivers them twice between good neighbours; all that the gateway took, without the neighbours.
fn delivered(host: &mut MiniHost, gateway: &TestGateway, events: &[Value]) -> Vec<Value> {
    let packed: Vec<Vec<u8>> = events.iter().map(|event| chunk::v2(event, 1)).collect();
    delivered_bytes(host, gateway, &packed)
}

fn delivered_bytes(host: &mut MiniHost, gateway: &TestGateway, records: &[Vec<u8>]) -> Vec<Value> {
    let neighbours = ["before", "after"].map(|uid| chunk::v2(&event(uid, 1, 1), 1));
    let whole = [&neighbours[0][..], &records.concat(), &neighbours[1]].concat();
    assert_eq!(host.deliver("a", "t", &whole), Code::Ok);
    let mut came = gateway.accepted_records();
    assert_eq!(host.deliver("a", "t", &whole), Code::Ok);
    assert_eq!(gateway.accepted_records().len(), came.len(), "something came twice");
    let ids: BTreeSet<String> = came.iter().map(|record| record["id"].to_string()).collect();
    assert_eq!(ids.len(), came.len(), "{ids:?}");
    let all = came.len();
    came.retain(|record| record["id"] != "before.1" && record["id"] != "after.1");
    assert_eq!(all - came.len(), 2, "a neighbour is missing");
    came
}

/// Every text of an event set to something.
fn all_texts(event: &mut Value, to: &dyn Fn(&str) -> String) {
    match event {
        Value::String(text) => *text = to(text),
        Value::Array(values) => values.iter_mut().for_each(|value| all_texts(value, to)),
        Value::Object(map) => map.values_mut().for_each(|value| all_texts(value, to)),
        _ => {}
    }
}

#[test]
fn escapes_in_every_text_arrive_and_reach_no_log() {
    let gateway = TestGateway::start();
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("dead");
    let mut host = started(&gateway, &[("dead_letter_file", file.to_str().expect("UTF-8"))]);
    let mut hostile = event("hostile", 1, 1);
    all_texts(&mut hostile, &|text| format!("{text}{ESCAPES}"));
    let came = delivered(&mut host, &gateway, std::slice::from_ref(&hostile));
    assert_eq!(came.len(), 1);
    for (place, name) in [
        ("/message", "/message"),
        ("/reason", "/reason"),
        ("/source/host", "/source/host"),
        ("/object/name", "/involvedObject/name"),
        ("/event/uid", "/metadata/uid"),
        ("/event/resource_version", "/metadata/resourceVersion"),
    ] {
        assert_eq!(came[0].pointer(place), hostile.pointer(name), "{place}");
    }
    // Now with all the reasons to speak of it: refused one by one, unreadable, no event, a strange tag.
    gateway.set_default(Answer::status(422).body(format!("no {ESCAPES}")));
    let other = event(&format!("other{ESCAPES}"), 2, 1);
    // A tag is a C string.
    let tag = format!("kube{}", ESCAPES.replace('\0', ""));
    let broken = [&chunk::v2(&json!({"log": ESCAPES}), 1)[..], &[0xc1]].concat();
    assert_eq!(host.deliver("a", &tag, &[chunk::of([&other]), broken].concat()), Code::Ok);
    for said in ["was put into dead_letter_file", "is no Kubernetes event", "was skipped"] {
        let line = host.wait_log(said);
        assert!(line.text.contains("forged"), "{line:?}");
    }
    for line in host.logs() {
        assert!(!line.text.contains(char::is_control), "{line:?}");
    }
    let letters = std::fs::read_to_string(&file).expect("letters");
    assert!(!letters.trim_end_matches('\n').contains(|c: char| c < ' '), "{letters:?}");
    let letter: Value = serde_json::from_str(&letters).expect("one line of JSON");
    assert_eq!(letter["record"]["metadata"]["uid"], other["metadata"]["uid"]);
    host.quit();
}

#[test]
fn a_message_of_a_megabyte_is_delivered_or_put_away_by_its_size() {
    let gateway = TestGateway::start();
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("dead");
    let mut host = started(&gateway, &[("dead_letter_file", file.to_str().expect("UTF-8"))]);
    let of_size = |uid: &str, bytes: usize| {
        let mut event = event(uid, 1, 1);
        let size = |event: &Value| {
            let mut body = Vec::new();
            chunk::write_value(&mut body, event);
            body.len()
        };
        // Of a text of that length the head has five bytes.
        event["message"] = json!("m".repeat(1 << 16));
        let rest = bytes - size(&event);
        event["message"] = json!("m".repeat((1 << 16) + rest));
        assert_eq!(size(&event), bytes);
        event
    };
    let events = [
        ("below", MAX_RECORD_BYTES - 1),
        ("at", MAX_RECORD_BYTES),
        ("above", MAX_RECORD_BYTES + 1),
        ("far", 3 << 20),
    ]
    .map(|(uid, bytes)| of_size(uid, bytes));
    let came = delivered(&mut host, &gateway, &events);
    let ids: Vec<_> = came.iter().map(|record| record["id"].as_str().expect("an id")).collect();
    assert_eq!(ids, ["below.1", "at.1"]);
    assert!(came.iter().zip(&events).all(|(record, event)| record["message"] == event["message"]));
    let letters = std::fs::read_to_string(&file).expect("letters");
    let letters: Vec<Value> = letters.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let put_away: Vec<_> = letters.iter().map(|letter| letter["id"].as_str().expect("an id")).collect();
    assert_eq!(put_away, ["above.1", "far.1"], "once each");
    assert!(
        letters
            .iter()
            .zip(&events[2..])
            .all(|(letter, event)| letter["record"]["message"] == event["message"])
    );
    host.quit();
}

#[test]
fn what_is_as_deep_as_may_be_arrives_whole() {
    let nested = |depth: usize| (0..depth).fold(json!("core"), |inside, _| json!([inside]));
    // Two containers are around it: the record and the body.
    let deepest = MAX_DEPTH - 2;
    let with = |uid: &str, depth: usize| {
        let mut event = event(uid, 1, 1);
        event["odd"] = nested(depth);
        event
    };
    let gateway = TestGateway::start();
    let mut host = started(&gateway, &[("format", "raw")]);
    let events = [with("whole", deepest), with("too-deep", deepest + 1), with("next", 3)];
    let mut records: Vec<Vec<u8>> = events.iter().map(|event| chunk::v2(event, 1)).collect();
    // Of the last member of a map, a value that no JSON library would build for us.
    let mut bomb = chunk::v2(&json!({"involvedObject": {}, "odd": null}), 1);
    bomb.pop();
    bomb.extend([0x91; 10_000]);
    bomb.push(0xc0);
    records.insert(2, bomb);
    let came = delivered_bytes(&mut host, &gateway, &records);
    let ids: Vec<_> = came.iter().map(|record| record["id"].as_str().expect("an id")).collect();
    assert_eq!(ids, ["whole.1", "next.1"]);
    assert_eq!(came[0]["odd"], nested(deepest));
    let metrics = host.metrics_when(|metrics| value(metrics, "skipped_records_total") > 3.0);
    assert_eq!(value(&metrics, "skipped_records_total"), 4.0, "two records, twice: skipped and counted");
    host.quit();
}

/// A map of pairs, some of whose keys come twice; of the value, the JSON.
fn pairs(pairs: &[(&[u8], Value)]) -> Vec<u8> {
    let mut map = vec![0xde, 0, u8::try_from(pairs.len()).expect("few")];
    for (key, value) in pairs {
        map.extend_from_slice(key);
        chunk::write_value(&mut map, value);
    }
    map
}

/// As in JSON, of two values under one key the last counts, and whole: nothing is left of the first.
#[test]
fn of_a_key_that_comes_twice_the_last_value_counts() {
    let head = [0x92, 0x92, 0xd7, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0x80];
    let body = pairs(&[
        (b"\xa2id", json!("forged")),
        // Bytes as a key become the same text in JSON.
        (b"\xc4\x02id", json!("forged as bytes")),
        (b"\xa8metadata", json!({"uid": "first", "resourceVersion": "7", "namespace": "first"})),
        (b"\xaeinvolvedObject", json!({"kind": "Pod", "name": "first", "uid": "first"})),
        (b"\xa6reason", json!("First")),
        (b"\xa5count", json!(9)),
        (b"\xa9regarding", json!({"kind": "Service", "name": "last"})),
        (b"\xa8metadata", json!({"uid": "last", "resourceVersion": "8"})),
        (b"\xa6reason", json!("Last")),
        (b"\xafdeprecatedCount", json!(3)),
        (b"\xa2id", json!("forged at the end")),
        (b"\xc4\x02id", json!("forged as bytes at the end")),
    ]);
    let record = [&head[..], &body].concat();
    for format in ["native", "raw", "cloudevents_batch"] {
        let gateway = TestGateway::start();
        let mut host = started(&gateway, &[("format", format)]);
        let came = delivered_bytes(&mut host, &gateway, std::slice::from_ref(&record));
        assert_eq!(came.len(), 1);
        assert_eq!(came[0]["id"], "last.8", "{format}");
        if format == "native" {
            let said = [
                &came[0]["object"]["name"],
                &came[0]["object"]["uid"],
                &came[0]["reason"],
                &came[0]["count"],
            ];
            assert_eq!(said, [&json!("last"), &json!(null), &json!("Last"), &json!(3)]);
            assert_eq!(came[0]["event"]["namespace"], json!(null), "nothing of the first");
        }
        host.quit();
    }
}

#[test]
fn ten_thousand_labels_are_told() {
    let labels: Value = (0..10_000)
        .map(|number| (format!("label-{number:05}"), json!(format!("v{number}"))))
        .collect::<serde_json::Map<_, _>>()
        .into();
    let api = KubeApi::start();
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "spec": {}, "status": {},
        "metadata": {"namespace": "shop", "name": "cart-1", "uid": "p1", "labels": labels, "annotations": labels}});
    api.put("pods", pod);
    for (format, place) in [("native", "/object/labels"), ("raw", "/impact/labels")] {
        let gateway = TestGateway::start();
        let settings = [("kube_url", &*api.url()), ("format", format), ("annotations", "label-0000*")];
        let mut host = started(&gateway, &settings);
        let mut hostile = event("crowded", 1, 1);
        hostile["metadata"]["labels"] = labels.clone();
        hostile["metadata"]["annotations"] = labels.clone();
        let came = delivered(&mut host, &gateway, &[hostile]);
        assert_eq!(came.len(), 1);
        assert_eq!(came[0].pointer(place), Some(&labels), "{format}: of the object that it is about");
        let annotations = came[0].pointer(&place.replace("labels", "annotations"));
        assert_eq!(annotations.and_then(Value::as_object).map(serde_json::Map::len), Some(10), "{format}");
        if format == "raw" {
            assert_eq!(came[0]["metadata"]["labels"], labels, "of the event itself");
        }
        host.quit();
    }
}

/// A count that falls tells of nothing new, and the next is held against it: nothing is subtracted.
#[test]
fn counts_that_make_no_sense_lose_no_state() {
    let gateway = TestGateway::start();
    let mut host = started(&gateway, &[]);
    let counts = [
        (json!(5), 5, 5),
        (json!(3), 3, 0),
        (json!(4), 4, 1),
        (json!(-7), 1, 0),
        (json!(0), 1, 0),
        (json!("many"), 1, 0),
        (json!(null), 1, 0),
        (json!(2.5), 1, 0),
        (json!(2_147_483_648_u64), 2_147_483_648_u64, 2_147_483_647_u64),
        (json!(4_294_967_296_u64), 4_294_967_296, 2_147_483_647),
        (json!(i64::MAX), i64::MAX.unsigned_abs(), 0),
        (json!(u64::MAX), u64::MAX, 0),
        (json!(i64::MIN), 1, 0),
        (json!([1]), 1, 0),
    ];
    let events: Vec<Value> = counts
        .iter()
        .zip(1..)
        .map(|((count, _, _), version)| {
            let mut event = event("counted", version, 1);
            event["count"] = count.clone();
            event
        })
        .collect();
    let came = delivered(&mut host, &gateway, &events);
    let told: Vec<_> =
        came.iter().map(|record| (record["count"].as_u64(), record["new_occurrences"].as_u64())).collect();
    let expected: Vec<_> = counts.iter().map(|(_, count, new)| (Some(*count), Some(*new))).collect();
    assert_eq!(told, expected);
    host.quit();
}

#[test]
fn versions_that_are_no_numbers_are_versions_all_the_same() {
    let versions = [
        json!("7"),
        json!("abc"),
        json!("-1"),
        json!("18446744073709551615"),
        json!("18446744073709551616"),
        json!("9223372036854775808"),
        json!("7 "),
        json!("7.0"),
        json!("0x7"),
        json!("٧"),
        json!("9".repeat(10_000)),
        json!(8),
        json!(-8),
        json!(""),
    ];
    let odd = |version: &Value| {
        let mut event = event("versioned", 1, 1);
        event["metadata"]["resourceVersion"] = version.clone();
        event
    };
    let gateway = TestGateway::start();
    let mut host = started(&gateway, &[]);
    let came = delivered(&mut host, &gateway, &versions.iter().map(odd).collect::<Vec<_>>());
    let ids: Vec<_> = came.iter().map(|record| record["id"].as_str().expect("an id").to_owned()).collect();
    let text = |version: &Value| match version {
        // The count and the time stand in for it.
        Value::String(text) if text.is_empty() => "versioned.1-2026-11-20T23:29:49Z".to_owned(),
        Value::String(text) => format!("versioned.{text}"),
        other => format!("versioned.{other}"),
    };
    assert_eq!(ids, versions.iter().map(text).collect::<Vec<_>>());
    // No text, and so no version: they are one state, which has come already.
    for nothing in [json!(null), json!(7.5), json!(["7"]), json!({"7": 7})] {
        assert_eq!(host.deliver("a", "t", &chunk::of([&odd(&nothing)])), Code::Ok);
    }
    assert_eq!(gateway.accepted_ids().len(), 2 + versions.len());
    host.quit();
}

#[test]
fn times_at_the_ends_of_the_calendar_are_told_or_null() {
    let times = [
        ("0000-01-01T00:00:00Z", Some("0000-01-01T00:00:00Z")),
        ("0001-01-01T00:00:00Z", Some("0001-01-01T00:00:00Z")),
        ("9999-12-31T23:59:59.999999999Z", Some("9999-12-31T23:59:59.999999999Z")),
        ("9999-12-31T23:59:59+14:00", Some("9999-12-31T09:59:59Z")),
        ("9999-12-31T23:59:59-00:01", None),
        ("0000-01-01T00:00:00+00:01", None),
        ("10000-01-01T00:00:00Z", None),
        ("+10000-01-01T00:00:00Z", None),
        ("-0001-01-01T00:00:00Z", None),
        ("1900-02-29T00:00:00Z", None),
        ("2024-02-29T00:00:00Z", Some("2024-02-29T00:00:00Z")),
        ("2026-11-20T24:00:00Z", None),
        ("2026-11-20", None),
        ("1795217329", None),
        ("never", None),
        ("2026-11-20T23:28:49.0000000001Z", Some("2026-11-20T23:28:49.000000000Z")),
    ];
    let gateway = TestGateway::start();
    let mut host = started(&gateway, &[]);
    let mut events = Vec::new();
    for (number, (time, _)) in times.iter().enumerate() {
        let mut event = event(&format!("time-{number}"), 1, 1);
        event["firstTimestamp"] = json!(time);
        event["lastTimestamp"] = json!(time);
        events.push(event);
    }
    // The last second of a leap day of the clock, none at all, and numbers for texts.
    let mut leap = event("leap", 1, 1);
    leap["lastTimestamp"] = json!("2016-12-31T23:59:60Z");
    let mut none = event("none", 1, 1);
    for name in ["firstTimestamp", "lastTimestamp"] {
        none[name] = json!(null);
    }
    none["metadata"]["creationTimestamp"] = json!(1_795_217_329);
    events.extend([leap, none]);
    let came = delivered(&mut host, &gateway, &events);
    assert_eq!(came.len(), events.len());
    for ((time, expected), record) in times.iter().zip(&came) {
        assert_eq!((&record["time"], &record["first_time"]), (&json!(expected), &json!(expected)), "{time}");
    }
    // A leap second is no second of the clock; RFC 3339 lets it be written, and it is told as the one before it.
    assert_eq!(came[times.len()]["time"], "2016-12-31T23:59:59Z");
    assert_eq!(came[times.len() + 1]["time"], json!(null));
    host.quit();
}
