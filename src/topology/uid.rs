//! Uids: sixteen bytes for a UUID, as the API server assigns them, or any other text.

use std::fmt;

use serde::de::Deserializer;
use serde::{Deserialize, Serialize, Serializer};

use super::key::Key;

/// The uid of an object. It is written exactly as it was read.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Uid(UidRepr);

#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum UidRepr {
    Uuid([u8; 16]),
    Other(Box<str>),
}

/// Length of `01234567-89ab-cdef-0123-456789abcdef`.
const TEXT_BYTES: usize = 36;
const DASHES: [usize; 4] = [8, 13, 18, 23];

impl Uid {
    /// A UUID is kept as 16 bytes, any other text as it is.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(uuid(text).map_or_else(|| UidRepr::Other(text.into()), UidRepr::Uuid))
    }

    /// Key of the text.
    #[must_use]
    pub fn key(&self) -> Key {
        match &self.0 {
            UidRepr::Uuid(bytes) => Key::of_bytes(&text(bytes)),
            UidRepr::Other(text) => Key::of(text),
        }
    }

    /// Whether the text is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        matches!(&self.0, UidRepr::Other(text) if text.is_empty())
    }
}

/// Accepts only text that can be restored exactly: lower case, dashes in the right places.
fn uuid(text: &str) -> Option<[u8; 16]> {
    let text: &[u8; TEXT_BYTES] = text.as_bytes().try_into().ok()?;
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let mut digits =
        text.iter().enumerate().filter(|(at, _)| !DASHES.contains(at)).map(|(_, byte)| digit(*byte));
    let mut bytes = [0; 16];
    for byte in &mut bytes {
        *byte = digits.next()?? << 4 | digits.next()??;
    }
    DASHES.iter().all(|at| text[*at] == b'-').then_some(bytes)
}

fn text(bytes: &[u8; 16]) -> [u8; TEXT_BYTES] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = [b'-'; TEXT_BYTES];
    let places = (0..TEXT_BYTES).filter(|at| !DASHES.contains(at));
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    for (at, digit) in places.zip(digits) {
        text[at] = DIGITS[usize::from(digit)];
    }
    text
}

impl fmt::Display for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            UidRepr::Uuid(bytes) => f.write_str(std::str::from_utf8(&text(bytes)).unwrap_or_default()),
            UidRepr::Other(text) => f.write_str(text),
        }
    }
}

impl fmt::Debug for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl Serialize for Uid {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            UidRepr::Uuid(bytes) => {
                serializer.serialize_str(std::str::from_utf8(&text(bytes)).unwrap_or_default())
            }
            UidRepr::Other(text) => serializer.serialize_str(text),
        }
    }
}

impl<'de> Deserialize<'de> for Uid {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self::new(&text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_comes_back_as_it_was() {
        for text in [
            "fc046717-5f77-4419-9f3c-6cd73da78c23",
            "FC046717-5f77-4419-9f3c-6cd73da78c23",
            "fc0467175f77-4419-9f3c-6cd73da78c23-",
            "fc046717-5f77-4419-9f3c-6cd73da78c2",
            "fc046717-5f77-4419-9f3c-6cd73da78c2g",
            "d91ca8a2fd8a4bc28f1a9c8b1c1a3a9e",
            "node-a",
            "",
        ] {
            let uid = Uid::new(text);
            assert_eq!(uid.to_string(), text);
            assert_eq!(uid.key(), Key::of(text));
            assert_eq!(uid.is_empty(), text.is_empty());
            assert_eq!(serde_json::to_string(&uid).unwrap(), format!("\"{text}\""));
        }
        assert!(size_of::<Uid>() <= 24);
    }
}
