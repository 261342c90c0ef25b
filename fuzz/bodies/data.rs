//! Seeds are made of real data: the recorded cluster, its events, and chunks of a real Fluent Bit.

use std::io::Read;
use std::path::{Path, PathBuf};

use serde_json::Value;

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

/// The lines of a file of JSON.
pub fn lines(name: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(file(name)).expect("test data");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// The recording of a cluster, line by line: `{"ms", "resource", "type", "object"}`.
pub fn recording() -> Vec<Value> {
    let packed = std::fs::read(file("recording.ndjson.gz")).expect("test data");
    let mut text = String::new();
    flate2::read::MultiGzDecoder::new(&*packed).read_to_string(&mut text).expect("a whole recording");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
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
