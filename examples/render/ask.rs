//! The words of the command line: `--format template --template-file F`, each the key of a setting with its value.

use std::path::Path;

use event_gateway::config::keys::KEYS;
use event_gateway::config::{self, RenderSettings, Source};

/// The settings as the plugin reads them of the same words.
///
/// # Errors
/// What is wrong with them, for a person.
pub fn settings(mut words: impl Iterator<Item = String>) -> Result<RenderSettings, String> {
    let mut given: Vec<(String, String)> = vec![("endpoint".into(), "http://127.0.0.1/".into())];
    while let Some(word) = words.next() {
        let key = word.strip_prefix("--").map(|key| key.replace('-', "_")).unwrap_or_default();
        if KEYS.iter().all(|known| known.name != key) {
            return Err(format!(
                "{word}: expected --format, --template-file, --batch-as, --omit-null or another setting, and its value"
            ));
        }
        let value = words.next().ok_or_else(|| format!("{word}: its value is not there"))?;
        given.push((key, value));
    }
    let last = |name: &str| {
        given.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.as_bytes().to_vec())
    };
    let contents = |path: &Path| std::fs::read_to_string(path).map_err(|error| error.to_string());
    let source = Source {
        property: &|name| last(name).filter(|value| !value.is_empty()),
        readable: &|path| contents(path).map(drop),
        contents: &contents,
        writable: &|_| Ok(()),
        environment: &|_| None,
    };
    match config::read(&source) {
        Ok(settings) => Ok(settings.render),
        Err(mistakes) => Err(mistakes.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")),
    }
}
