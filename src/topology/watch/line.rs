//! Splits one line of a watch into its type and its object, and reads what an `ERROR` says.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

/// A line of a watch.
#[derive(Debug, Deserialize)]
pub struct Line<'a> {
    /// `ADDED`, `MODIFIED`, `DELETED`, `BOOKMARK` or `ERROR`.
    #[serde(rename = "type", borrow)]
    pub what: Cow<'a, str>,
    /// The object's JSON.
    #[serde(borrow, deserialize_with = "bytes")]
    pub object: &'a [u8],
}

fn bytes<'de, D: serde::Deserializer<'de>>(from: D) -> Result<&'de [u8], D::Error> {
    <&RawValue>::deserialize(from).map(|raw| raw.get().as_bytes())
}

impl<'a> Line<'a> {
    /// Splits a line. In the form that the API server writes, the object is not scanned: its reader has to refuse
    /// anything that is not one whole value.
    ///
    /// # Errors
    /// When the line is not an event.
    pub fn read(line: &'a [u8]) -> serde_json::Result<Self> {
        Self::halves(line).map_or_else(|| Self::parse(line), Ok)
    }

    /// The same, and it checks that the line is JSON.
    ///
    /// # Errors
    /// When the line is not an event.
    pub fn parse(line: &'a [u8]) -> serde_json::Result<Self> {
        serde_json::from_slice(line)
    }

    fn halves(line: &'a [u8]) -> Option<Self> {
        let rest = line.strip_prefix(b"{\"type\":\"")?;
        let end = rest.iter().position(|byte| !byte.is_ascii_uppercase())?;
        let (what, rest) = rest.split_at(end);
        let object = rest.strip_prefix(b"\",\"object\":")?.strip_suffix(b"}")?;
        Some(Self { what: Cow::Borrowed(std::str::from_utf8(what).ok()?), object })
    }
}

/// What the API server says in place of an event.
#[derive(Debug)]
pub enum ServerError {
    /// 410: the version from which the watch started is too old.
    Expired,
    /// Another error, as a log line has it.
    Other(String),
}

/// `metav1.Status`.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Status {
    code: u16,
    reason: String,
    message: String,
}

/// Longer than what is logged, because secrets are hidden before the text is cut.
const MOST_SAID_CHARS: usize = 4_000;

impl ServerError {
    /// Reads a `Status`. The reason or the code decides, as in client-go's `IsExpired` and `IsGone`.
    #[must_use]
    pub fn read(object: &[u8]) -> Self {
        let status: Status = serde_json::from_slice(object).unwrap_or_default();
        if status.code == 410 || status.reason == "Expired" || status.reason == "Gone" {
            return Self::Expired;
        }
        let Status { code, reason, message } = status;
        Self::Other(format!("{code} {reason}: {message}").chars().take(MOST_SAID_CHARS).collect())
    }
}
