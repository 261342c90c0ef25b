//! Records held against golden files and against the schema.
use crate::places::repository;
use std::sync::OnceLock;

use serde_json::Value;

/// Holds records, a line each, against a file of tests/golden; with `UPDATE_GOLDEN` set the file is written anew.
pub fn assert_golden(name: &str, records: &[Value]) {
    assert_golden_text(name, &records.iter().map(|record| format!("{record}\n")).collect::<String>());
}

/// The same of lines as they are.
pub fn assert_golden_text(name: &str, found: &str) {
    let file = repository().join("tests/golden").join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&file, found).expect("a golden file");
    }
    let golden = std::fs::read_to_string(&file).unwrap_or_default();
    for (number, (found, golden)) in found.lines().zip(golden.lines()).enumerate() {
        assert_eq!(found, golden, "{name}, line {}", number + 1);
    }
    assert_eq!(found.len(), golden.len(), "{name}");
}

/// A record is what docs/native-schema.json says.
pub fn assert_native(record: &Value) {
    static SCHEMA: OnceLock<jsonschema::Validator> = OnceLock::new();
    let validator = SCHEMA.get_or_init(|| {
        let file = repository().join("docs/native-schema.json");
        let schema = std::fs::read(file).expect("the schema");
        let schema = serde_json::from_slice(&schema).expect("JSON");
        jsonschema::draft202012::new(&schema).expect("a schema")
    });
    if let Some(error) = validator.iter_errors(record).next() {
        panic!("{error} at {} in {record}", error.instance_path());
    }
}
