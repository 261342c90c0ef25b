//! Violations of a Gatekeeper constraint.

use serde_json::Value;

use super::chunk::data_file;

/// What a policy engine says in its four ways, from the fields in its sources: exported of an audit and of an
/// admission, and logged of both.
pub fn violations() -> Vec<Value> {
    let text = std::fs::read_to_string(data_file("violations.ndjson")).expect("test data");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}
