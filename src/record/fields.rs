//! Reads the fields of a record's maps.

use super::cursor::{Cursor, DecodeError, Token};
use super::raw::Raw;
use super::text::{Repair, Text};

/// Reads values as the type that is needed. A value of another type is taken as absent.
#[derive(Clone, Copy)]
pub(super) struct FieldReader<'r> {
    pub(super) repair: &'r Repair,
}

impl FieldReader<'_> {
    /// Calls `field` for each string key; `field` must read or skip the value. Skips a value that is not a
    /// map.
    pub(super) fn fields<'a>(
        &self,
        cursor: &mut Cursor<'a>,
        mut field: impl FnMut(&[u8], &mut Cursor<'a>) -> Result<(), DecodeError>,
    ) -> Result<(), DecodeError> {
        match cursor.token()? {
            Token::Map(len) => {
                for _ in 0..len {
                    if let Some(key) = cursor.short_str() {
                        field(key, cursor)?;
                        continue;
                    }
                    match cursor.token()? {
                        Token::Str(key) => field(key, cursor)?,
                        other => {
                            cursor.skip_children(other)?;
                            cursor.skip()?;
                        }
                    }
                }
                Ok(())
            }
            other => cursor.skip_children(other),
        }
    }

    pub(super) fn is_map(&self, cursor: &Cursor<'_>) -> bool {
        let mut ahead = *cursor;
        matches!(ahead.token(), Ok(Token::Map(_)))
    }

    pub(super) fn text<'a>(&self, cursor: &mut Cursor<'a>) -> Result<Text<'a>, DecodeError> {
        if let Some(bytes) = cursor.short_str() {
            return Ok(self.repair.text(bytes));
        }
        match cursor.token()? {
            Token::Str(bytes) | Token::Bin(bytes) => Ok(self.repair.text(bytes)),
            other => {
                cursor.skip_children(other)?;
                Ok(Text::default())
            }
        }
    }

    /// A resource version is a string. A whole number is accepted too, because some senders write one.
    pub(super) fn version<'a>(&self, cursor: &mut Cursor<'a>) -> Result<Text<'a>, DecodeError> {
        if let Some(bytes) = cursor.short_str() {
            return Ok(self.repair.text(bytes));
        }
        let mut ahead = *cursor;
        match whole_number(ahead.token()?) {
            Some(number) => {
                *cursor = ahead;
                Ok(Text::Owned(number.to_string()))
            }
            None => self.text(cursor),
        }
    }

    /// A count is an integer. Senders without integers write `12.0`, and others write `"12"`.
    pub(super) fn count(&self, cursor: &mut Cursor<'_>) -> Result<Option<u64>, DecodeError> {
        let token = cursor.token()?;
        cursor.skip_children(token)?;
        Ok(match token {
            Token::Str(text) | Token::Bin(text) => number_in(text),
            _ => whole_number(token).and_then(|number| u64::try_from(number).ok()),
        })
    }

    /// Any value as it came; null is absent.
    pub(super) fn any<'a>(&self, cursor: &mut Cursor<'a>) -> Result<Raw<'a>, DecodeError> {
        self.wanted(cursor, |head| head != Token::Nil)
    }

    pub(super) fn truth(&self, cursor: &mut Cursor<'_>) -> Result<Option<bool>, DecodeError> {
        match cursor.token()? {
            Token::Bool(truth) => Ok(Some(truth)),
            other => {
                cursor.skip_children(other)?;
                Ok(None)
            }
        }
    }

    /// A list as it came; anything else is absent.
    pub(super) fn list<'a>(&self, cursor: &mut Cursor<'a>) -> Result<Raw<'a>, DecodeError> {
        self.wanted(cursor, |head| matches!(head, Token::Array(_)))
    }

    /// A map as it came; anything else is absent.
    pub(super) fn map<'a>(&self, cursor: &mut Cursor<'a>) -> Result<Raw<'a>, DecodeError> {
        self.wanted(cursor, |head| matches!(head, Token::Map(_)))
    }

    fn wanted<'a>(
        &self,
        cursor: &mut Cursor<'a>,
        is_wanted: impl Fn(Token<'_>) -> bool,
    ) -> Result<Raw<'a>, DecodeError> {
        let start = *cursor;
        let head = cursor.token()?;
        cursor.skip_children(head)?;
        Ok(if is_wanted(head) { Raw::new(start.up_to(cursor)) } else { Raw::default() })
    }
}

/// A float below this represents every whole number exactly.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// The whole number in a value, if it is one in any encoding.
fn whole_number(token: Token<'_>) -> Option<i128> {
    match token {
        Token::Int(number) => Some(number.into()),
        Token::Uint(number) => Some(number.into()),
        #[expect(clippy::cast_possible_truncation, reason = "checked beside it")]
        Token::Float(number) if number.fract() == 0.0 && number.abs() <= EXACT => Some(number as i128),
        _ => None,
    }
}

fn number_in(text: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(text).ok()?.trim();
    text.parse().ok().or_else(|| {
        let number = whole_number(Token::Float(text.parse().ok()?))?;
        u64::try_from(number).ok()
    })
}
