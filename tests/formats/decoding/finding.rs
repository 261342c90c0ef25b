//! What is found in a record, whatever it is wrapped in.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use bumpalo::Bump;
use event_gateway::kind::Kind;
use event_gateway::record::classify::{Within, each};
use serde_json::Value;

use super::{chunk, support};

pub fn packed(record: &Value) -> Vec<u8> {
    let mut body = Vec::new();
    chunk::write_value(&mut body, record);
    body
}

/// What is found in a body: the kind and the bytes of each.
pub fn found(body: &[u8]) -> Vec<(Kind, Vec<u8>)> {
    let (arena, mut found) = (Bump::new(), Vec::new());
    each(body, Within::Record, &arena, &mut |body, content| found.push((content.kind(), body.to_vec())));
    found
}

pub fn found_in(record: &Value) -> Vec<(Kind, Vec<u8>)> {
    found(&packed(record))
}

/// Records of every known kind.
pub fn known() -> Vec<Value> {
    let mut known: Vec<Value> = chunk::watch_events().into_iter().step_by(90).collect();
    let newer = std::fs::read_to_string(chunk::data_file("events-events.k8s.io-v1.ndjson")).unwrap();
    known.extend(newer.lines().step_by(50).map(|line| serde_json::from_str::<Value>(line).unwrap()));
    known.extend(support::audit_log().into_iter().step_by(60));
    known.extend(support::violations());
    known
}

/// The same, as JSON.
pub fn described(record: &Value) -> Vec<(Kind, Value)> {
    found_in(record).into_iter().map(|(kind, body)| (kind, rmp_serde::from_slice(&body).unwrap())).collect()
}
