//! Seeds are made of real data: the recorded cluster, its events, and chunks of a real Fluent Bit.

use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use serde_json::{Value, json};

use super::wrapped::WRAPPERS;

/// The head of a record in each framing: Fluent Bit 5, those before it, the old framing with a time, a number and
/// a float.
pub const HEADS: [&[u8]; 5] = [
    &[0x92, 0x92, 0xd7, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0x80],
    &[0xdd, 0, 0, 0, 2, 0xdd, 0, 0, 0, 2, 0xd7, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0xdf, 0, 0, 0, 0],
    &[0x92, 0xd7, 0, 0, 0, 0, 9, 0, 0, 0, 0],
    &[0x92, 0xce, 0x65, 0, 0, 0],
    &[0xdc, 0, 2, 0xcb, 0x41, 0xd0, 0, 0, 0, 0, 0, 0],
];

/// A file of `tests/data`, from the crate of the tests or of the fuzz targets.
pub fn file(name: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let near = root.join("tests/data");
    if near.exists() { near.join(name) } else { root.join("../tests/data").join(name) }
}

/// The lines of a file of JSON, compressed or not.
pub fn lines(name: &str) -> Vec<Value> {
    let bytes = std::fs::read(file(name)).expect("test data");
    let mut text = String::new();
    let read = if name.ends_with(".gz") {
        MultiGzDecoder::new(&*bytes).read_to_string(&mut text)
    } else {
        bytes.as_slice().read_to_string(&mut text)
    };
    read.expect("whole test data");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// The recording of a cluster, line by line: `{"ms", "resource", "type", "object"}`.
pub fn recording() -> Vec<Value> {
    lines("recording.ndjson.gz")
}

/// Records of every kind, in every way they come.
pub fn records() -> Vec<Value> {
    let audits: Vec<Value> = lines("audit.ndjson.gz").into_iter().step_by(23).collect();
    let webhook = std::fs::read_to_string(file("audit-webhook-body.json")).expect("test data");
    let mut webhook: Value = serde_json::from_str(&webhook).expect("JSON");
    webhook["items"].as_array_mut().expect("a list").truncate(3);
    let violations = lines("violations.ndjson");
    let secret = json!({"kind": "Secret", "data": {"password": "aHVudGVyMg=="}, "metadata": {"name": "db"}});
    let mut of_a_secret = audits[0].clone();
    of_a_secret["objectRef"] = json!({"resource": "secrets", "name": "db"});
    of_a_secret["requestObject"] = secret.clone();
    let line = of_a_secret.to_string();
    let others = [
        json!({"log": line, "stream": "stdout"}),
        json!({"log": line[..line.len() - 30]}),
        json!({"message": violations[0].to_string()}),
        json!({"kind": "List", "items": [secret, violations[1], audits[1]]}),
        json!({"type": "ADDED", "object": secret}),
        json!({"order": "A-1", "items": [1, 2.5, null], "text": "plain"}),
        webhook,
        of_a_secret,
    ];
    let events: Vec<Value> = events().into_iter().step_by(3).collect();
    let bare: Vec<Value> = audits.into_iter().chain(violations).chain(others).chain(events).collect();
    // Each of them in another wrapper, and every third in two.
    let wrapped = bare.iter().enumerate().map(|(place, record)| {
        let outer = WRAPPERS[place % WRAPPERS.len()].wrap;
        let inner = WRAPPERS[place / 3 % WRAPPERS.len()].wrap;
        if place % 3 == 0 { outer(&inner(record)) } else { outer(record) }
    });
    let wrapped: Vec<Value> = wrapped.collect();
    bare.into_iter().chain(wrapped).collect()
}

/// Events of either API group, most of them without what is a quarter of their bytes.
pub fn events() -> Vec<Value> {
    let mut recorded = recording();
    recorded.retain(|line| line["resource"] == "events");
    let recorded: Vec<Value> = recorded.into_iter().map(|mut line| line["object"].take()).collect();
    let newer = lines("events-events.k8s.io-v1.ndjson");
    let mut events: Vec<Value> =
        recorded.into_iter().step_by(29).chain(newer.into_iter().step_by(37)).collect();
    for (place, event) in events.iter_mut().enumerate() {
        if place % 5 > 0 {
            event["metadata"].as_object_mut().expect("metadata").remove("managedFields");
        }
    }
    events
}

/// As `MessagePack`, every number and length in its shortest form.
pub fn packed(value: &Value) -> Vec<u8> {
    rmp_serde::to_vec(value).expect("a Vec takes everything")
}

/// The same with each member of each object twice, of which the first is nothing: as JSON has it, the last counts.
pub fn packed_twice(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    pack_twice(value, &mut out);
    out
}

fn pack_twice(value: &Value, out: &mut Vec<u8>) {
    let head = |marker: u8, count: usize| {
        let count = u32::try_from(count).expect("a count");
        [&[marker][..], &count.to_be_bytes()].concat()
    };
    match value {
        Value::Array(items) => {
            out.extend(head(0xdd, items.len()));
            items.iter().for_each(|item| pack_twice(item, out));
        }
        Value::Object(members) => {
            out.extend(head(0xdf, members.len() * 2));
            for key in members.keys() {
                out.extend(packed(&Value::from(key.as_str())));
                out.push(0xc0);
            }
            for (key, value) in members {
                out.extend(packed(&Value::from(key.as_str())));
                pack_twice(value, out);
            }
        }
        scalar => out.extend(packed(scalar)),
    }
}
