//! A value as it came, written without being understood.

use std::borrow::Cow;

use serde::ser::{Error, Serialize, SerializeMap, SerializeSeq, Serializer};

use super::cursor::{Cursor, DecodeError, MAX_DEPTH, Token};
use super::duplicate_keys::{DuplicateKeys, replaced};
use super::text::plain;

/// One whole MessagePack value, borrowed from the chunk; absent by default.
///
/// As a serde document it becomes what `format raw` makes of it: bytes become text, NaN and extensions null, and
/// keys text, a container as a key a mere sign. Control characters are written as their numbers. Absent is null. A key that
/// comes twice does so here, too: what writes JSON keeps the last value of each, as it has written them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Raw<'a>(&'a [u8]);

impl<'a> Raw<'a> {
    /// `value` must be one whole value.
    #[must_use]
    pub const fn new(value: &'a [u8]) -> Self {
        Self(value)
    }

    #[must_use]
    pub const fn bytes(&self) -> &'a [u8] {
        self.0
    }

    #[must_use]
    pub const fn is_absent(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether it says that there is nothing.
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

    /// The texts of a list; whatever else is in it is left out.
    pub fn texts(&self) -> impl Iterator<Item = Cow<'a, str>> + use<'a> {
        self.items().filter_map(|item| item.as_text())
    }

    #[must_use]
    pub fn is_map(&self) -> bool {
        matches!(Cursor::new(self.0).token(), Ok(Token::Map(_)))
    }

    /// The keys of a map, and their values.
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

    /// Those whose keys are texts, as they came.
    pub(super) fn named(&self) -> impl Iterator<Item = (&'a [u8], Raw<'a>)> + use<'a> {
        self.entries().filter_map(|(key, value)| match key {
            Token::Str(name) | Token::Bin(name) => Some((name, value)),
            _ => None,
        })
    }

    /// The pairs of a map with their keys as text; of a key that comes twice the last.
    pub fn pairs(&self) -> impl Iterator<Item = (Cow<'a, str>, Raw<'a>)> + use<'a> {
        let mut gone = self.replaced(key_text).into_iter().peekable();
        let counts = move |(place, _): &(usize, _)| gone.next_if_eq(place).is_none();
        self.entries().enumerate().filter(counts).map(|(_, (key, value))| (key_text(key), value))
    }

    /// The places of pairs that a later one of the same key replaces, where `text` is what a key becomes.
    pub fn replaced(&self, text: impl Fn(Token<'a>) -> Cow<'a, str>) -> Vec<usize> {
        let mut keys = DuplicateKeys::default();
        self.entries().for_each(|(key, _)| keys.note(text(key).as_bytes()));
        if keys.may_repeat() {
            replaced(&self.entries().map(|(key, _)| text(key)).collect::<Vec<_>>())
        } else {
            Vec::new()
        }
    }

    /// The pairs of a map of which both are text; whatever else is in it is left out.
    pub fn text_pairs(&self) -> impl Iterator<Item = (Cow<'a, str>, Cow<'a, str>)> + use<'a> {
        self.pairs().filter_map(|(name, value)| Some((name, value.as_text()?)))
    }

    /// The value of a key of a map; of a key that comes twice the last counts, as in JSON.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<Raw<'a>> {
        self.named().filter(|(name, _)| *name == key.as_bytes()).last().map(|(_, value)| value)
    }

    /// The same of a map that has each key once, as a struct that was written here.
    #[must_use]
    pub fn get_first(&self, key: &str) -> Option<Raw<'a>> {
        self.named().find(|(name, _)| *name == key.as_bytes()).map(|(_, value)| value)
    }

    /// The text that this is.
    #[must_use]
    pub fn as_text(&self) -> Option<Cow<'a, str>> {
        match Cursor::new(self.0).token() {
            Ok(Token::Str(text) | Token::Bin(text)) => Some(plain(String::from_utf8_lossy(text))),
            _ => None,
        }
    }
}

/// The value that a cursor stands at, which was measured when its record was.
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

/// The value at a cursor, which stands behind it afterwards: a container's children are written one by one.
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

    /// Hands the cursor to the next child and takes it back from it.
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

/// A key as text, by its head. A container is named, not written: escaped once for each key it stands in, a key of a
/// few bytes would grow to more than there is memory.
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
