//! Replaces characters that are written as numbers or names, and removes colour sequences.

use std::borrow::Cow;

use super::prefilter::Hints;

/// HTML's names for quotes.
const QUOTES: [&[u8]; 5] = [b"quot;", b"#34;", b"#39;", b"apos;", b"#x27;"];
/// No colour sequence of a terminal is longer.
const LONGEST_ESCAPE: usize = 32;

/// The text with ASCII characters decoded where a word may be hidden: `\u0053` and `\x53`; and if the name of
/// a secret kind was found, also `%22`, `&quot;` and colour sequences.
pub(super) fn unescaped(text: &[u8], hints: Hints) -> Cow<'_, [u8]> {
    let has_others = hints.words && text.iter().any(|byte| matches!(byte, b'%' | b'&' | 0x1b));
    if !hints.escapes && !has_others {
        return Cow::Borrowed(text);
    }
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, behind)) = rest.split_first() {
        let (written, len) = character(*first, behind, has_others).unwrap_or((Some(*first), 1));
        plain.extend(written);
        rest = rest.get(len..).unwrap_or_default();
    }
    Cow::Owned(plain)
}

/// Decodes the character at the start, if it is escaped. Returns the character and its escaped length.
fn character(first: u8, behind: &[u8], has_others: bool) -> Option<(Option<u8>, usize)> {
    match (first, behind) {
        (b'\\', [b'u', b'0', b'0', digits @ ..]) => Some((Some(code(digits)?), 6)),
        (b'\\', [b'x' | b'X', digits @ ..]) => Some((Some(code(digits)?), 4)),
        (b'%', digits) if has_others => Some((Some(code(digits)?), 3)),
        (b'&', name) if has_others => {
            let quote = QUOTES.into_iter().find(|quote| name.starts_with(quote))?;
            Some((Some(b'"'), 1 + quote.len()))
        }
        (0x1b, [b'[', sequence @ ..]) if has_others => {
            let end = sequence.iter().take(LONGEST_ESCAPE).position(|byte| !matches!(byte, b' '..=b'?'))?;
            Some((None, 2 + end + 1))
        }
        _ => None,
    }
}

fn code(digits: &[u8]) -> Option<u8> {
    u8::from_str_radix(str::from_utf8(digits.first_chunk::<2>()?).ok()?, 16).ok()
}
