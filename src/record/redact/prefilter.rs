//! A first look at the bytes of a record. Most records have nothing to hide, so they cost this one pass only.
//!
//! It may find too much, but never too little. It ignores case, because some senders write `SECRETS`.

use memchr::memchr3_iter;

/// What the bytes may contain.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Hints {
    /// The name of a kind or a resource with secrets.
    pub words: bool,
    /// The name of a body in an audit record.
    pub bodies: bool,
    /// A character written as its number, so that a word may be hidden.
    pub escapes: bool,
    /// The name of an annotation in which a tool keeps an object.
    pub applied: bool,
}

/// Bytes checked together; the compiler vectorizes a loop of fixed length.
const BLOCK: usize = 32;
/// How far after its first byte a test looks.
const REACH: usize = 4;

pub(super) fn look_for_hints(bytes: &[u8]) -> Hints {
    let mut hints = Hints::default();
    let mut at = 0;
    while let Some(block) = bytes.get(at..).and_then(<[u8]>::first_chunk::<{ BLOCK + REACH }>) {
        if may_begin_a_word(block) {
            (at..at + BLOCK).for_each(|place| hints.note_word(bytes, place));
        }
        at += BLOCK;
    }
    // The remaining bytes, padded with zeros. Nearly all texts of a record are shorter than a block.
    while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
        let mut block = [0; BLOCK + REACH];
        let len = rest.len().min(BLOCK + REACH);
        block[..len].copy_from_slice(&rest[..len]);
        if may_begin_a_word(&block) {
            (at..bytes.len().min(at + BLOCK)).for_each(|place| hints.note_word(bytes, place));
        }
        at += BLOCK;
    }
    for place in memchr3_iter(b'/', b'~', b'\\', bytes) {
        hints.note_sign(bytes, place);
    }
    hints
}

/// Whether `s?cr`, `s?ob` or `t?k?n` begins in the first bytes of the block, in any case.
fn may_begin_a_word(block: &[u8; BLOCK + REACH]) -> bool {
    let mut found = 0;
    for place in 0..BLOCK {
        let is = |behind: usize, letter: u8| u8::from(block[place + behind] | 0x20 == letter);
        let of_s = is(0, b's') & ((is(2, b'c') & is(3, b'r')) | (is(2, b'o') & is(3, b'b')));
        found |= of_s | (is(0, b't') & is(2, b'k') & is(REACH, b'n'));
    }
    found != 0
}

impl Hints {
    fn note_word(&mut self, bytes: &[u8], place: usize) {
        match bytes.get(place).map(|byte| byte | 0x20) {
            Some(b's') => {
                self.words |= begins(bytes, place, b"secret");
                // The ends of requestObject and responseObject.
                self.bodies |= begins(bytes, place, b"stobject") || begins(bytes, place, b"seobject");
            }
            Some(b't') if begins(bytes, place, b"token") => {
                let stands_alone = |byte: Option<&u8>| byte.is_none_or(|byte| !byte.is_ascii_alphanumeric());
                let is_resource = stands_alone(place.checked_sub(1).and_then(|before| bytes.get(before)))
                    && stands_alone(bytes.get(place + b"token".len()));
                self.words |= is_resource || begins(bytes, place, b"tokenre");
            }
            _ => {}
        }
    }

    /// Checks a slash, `~1` (a slash in the path of a JSON patch), or a backslash.
    fn note_sign(&mut self, bytes: &[u8], place: usize) {
        if bytes.get(place) == Some(&b'\\') {
            self.escapes |= begins(bytes, place + 1, b"u00") || begins(bytes, place + 1, b"x");
            return;
        }
        let behind = if bytes.get(place) == Some(&b'~') { place + 2 } else { place + 1 };
        self.applied |= ["last-", "lastapplied", "applied", "original"]
            .iter()
            .any(|name| begins(bytes, behind, name.as_bytes()))
            || bytes.get(..place).is_some_and(|before| before.ends_with(b"config.kubernetes.io"));
    }
}

/// Whether this word begins here, in any case. `word` is in lower case.
pub(super) fn begins(bytes: &[u8], place: usize, word: &[u8]) -> bool {
    bytes.get(place..place + word.len()).is_some_and(|here| here.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// At any place and in any context.
        #[test]
        fn no_word_is_missed(before in "[a-zA-Z0-9 \"/~]{0,90}", behind in "[ \"':]?[a-zA-Z0-9 \"/~]{0,90}", upper: bool) {
            let cased = |word: &str| if upper { word.to_uppercase() } else { word.to_owned() };
            for word in ["secrets", "SecretList", "TokenRequest", "tokenreviews"] {
                let text = format!("{before}{}{behind}", cased(word));
                prop_assert!(look_for_hints(text.as_bytes()).words, "{}", word);
            }
            let token = format!("{before}\u{1}{}\u{1}{behind}", cased("token"));
            prop_assert!(look_for_hints(token.as_bytes()).words);
            for word in ["requestObject", "responseObject"] {
                let text = format!("{before}{}{behind}", cased(word));
                prop_assert!(look_for_hints(text.as_bytes()).bodies, "{}", word);
            }
            for word in ["a/last-applied-x", "a~1applied", "config.kubernetes.io/x", "kapp.k14s.io/original"] {
                let text = format!("{before}{word}{behind}");
                prop_assert!(look_for_hints(text.as_bytes()).applied, "{}", word);
            }
            for word in ["\\u0053", "\\x53"] {
                let text = format!("{before}{word}{behind}");
                prop_assert!(look_for_hints(text.as_bytes()).escapes, "{}", word);
            }
        }
    }

    #[test]
    fn what_has_nothing_to_hide_is_seen_to_have_none() {
        let plain =
            br#"{"kind":"Pod","involvedObject":{"name":"tokens-1"},"message":"pulled a/b:1","u":"\n"}"#;
        assert_eq!(look_for_hints(plain), Hints::default());
    }
}
