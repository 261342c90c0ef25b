//! Writes an object key by key. If a key is repeated, only its last pair stays.
//!
//! Keys are compared as they are written: bytes as text, control characters as numbers, dots as underscores. Replaced
//! pairs are removed from the written text, which is rarely necessary.

use std::ops::Range;

use super::text;
use crate::record::duplicate_keys::{DuplicateKeys, replaced};

/// Marks the beginning of a list of several types until the document ends; JSON does not have this byte. Nested lists must
/// not become texts first, because their quotation marks would be escaped once per level.
pub(super) const MIXED: u8 = 1;

/// A JSON object, open at the end of a buffer.
#[derive(Debug)]
pub struct ObjectWriter {
    /// The offset of its opening brace.
    at: usize,
    keys: DuplicateKeys,
}

impl ObjectWriter {
    /// Appends the brace that opens it.
    #[must_use]
    pub fn open(out: &mut Vec<u8>) -> Self {
        out.push(b'{');
        Self { at: out.len() - 1, keys: DuplicateKeys::default() }
    }

    /// The offset of its opening brace.
    #[inline]
    pub(super) fn start(&self) -> usize {
        self.at
    }

    /// Appends a comma if one is due, the key and a colon.
    pub fn key(&mut self, name: &str, out: &mut Vec<u8>) {
        let start = self.separate(out);
        text::write(name, out);
        self.note(start, out);
        out.push(b':');
    }

    /// Appends a comma, unless nothing was written yet. Returns the offset behind it.
    #[inline]
    pub(super) fn separate(&self, out: &mut Vec<u8>) -> usize {
        if out.len() > self.at + 1 {
            out.push(b',');
        }
        out.len()
    }

    /// Notes the key that was written from `start` on.
    #[inline]
    pub(super) fn note(&mut self, start: usize, out: &[u8]) {
        self.keys.note(out.get(start..).unwrap_or_default());
    }

    /// Appends the brace that closes it.
    #[inline]
    pub fn close(self, out: &mut Vec<u8>) {
        if self.keys.may_repeat() {
            keep_last(out, self.at + 1);
        }
        out.push(b'}');
    }
}

/// Removes the pairs from `start` on whose key is repeated later.
#[cold]
fn keep_last(out: &mut Vec<u8>, start: usize) {
    let (mut starts, mut keys) = (Vec::new(), Vec::new());
    let mut at = start;
    while at < out.len() {
        let key = string(out, at);
        starts.push(at);
        at = value_end(out, key.end + 1) + 1;
        keys.push(key);
    }
    let keys: Vec<&[u8]> = keys.into_iter().map(|key| out.get(key).unwrap_or_default()).collect();
    let gone = replaced(&keys);
    let mut kept = start;
    let mut gone = gone.into_iter().peekable();
    for (place, start) in starts.iter().enumerate() {
        // A pair is removed with the comma behind it; a replaced pair is never the last.
        let end = starts.get(place + 1).copied().unwrap_or(out.len());
        if gone.next_if_eq(&place).is_none() {
            out.copy_within(*start..end, kept);
            kept += end - start;
        }
    }
    out.truncate(kept);
}

/// The range of the string that starts here, with its quotation marks.
fn string(text: &[u8], start: usize) -> Range<usize> {
    let mut at = start + 1;
    while let Some(found) = text.get(at..).and_then(|rest| memchr::memchr2(b'"', b'\\', rest)) {
        at += found + 1;
        if text.get(at - 1) == Some(&b'"') {
            return start..at;
        }
        // The escaped character.
        at += 1;
    }
    start..text.len()
}

/// The offset behind the value that starts here: of a comma, of the end of its container, or of the end of the text.
pub(super) fn value_end(text: &[u8], start: usize) -> usize {
    let (mut at, mut depth) = (start, 0_usize);
    while let Some(byte) = text.get(at) {
        match byte {
            b'"' => {
                at = string(text, at).end;
                continue;
            }
            b'{' | b'[' | &MIXED => depth += 1,
            b'}' | b']' if depth == 0 => return at,
            b'}' | b']' => depth -= 1,
            b',' if depth == 0 => return at,
            _ => {}
        }
        at += 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(pairs: &[(&str, &str)]) -> String {
        let mut out = b"before ".to_vec();
        let mut object = ObjectWriter::open(&mut out);
        for (key, value) in pairs {
            object.key(key, &mut out);
            out.extend_from_slice(value.as_bytes());
        }
        object.close(&mut out);
        String::from_utf8(out).unwrap().split_off("before ".len())
    }

    #[test]
    fn the_last_pair_of_a_key_stays_at_its_place() {
        assert_eq!(written(&[]), "{}");
        assert_eq!(written(&[("a", "1"), ("a", "2")]), r#"{"a":2}"#);
        assert_eq!(written(&[("a", "1"), ("b", "2"), ("a", "3"), ("c", "4")]), r#"{"b":2,"a":3,"c":4}"#);
        let odd = [("a\"", r#"{"x":[",}\"",1]}"#), ("\\", r#""\\""#), ("a\"", "[]"), ("\\", "{}"), ("", "0")];
        assert_eq!(written(&odd), r#"{"a\"":[],"\\":{},"":0}"#);
    }

    #[test]
    fn many_keys_take_no_longer_than_sorting_them() {
        let keys: Vec<String> = (0..100_000).map(|number| format!("k{}", number % 50_000)).collect();
        let pairs: Vec<(&str, &str)> = keys.iter().map(|key| (key.as_str(), "1")).collect();
        assert_eq!(written(&pairs).matches(':').count(), 50_000);
        let same: Vec<(&str, &str)> = vec![("k", "1"); 100_000];
        assert_eq!(written(&same), r#"{"k":1}"#);
    }
}
