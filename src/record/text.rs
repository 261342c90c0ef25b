//! The strings of records: borrowed if they are plain UTF-8, repaired and counted if not.
//!
//! A record must be safe to print in a terminal. So a control character, which begins an escape sequence, is
//! written as its number. Line breaks and tabs stay.

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt::Write;

/// Text of a record.
pub type Text<'a> = Cow<'a, str>;

/// Converts bytes to text and counts repairs.
#[derive(Debug, Default)]
pub struct Repair {
    replaced: Cell<u64>,
}

impl Repair {
    /// The bytes as text. Invalid UTF-8 becomes U+FFFD, and a control character becomes text such as
    /// `\u001b`.
    #[inline]
    pub fn text<'a>(&self, bytes: &'a [u8]) -> Text<'a> {
        let text = match std::str::from_utf8(bytes) {
            Ok(text) => Cow::Borrowed(text),
            Err(_) => {
                self.replaced.set(self.replaced.get() + 1);
                String::from_utf8_lossy(bytes)
            }
        };
        plain(text)
    }

    /// How many strings were repaired since the last call.
    pub fn take_count(&self) -> u64 {
        self.replaced.take()
    }
}

/// Replaces each control character by its number.
#[inline]
pub(super) fn plain(text: Text<'_>) -> Text<'_> {
    if may_hold_controls(text.as_bytes()) && text.contains(is_escaped) {
        Cow::Owned(escaped(&text))
    } else {
        text
    }
}

/// Checks eight bytes at a time, because nearly all text is short: is one of them below 0x20, or 0x7f, or
/// 0xc2, which begins the C1 controls and some ordinary characters?
fn may_hold_controls(bytes: &[u8]) -> bool {
    const LOW: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let has_zero = |word: u64| word.wrapping_sub(LOW) & !word & HIGH;
    let is_suspect = |word: u64| {
        let below_blank = word.wrapping_sub(LOW * 0x20) & !word & HIGH;
        below_blank | has_zero(word ^ (LOW * 0x7f)) | has_zero(word ^ (LOW * 0xc2)) != 0
    };
    // Some of the last eight bytes may be checked twice.
    let Some(last) = bytes.last_chunk::<8>() else {
        return bytes.iter().any(|byte| matches!(byte, ..b' ' | 0x7f | 0xc2));
    };
    let (words, _) = bytes.as_chunks::<8>();
    words.iter().any(|word| is_suspect(u64::from_le_bytes(*word))) || is_suspect(u64::from_le_bytes(*last))
}

fn is_escaped(c: char) -> bool {
    c.is_control() && !matches!(c, '\t' | '\n' | '\r')
}

#[cold]
fn escaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_escaped(c) {
            // Writing to a String cannot fail.
            let _ = write!(plain, "\\u{:04x}", u32::from(c));
        } else {
            plain.push(c);
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_control_is_seen_at_every_place_and_nothing_else_is_changed() {
        for c in (0..=0x2ff).filter_map(char::from_u32) {
            for before in 0..20 {
                let text = format!("{}{c}{}", "a".repeat(before), "z".repeat(before % 5));
                let is_written = plain(Cow::Borrowed(&text)) != text;
                assert_eq!(is_written, is_escaped(c), "{c:?} behind {before}");
            }
        }
    }

    #[test]
    fn what_could_move_a_cursor_is_written_as_its_number() {
        let repair = Repair::default();
        for (bytes, text) in [
            (&b"plain\ttext\r\n"[..], "plain\ttext\r\n"),
            (b"\x1b[2J\0\x07\x7f", "\\u001b[2J\\u0000\\u0007\\u007f"),
            ("\u{9b}31m \u{a0}é".as_bytes(), "\\u009b31m \u{a0}é"),
            (b"\xff\x1b", "\u{fffd}\\u001b"),
        ] {
            assert_eq!(repair.text(bytes), text);
        }
        assert_eq!(repair.take_count(), 1);
        assert!(matches!(repair.text("é ü".as_bytes()), Cow::Borrowed(_)));
    }
}
