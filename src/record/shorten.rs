//! An audit record that is too large without its bodies becomes one with shorter texts and lists.
//!
//! A client of the API server chooses the path of its request, its `Audit-ID` and the addresses in `X-Forwarded-For`, and
//! each may be as long as all headers together: 1 MiB. Nobody may hide a request by them.
//!
//! What was cut once is not cut again: the pipeline tries a record again with less of it as long as there is less.

use rmp::encode;

use super::cursor::{Cursor, DecodeError, Token};

/// A text of more bytes is cut. A client's name, the path of an object and a message have room in it.
pub const MOST_TEXT_BYTES: usize = 4 << 10;
/// A list of more items is cut.
pub const MOST_ITEMS: u32 = 256;
/// Room for the mark that says how much there was.
const MARK_BYTES: usize = 64;
const MARK_ITEMS: u32 = 1;

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
                // A Vec takes everything.
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

    /// Else a record that stays too large would be tried again and again.
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
