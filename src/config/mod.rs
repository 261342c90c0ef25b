//! Settings: strings in, checked settings out, every error reported at once.
//!
//! The host hands every property as a string (`output_get_property`), knows no types of ours and, before
//! 5.1.1, lets a misspelt key pass. So all checking is here. [`read`] looks at every key before it
//! answers, so that a user fixes a configuration in one go instead of one key a restart.

mod credentials;
mod endpoint;
mod filter;
mod format;
mod headers;
pub mod keys;
mod redaction;
mod remote;
mod selection;
mod services;
mod settings;
pub mod shown;
mod template;
mod topology;
mod trust;
pub mod units;

use std::fmt;
use std::path::{Path, PathBuf};

pub use credentials::Credentials;
pub use endpoint::{FileSettings, Scheme};
pub use filter::FilterSettings;
pub use format::{Compress, FormatName, KeyPlace};
pub use redaction::Redaction;
pub use remote::{Endpoint, Tls, is_loopback};
pub use selection::{Kinds, Selection};
pub use services::ServiceSettings;
pub use settings::{DeadLetters, Guarantee, LedgerSettings, Others, RenderSettings, Settings, Updates};
pub use template::{BatchAs, TemplateSettings};
pub use topology::{CorrelationSettings, TopologySettings};
pub use trust::Weaknesses;

use crate::pattern::Patterns;
use keys::Key;

/// How the files end whose names are made of that of a `state_file`.
const BESIDE: [&str; 4] = [".in-flight", ".topology", ".topology.new", ".unfinished"];

/// One thing wrong with the settings: which key, what stood there, what was expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    pub key: &'static str,
    /// What is wrong with it. Never holds a secret's value.
    pub problem: String,
    pub expected: String,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; expected {}", self.key, self.problem, self.expected)
    }
}

/// Where the settings come from: the host's properties, and a look at the files they name and
/// at the environment.
pub struct Source<'a> {
    /// The bytes of a property, or `None` when it is unset or empty (the host makes no difference).
    pub property: &'a dyn Fn(&str) -> Option<Vec<u8>>,
    /// Whether a file can be read; the error says why not.
    pub readable: &'a dyn Fn(&Path) -> Result<(), String>,
    /// The text of a file that is read once, at the start; the error says why there is none.
    pub contents: &'a dyn Fn(&Path) -> Result<String, String>,
    /// Whether a file can be written, or made; the error says why not.
    pub writable: &'a dyn Fn(&Path) -> Result<(), String>,
    /// A variable of the environment: whether we run in a pod is said there.
    pub environment: &'a dyn Fn(&str) -> Option<String>,
}

/// Reads and checks all settings of the output.
///
/// # Errors
/// All errors, in the order of [`keys::KEYS`]; never just the first.
pub fn read(source: &Source<'_>) -> Result<Settings, Vec<ConfigError>> {
    all_or_every_error(source, keys::KEYS, settings::read)
}

/// Reads and checks all settings of the filter.
///
/// # Errors
/// All errors, in the order of [`keys::FILTER_KEYS`]; never just the first.
pub fn read_filter(source: &Source<'_>) -> Result<FilterSettings, Vec<ConfigError>> {
    all_or_every_error(source, keys::FILTER_KEYS, filter::read)
}

fn all_or_every_error<S>(
    source: &Source<'_>,
    keys: &'static [Key],
    read: impl FnOnce(&mut Reader<'_>) -> Option<S>,
) -> Result<S, Vec<ConfigError>> {
    let mut reader = Reader { source, keys, errors: Vec::new() };
    let settings = read(&mut reader);
    let mut errors = reader.errors;
    match settings {
        Some(settings) if errors.is_empty() => Ok(settings),
        _ => {
            errors.sort_by_key(|error| keys.iter().position(|key| key.name == error.key));
            Err(errors)
        }
    }
}

/// Looks keys up and collects what is wrong with them.
struct Reader<'a> {
    source: &'a Source<'a>,
    keys: &'static [Key],
    errors: Vec<ConfigError>,
}

impl Reader<'_> {
    fn refuse(&mut self, key: &'static str, problem: impl Into<String>, expected: impl Into<String>) {
        let error = ConfigError { key, problem: problem.into(), expected: expected.into() };
        // A key may be looked at more than once.
        if !self.errors.contains(&error) {
            self.errors.push(error);
        }
    }

    fn default_of(&self, name: &str) -> Option<&'static str> {
        if name == "compress" && self.format().is_some_and(|format| format.compress() == Compress::None) {
            return Some("none");
        }
        self.keys.iter().find(|key| key.name == name).and_then(|key| key.default)
    }

    /// The trimmed text of a key, or its default from the table of keys.
    fn text(&mut self, key: &'static str) -> Option<String> {
        let bytes = (self.source.property)(key);
        let text = match bytes.map(String::from_utf8) {
            Some(Ok(text)) => Some(text.trim().to_owned()),
            Some(Err(_)) => {
                self.refuse(key, "is not UTF-8", "UTF-8 text");
                None
            }
            None => None,
        };
        let text = text.filter(|text| !text.is_empty());
        if let Some(text) = &text
            && text.contains(|c: char| c.is_control())
        {
            self.refuse(key, "holds a control character", "one line of text");
            return None;
        }
        text.or_else(|| self.default_of(key).map(str::to_owned))
    }

    /// As far as it is one; whoever reads the settings tells when it is none.
    fn format(&self) -> Option<FormatName> {
        let text = (self.source.property)("format")?;
        units::choice(str::from_utf8(&text).ok()?.trim(), FormatName::WORDS).ok()
    }

    /// A key parsed by `parse`, whose error is the pair (problem, expected).
    fn parsed<T>(
        &mut self,
        key: &'static str,
        parse: impl FnOnce(&str) -> Result<T, units::Bad>,
    ) -> Option<T> {
        let text = self.text(key)?;
        match parse(&text) {
            Ok(value) => Some(value),
            Err(bad) => {
                self.refuse(key, bad.problem, bad.expected);
                None
            }
        }
    }

    /// A file that must be readable at start; it is read again when it changes.
    fn file(&mut self, key: &'static str) -> Option<std::path::PathBuf> {
        let path = PathBuf::from(self.text(key)?);
        match (self.source.readable)(&path) {
            Ok(()) => Some(path),
            Err(why) => {
                self.refuse(key, format!("{} cannot be read ({why})", shown_path(&path)), "a readable file");
                None
            }
        }
    }

    /// A file that the plugin writes.
    fn own_file(&mut self, key: &'static str) -> Option<PathBuf> {
        let path = PathBuf::from(self.text(key)?);
        if let Some(end) =
            BESIDE.into_iter().find(|end| path.as_os_str().as_encoded_bytes().ends_with(end.as_bytes()))
        {
            // Of another output it may be that very file, and each would take the other's for damaged.
            self.refuse(
                key,
                format!("ends in {end}, as a file that lies beside a state_file does"),
                "another name",
            );
        }
        if let Err(why) = (self.source.writable)(&path) {
            self.refuse(
                key,
                format!("{} cannot be written ({why})", shown_path(&path)),
                "a file that can be written",
            );
        }
        Some(path)
    }

    fn patterns(&mut self, key: &'static str) -> Patterns {
        self.patterns_with(key, Patterns::parse)
    }

    fn patterns_with(&mut self, key: &'static str, parse: fn(&str) -> Patterns) -> Patterns {
        let Some(text) = self.text(key) else { return Patterns::default() };
        let patterns = parse(&text);
        if patterns.is_empty() {
            // Taken for "not set" it would let everything through.
            self.refuse(key, "holds no pattern", "a comma list, such as shop, kube-*");
        }
        patterns
    }
}

/// A path, unless it may be a secret that was pasted where a file's name belongs.
fn shown_path(path: &Path) -> String {
    const SHOWN: usize = 300; // of those that are in use, the whole
    let text = path.display().to_string();
    if text.starts_with(['/', '.']) { units::shorten(&text, SHOWN) } else { "the file it names".to_owned() }
}
