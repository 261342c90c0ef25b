//! What is wrong with a setting, and with a file that a setting names.

use std::fmt;
use std::io;

/// One error in the settings: the key, the problem, and what was expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// The setting to change, such as `batch_bytes`.
    pub key: &'static str,
    /// The problem, as the end of a sentence that begins with the key. Never contains a secret.
    pub problem: String,
    /// What a valid value is: a noun phrase, shown after "expected".
    pub expected: String,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; expected {}", self.key, self.problem, self.expected)
    }
}

/// Why a file that a setting names is of no use. The setting is refused.
#[derive(Debug)]
pub enum PathError {
    /// The system refuses to open or read the file.
    Io(io::Error),
    /// Its content is not UTF-8, and it is read as text (`template_file`).
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
