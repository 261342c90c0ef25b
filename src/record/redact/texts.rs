//! Texts that tell an object which holds secrets, as JSON or YAML, once more or several times escaped, or that tell an
//! audit record about one.
//!
//! Nothing can be taken out of a text without a reader for its language, and a text that was cut has none. So the whole
//! text stays behind, but for the beginning of an audit record: that says who did what.

use memchr::memmem;

use super::applied;
use super::scan::{Seen, begins, look};
use super::secrets::{KINDS, Looks, TIMES};
use super::writer::reveals;
use crate::record::lines::documents;

/// JSON in a text may hold such texts itself, and so on: as many as wrappers are opened.
pub(super) const MOST_TEXTS: u8 = 6;
/// No shorter text tells an object.
const SHORTEST: usize = 12;
/// What an audit record begins with, before all that may hold a secret.
const BEGINNING: &[u8] = b"auditID";

/// A YAML value has one tag and one anchor at the most.
const MOST_TAGS: usize = 2;
/// Longer than a group with its version, and than any tag.
const LONGEST_WORD: usize = 512;

/// What may leave of a text.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Leaves<'t> {
    All,
    /// What stands before the first part that may hold a secret.
    Beginning(&'t [u8]),
    Nothing,
}

/// What may leave of a text of a record. `left`: so many texts may still be opened, one in the other.
pub(super) fn of<'t>(text: &'t [u8], looks: Looks, left: u8) -> Leaves<'t> {
    if text.len() < SHORTEST {
        return Leaves::All;
    }
    let seen = look(text);
    if looks.for_fragments || seen.bodies || seen.words {
        let leaves = of_an_audit_record(text, seen);
        if leaves != Leaves::All {
            return leaves;
        }
    }
    let unescaped = seen.escapes.then(|| unescaped(text));
    let told = unescaped.as_deref().unwrap_or(text);
    let names_one = (seen.words || unescaped.is_some()) && names_a_kind(told);
    let holds_one = names_one || (seen.applied && applied::stands_in(told));
    if !holds_one {
        return Leaves::All;
    }
    // As JSON it can be read, and a mere reference to a Secret stays.
    let read = if left > 0 { documents("text", text) } else { None };
    match read.as_ref().and_then(|documents| documents.list()) {
        Some(list) if !reveals(list, left - 1) => Leaves::All,
        _ => Leaves::Nothing,
    }
}

/// Of a text that tells an audit record what stands before its bodies, and if it is about a secret, before the status too.
fn of_an_audit_record(text: &[u8], seen: Seen) -> Leaves<'_> {
    let find = |word: &[u8]| memmem::find(text, word);
    let begins_at = find(BEGINNING);
    let has_times = TIMES.iter().any(|key| find(key).is_some());
    let is_cut_off = begins_at.is_none() && has_times;
    let is_one = begins_at.is_some() || has_times || (seen.bodies && seen.words);
    if !is_one || !(seen.bodies || seen.words || is_cut_off) {
        return Leaves::All;
    }
    let bodies = [&b"equestObject"[..], b"esponseObject"].into_iter().filter_map(find);
    // Webhooks leave patches and messages in its annotations.
    let about_it = [&b"responseStatus"[..], b"webhook"].into_iter().filter(|_| seen.words).filter_map(find);
    let query = find(b"requestURI").filter(|_| seen.words).and_then(|uri| {
        let value = text.get(uri..)?;
        let ends = value.iter().position(|byte| *byte == b',').unwrap_or(value.len());
        value.get(..ends)?.iter().position(|byte| *byte == b'?').map(|at| uri + at)
    });
    match (bodies.chain(about_it).chain(query).min(), begins_at) {
        (Some(stop), Some(start)) if start < stop && tells_an_object(text) => {
            Leaves::Beginning(text.get(..stop).unwrap_or_default())
        }
        (Some(_), _) => Leaves::Nothing,
        // The end of one, whose beginning came in another record.
        (None, None) => Leaves::Nothing,
        (None, Some(_)) => Leaves::All,
    }
}

/// Whether nothing stands before the first brace but what tools write before a record.
fn tells_an_object(text: &[u8]) -> bool {
    let first = text.iter().position(|byte| b"{}[]".contains(byte));
    first.is_none_or(|at| text.get(at) == Some(&b'{') || text.get(at) == Some(&b'['))
}

/// Whether `kind` is followed by the name of such a kind, however quoted and escaped.
fn names_a_kind(text: &[u8]) -> bool {
    (0..text.len()).any(|place| {
        matches!(text.get(place), Some(b's' | b'S' | b't' | b'T'))
            && KINDS.iter().any(|kind| is_word(text, place, kind))
            && follows_kind(&text[..place])
    })
}

/// Whether this word begins here, and nothing that would make another one stands beside it.
fn is_word(text: &[u8], place: usize, word: &[u8]) -> bool {
    let end = place + word.len();
    begins(text, place, &word.to_ascii_lowercase())
        && !text.get(end).is_some_and(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(byte))
}

fn follows_kind(before: &[u8]) -> bool {
    let mut rest = without_quotes(before);
    // The tag and the anchor of a YAML value.
    for _ in 0..MOST_TAGS {
        let word = rest.len() - behind_last(rest, |byte| b" \t\n:".contains(&byte)).len();
        if matches!(rest.get(word), Some(b'!' | b'&')) {
            rest = without_quotes(rest.get(..word).unwrap_or_default());
        }
    }
    if rest.ends_with(b"/") {
        let path = behind_last(rest, |byte| !(byte.is_ascii_alphanumeric() || b"./".contains(&byte)));
        rest = without_quotes(rest.get(..rest.len() - path.len()).unwrap_or_default());
    }
    let Some(rest) = rest.strip_suffix(b":") else { return false };
    let rest = without_quotes(rest);
    let Some(start) = rest.len().checked_sub(b"kind".len()) else { return false };
    // The letter of an escape, as in `\nkind`, is none of the word.
    let stands_alone = match rest.get(..start) {
        Some([.., b'\\', b'n' | b'r' | b't']) => true,
        Some([.., last]) => !last.is_ascii_alphanumeric(),
        _ => true,
    };
    begins(rest, start, b"kind") && stands_alone
}

/// What stands behind the last byte of this sort. No name is longer than what is looked at, and hostile texts are.
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

/// Characters of ASCII that are spelled by their numbers, as `\u0053` and `\x53`, written plainly.
fn unescaped(text: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, behind)) = rest.split_first() {
        let digits = if *first != b'\\' {
            None
        } else if let [b'u', b'0', b'0', digits @ ..] | [b'x' | b'X', digits @ ..] = behind {
            digits.first_chunk::<2>().map(|two| (two, &digits[2..]))
        } else {
            None
        };
        let code = digits.and_then(|(two, behind)| {
            let code = u8::from_str_radix(str::from_utf8(two).ok()?, 16).ok()?;
            Some((code, behind))
        });
        match code {
            Some((code, behind)) => {
                plain.push(code);
                rest = behind;
            }
            None => {
                plain.push(*first);
                rest = behind;
            }
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kind::Kind;

    fn leaves(text: &str) -> Leaves<'_> {
        of(text.as_bytes(), Looks::at(text.as_bytes(), Kind::Other), MOST_TEXTS)
    }

    #[test]
    fn an_object_is_known_however_it_is_written() {
        for text in [
            "apiVersion: v1\nkind: Secret\ndata: {}\n",
            "{\"kind\":\"Secret\",\"data\":{}}",
            "{\\\"kind\\\": \\\"Secret\\\", \\\"data",
            "\"{\\\\\\\"kind\\\\\\\":\\\\\\\"SecretList\\\\\\\"",
            "{kind: 'TokenReview', spec: {token: x}}",
            "\"kind\" : !!str \"secret\"\ndata",
            "kind: &k !!str Secret\n",
            "v1.TypeMeta{Kind:\"Secret\", APIVersion:\"v1\"} Data:map[]",
            "before it: {\"kind\":\"\\u0053ecret\"}",
            "{\"kind\":\"Secret.v1.\",\"data\":1}",
            "kind: v1/Secret\ndata: x",
            "\"a: b\\nkind: \\\"v1/Secret\\\" # it is\\n",
        ] {
            assert_eq!(leaves(text), Leaves::Nothing, "{text}");
        }
    }

    #[test]
    fn what_only_speaks_of_secrets_stays() {
        for text in [
            "MountVolume.SetUp failed for volume \"v\" : secret \"db\" not found",
            "no matches for kind \"Secret\" in version \"v1\"",
            "kind: ExternalSecret\nspec: {}\n",
            "kind: SecretStore\nspec: {}\n",
            "{\"involvedObject\":{\"kind\":\"Secret\",\"name\":\"db\",\"namespace\":\"shop\"},\"reason\":\"x\"}",
            "{\"kinds\":[\"Secret\"]}",
            "mankind: Secret",
        ] {
            assert_eq!(leaves(text), Leaves::All, "{text}");
        }
    }

    #[test]
    fn an_audit_record_keeps_its_beginning_and_its_end_keeps_nothing() {
        let start = "{\"auditID\":\"a\",\"requestURI\":\"/secrets/db";
        for (text, expected) in [
            (format!("{start}\",\"verb\":\"get\",\"requestObject\":{{"), Some(", \"verb\"")),
            (format!("{start}?x=hunter2\",\"verb\":\"get\"}}"), None),
            (format!("{start}\",\"responseStatus\":{{\"message\":\"hunter2"), None),
        ] {
            let Leaves::Beginning(kept) = leaves(&text) else { panic!("{text}") };
            let kept = str::from_utf8(kept).unwrap();
            assert!(kept.starts_with(start) && !kept.contains("hunter2"), "{kept}");
            assert!(expected.is_none() || kept.contains("verb"), "{kept}");
        }
        for text in [
            "hunter2\"}},\"requestReceivedTimestamp\":\"x\"}",
            "hunter2\"}},\"responseObject\":{\"kind\":\"Secret\"},\"stageTimestamp\":\"x\"}",
            "hunter2\"},\"auditID\":\"a\",\"responseObject\":{\"kind\":\"Secret\"}",
        ] {
            assert_eq!(leaves(text), Leaves::Nothing, "{text}");
        }
        let plain = "the line of auditID 7 holds a secret and a token";
        assert_eq!(leaves(plain), Leaves::All);
    }
}
