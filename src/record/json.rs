//! Converts JSON text to MessagePack, for lines that `tail` reads without a parser.

use std::fmt;

use rmp_serde::Serializer;
use serde::de::IgnoredAny;

use super::cursor::{Cursor, DecodeError};
use super::lenient_json;

/// Converts JSON text to the MessagePack value that a parser of the host would have produced, as a value
/// inside a record. A value that parsers refuse is replaced by itself as text: see `lenient_json`.
///
/// # Errors
/// When the text is not JSON, for example cut off. The text of the error includes the column.
pub fn packed(text: &[u8]) -> Result<Vec<u8>, JsonError> {
    let mut packed = Vec::with_capacity(text.len());
    let First { len, .. } = first(text, &mut packed)?;
    if text[len..].trim_ascii_start().is_empty() { Ok(packed) } else { Err(JsonError::Followed { at: len }) }
}

/// Why a text is not read as JSON. The caller takes it for plain text, and says why if it begins as JSON.
#[derive(Debug)]
pub enum JsonError {
    /// It is no JSON, or was cut; shown with the column.
    Syntax(rmp_serde::encode::Error),
    /// It is JSON that no record can hold: it nests too deep.
    Value(DecodeError),
    /// Something follows the JSON.
    Followed {
        /// Where the JSON ends, in bytes from the start of the text.
        at: usize,
    },
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax(error) => error.fmt(f),
            Self::Value(error) => error.fmt(f),
            Self::Followed { at } => write!(f, "something else follows it at byte {at}"),
        }
    }
}

/// The first document of a text.
pub(super) struct First {
    /// Its length in the text.
    pub(super) len: usize,
    /// Nothing in it was replaced or left out.
    pub(super) is_exact: bool,
}

/// Appends the first document of a text and ignores what follows it. On error, `packed` does not change.
///
/// # Errors
/// As [`packed`].
pub(super) fn first(text: &[u8], packed: &mut Vec<u8>) -> Result<First, JsonError> {
    let why = match strict(text, packed) {
        Ok(len) => return Ok(First { len, is_exact: true }),
        Err(why) => why,
    };
    let Some((repaired, len)) = lenient_json::repaired(text) else { return Err(why) };
    strict(&repaired, packed).map_or(Err(why), |_| Ok(First { len, is_exact: false }))
}

fn strict(text: &[u8], packed: &mut Vec<u8>) -> Result<usize, JsonError> {
    let start = packed.len();
    let read = strict_behind(text, packed, start);
    if read.is_err() {
        packed.truncate(start);
    }
    read
}

fn strict_behind(text: &[u8], packed: &mut Vec<u8>, start: usize) -> Result<usize, JsonError> {
    let mut from = serde_json::Deserializer::from_slice(text);
    serde_transcode::transcode(&mut from, &mut Serializer::new(&mut *packed)).map_err(JsonError::Syntax)?;
    // The record itself is the one container around it.
    Cursor::new(&packed[start..]).value_inside(1).map_err(JsonError::Value)?;
    Ok(from.into_iter::<IgnoredAny>().byte_offset())
}
