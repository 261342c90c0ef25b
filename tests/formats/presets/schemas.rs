//! The formats' own definitions, as JSON Schemas written from their specifications; each says from which.

use std::collections::BTreeMap;

use jsonschema::Validator;
use serde_json::Value;

use super::samples::FORMATS;

pub struct Schemas(BTreeMap<&'static str, Validator>);

impl Schemas {
    pub fn load() -> Self {
        let load = |name: &'static str| {
            let file = format!("{}/tests/data/schemas/{name}.json", env!("CARGO_MANIFEST_DIR"));
            let schema = std::fs::read(file).expect("a schema");
            let schema = serde_json::from_slice(&schema).expect("JSON");
            (name, jsonschema::draft202012::new(&schema).expect("a schema"))
        };
        Self(FORMATS.map(|(name, _)| load(name)).into())
    }

    /// What is wrong with a record of this format.
    pub fn fault(&self, format: &str, record: &Value) -> Option<String> {
        let error = self.0[format].iter_errors(record).next()?;
        Some(format!("{error} at {} in {record}", error.instance_path()))
    }

    #[track_caller]
    pub fn assert_valid(&self, format: &str, text: &str) -> Value {
        let record = serde_json::from_str(text).unwrap_or_else(|error| panic!("{format}: {error}: {text}"));
        if let Some(fault) = self.fault(format, &record) {
            panic!("{format}: {fault}");
        }
        record
    }
}
