//! Does the sample template say of every recorded event what was reviewed?
//!
//! `UPDATE_GOLDEN=1 cargo test --test formats templates::golden_file` writes tests/golden anew; read the difference
//! first.

use serde_json::Value;

use super::golden::assert_golden;
use super::support::chunk;
use super::trying::{json, open};

/// A template of twelve fields, as the documentation shows it.
const TEMPLATE: &str = include_str!("../../../fluent-bit-conf/template.json");

fn events(name: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(chunk::data_file(name)).expect("data");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

#[test]
fn the_sample_template_gives_the_golden_file_in_both_api_groups() {
    let renderer = open(TEMPLATE, false).unwrap_or_else(|errors| panic!("{errors:?}"));
    let of = |events: &[Value]| events.iter().map(|event| json(&renderer, event)).collect::<Vec<_>>();
    let core = of(&events("events-core-v1.ndjson"));
    assert_eq!(core.len(), 491);
    assert!(core.iter().all(|record| record.as_object().is_some_and(|record| record.len() == 12)));
    assert_golden("template.ndjson", &core);
    assert_eq!(of(&events("events-events.k8s.io-v1.ndjson")), core);
}
