//! Settings read as the border reads them, from properties given by a test.
use std::collections::BTreeMap;
use std::path::Path;

use event_gateway::config::{self, ConfigError, FilterSettings, Settings, Source};

/// Reads properties as the border hands them over: looked up by name, unset and empty alike.
pub fn read(properties: &[(&str, &[u8])]) -> Result<Settings, Vec<ConfigError>> {
    from(properties, config::read)
}

/// The same for the filter.
pub fn read_filter(properties: &[(&str, &[u8])]) -> Result<FilterSettings, Vec<ConfigError>> {
    from(properties, config::read_filter)
}

fn from<S>(properties: &[(&str, &[u8])], read: impl FnOnce(&Source<'_>) -> S) -> S {
    let properties: BTreeMap<_, _> = properties.iter().copied().collect();
    let property =
        |key: &str| properties.get(key).filter(|value| !value.is_empty()).map(|value| value.to_vec());
    let readable = |path: &Path| std::fs::read(path).map(drop).map_err(config::PathError::Io);
    let contents = |path: &Path| std::fs::read_to_string(path).map_err(config::PathError::Io);
    read(&Source {
        property: &property,
        readable: &readable,
        contents: &contents,
        writable: &|_| Ok(()),
        environment: &|_| None,
    })
}

/// With an endpoint, so that only the others can be wrong.
pub fn read_with(properties: &[(&str, &str)]) -> Result<Settings, Vec<ConfigError>> {
    let mut all: Vec<(&str, &[u8])> = vec![("endpoint", b"https://gateway.example/events")];
    all.extend(properties.iter().map(|(key, value)| (*key, value.as_bytes())));
    read(&all)
}

pub fn keys_of(errors: &[ConfigError]) -> Vec<&str> {
    errors.iter().map(|error| error.key).collect()
}
