//! `format raw`: the event as it came, less `metadata.managedFields`, plus `id` and `impact`.
//!
//! `managedFields` is about a quarter of an event's bytes and says which client wrote which field, which
//! is of no use to anyone behind a gateway.

use super::{Adjusted, Record, json};
use crate::correlate::{Correlation, Impact};
use crate::record::cursor::{Cursor, Fault, Token};

pub(super) struct Layout;

impl super::Layout for Layout {
    fn render(&self, record: &Record<'_, '_>, out: &mut Vec<u8>) -> Result<Adjusted, String> {
        write(record.id, record.body, Some(record.impact), out);
        Ok(Adjusted::default())
    }
}

/// Appends the body as JSON. A body that is no map becomes `{"id": …}` alone. Where nobody asked for
/// correlation there is no `impact`.
pub(super) fn write(id: &str, body: &[u8], impact: Option<&Impact<'_>>, out: &mut Vec<u8>) {
    let impact = impact.filter(|impact| impact.correlation != Correlation::Off);
    out.extend_from_slice(b"{\"id\":");
    json::write(&id, out);
    let before = out.len();
    if write_body(body, impact.is_some(), out).is_err() {
        out.truncate(before);
    }
    if let Some(impact) = impact {
        out.extend_from_slice(b",\"impact\":");
        json::write(impact, out);
    }
    out.push(b'}');
}

fn write_body(body: &[u8], has_impact: bool, out: &mut Vec<u8>) -> Result<(), Fault> {
    let mut cursor = Cursor::new(body);
    let Token::Map(len) = cursor.token()? else { return Ok(()) };
    json::write_pairs(&mut cursor, len, out, |key, value, out| match key {
        b"id" => value.skip().map(|()| true),
        b"impact" if has_impact => value.skip().map(|()| true),
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
