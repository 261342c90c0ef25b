//! Whether a text names a kind with secrets, in any language that can describe an object.

use super::prefilter::begins;
use super::secret_objects::KINDS;

/// A YAML value has at most one tag and one anchor.
const MOST_TAGS: usize = 2;
/// Longer than a group with its version, and than any tag.
const LONGEST_WORD: usize = 512;

/// Whether the name of such a kind follows `kind`, with any quotes and escapes, or a struct of such a kind is
/// printed as programming languages do.
pub(super) fn names_a_kind(text: &[u8]) -> bool {
    let mut has_values = None;
    let mut holds = || *has_values.get_or_insert_with(|| holds_values(text));
    let mut is_named = |place: usize, kind: &[u8]| {
        let behind = text.get(place + kind.len()..).unwrap_or_default();
        match (follows_kind(&text[..place]), behind) {
            (Some(b':' | b'>'), _) => true,
            // A log line may name an object like this too: `kind=Secret name=db`.
            (Some(_), _) | (None, [b'{' | b'(', ..] | [b')', b'(', ..]) => holds(),
            (None, _) => false,
        }
    };
    (0..text.len()).any(|place| {
        matches!(text.get(place), Some(b's' | b'S' | b't' | b'T'))
            && KINDS.iter().any(|kind| is_word(text, place, kind) && is_named(place, kind))
    })
}

/// Whether the text has a field that contains values in an object with secrets.
fn holds_values(text: &[u8]) -> bool {
    (0..text.len()).any(|place| {
        [&b"data"[..], b"token"].into_iter().any(|word| {
            let behind = text.get(place + word.len()..).unwrap_or_default();
            begins(text, place, word)
                && !place.checked_sub(4).is_some_and(|meta| begins(text, meta, b"meta"))
                && matches!(behind.iter().find(|byte| !b"\"'\\ ".contains(byte)), Some(b':' | b'=' | b']'))
        })
    })
}

/// Whether this word is here, not as a part of a longer word.
fn is_word(text: &[u8], place: usize, word: &[u8]) -> bool {
    let end = place + word.len();
    begins(text, place, &word.to_ascii_lowercase())
        && !text.get(end).is_some_and(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(byte))
}

/// Whether `kind` is in front, and the last byte of the sign in between: `:`, `=` or `>`.
fn follows_kind(before: &[u8]) -> Option<u8> {
    let mut rest = without_quotes(before);
    // Python's prefix of a string.
    if let [text @ .., b'u' | b'b'] = rest
        && rest.len() < before.len()
        && !text.last().is_some_and(u8::is_ascii_alphanumeric)
    {
        rest = without_quotes(text);
    }
    if rest.ends_with(b"/") {
        let path = behind_last(rest, |byte| !(byte.is_ascii_alphanumeric() || b"./".contains(&byte)));
        rest = without_quotes(rest.get(..rest.len() - path.len()).unwrap_or_default());
    }
    // The tag and the anchor of a YAML value, or a block indicator.
    for _ in 0..MOST_TAGS {
        let word = rest.len() - behind_last(rest, |byte| b" \t\n:".contains(&byte)).len();
        if matches!(rest.get(word), Some(b'!' | b'&' | b'|' | b'>')) {
            rest = without_quotes(rest.get(..word).unwrap_or_default());
        }
    }
    let (sign, rest) = match rest {
        [rest @ .., b'=', sign @ b'>'] | [rest @ .., sign @ (b':' | b'=')] => (*sign, without_quotes(rest)),
        _ => return None,
    };
    let start = rest.len().checked_sub(b"kind".len())?;
    // The letter of an escape such as `\n` in `\nkind` is not part of the word.
    let stands_alone = match rest.get(..start) {
        Some([.., b'\\', b'n' | b'r' | b't']) => true,
        Some([.., last]) => !last.is_ascii_alphanumeric(),
        _ => true,
    };
    (begins(rest, start, b"kind") && stands_alone).then_some(sign)
}

/// The text after the last byte that satisfies `is_it`. Only as much is searched as a name can be long,
/// because hostile texts are longer.
fn behind_last(text: &[u8], is_it: impl Fn(u8) -> bool) -> &[u8] {
    let near = text.get(text.len().saturating_sub(LONGEST_WORD)..).unwrap_or_default();
    near.iter().rposition(|byte| is_it(*byte)).and_then(|at| near.get(at + 1..)).unwrap_or(near)
}

fn without_quotes(mut text: &[u8]) -> &[u8] {
    while let [rest @ .., b' ' | b'\t' | b'\r' | b'\n' | b'"' | b'\'' | b'`' | b'\\'] = text {
        text = rest;
    }
    text
}
