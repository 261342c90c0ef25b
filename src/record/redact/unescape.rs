//! Characters that a text spells by their numbers or names, and colours that stand between its words.

use std::borrow::Cow;

use super::prefilter::Hints;

/// The names that HTML has for quotes.
const QUOTES: [&[u8]; 5] = [b"quot;", b"#34;", b"#39;", b"apos;", b"#x27;"];
/// A sequence that sets a terminal's colours is shorter than this.
const LONGEST_ESCAPE: usize = 32;

/// The text with such characters of ASCII written plainly, as far as a word may hide among them: `\u0053` and `\x53`, and
/// where a word that names a kind was hints, `%22`, `&quot;` and colours.
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

/// The character that begins here, if any is to be hints, and how long it is here.
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
