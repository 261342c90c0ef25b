//! Writes values of the engine as JSON.

use minijinja::value::{Value, ValueKind};
use minijinja::{Error, ErrorKind};

use super::names::too_large;
use super::packed::write_packed;
use super::root;
use crate::format::json;
use crate::record::MAX_RECORD_BYTES;
use crate::record::cursor::MAX_DEPTH;

/// Appends a value as JSON. Undefined, none, NaN and infinity become null, bytes become text, and other objects become
/// their names.
///
/// # Errors
/// If it is larger or nests deeper than a record may, or is an error itself. Appended bytes stay.
pub(super) fn write_json(value: &Value, out: &mut Vec<u8>) -> Result<(), Error> {
    write(value, out, 0)
}

fn write(value: &Value, out: &mut Vec<u8>, depth: usize) -> Result<(), Error> {
    if out.len() > MAX_RECORD_BYTES {
        return Err(Error::new(ErrorKind::InvalidOperation, too_large()));
    }
    if depth > MAX_DEPTH {
        return Err(Error::new(ErrorKind::InvalidOperation, "containers nested too deep"));
    }
    if let Some(bytes) = root::bytes_of(value) {
        write_packed(bytes, out);
        return Ok(());
    }
    match value.kind() {
        ValueKind::Undefined | ValueKind::None => out.extend_from_slice(b"null"),
        ValueKind::Bool => json::write(&value.is_true(), out),
        ValueKind::Number => number(value, out),
        ValueKind::String => json::write(&value.as_str().unwrap_or_default(), out),
        ValueKind::Bytes => {
            json::write(&String::from_utf8_lossy(value.as_bytes().unwrap_or_default()), out);
        }
        ValueKind::Seq | ValueKind::Iterable => {
            out.push(b'[');
            for item in value.try_iter()? {
                json::separate(out);
                write(&item, out, depth + 1)?;
            }
            out.push(b']');
        }
        ValueKind::Map => {
            let mut object = json::ObjectWriter::open(out);
            for key in value.try_iter()? {
                object.key(&text(&key)?, out);
                write(&value.get_item(&key)?, out, depth + 1)?;
            }
            object.close(out);
        }
        ValueKind::Invalid => return Err(value.try_iter().err().unwrap_or_else(no_value)),
        _ => json::write(&value.to_string(), out),
    }
    Ok(())
}

/// A value as text: a string as it is, an absent value as an empty text, other values as JSON.
///
/// # Errors
/// As for [`write_json`].
pub(super) fn text(value: &Value) -> Result<String, Error> {
    match value.kind() {
        ValueKind::String => Ok(value.as_str().unwrap_or_default().to_owned()),
        ValueKind::Undefined | ValueKind::None => Ok(String::new()),
        _ => {
            let mut out = Vec::new();
            write_json(value, &mut out)?;
            Ok(String::from_utf8_lossy(&out).into_owned())
        }
    }
}

fn number(value: &Value, out: &mut Vec<u8>) {
    // Floats first, because the conversion below would take a whole float for an integer.
    if !value.is_integer() {
        return json::write(&f64::try_from(value.clone()).unwrap_or(f64::NAN), out);
    }
    match i128::try_from(value.clone()) {
        Ok(number) => out.extend_from_slice(number.to_string().as_bytes()),
        // The number does not fit into 128 bits with a sign.
        Err(_) => out.extend_from_slice(b"null"),
    }
}

fn no_value() -> Error {
    Error::new(ErrorKind::InvalidOperation, "no value")
}
