//! Reads keys from the host, with their defaults, and collects their errors.

use std::path::{Path, PathBuf};

use super::error::{ConfigError, PathError};
use super::format::{Compress, FormatName};
use super::keys::Key;
use super::units::{self, ValueError};
use crate::pattern::Patterns;

/// The suffixes of the files that the plugin writes beside a `state_file`.
const RESERVED_SUFFIXES: [&str; 4] = [".in-flight", ".topology", ".topology.new", ".unfinished"];

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

/// Reads keys and collects their errors.
pub(super) struct Reader<'a> {
    pub(super) source: &'a Source<'a>,
    pub(super) keys: &'static [Key],
    pub(super) errors: Vec<ConfigError>,
}

impl Reader<'_> {
    pub(super) fn refuse(
        &mut self,
        key: &'static str,
        problem: impl Into<String>,
        expected: impl Into<String>,
    ) {
        let error = ConfigError { key, problem: problem.into(), expected: expected.into() };
        // A key may be read more than once.
        if !self.errors.contains(&error) {
            self.errors.push(error);
        }
    }

    pub(super) fn default_of(&self, name: &str) -> Option<&'static str> {
        if name == "compress" && self.format().is_some_and(|format| format.compress() == Compress::None) {
            return Some("none");
        }
        self.keys.iter().find(|key| key.name == name).and_then(|key| key.default)
    }

    /// The trimmed text of a key, or its default from the table of keys.
    pub(super) fn text(&mut self, key: &'static str) -> Option<String> {
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

    /// The format, or `None` if its word is unknown; the caller reports that error.
    fn format(&self) -> Option<FormatName> {
        let text = (self.source.property)("format")?;
        units::choice(str::from_utf8(&text).ok()?.trim(), FormatName::WORDS).ok()
    }

    /// The value of a key, parsed by `parse`.
    pub(super) fn parsed<T>(
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
    pub(super) fn file(&mut self, key: &'static str) -> Option<std::path::PathBuf> {
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
    pub(super) fn own_file(&mut self, key: &'static str) -> Option<PathBuf> {
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

    pub(super) fn patterns(&mut self, key: &'static str) -> Patterns {
        self.patterns_with(key, Patterns::parse)
    }

    pub(super) fn patterns_with(&mut self, key: &'static str, parse: fn(&str) -> Patterns) -> Patterns {
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
pub(super) fn shown_path(path: &Path) -> String {
    const SHOWN: usize = 300; // longer than any path in use
    let text = path.display().to_string();
    if text.starts_with(['/', '.']) { units::shorten(&text, SHOWN) } else { "the file it names".to_owned() }
}
