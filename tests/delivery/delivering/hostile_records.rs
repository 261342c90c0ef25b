//! Is nothing lost, and nothing delivered twice, of records that nobody should send?
//!
//! Each goes between good neighbours, twice.

use super::{neighbours, support};
use event_gateway::record::MAX_RECORD_BYTES;
use event_gateway::record::cursor::MAX_DEPTH;
use event_gateway::record::depth_limit::LEFT_OUT;
use neighbours::{delivered, delivered_bytes, started};
use serde_json::{Value, json};
use support::gateway::{Answer, TestGateway};
use support::host::Code;
use support::kube_api::KubeApi;
use support::{chunk, event};

/// Clears a screen, rings, begins a line of its own, and the C1 way to an escape.
const ESCAPES: &str = "\u{1b}[2J\u{1b}]0;title\u{7}\r\n[error] forged\u{0}\u{85}\u{9b}31m\u{7f}";

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
    let settings = [("dead_letter_file", file.to_str().expect("UTF-8")), ("other", "drop")];
    let mut host = started(&gateway, &settings);
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
        let said = hostile.pointer(name).and_then(Value::as_str).expect("a text");
        assert_eq!(came[0].pointer(place), Some(&json!(support::plain(said))), "{place}");
    }
    // Now with all the reasons to speak of it: refused one by one, unreadable, no event, a strange tag.
    gateway.set_default(Answer::status(422).body(format!("no {ESCAPES}")));
    let other = event(&format!("other{ESCAPES}"), 2, 1);
    // A tag is a C string.
    let tag = format!("kube{}", ESCAPES.replace('\0', ""));
    let broken = [&chunk::v2(&json!({"log": ESCAPES}), 1)[..], &[0xc1]].concat();
    assert_eq!(host.deliver("a", &tag, &[chunk::of([&other]), broken].concat()), Code::Ok);
    for said in ["was put into dead_letter_file", "is of no kind", "could not be read"] {
        let line = host.wait_log(said);
        assert!(line.text.contains("forged"), "{line:?}");
    }
    for line in host.logs() {
        assert!(!line.text.contains(char::is_control), "{line:?}");
    }
    let letters = std::fs::read_to_string(&file).expect("letters");
    assert!(!letters.replace('\n', "").contains(|c: char| c < ' '), "{letters:?}");
    let letters: Vec<Value> = letters.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let of_the_chunk = |letter: &&Value| letter["record"]["tag"].is_string();
    let refused = letters.iter().find(|letter| !of_the_chunk(letter)).expect("the one that was refused");
    assert_eq!(refused["record"]["metadata"]["uid"], other["metadata"]["uid"]);
    let unread = letters.iter().find(of_the_chunk).expect("the one that was not read");
    assert!(
        !unread["record"]["tag"]
            .as_str()
            .expect("a tag")
            .contains(|c: char| c.is_control() && c != '\n' && c != '\r')
    );
    host.quit();
}

#[test]
fn a_message_of_a_megabyte_is_delivered_or_dead_lettered_by_its_size() {
    let gateway = TestGateway::start();
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("dead");
    let settings = [("dead_letter_file", file.to_str().expect("UTF-8")), ("max_message_bytes", "16M")];
    let mut host = started(&gateway, &settings);
    let of_size = |uid: &str, bytes: usize| {
        let mut event = event(uid, 1, 1);
        let size = |event: &Value| {
            let mut body = Vec::new();
            chunk::write_value(&mut body, event);
            body.len()
        };
        // The head of a text of that length has five bytes.
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
    let dead_letter: Vec<_> = letters.iter().map(|letter| letter["id"].as_str().expect("an id")).collect();
    assert_eq!(dead_letter, ["above.1", "far.1"], "once each");
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
    // The last member of a map has a value that no JSON library would build for us.
    let mut bomb = chunk::v2(&json!({"involvedObject": {}, "odd": null}), 1);
    bomb.pop();
    bomb.extend([0x91; 10_000]);
    bomb.push(0xc0);
    records.insert(2, bomb);
    let came = delivered_bytes(&mut host, &gateway, &records);
    let ids: Vec<_> = came.iter().map(|record| record["id"].as_str().expect("an id")).collect();
    assert_eq!([ids[0], ids[1], ids[3]], ["whole.1", "too-deep.1", "next.1"]);
    assert_eq!(came[0]["odd"], nested(deepest));
    // What lies deeper is what they lose.
    let cut = |record: &Value| record["odd"].to_string();
    assert!(cut(&came[1]).contains(LEFT_OUT) && !cut(&came[1]).contains("core"));
    assert!(cut(&came[2]).contains(LEFT_OUT) && cut(&came[2]).starts_with("[[["));
    host.wait_log("nests deeper than");
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
        (b"\xaeinvolvedObject", json!({"kind": "Service", "name": "last"})),
        (b"\xa8metadata", json!({"uid": "last", "resourceVersion": "8"})),
        (b"\xa6reason", json!("Last")),
        (b"\xa5count", json!(3)),
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
fn of_ten_thousand_labels_the_first_are_delivered_and_the_others_counted() {
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
        let delivered = came[0].pointer(place).and_then(Value::as_object).expect("labels of the object");
        assert!(delivered.iter().all(|(name, value)| labels[name] == *value), "{format}");
        assert_eq!(
            (delivered.len(), came[0].pointer(&format!("{place}_omitted"))),
            (64, Some(&json!(9_936))),
            "{format}"
        );
        let annotations = came[0].pointer(&place.replace("labels", "annotations"));
        assert_eq!(annotations.and_then(Value::as_object).map(serde_json::Map::len), Some(10), "{format}");
        if format == "raw" {
            assert_eq!(came[0]["metadata"]["labels"], labels, "of the event itself");
        }
        host.quit();
    }
}
