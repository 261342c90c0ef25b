//! A record as it came, in MessagePack, with `impact` added and without `metadata.managedFields`.
//!
//! Nothing is decoded: parts that do not change are copied byte for byte. A map gets a new head only if its number of
//! pairs changes.

use rmp::encode;
use serde::Serialize;

use crate::correlate::Impact;
use crate::record::chunk::Envelope;
use crate::record::cursor::{Cursor, DecodeError, DecodeErrorKind, Token};

/// The member that is added. It replaces one of the same name.
const IMPACT: &str = "impact";
const METADATA: &str = "metadata";
const MANAGED_FIELDS: &str = "managedFields";

/// How a record is changed.
#[derive(Debug, Clone, Copy)]
pub struct Edits<'c, 'i> {
    /// The impact that is added, if any.
    pub impact: Option<&'c Impact<'i>>,
    /// Whether `metadata.managedFields` stays.
    pub keep_managed_fields: bool,
}

/// Appends the changed record. `false` if nothing changes; nothing is appended then.
///
/// # Errors
/// If the body is not a whole map; nothing is appended then, either.
pub fn write(record: &Envelope<'_>, edits: &Edits<'_, '_>, out: &mut Vec<u8>) -> Result<bool, DecodeError> {
    let before = out.len();
    let written = append(record, edits, out);
    if written != Ok(true) {
        out.truncate(before);
    }
    written
}

fn append(record: &Envelope<'_>, edits: &Edits<'_, '_>, out: &mut Vec<u8>) -> Result<bool, DecodeError> {
    let impact = edits.impact.map(packed);
    // A key of bytes becomes the same text in JSON.
    let is_replaced = |key: Token<'_>| {
        impact.is_some() && matches!(key, Token::Str(key) | Token::Bin(key) if key == IMPACT.as_bytes())
    };
    let kept = pairs_kept(record.body, is_replaced)?;
    out.extend_from_slice(record.framing);
    let mut changed = impact.is_some();
    let new_len = kept.saturating_add(u32::from(impact.is_some()));
    copy_pairs(record.body, new_len, out, |key, value, out| {
        if is_replaced(key) {
            return Ok(true);
        }
        if edits.keep_managed_fields || key != Token::Str(METADATA.as_bytes()) {
            return Ok(false);
        }
        let trimmed = without_managed_fields(value, out)?;
        changed |= trimmed;
        Ok(trimmed)
    })?;
    if let Some(impact) = impact {
        let _ = encode::write_str(out, IMPACT);
        out.extend_from_slice(&impact);
    }
    Ok(changed)
}

/// Appends the metadata with its key, if it has managed fields; `false` if it has none.
fn without_managed_fields(metadata: &[u8], out: &mut Vec<u8>) -> Result<bool, DecodeError> {
    let is_left_out = |key: Token<'_>| key == Token::Str(MANAGED_FIELDS.as_bytes());
    let mut head = Cursor::new(metadata);
    let Token::Map(len) = head.token()? else { return Ok(false) };
    let kept = pairs_kept(metadata, is_left_out)?;
    if kept == len {
        return Ok(false);
    }
    let _ = encode::write_str(out, METADATA);
    copy_pairs(metadata, kept, out, |key, _, _| Ok(is_left_out(key)))?;
    Ok(true)
}

/// The number of pairs of a map that are not left out.
fn pairs_kept(map: &[u8], is_left_out: impl Fn(Token<'_>) -> bool) -> Result<u32, DecodeError> {
    let mut cursor = Cursor::new(map);
    let Token::Map(len) = cursor.token()? else { return Err(no_map()) };
    let mut kept = len;
    for _ in 0..len {
        let key = cursor.token()?;
        kept -= u32::from(is_left_out(key));
        cursor.skip_children(key)?;
        cursor.skip()?;
    }
    Ok(kept)
}

/// Copies a map whose copy will have `new_len` pairs. `instead` may write a pair itself, or leave it out, and then returns
/// true.
fn copy_pairs(
    map: &[u8],
    new_len: u32,
    out: &mut Vec<u8>,
    mut instead: impl FnMut(Token<'_>, &[u8], &mut Vec<u8>) -> Result<bool, DecodeError>,
) -> Result<(), DecodeError> {
    let mut cursor = Cursor::new(map);
    let Token::Map(len) = cursor.token()? else { return Err(no_map()) };
    if new_len == len {
        out.extend_from_slice(&map[..cursor.offset()]);
    } else {
        // Writing to a Vec cannot fail.
        let _ = encode::write_map_len(out, new_len);
    }
    for _ in 0..len {
        let start = cursor.offset();
        let key = cursor.token()?;
        cursor.skip_children(key)?;
        let value = cursor.offset();
        cursor.skip()?;
        if instead(key, &map[value..cursor.offset()], out)? {
            continue;
        }
        out.extend_from_slice(&map[start..cursor.offset()]);
    }
    Ok(())
}

fn no_map() -> DecodeError {
    DecodeError { offset: 0, kind: DecodeErrorKind::Expected("a map") }
}

fn packed(impact: &Impact<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    // Maps with the names of the fields, as in JSON. Writing to a Vec cannot fail, and all lengths are known.
    if impact.serialize(&mut rmp_serde::Serializer::new(&mut bytes).with_struct_map()).is_err() {
        bytes.clear();
        bytes.push(rmp::Marker::Null.to_u8());
    }
    bytes
}
