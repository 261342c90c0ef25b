//! What stands in MessagePack becomes JSON, as it is.

use crate::record::cursor::{Cursor, Token};
use crate::render::json;

/// Appends the one MessagePack value of these bytes.
pub(super) fn write_packed(bytes: &[u8], out: &mut Vec<u8>) {
    let before = out.len();
    if json::write_value(&mut Cursor::new(bytes), out).is_err() {
        out.truncate(before);
        out.extend_from_slice(b"null");
    }
}

/// The same value as a text of its own: a string as it is, nothing as nothing, the rest as JSON.
pub(super) fn text(bytes: &[u8]) -> String {
    match Cursor::new(bytes).token() {
        Ok(Token::Str(text) | Token::Bin(text)) => String::from_utf8_lossy(text).into_owned(),
        Err(_) | Ok(Token::Nil | Token::Ext(..)) => String::new(),
        Ok(_) => {
            let mut out = Vec::new();
            write_packed(bytes, &mut out);
            String::from_utf8_lossy(&out).into_owned()
        }
    }
}
