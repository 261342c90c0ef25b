//! A record that is JSON in a string: what `tail` makes of a line without a parser.

use rmp_serde::Serializer;

use super::cursor::Cursor;

/// The JSON text as the MessagePack map that a parser of the host would have made of it.
///
/// # Errors
/// When it is no JSON object, cut in the middle for one, or nests too deep; text for a person, with the column.
pub fn packed(text: &[u8]) -> Result<Vec<u8>, String> {
    let mut from = serde_json::Deserializer::from_slice(text);
    let mut packed = Vec::with_capacity(text.len());
    serde_transcode::transcode(&mut from, &mut Serializer::new(&mut packed))
        .map_err(|error| error.to_string())?;
    from.end().map_err(|error| error.to_string())?;
    Cursor::new(&packed).value().map_err(|fault| fault.to_string())?;
    Ok(packed)
}
