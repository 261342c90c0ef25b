//! `format raw`: the event as it came, without `metadata.managedFields`, with `id` and `impact`, for any path.
//!
//! A request holds one record per line. `managedFields` is about a quarter of an event's bytes and only says which client
//! wrote which field. The status of the response decides.

use super::interface::{Adjusted, Format, RenderError};
use super::json;
use super::json::ObjectWriter;
use super::record::Record;
use crate::correlate::{Correlation, Impact};
use crate::record::cursor::{Cursor, DecodeError, Token};

pub(super) struct RawFormat;

impl Format for RawFormat {
    fn render(&self, record: &Record<'_, '_>, out: &mut Vec<u8>) -> Result<Adjusted, RenderError> {
        write(record.id, record.body, Some(record.impact), out);
        Ok(Adjusted::default())
    }
}

/// Appends the body as JSON. A body that is not a map becomes `{"id": …}`. There is no `impact` if correlation is off. If
/// a key is repeated, its last value stays; `id` and `impact` are always the plugin's own.
pub(super) fn write(id: &str, body: &[u8], impact: Option<&Impact<'_>>, out: &mut Vec<u8>) {
    let impact = impact.filter(|impact| impact.correlation != Correlation::Off);
    let mut object = ObjectWriter::open(out);
    object.key("id", out);
    json::write(&id, out);
    let before = out.len();
    if write_body(body, impact.is_some(), &mut object, out).is_err() {
        out.truncate(before);
    }
    if let Some(impact) = impact {
        object.key("impact", out);
        json::write(impact, out);
    }
    object.close(out);
}

fn write_body(
    body: &[u8],
    has_impact: bool,
    object: &mut ObjectWriter,
    out: &mut Vec<u8>,
) -> Result<(), DecodeError> {
    let mut cursor = Cursor::new(body);
    let Token::Map(len) = cursor.token()? else { return Ok(()) };
    json::write_pairs(&mut cursor, len, object, out, |key, value, object, out| match key {
        b"id" => value.skip().map(|()| true),
        b"impact" if has_impact => value.skip().map(|()| true),
        b"metadata" => metadata(value, object, out),
        _ => Ok(false),
    })
}

fn metadata(
    value: &mut Cursor<'_>,
    object: &mut ObjectWriter,
    out: &mut Vec<u8>,
) -> Result<bool, DecodeError> {
    let Token::Map(len) = value.token()? else { return Ok(false) };
    object.key("metadata", out);
    let mut metadata = ObjectWriter::open(out);
    json::write_pairs(value, len, &mut metadata, out, |key, value, _, _| match key {
        b"managedFields" => value.skip().map(|()| true),
        _ => Ok(false),
    })?;
    metadata.close(out);
    Ok(true)
}

/// A record as it came, for a dead letter, whatever the format: like `format raw` without `impact`.
#[must_use]
pub fn original(id: &str, body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len() * 2);
    write(id, body, None, &mut out);
    out
}
