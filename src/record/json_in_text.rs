//! Finds JSON documents in a text, each possibly after a prefix that a tool wrote.
//!
//! A line that is not JSON does not hide the documents after it. The time is linear in the length of the
//! text: after one document that cannot be read, each of the next must end on its own line.

use memchr::{memchr, memmem};
use rmp::encode;

use super::json;
use crate::time::Stamp;

/// No timestamp at the start of a line is longer.
const LONGEST_TIME: usize = 40;
/// No klog header is longer.
const LONGEST_HEADER: usize = 160;
/// No colour sequence of a terminal is longer.
const LONGEST_ESCAPE: usize = 32;

/// The MessagePack head of a list with a 32-bit length.
const LIST: u8 = 0xdd;
const LIST_HEAD: usize = 5;

/// The documents of a text.
pub(super) struct Documents {
    list: Vec<u8>,
    len: u32,
    /// Why the first one that begins like an object is not valid.
    pub(super) invalid: Option<String>,
    /// Nothing in them was replaced or left out.
    pub(super) is_exact: bool,
}

impl Documents {
    /// The document, if the text contains nothing else.
    pub(super) fn one(&self) -> Option<&[u8]> {
        if self.len == 1 { self.list.get(LIST_HEAD..) } else { None }
    }

    /// All documents as a list. Text that is not JSON becomes one more map, under its field's name.
    pub(super) fn list(&self) -> Option<&[u8]> {
        (self.len > 0).then_some(&self.list)
    }
}

/// The documents in the text of a field; `None` if the text does not begin like JSON.
pub(super) fn documents(name: &str, text: &[u8]) -> Option<Documents> {
    json_in(text)?;
    let list = Vec::with_capacity(LIST_HEAD + text.len());
    let mut all = Documents { list, len: 0, invalid: None, is_exact: true };
    all.list.extend_from_slice(&[LIST, 0, 0, 0, 0]);
    let mut no_json = Vec::new();
    let mut is_by_line = false;
    let mut rest = skip_blank(text);
    while !rest.is_empty() {
        let json = json_in(rest);
        let read = json.map(|json| {
            let end = memchr(b'\n', json).filter(|_| is_by_line).unwrap_or(json.len());
            json::first(&json[..end], &mut all.list).map(|first| (&json[first.len..], first.is_exact))
        });
        rest = match read {
            Some(Ok((behind, is_exact))) => {
                all.len += 1;
                all.is_exact &= is_exact;
                behind
            }
            failed => {
                is_by_line |= failed.is_some();
                if let Some(Err(why)) = failed
                    && json.is_some_and(|json| json.starts_with(b"{"))
                {
                    all.invalid.get_or_insert_with(|| why.to_string());
                }
                let (line, behind) = rest.split_at(memchr(b'\n', rest).map_or(rest.len(), |end| end + 1));
                no_json.extend_from_slice(line);
                behind
            }
        };
        rest = skip_blank(rest);
    }
    if all.len > 0 && !no_json.is_empty() {
        // Writing to a Vec cannot fail.
        let _ = encode::write_map_len(&mut all.list, 1);
        let _ = encode::write_str(&mut all.list, name);
        let text = no_json.trim_ascii_end();
        let _ = encode::write_str_len(&mut all.list, u32::try_from(text.len()).unwrap_or(0));
        all.list.extend_from_slice(text);
        all.len += 1;
    }
    all.list[1..LIST_HEAD].copy_from_slice(&all.len.to_be_bytes());
    Some(all)
}

/// Whether a text may begin with JSON. Most log lines do not, so only their first bytes are compared.
pub(super) fn may_begin(text: &[u8]) -> bool {
    let text = skip_blank(text);
    matches!(text, [b'{' | b'[' | b'"' | b'0'..=b'9', ..]) || is_klog(text)
}

/// JSON at the start of a text: an object, a list, or a string that contains one of these. It may follow the
/// prefix of a container log (CRI) or of klog.
fn json_in(text: &[u8]) -> Option<&[u8]> {
    let text = skip_blank(text);
    let line = if text.first()?.is_ascii_digit() { skip_blank(behind_cri(text)?) } else { text };
    if is_klog(line) {
        // Go prints a struct in braces too, but without quotes.
        return behind_klog(line).filter(|json| json.starts_with(b"{\""));
    }
    let second = || skip_blank(line.get(1..)?).first().copied();
    match line.first()? {
        b'{' => Some(line),
        b'[' => matches!(second()?, b'{' | b'[' | b'"' | b'-' | b'0'..=b'9' | b't' | b'f' | b'n' | b'N')
            .then_some(line),
        b'"' => matches!(second()?, b'{' | b'[' | b'\\').then_some(line),
        _ => None,
    }
}

/// Skips blanks, a byte order mark, colour sequences, and what separates documents: a comma or the separator
/// of RFC 7464.
fn skip_blank(mut text: &[u8]) -> &[u8] {
    loop {
        let len = match text {
            [b' ' | b'\t' | b'\n' | b'\r' | 0x0c | b',' | 0x1e, ..] => 1,
            [0xef, 0xbb, 0xbf, ..] => 3,
            [0x1b, b'[', sequence @ ..] => {
                let end = sequence.iter().take(LONGEST_ESCAPE).position(|byte| !matches!(byte, b' '..=b'?'));
                match end {
                    Some(end) if matches!(sequence[end], b'@'..=b'~') => 2 + end + 1,
                    _ => return text,
                }
            }
            _ => return text,
        };
        text = &text[len..];
    }
}

/// The text after `2026-11-20T23:28:53.123456789Z stdout F `. A line that continues in the next one (`P`) is
/// incomplete. More tags may follow the first, separated by colons (`kubelet`'s `kuberuntime/logs`).
fn behind_cri(line: &[u8]) -> Option<&[u8]> {
    let word = |text: &'_ [u8]| text.iter().take(LONGEST_TIME).position(|byte| *byte == b' ');
    let time_end = word(line)?;
    Stamp::parse(str::from_utf8(&line[..time_end]).ok()?)?;
    let rest = &line[time_end + 1..];
    let rest = rest.strip_prefix(b"stdout ").or_else(|| rest.strip_prefix(b"stderr "))?;
    let tags = &rest[..word(rest)?];
    let is_whole = tags == b"F" || tags.starts_with(b"F:");
    is_whole.then_some(&rest[tags.len() + 1..])
}

fn is_klog(line: &[u8]) -> bool {
    matches!(line, [b'I' | b'W' | b'E' | b'F', b'0'..=b'9', ..])
}

/// The text after `I1120 23:28:53.123456       1 glogsink.go:42] `, as written by eventrouter's sink `glog`.
fn behind_klog(line: &[u8]) -> Option<&[u8]> {
    let end = memmem::find(&line[..line.len().min(LONGEST_HEADER)], b"] ")?;
    let header = str::from_utf8(&line[..end]).ok()?;
    let mut words = header.split_ascii_whitespace();
    let (day, time, thread, place) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let is_header = day.len() == 5
        && time.len() == 15
        && thread.bytes().all(|digit| digit.is_ascii_digit())
        && place.contains(".go:")
        && words.next().is_none();
    is_header.then(|| line[end + 2..].trim_ascii_start())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_a_container_is_whole_or_none() {
        for (line, json) in [
            (&b"2026-11-20T23:28:53.123456789Z stdout F {\"a\": 1}\n"[..], Some(&b"{\"a\": 1}\n"[..])),
            (b"2026-11-20T23:28:53+01:00 stderr F:x  [ {}]", Some(b"[ {}]")),
            (b"2026-11-20T23:28:53.123456789Z stdout P {\"a\": 1}", None),
            (b"2026-11-20T23:28:53.123456789Z stdout FF {\"a\": 1}", None),
            (b"2026-11-20T23:28:53.123456789Z stdin F {\"a\": 1}", None),
            (b"2026-11-20 23:28:53 stdout F {\"a\": 1}", None),
            (b"2026-11-20T23:28:53.123456789Z stdout F", None),
            (b"7 {\"a\": 1}", None),
            (b"I1120 23:28:53.123456       1 glogsink.go:42] {\"a\": 1}\n", Some(b"{\"a\": 1}\n")),
            (
                b"2026-11-20T23:28:53Z stderr F W1120 23:28:53.123456 1 a.go:4] {\"a\": 1}",
                Some(b"{\"a\": 1}"),
            ),
            (b"I1120 23:28:53.123456 1 a.go:42] {a 1}", None),
            (b"I1120 23:28:53.123456 1 a.go:42 {\"a\": 1}", None),
            (b"I1120 23:28:53.123456 x a.go:42] {\"a\": 1}", None),
            (b"I1120] {\"a\": 1}", None),
            (b"INFO {\"a\": 1}", None),
            (b" {\"a\": 1", Some(b"{\"a\": 1")),
            (b"[INFO] text", None),
            (b"[ ]", None),
            (b"\xef\xbb\xbf\x1b[1;32m{\"a\": 1}\x1b[0m", Some(b"{\"a\": 1}\x1b[0m")),
            (b"\x1b[1;\x1b{\"a\": 1}", None),
            (b"\"{\\\"a\\\": 1}\"", Some(b"\"{\\\"a\\\": 1}\"")),
            (b"\"text\" {", None),
            (b"", None),
        ] {
            assert_eq!(json_in(line), json, "{}", String::from_utf8_lossy(line));
        }
    }
}
