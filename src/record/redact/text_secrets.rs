//! Finds texts that contain an object with secrets, as JSON or YAML, possibly escaped several times, or an
//! audit record about one.
//!
//! Removing only the secret would need a parser for the text's language, and there is none for a text that
//! was cut. So the whole text is withheld. Only the beginning of an audit record may leave, because it shows
//! who did what.

use memchr::memmem;

use super::last_applied;
use super::named_kinds::names_a_kind;
use super::prefilter::{Hints, look_for_hints};
use super::secret_objects::{Checks, TIMES};
use super::unescape::unescaped;
use super::writer::reveals;
use crate::record::json_in_text::documents;

/// JSON in a text may contain such texts again. They are opened to the same depth as wrappers.
pub(super) const MOST_TEXTS: u8 = 6;
/// No shorter text can contain an object.
const SHORTEST: usize = 12;
/// An audit record begins with this, before anything that may be secret.
const BEGINNING: &[u8] = b"auditID";
/// The ends of the names of its bodies, as various tools write them.
const BODIES: [&[u8]; 4] = [b"equestObject", b"esponseObject", b"equest_object", b"esponse_object"];

/// Which part of a text may leave.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Kept<'t> {
    All,
    /// The part before anything that may be secret.
    Beginning(&'t [u8]),
    Nothing,
}

/// Decides which part of a text may leave. `left` is how many nested texts may still be opened.
pub(super) fn kept_of<'t>(text: &'t [u8], checks: Checks, left: u8) -> Kept<'t> {
    if text.len() < SHORTEST {
        return Kept::All;
    }
    let hints = look_for_hints(text);
    if checks.may_be_fragment || hints.bodies || hints.words {
        let kept = of_an_audit_record(text, hints);
        if kept != Kept::All {
            return kept;
        }
    }
    let plain = unescaped(text, hints);
    let names_one = (hints.words || hints.escapes) && names_a_kind(&plain);
    let holds_one = names_one || (hints.applied && last_applied::stands_in(&plain));
    if !holds_one && !hints.words {
        return Kept::All;
    }
    // JSON can be parsed, so a mere reference to a Secret may leave. If the parser dropped something, that
    // may be the secret.
    let read = if left > 0 { documents("text", text) } else { None };
    let kept = match read.as_ref().and_then(|read| Some((read.list()?, read.is_exact))) {
        Some((list, _)) if reveals(list, left - 1) => false,
        Some((_, true)) => true,
        _ => !holds_one,
    };
    if kept { Kept::All } else { Kept::Nothing }
}

/// For a text with an audit record: the part before its bodies, and before the status if the record is about
/// a secret.
fn of_an_audit_record(text: &[u8], hints: Hints) -> Kept<'_> {
    let find = |word: &[u8]| memmem::find(text, word);
    let begins_at = find(BEGINNING);
    let has_times = TIMES.iter().any(|key| find(key).is_some());
    let is_cut_off = begins_at.is_none() && has_times;
    let is_one = begins_at.is_some() || has_times || (hints.bodies && hints.words);
    if !is_one || !(hints.bodies || hints.words || is_cut_off) {
        return Kept::All;
    }
    let bodies = BODIES.into_iter().filter_map(find);
    let status = find(b"responseStatus").filter(|_| hints.words);
    // Webhooks and policies write patches and messages into its annotations. Tools that sort fields put the
    // annotations first.
    let annotations = find(b"annotations").filter(|_| hints.words);
    let is_sorted = annotations < begins_at && annotations.is_some();
    let annotations = annotations.map(|at| if is_sorted { text.len() } else { at });
    let query = find(b"requestURI").filter(|_| hints.words).and_then(|uri| {
        let value = text.get(uri..)?;
        let ends = value.iter().position(|byte| *byte == b',').unwrap_or(value.len());
        value.get(..ends)?.iter().position(|byte| *byte == b'?').map(|at| uri + at)
    });
    match (bodies.chain(status).chain(annotations).chain(query).min(), begins_at) {
        (Some(stop), Some(start)) if start < stop && begins_as_object(text) => {
            let (before, record) = text.split_at(start);
            let record = record.get(..stop - start).unwrap_or_default();
            let record = record.get(..another_begins(record)).unwrap_or_default();
            // A client may choose a name like that of a secret kind, but the client's name comes after the
            // id.
            let is_before_free = !is_sorted && !names_a_kind(before) && !last_applied::stands_in(before);
            let from = if is_before_free { 0 } else { start };
            Kept::Beginning(text.get(from..start + record.len()).unwrap_or_default())
        }
        (Some(_), _) => Kept::Nothing,
        // The end of an audit record whose beginning is in another record.
        (None, None) => Kept::Nothing,
        (None, Some(_)) => Kept::All,
    }
}

/// Where another document begins after this one: at a line that cannot continue a record of several lines.
fn another_begins(record: &[u8]) -> usize {
    let goes_on = |rest: &[u8]| {
        matches!(rest.first(), None | Some(b' ' | b'\t' | b'\r' | b'\n' | b'"' | b'\\' | b'}' | b']'))
    };
    let mut breaks = memmem::find_iter(record, b"\n");
    breaks.find(|at| !goes_on(&record[at + 1..])).unwrap_or(record.len())
}

/// Whether the first bracket in the text opens an object or a list.
fn begins_as_object(text: &[u8]) -> bool {
    let first = text.iter().position(|byte| b"{}[]".contains(byte));
    first.is_none_or(|at| text.get(at) == Some(&b'{') || text.get(at) == Some(&b'['))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kind::Kind;

    fn kept(text: &str) -> Kept<'_> {
        kept_of(text.as_bytes(), Checks::at(text.as_bytes(), Kind::Other), MOST_TEXTS)
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
            "{\"kind\"=>\"Secret\", \"data\"=>1}",
            "{kind=Secret, data={p=x}}",
            "kind = \"Secret\"\ndata = {}",
            "Secret(apiVersion=v1, data={p=x})",
            "&Secret{ObjectMeta:{db},Data:map[string][]byte{p: [1]}}",
            "v1.TokenReview{TypeMeta:{Kind:\"\"}, Spec:{Token:\"x\"}}",
            "(*v1.Secret)(0xc0)({ Data: (map[string][]uint8) {} })",
            "kind='Secret'\n[data]\np='x'",
            "{u'kind': u'Secret', u'x': 1}",
            "kind: >-\n  Secret\ndata: x",
            "\u{1b}[1mkind\u{1b}[0m: \u{1b}[0;32mSecret\u{1b}[0m",
            "{&quot;kind&quot;:&#34;Secret&quot;}",
            "%7B%22kind%22%3A%22Secret%22%7D",
        ] {
            assert_eq!(kept(text), Kept::Nothing, "{text}");
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
            "controller=a kind=Secret name=db",
            "gvk=\"/v1, Kind=Secret\" metadata: x",
            "Secret{name} of x",
            "a list of Secret(s): data is 100% old & gone",
        ] {
            assert_eq!(kept(text), Kept::All, "{text}");
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
            let Kept::Beginning(kept) = kept(&text) else { panic!("{text}") };
            let kept = str::from_utf8(kept).unwrap();
            assert!(kept.starts_with(start) && !kept.contains("hunter2"), "{kept}");
            assert!(expected.is_none() || kept.contains("verb"), "{kept}");
        }
        for text in [
            "hunter2\"}},\"requestReceivedTimestamp\":\"x\"}",
            "hunter2\"}},\"responseObject\":{\"kind\":\"Secret\"},\"stageTimestamp\":\"x\"}",
            "hunter2\"},\"auditID\":\"a\",\"responseObject\":{\"kind\":\"Secret\"}",
        ] {
            assert_eq!(kept(text), Kept::Nothing, "{text}");
        }
        let plain = "the line of auditID 7 holds a secret and a token";
        assert_eq!(kept(plain), Kept::All);
    }
}
