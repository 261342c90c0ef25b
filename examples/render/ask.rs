//! The words of the command line: `--format template --template-file F`, each the key of a setting with its value.

use std::path::Path;

use event_gateway::config::keys::KEYS;
use event_gateway::config::{self, FormatName, PathError, Settings, Source};

/// The keys that take effect on what is shown. The others are refused, see [`why_not`].
pub const HEEDED: &[&str] = &[
    "format",
    "elasticsearch_index",
    "template_file",
    "batch_as",
    "omit_null",
    "cluster_name",
    "batch_events",
    "batch_bytes",
    "splunk_index",
    "splunk_source",
    "splunk_sourcetype",
    "alertmanager_expires_after",
    "ledger_max_entries",
    "updates",
    "kinds",
    "other",
    "namespaces",
    "exclude_namespaces",
    "types",
    "reasons",
    "exclude_reasons",
    "verbs",
    "levels",
    "users",
    "exclude_users",
    "resources",
    "enforcement_actions",
    "audit_bodies",
    "redact",
    "redact_hash",
    "max_message_bytes",
];

/// Why a key that is not [`HEEDED`] is refused: it would be of no effect, or touch what the plugin in use has.
#[must_use]
pub fn why_not(key: &str) -> &'static str {
    match key {
        "state_file" | "ledger_ttl" | "dead_letter_file" | "dead_letter_max_bytes" => {
            "render keeps nothing: what would be dead-lettered is shown, and each run begins anew"
        }
        "correlate" | "tombstone_ttl" | "topology_wait" | "max_services" | "labels" | "annotations" => {
            "render looks at no cluster, so that no record names a Service"
        }
        key if key.starts_with("kube_") => "render looks at no cluster, so that no record names a Service",
        "content_type" | "compress" => "render shows bodies as they are before compression, and no headers",
        _ => "render sends nothing",
    }
}

/// The settings as the plugin reads them of the same words. Files of the plugin's own lie in `folder`.
///
/// # Errors
/// What is wrong with them, for a person.
pub fn settings(mut words: impl Iterator<Item = String>, folder: &Path) -> Result<Settings, String> {
    let mut given: Vec<(String, String)> = Vec::new();
    while let Some(word) = words.next() {
        let key = word.strip_prefix("--").map(|key| key.replace('-', "_")).unwrap_or_default();
        if KEYS.iter().all(|known| known.name != key) {
            return Err(format!(
                "{word}: expected --format, --template-file, --batch-as, --omit-null or another setting, and its value"
            ));
        }
        if !HEEDED.contains(&&*key) {
            return Err(format!("{word}: is of no effect here; {}; leave it out", why_not(&key)));
        }
        let value = words.next().ok_or_else(|| format!("{word}: its value is not there"))?;
        given.push((key, value));
    }
    let last = |name: &str| given.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let own_file = |name: &str| folder.join(name).to_string_lossy().into_owned();
    // Some formats ask for the key of their service, which nobody needs to be shown what they make.
    let format = last("format").unwrap_or_default().trim();
    let asks_for_a_key = FormatName::WORDS
        .iter()
        .any(|(word, one)| format.eq_ignore_ascii_case(word) && one.key_place().is_some());
    let property = |name: &str| match name {
        "endpoint" => Some("http://127.0.0.1/".to_owned()),
        "compress" => Some("none".to_owned()),
        "correlate" => Some("off".to_owned()),
        "state_file" | "dead_letter_file" => Some(own_file(name)),
        "dead_letter_max_bytes" => Some("1000000000000".to_owned()),
        "api_key_file" => asks_for_a_key.then(|| own_file(name)),
        name => last(name).filter(|value| !value.is_empty()).map(str::to_owned),
    };
    let contents = |path: &Path| std::fs::read_to_string(path).map_err(PathError::Io);
    let source = Source {
        property: &|name| property(name).map(String::into_bytes),
        readable: &|path| if path.starts_with(folder) { Ok(()) } else { contents(path).map(drop) },
        contents: &contents,
        writable: &|_| Ok(()),
        environment: &|_| None,
    };
    config::read(&source)
        .map_err(|errors| errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
}
