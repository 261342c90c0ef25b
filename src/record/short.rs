//! An audit record that is too large without its bodies becomes one with shorter texts and lists.
//!
//! Whoever sends a request to the API server chooses its path, its `Audit-ID` and the addresses in `X-Forwarded-For`, and
//! each may be as long as all headers together: 1 MiB. Nobody may hide a request by them.

use rmp::encode;

use super::cursor::{Cursor, Fault, Token};

/// A text of more bytes is cut. A client's name, the path of an object and a message have room in it.
pub const MOST_TEXT_BYTES: usize = 4 << 10;
/// A list of more items is cut.
pub const MOST_ITEMS: u32 = 256;

/// A copy of one whole value with such texts and lists cut, each with a mark; `None` when there is none of them.
#[must_use]
pub fn shortened(value: &[u8]) -> Option<Vec<u8>> {
    let mut copy = Copy { out: Vec::new(), is_shorter: false };
    copy.value(&mut Cursor::new(value)).ok()?;
    copy.is_shorter.then_some(copy.out)
}

struct Copy {
    out: Vec<u8>,
    is_shorter: bool,
}

impl Copy {
    /// Recursive, as deep as a record may be.
    fn value(&mut self, from: &mut Cursor<'_>) -> Result<(), Fault> {
        let start = *from;
        let head = from.token()?;
        match head {
            Token::Str(text) | Token::Bin(text) if text.len() > MOST_TEXT_BYTES => {
                let text = String::from_utf8_lossy(text);
                let kept = &text[..text.floor_char_boundary(MOST_TEXT_BYTES)];
                self.mark(&format!("{kept}… ({} of {} bytes)", kept.len(), text.len()));
            }
            Token::Array(len) if len > MOST_ITEMS => {
                // A Vec takes everything.
                let _ = encode::write_array_len(&mut self.out, MOST_ITEMS + 1);
                (0..MOST_ITEMS).try_for_each(|_| self.value(from))?;
                (MOST_ITEMS..len).try_for_each(|_| from.skip())?;
                self.mark(&format!("… ({MOST_ITEMS} of {len} items)"));
            }
            Token::Array(len) => {
                self.out.extend_from_slice(start.up_to(from));
                (0..len).try_for_each(|_| self.value(from))?;
            }
            Token::Map(len) => {
                self.out.extend_from_slice(start.up_to(from));
                (0..len).try_for_each(|_| self.value(from).and_then(|()| self.value(from)))?;
            }
            _ => self.out.extend_from_slice(start.up_to(from)),
        }
        Ok(())
    }

    fn mark(&mut self, text: &str) {
        self.is_shorter = true;
        let _ = encode::write_str(&mut self.out, text);
    }
}
