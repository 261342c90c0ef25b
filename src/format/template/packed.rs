//! What stands in MessagePack becomes JSON, as it is.

use crate::format::json;
use crate::record::cursor::Cursor;

/// Appends the one MessagePack value of these bytes.
pub(super) fn write_packed(bytes: &[u8], out: &mut Vec<u8>) {
    let before = out.len();
    if json::write_value(&mut Cursor::new(bytes), out).is_err() {
        out.truncate(before);
        out.extend_from_slice(b"null");
    }
}
