//! A record that is JSON in a string: what `tail` makes of a line without a parser.

use rmp_serde::Serializer;

use super::cursor::Cursor;
use super::lenient;

/// The JSON text as the MessagePack value that a parser of the host would have made of it, in a record. A value that
/// no parser takes costs itself only: see `lenient`.
///
/// # Errors
/// When it is no JSON, cut in the middle for one; text for a person, with the column.
pub fn packed(text: &[u8]) -> Result<Vec<u8>, String> {
    strict(text).or_else(|why| {
        let repaired = lenient::repaired(text).and_then(|repaired| strict(&repaired).ok());
        repaired.ok_or(why)
    })
}

fn strict(text: &[u8]) -> Result<Vec<u8>, String> {
    let mut from = serde_json::Deserializer::from_slice(text);
    let mut packed = Vec::with_capacity(text.len());
    serde_transcode::transcode(&mut from, &mut Serializer::new(&mut packed))
        .map_err(|error| error.to_string())?;
    from.end().map_err(|error| error.to_string())?;
    // As in a record: one container is around it.
    Cursor::new(&packed).value_inside(1).map_err(|fault| fault.to_string())?;
    Ok(packed)
}
