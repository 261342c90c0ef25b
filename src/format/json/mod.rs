//! Writes JSON: serde documents, and MessagePack values as they came.

mod indexed;
mod object;
mod serializer;
mod text;

use std::borrow::Cow;

use serde::Serialize;

use crate::record::cursor::{Cursor, DecodeError, Token};

pub use indexed::MOST_LEVELS;
pub use object::ObjectWriter;

/// Appends a document.
pub fn write(document: &impl Serialize, out: &mut Vec<u8>) {
    write_with::<false>(document, out);
}

/// Appends a document for an index of fields. In values from a record, keys have underscores instead of dots and are never
/// blank, objects nest at most [`MOST_LEVELS`] deep, numbers are in range, and the items of a list have one type. The names
/// of the document's own fields stay.
pub fn write_for_index(document: &impl Serialize, out: &mut Vec<u8>) {
    write_with::<true>(document, out);
}

fn write_with<const INDEXED: bool>(document: &impl Serialize, out: &mut Vec<u8>) {
    let before = out.len();
    // Writing to a Vec cannot fail, and keys of these documents are texts. A partial document must not stay.
    if document.serialize(serializer::Json::<INDEXED>::new(out)).is_err() {
        out.truncate(before);
        out.extend_from_slice(b"null");
    }
    if INDEXED {
        indexed::finish(out, before);
    }
}

/// Appends a text as a JSON string without its quotation marks.
pub fn write_inside(text: &str, out: &mut Vec<u8>) {
    text::write_inside(text, out);
}

/// Appends the MessagePack value that starts here. Values that JSON does not have are converted: bytes become text, NaN
/// and extensions become null, keys become strings, and a container as a key becomes a placeholder.
///
/// It is recursive, so [`Cursor::value`] must have limited the depth of the value.
///
/// # Errors
/// If the bytes are not a value.
pub fn write_value(cursor: &mut Cursor<'_>, out: &mut Vec<u8>) -> Result<(), DecodeError> {
    match cursor.token()? {
        Token::Array(len) => {
            out.push(b'[');
            for index in 0..len {
                if index > 0 {
                    out.push(b',');
                }
                write_value(cursor, out)?;
            }
            out.push(b']');
        }
        Token::Map(len) => {
            let mut object = ObjectWriter::open(out);
            write_pairs(cursor, len, &mut object, out, |_, _, _, _| Ok(false))?;
            object.close(out);
        }
        scalar => write_scalar(scalar, out),
    }
    Ok(())
}

fn write_scalar(token: Token<'_>, out: &mut Vec<u8>) {
    match token {
        Token::Bool(value) => write(&value, out),
        Token::Int(value) => write(&value, out),
        Token::Uint(value) => write(&value, out),
        Token::Float(value) => write(&value, out),
        Token::Str(bytes) | Token::Bin(bytes) => text::write(&lossy(bytes), out),
        Token::Nil | Token::Ext(..) | Token::Array(_) | Token::Map(_) => out.extend_from_slice(b"null"),
    }
}

/// Appends `len` pairs of a map to an object. `instead` may handle a pair itself by its key: it then reads or skips the
/// value, writes anything, and returns true. It also gets keys of bytes, because they become the same text.
///
/// # Errors
/// If the bytes are not pairs.
pub fn write_pairs(
    cursor: &mut Cursor<'_>,
    len: u32,
    object: &mut ObjectWriter,
    out: &mut Vec<u8>,
    mut instead: impl FnMut(&[u8], &mut Cursor<'_>, &mut ObjectWriter, &mut Vec<u8>) -> Result<bool, DecodeError>,
) -> Result<(), DecodeError> {
    for _ in 0..len {
        let key = cursor.token()?;
        cursor.skip_children(key)?;
        let value = *cursor;
        if let Token::Str(name) | Token::Bin(name) = key
            && instead(name, cursor, object, out)?
        {
            continue;
        }
        *cursor = value;
        object.key(&key_text(key), out);
        write_value(cursor, out)?;
    }
    Ok(())
}

/// Appends a comma, unless the list or object was just opened.
pub fn separate(out: &mut Vec<u8>) {
    if !matches!(out.last(), Some(b'{' | b'[') | None) {
        out.push(b',');
    }
}

/// A key as text. A container as a key becomes a placeholder: nested keys are escaped once per level, so a key of a few
/// bytes could grow beyond the memory.
#[must_use]
pub fn key_text(head: Token<'_>) -> Cow<'_, str> {
    match head {
        Token::Str(name) | Token::Bin(name) => lossy(name),
        Token::Array(_) => Cow::Borrowed("[…]"),
        Token::Map(_) => Cow::Borrowed("{…}"),
        _ => {
            let mut text = Vec::new();
            write_scalar(head, &mut text);
            Cow::Owned(String::from_utf8_lossy(&text).into_owned())
        }
    }
}

/// The bytes as text. Checking for valid UTF-8 first takes half the time.
fn lossy(bytes: &[u8]) -> Cow<'_, str> {
    str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed)
}
