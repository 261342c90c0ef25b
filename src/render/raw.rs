//! `format raw`: the event as it came, less `metadata.managedFields`, plus `id`.
//!
//! `managedFields` is about a quarter of an event's bytes and says which client wrote which field, which
//! is of no use to anyone behind a gateway.

use super::json;
use crate::record::cursor::{Cursor, Fault, Token};

/// Appends the body as JSON. A body that is no map becomes `{"id": …}` alone.
pub(super) fn write(id: &str, body: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"id\":");
    json::write(&id, out);
    let before = out.len();
    if write_body(body, out).is_err() {
        out.truncate(before);
    }
    out.push(b'}');
}

fn write_body(body: &[u8], out: &mut Vec<u8>) -> Result<(), Fault> {
    let mut cursor = Cursor::new(body);
    let Token::Map(len) = cursor.token()? else { return Ok(()) };
    json::write_pairs(&mut cursor, len, out, |key, value, out| match key {
        b"id" => value.skip().map(|()| true),
        b"metadata" => metadata(value, out),
        _ => Ok(false),
    })
}

fn metadata(value: &mut Cursor<'_>, out: &mut Vec<u8>) -> Result<bool, Fault> {
    let Token::Map(len) = value.token()? else { return Ok(false) };
    json::separate(out);
    out.extend_from_slice(b"\"metadata\":{");
    json::write_pairs(value, len, out, |key, value, _| match key {
        b"managedFields" => value.skip().map(|()| true),
        _ => Ok(false),
    })?;
    out.push(b'}');
    Ok(true)
}
