//! JSON out: serde documents, and MessagePack values as they came.

mod serializer;
mod text;

use std::borrow::Cow;

use serde::Serialize;

use crate::record::cursor::{Cursor, Fault, Token};

/// Appends a document.
pub fn write(document: &impl Serialize, out: &mut Vec<u8>) {
    write_with::<false>(document, out);
}

/// Appends a document in which the keys of maps have underscores for points; the names of its own fields stay.
pub fn write_underscored(document: &impl Serialize, out: &mut Vec<u8>) {
    write_with::<true>(document, out);
}

fn write_with<const UNDERSCORES: bool>(document: &impl Serialize, out: &mut Vec<u8>) {
    let before = out.len();
    // Neither a Vec nor these documents (no maps with odd keys) can fail; a cut document must not stay.
    if document.serialize(serializer::Json::<UNDERSCORES>(out)).is_err() {
        out.truncate(before);
        out.extend_from_slice(b"null");
    }
}

/// Appends a text as it stands inside of the quotation marks of a JSON string.
pub fn write_inside(text: &str, out: &mut Vec<u8>) {
    text::write_inside(text, out);
}

/// Appends the MessagePack value that starts here. What JSON cannot hold becomes what comes closest:
/// bytes become text, NaN and extensions become null, keys become strings, and a container as a key becomes
/// a mere sign.
///
/// Recursive: the value must have been measured by [`Cursor::value`], which limits its depth.
///
/// # Errors
/// When the bytes are no value.
pub fn write_value(cursor: &mut Cursor<'_>, out: &mut Vec<u8>) -> Result<(), Fault> {
    match cursor.token()? {
        Token::Nil | Token::Ext(..) => out.extend_from_slice(b"null"),
        Token::Bool(value) => write(&value, out),
        Token::Int(value) => write(&value, out),
        Token::Uint(value) => write(&value, out),
        Token::Float(value) => write(&value, out),
        Token::Str(bytes) | Token::Bin(bytes) => text::write(&lossy(bytes), out),
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
            out.push(b'{');
            write_pairs(cursor, len, out, |_, _, _| Ok(false))?;
            out.push(b'}');
        }
    }
    Ok(())
}

/// Appends `len` pairs of a map without its braces. `instead` may take a pair over, by its key: it then
/// reads or skips the value, writes what it likes (a comma included) and answers true. Bytes as a key are
/// asked about as well: they become the same text.
///
/// # Errors
/// When the bytes are no pairs.
pub fn write_pairs(
    cursor: &mut Cursor<'_>,
    len: u32,
    out: &mut Vec<u8>,
    mut instead: impl FnMut(&[u8], &mut Cursor<'_>, &mut Vec<u8>) -> Result<bool, Fault>,
) -> Result<(), Fault> {
    for _ in 0..len {
        let key = *cursor;
        if let Token::Str(name) | Token::Bin(name) = cursor.token()?
            && instead(name, cursor, out)?
        {
            continue;
        }
        *cursor = key;
        separate(out);
        write_key(cursor, out)?;
        out.push(b':');
        write_value(cursor, out)?;
    }
    Ok(())
}

/// A comma, unless the map or array was just opened.
pub fn separate(out: &mut Vec<u8>) {
    if !matches!(out.last(), Some(b'{' | b'[') | None) {
        out.push(b',');
    }
}

fn write_key(cursor: &mut Cursor<'_>, out: &mut Vec<u8>) -> Result<(), Fault> {
    let mut ahead = *cursor;
    let head = ahead.token()?;
    // A container as a key is named, not written: escaped once for each key it stands in, a key of a few
    // bytes would grow to more than there is memory.
    let name = match head {
        Token::Str(name) | Token::Bin(name) => lossy(name),
        Token::Array(_) => Cow::Borrowed("[…]"),
        Token::Map(_) => Cow::Borrowed("{…}"),
        _ => {
            let mut text = Vec::new();
            let mut scalar = *cursor;
            write_value(&mut scalar, &mut text)?;
            Cow::Owned(String::from_utf8_lossy(&text).into_owned())
        }
    };
    write(&name, out);
    ahead.skip_children(head)?;
    *cursor = ahead;
    Ok(())
}

/// The bytes as text; looking for what is no UTF-8 takes twice as long as seeing that there is none.
fn lossy(bytes: &[u8]) -> Cow<'_, str> {
    str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed)
}
