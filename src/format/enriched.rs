//! A record as it came, in its own MessagePack, with `impact` in it and without `metadata.managedFields`.
//!
//! Nothing is decoded: whatever is not changed is copied byte for byte, in the form the sender chose. A map
//! gets a new head only when it has another number of pairs.

use rmp::encode;
use serde::Serialize;

use crate::correlate::Impact;
use crate::record::chunk::Envelope;
use crate::record::cursor::{Cursor, DecodeError, DecodeErrorKind, Token};

/// The member that is added; one that is there already is replaced.
const IMPACT: &str = "impact";
const METADATA: &str = "metadata";
const MANAGED_FIELDS: &str = "managedFields";

/// What becomes of a record.
#[derive(Debug, Clone, Copy)]
pub struct Edits<'c, 'i> {
    pub impact: Option<&'c Impact<'i>>,
    pub keep_managed_fields: bool,
}

/// Appends the record with its changes. `false`: it stays as it came, and nothing was appended.
///
/// # Errors
/// When the body is no whole map; nothing was appended then, either.
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
    // Bytes as a key are the same text to whoever makes JSON of it.
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

/// Appends the metadata with its key, if there is something to leave out.
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

/// How many pairs of a map are not left out.
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

/// Copies a map that is to have so many pairs in the end. `instead` may take a pair over, by its key: it
/// then writes what it likes and answers true.
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
        // A Vec takes everything.
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
    // As in JSON: maps with the names of the fields. A Vec takes everything, and all lengths are known.
    if impact.serialize(&mut rmp_serde::Serializer::new(&mut bytes).with_struct_map()).is_err() {
        bytes.clear();
        bytes.push(rmp::Marker::Null.to_u8());
    }
    bytes
}
