//! A value that is passed on without being decoded.

use std::borrow::Cow;

use serde::ser::{Error, Serialize, SerializeMap, SerializeSeq, Serializer};

use super::cursor::{Cursor, DecodeError, MAX_DEPTH, Token};
use super::duplicate_keys::{DuplicateKeys, replaced};
use super::text::plain;

/// One whole MessagePack value, borrowed from the chunk; absent by default.
///
/// It serializes as in `format raw`: bytes become text, NaN and extensions become null, keys become text, and
/// a container used as a key becomes a short mark. Control characters are written as their numbers. An absent
/// value becomes null. A key that occurs twice is written twice; the JSON writer keeps the last value.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Raw<'a>(&'a [u8]);

impl<'a> Raw<'a> {
    /// `value` must be one whole value.
    #[must_use]
    pub const fn new(value: &'a [u8]) -> Self {
        Self(value)
    }

    /// The value in MessagePack.
    #[must_use]
    pub const fn bytes(&self) -> &'a [u8] {
        self.0
    }

    /// Whether the record lacks it.
    #[must_use]
    pub const fn is_absent(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether it is an explicit null.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(Cursor::new(self.0).token(), Ok(Token::Nil))
    }

    /// The items of a list.
    pub fn items(&self) -> impl Iterator<Item = Raw<'a>> + use<'a> {
        let mut cursor = Cursor::new(self.0);
        let left = match cursor.token() {
            Ok(Token::Array(len)) => len,
            _ => 0,
        };
        (0..left).map_while(move |_| next(&mut cursor))
    }

    /// The strings of a list; other items are left out.
    pub fn texts(&self) -> impl Iterator<Item = Cow<'a, str>> + use<'a> {
        self.items().filter_map(|item| item.as_text())
    }

    /// Whether it is a map.
    #[must_use]
    pub fn is_map(&self) -> bool {
        matches!(Cursor::new(self.0).token(), Ok(Token::Map(_)))
    }

    /// The keys and values of a map.
    fn entries(&self) -> impl Iterator<Item = (Token<'a>, Raw<'a>)> + use<'a> {
        let mut cursor = Cursor::new(self.0);
        let left = match cursor.token() {
            Ok(Token::Map(len)) => len,
            _ => 0,
        };
        let entry = move |_| {
            let key = cursor.token().ok()?;
            cursor.skip_children(key).ok()?;
            Some((key, next(&mut cursor)?))
        };
        (0..left).map_while(entry)
    }

    /// The entries with string keys.
    pub(super) fn named(&self) -> impl Iterator<Item = (&'a [u8], Raw<'a>)> + use<'a> {
        self.entries().filter_map(|(key, value)| match key {
            Token::Str(name) | Token::Bin(name) => Some((name, value)),
            _ => None,
        })
    }

    /// The pairs of a map, with keys as text; the last of equal keys counts.
    pub fn pairs(&self) -> impl Iterator<Item = (Cow<'a, str>, Raw<'a>)> + use<'a> {
        let mut gone = self.replaced(key_text).into_iter().peekable();
        let counts = move |(place, _): &(usize, _)| gone.next_if_eq(place).is_none();
        self.entries().enumerate().filter(counts).map(|(_, (key, value))| (key_text(key), value))
    }

    /// Indexes of pairs that a later pair with the same key replaces; `text` converts a key.
    pub fn replaced(&self, text: impl Fn(Token<'a>) -> Cow<'a, str>) -> Vec<usize> {
        let mut keys = DuplicateKeys::default();
        self.entries().for_each(|(key, _)| keys.note(text(key).as_bytes()));
        if keys.may_repeat() {
            replaced(&self.entries().map(|(key, _)| text(key)).collect::<Vec<_>>())
        } else {
            Vec::new()
        }
    }

    /// The pairs of a map in which both are strings; others are left out.
    pub fn text_pairs(&self) -> impl Iterator<Item = (Cow<'a, str>, Cow<'a, str>)> + use<'a> {
        self.pairs().filter_map(|(name, value)| Some((name, value.as_text()?)))
    }

    /// The value of a key; the last of equal keys counts, as in JSON.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<Raw<'a>> {
        self.named().filter(|(name, _)| *name == key.as_bytes()).last().map(|(_, value)| value)
    }

    /// The same for a map without duplicate keys, such as one that was serialized here.
    #[must_use]
    pub fn get_first(&self, key: &str) -> Option<Raw<'a>> {
        self.named().find(|(name, _)| *name == key.as_bytes()).map(|(_, value)| value)
    }

    /// The string, if it is one.
    #[must_use]
    pub fn as_text(&self) -> Option<Cow<'a, str>> {
        match Cursor::new(self.0).token() {
            Ok(Token::Str(text) | Token::Bin(text)) => Some(plain(String::from_utf8_lossy(text))),
            _ => None,
        }
    }
}

/// The value at the cursor; its length was checked together with its record.
fn next<'a>(cursor: &mut Cursor<'a>) -> Option<Raw<'a>> {
    let start = *cursor;
    cursor.skip().ok()?;
    Some(Raw(start.up_to(cursor)))
}

impl Serialize for Raw<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.is_absent() {
            return serializer.serialize_none();
        }
        Rest { cursor: Cursor::new(self.0).into(), depth: 0 }.serialize(serializer)
    }
}

/// The value at a cursor. Serializing moves the cursor past it, child by child.
struct Rest<'a> {
    cursor: std::cell::Cell<Cursor<'a>>,
    depth: usize,
}

impl Rest<'_> {
    fn token<E: Error>(&self) -> Result<Token<'_>, E> {
        let mut cursor = self.cursor.get();
        let token = cursor.token().map_err(of_fault)?;
        self.cursor.set(cursor);
        Ok(token)
    }

    /// Lends the cursor to the next child.
    fn child<R, E: Error>(&self, write: impl FnOnce(&Self) -> Result<R, E>) -> Result<R, E> {
        if self.depth >= MAX_DEPTH {
            return Err(E::custom("containers nested too deep"));
        }
        let child = Rest { cursor: self.cursor.get().into(), depth: self.depth + 1 };
        let written = write(&child)?;
        self.cursor.set(child.cursor.get());
        Ok(written)
    }
}

impl Serialize for Rest<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.token()? {
            Token::Nil | Token::Ext(..) => serializer.serialize_unit(),
            Token::Bool(value) => serializer.serialize_bool(value),
            Token::Int(value) => serializer.serialize_i64(value),
            Token::Uint(value) => serializer.serialize_u64(value),
            Token::Float(value) if value.is_finite() => serializer.serialize_f64(value),
            Token::Float(_) => serializer.serialize_unit(),
            Token::Str(text) | Token::Bin(text) => {
                serializer.serialize_str(&plain(String::from_utf8_lossy(text)))
            }
            Token::Array(len) => {
                let mut list = serializer.serialize_seq(usize::try_from(len).ok())?;
                for _ in 0..len {
                    self.child(|child| list.serialize_element(child))?;
                }
                list.end()
            }
            Token::Map(len) => {
                let mut map = serializer.serialize_map(usize::try_from(len).ok())?;
                for _ in 0..len {
                    let name = self.key()?;
                    self.child(|child| map.serialize_entry(&*name, child))?;
                }
                map.end()
            }
        }
    }
}

impl<'a> Rest<'a> {
    /// The next key as text.
    fn key<E: Error>(&self) -> Result<Cow<'a, str>, E> {
        let mut cursor = self.cursor.get();
        let head = cursor.token().map_err(of_fault)?;
        cursor.skip_children(head).map_err(of_fault)?;
        self.cursor.set(cursor);
        Ok(key_text(head))
    }
}

/// A key as text, from its head. A container becomes a mark: written out, nested keys would be escaped once
/// per level, and a few bytes could exhaust the memory.
fn key_text(head: Token<'_>) -> Cow<'_, str> {
    match head {
        Token::Str(name) | Token::Bin(name) => plain(String::from_utf8_lossy(name)),
        Token::Array(_) => "[…]".into(),
        Token::Map(_) => "{…}".into(),
        Token::Bool(value) => value.to_string().into(),
        Token::Int(value) => value.to_string().into(),
        Token::Uint(value) => value.to_string().into(),
        Token::Float(value) if value.is_finite() => serde_json::Number::from_f64(value)
            .map_or(Cow::Borrowed("null"), |number| number.to_string().into()),
        Token::Nil | Token::Ext(..) | Token::Float(_) => "null".into(),
    }
}

fn of_fault<E: Error>(fault: DecodeError) -> E {
    E::custom(fault)
}
