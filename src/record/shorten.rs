//! Shortens an audit record that is too large even without its bodies.
//!
//! A client chooses the request path, the `Audit-ID` and the addresses in `X-Forwarded-For`, each up to the 1
//! MiB that all headers may have. A client must not be able to hide a request this way.
//!
//! A record is shortened only once, because the pipeline retries as long as a record gets smaller.

use rmp::encode;

use super::cursor::{Cursor, DecodeError, Token};

/// Longer texts are cut. A client's name, an object's path or a message fits.
pub const MOST_TEXT_BYTES: usize = 4 << 10;
/// Longer lists are cut.
pub const MOST_ITEMS: u32 = 256;
/// Room for the note about the original length.
const MARK_BYTES: usize = 64;
const MARK_ITEMS: u32 = 1;

/// A copy of one whole value with long texts and lists cut and marked; `None` if there are none.
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
    /// Recursive up to the depth limit of a record.
    fn value(&mut self, from: &mut Cursor<'_>) -> Result<(), DecodeError> {
        let start = *from;
        let head = from.token()?;
        match head {
            Token::Str(text) | Token::Bin(text) if text.len() > MOST_TEXT_BYTES + MARK_BYTES => {
                let text = String::from_utf8_lossy(text);
                let kept = &text[..text.floor_char_boundary(MOST_TEXT_BYTES)];
                self.mark(&format!("{kept}… ({} of {} bytes)", kept.len(), text.len()));
            }
            Token::Array(len) if len > MOST_ITEMS + MARK_ITEMS => {
                // Writing to a Vec cannot fail.
                let _ = encode::write_array_len(&mut self.out, MOST_ITEMS + MARK_ITEMS);
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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn packed(value: &Value) -> Vec<u8> {
        rmp_serde::to_vec(value).unwrap()
    }

    /// Otherwise a record that stays too large would be retried endlessly.
    #[test]
    fn what_was_cut_is_not_cut_again() {
        let long = |bytes: usize| "x\u{e4}".repeat(bytes / 2);
        let lists = (250..300).map(|items| json!(vec![vec![1; items]; items]));
        let texts = (4_090..4_200).chain([5_000, 100_000]).map(|bytes| json!({long(bytes): [long(bytes)]}));
        for value in lists.chain(texts) {
            let mut value = packed(&value);
            let mut times = 0;
            while let Some(cut) = shortened(&value) {
                (value, times) = (cut, times + 1);
            }
            assert!(times <= 1, "cut {times} times");
        }
        let raw = [&[0xc4, 200][..], &[0xff; 200]].concat();
        assert_eq!(shortened(&raw), None, "a short binary value stays as it is");
    }
}
