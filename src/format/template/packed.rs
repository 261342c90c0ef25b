//! Writes MessagePack as JSON.

use crate::format::json;
use crate::record::cursor::Cursor;

/// Appends the MessagePack value as JSON, or null if the bytes are not a value.
pub(super) fn write_packed(bytes: &[u8], out: &mut Vec<u8>) {
    let before = out.len();
    if json::write_value(&mut Cursor::new(bytes), out).is_err() {
        out.truncate(before);
        out.extend_from_slice(b"null");
    }
}
