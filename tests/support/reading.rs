//! Settings read as the border reads them, from properties given by a test.
#![allow(dead_code, reason = "each test binary uses another part of it")]

use std::collections::BTreeMap;
use std::path::Path;

use event_gateway::config::{self, Mistake, Settings};

/// Reads properties as the border hands them over: looked up by name, unset and empty alike.
pub fn read(properties: &[(&str, &[u8])]) -> Result<Settings, Vec<Mistake>> {
    let properties: BTreeMap<_, _> = properties.iter().copied().collect();
    let property =
        |key: &str| properties.get(key).filter(|value| !value.is_empty()).map(|value| value.to_vec());
    let readable = |path: &Path| std::fs::read(path).map(drop).map_err(|error| error.to_string());
    config::read(&config::Source {
        property: &property,
        readable: &readable,
        writable: &|_| Ok(()),
        environment: &|_| None,
    })
}

/// With an endpoint, so that only the others can be wrong.
pub fn read_with(properties: &[(&str, &str)]) -> Result<Settings, Vec<Mistake>> {
    let mut all: Vec<(&str, &[u8])> = vec![("endpoint", b"https://gateway.example/events")];
    all.extend(properties.iter().map(|(key, value)| (*key, value.as_bytes())));
    read(&all)
}

pub fn keys_of(mistakes: &[Mistake]) -> Vec<&str> {
    mistakes.iter().map(|mistake| mistake.key).collect()
}
