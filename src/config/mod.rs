//! Reads and checks the settings, and reports all errors at once.
//!
//! The host passes every property as a string (`output_get_property`), does not check our types and, before 5.1.1,
//! ignores a misspelt key. So all checks are here. [`read`] checks every key before it returns, so that a user can fix
//! all errors at once instead of one per restart.

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
use std::io;
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
use units::ValueError;

/// The suffixes of the files that the plugin writes beside a `state_file`.
const RESERVED_SUFFIXES: [&str; 4] = [".in-flight", ".topology", ".topology.new", ".unfinished"];

/// One error in the settings: the key, the problem, and what was expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    pub key: &'static str,
    /// The problem, as the end of a sentence that begins with the key. Never contains a secret.
    pub problem: String,
    pub expected: String,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; expected {}", self.key, self.problem, self.expected)
    }
}

/// Access to everything that the settings depend on: the host's properties, the files that they name, and the
/// environment.
pub struct Source<'a> {
    /// The bytes of a property; `None` if it is unset or empty (the host does not distinguish them).
    pub property: &'a dyn Fn(&str) -> Option<Vec<u8>>,
    /// Checks that a file can be read; the error says why not.
    pub readable: &'a dyn Fn(&Path) -> Result<(), PathError>,
    /// Reads the text of a file, once, at the start; the error says why it cannot be read.
    pub contents: &'a dyn Fn(&Path) -> Result<String, PathError>,
    /// Checks that a file can be written or created; the error says why not.
    pub writable: &'a dyn Fn(&Path) -> Result<(), PathError>,
    /// A variable of the environment, which says whether we run in a pod.
    pub environment: &'a dyn Fn(&str) -> Option<String>,
}

/// Why a file that a setting names is of no use. The setting is refused.
#[derive(Debug)]
pub enum PathError {
    Io(io::Error),
    NotUtf8,
    /// The path leads through something that is no folder.
    NotInAFolder,
    /// The folder that it would be in.
    Folder(io::Error),
}

impl fmt::Display for PathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => error.fmt(f),
            Self::NotUtf8 => f.write_str("it is not UTF-8"),
            Self::NotInAFolder => f.write_str("it lies in something that is no folder"),
            Self::Folder(error) => write!(f, "its folder cannot be used: {error}"),
        }
    }
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

/// Reads keys and collects their errors.
struct Reader<'a> {
    source: &'a Source<'a>,
    keys: &'static [Key],
    errors: Vec<ConfigError>,
}

impl Reader<'_> {
    fn refuse(&mut self, key: &'static str, problem: impl Into<String>, expected: impl Into<String>) {
        let error = ConfigError { key, problem: problem.into(), expected: expected.into() };
        // A key may be read more than once.
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
            self.refuse(key, "contains a control character", "one line of text");
            return None;
        }
        text.or_else(|| self.default_of(key).map(str::to_owned))
    }

    /// The format, or `None` if its word is unknown; [`settings::read`] reports that error.
    fn format(&self) -> Option<FormatName> {
        let text = (self.source.property)("format")?;
        units::choice(str::from_utf8(&text).ok()?.trim(), FormatName::WORDS).ok()
    }

    /// The value of a key, parsed by `parse`.
    fn parsed<T>(
        &mut self,
        key: &'static str,
        parse: impl FnOnce(&str) -> Result<T, ValueError>,
    ) -> Option<T> {
        let text = self.text(key)?;
        match parse(&text) {
            Ok(value) => Some(value),
            Err(error) => {
                self.refuse(key, error.problem, error.expected);
                None
            }
        }
    }

    /// A file that must be readable at the start; it is read again when it changes.
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
        if let Some(end) = RESERVED_SUFFIXES
            .into_iter()
            .find(|end| path.as_os_str().as_encoded_bytes().ends_with(end.as_bytes()))
        {
            // It may be the file of another output, and each output would take the other's content for damage.
            self.refuse(key, format!("ends in {end}, as files beside a state_file do"), "another name");
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
            // An empty list would mean "not set" and select everything.
            self.refuse(key, "contains no pattern", "a comma list, such as shop, kube-*");
        }
        patterns
    }
}

/// A path for a log, unless it may be a secret that was pasted by accident.
fn shown_path(path: &Path) -> String {
    const SHOWN: usize = 300; // longer than any path in use
    let text = path.display().to_string();
    if text.starts_with(['/', '.']) { units::shorten(&text, SHOWN) } else { "the file it names".to_owned() }
}
