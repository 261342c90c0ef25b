//! Records inside other records: what tools around Kubernetes put an event or an audit record into.
//!
//! A wrapper is known by its members. Where in it a record may stand is said here; whether one really stands there,
//! `understood` finds out, and without a known kind inside a wrapper stays as it came.

use memchr::memmem;

use super::cursor::{Cursor, Fault, Token};
use super::raw::Raw;
use crate::time::Stamp;

/// The members in which a record may stand, as a map, as a list, or as JSON in a text. Those that hold maps come first:
/// they cost least to look into.
const MEMBERS: [&str; 12] = [
    // Merge_Log_Key of the filter kubernetes, as its documentation has it.
    "log_processed",
    // A line of a watch, `{type, object}`, as the receiver k8sobjects of OpenTelemetry writes it.
    "object",
    // eventrouter's `{verb, event, old_event}`, and the envelope of Splunk's HTTP Event Collector.
    "event",
    // Azure's resource logs: the record stands in `properties.log`.
    "properties",
    // What Azure puts into an Event Hub: a list of such rows.
    "records",
    // What a subscription of CloudWatch Logs delivers.
    "logEvents",
    // The input kafka.
    "payload",
    // A log record of OpenTelemetry.
    "body",
    // A line of a file or of a container.
    "log",
    "message",
    // The input systemd.
    "MESSAGE",
    // zap's name for it.
    "msg",
];

/// A timestamp at the start of a line is shorter than this.
const LONGEST_TIME: usize = 40;
/// What klog begins a line with ends before this.
const LONGEST_HEADER: usize = 160;

/// A member that may hold a record.
#[derive(Debug, Clone, Copy)]
pub(super) struct Member<'a> {
    pub(super) name: &'static str,
    pub(super) value: &'a [u8],
    /// Where each item of a list holds its record.
    pub(super) row: Row,
}

/// What an item of a list is known by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Row {
    /// It is a record.
    Record,
    /// `properties.log`
    Azure,
    /// `message`
    CloudWatch,
}

impl Row {
    pub(super) fn takes(self, item: &[u8]) -> bool {
        let item = Raw::new(item);
        match self {
            Self::Record => true,
            Self::Azure => item.get("properties").is_some_and(|inside| inside.get("log").is_some()),
            Self::CloudWatch => item.get("message").is_some(),
        }
    }
}

/// Whether a member of this name and with this value may hold a record. Most log lines do not, so this looks at their
/// first bytes only.
pub(super) fn may_hold(name: &[u8], value: Token<'_>) -> bool {
    let is_worth_it = match value {
        Token::Map(len) | Token::Array(len) => len > 0,
        Token::Str(text) | Token::Bin(text) => {
            let text = text.trim_ascii_start();
            matches!(text, [b'{' | b'[' | b'"' | b'0'..=b'9', ..]) || is_klog(text)
        }
        _ => false,
    };
    is_worth_it && MEMBERS.iter().any(|member| member.as_bytes() == name)
}

/// The members of a body in which a record may stand; of a name that comes twice the last.
pub(super) fn members(body: &[u8]) -> impl Iterator<Item = Member<'_>> {
    let mut found = [None; MEMBERS.len()];
    let (mut verb, mut change) = (None, None);
    let mut cursor = Cursor::new(body);
    let len = if let Ok(Token::Map(len)) = cursor.token() { len } else { 0 };
    for _ in 0..len {
        let Ok(name) = next_head(&mut cursor) else { break };
        let start = cursor;
        let Ok(head) = next_head(&mut cursor) else { break };
        let Token::Str(name) = name else { continue };
        match name {
            b"verb" => verb = Some(head),
            b"type" => change = Some(head),
            _ => {}
        }
        if let Some(at) = MEMBERS.iter().position(|member| member.as_bytes() == name) {
            found[at] = Some(start.up_to(&cursor));
        }
    }
    // A deleted event is not a new one, and `old_event` repeats what was delivered before.
    let is_watched = matches!(change, Some(Token::Str(b"ADDED" | b"MODIFIED")));
    let is_routed = matches!(verb, None | Some(Token::Nil | Token::Str(b"ADDED" | b"UPDATED")));
    MEMBERS.into_iter().zip(found).filter_map(move |(name, value)| {
        let value = value?;
        let member = |value, row| Some(Member { name, value, row });
        match name {
            "object" if !is_watched => None,
            "event" if !is_routed => None,
            "properties" => member(Raw::new(value).get("log")?.bytes(), Row::Record),
            "records" if is_list(value) => member(value, Row::Azure),
            "logEvents" if is_list(value) => member(value, Row::CloudWatch),
            "records" | "logEvents" => None,
            _ => member(value, Row::Record),
        }
    })
}

/// The head of the next value, which is passed over.
fn next_head<'a>(cursor: &mut Cursor<'a>) -> Result<Token<'a>, Fault> {
    let head = cursor.token()?;
    cursor.skip_children(head)?;
    Ok(head)
}

fn is_list(value: &[u8]) -> bool {
    matches!(Cursor::new(value).token(), Ok(Token::Array(_)))
}

/// JSON in a text: of an object, of a list of objects, or of a text that holds one of these once more. Before it may
/// stand what a container's log (CRI) and klog begin a line with.
pub(super) fn json_in(text: &[u8]) -> Option<&[u8]> {
    let text = text.trim_ascii();
    let line = if text.first()?.is_ascii_digit() { behind_cri(text)?.trim_ascii_start() } else { text };
    if is_klog(line) {
        // Go prints a struct in braces as well, without quotes.
        return behind_klog(line).filter(|json| json.starts_with(b"{\""));
    }
    let second = || line.get(1..)?.trim_ascii_start().first().copied();
    match line.first()? {
        b'{' => Some(line),
        b'[' => (second() == Some(b'{')).then_some(line),
        b'"' => matches!(second(), Some(b'{' | b'[')).then_some(line),
        _ => None,
    }
}

/// What stands behind `2026-11-20T23:28:53.123456789Z stdout F `. A line that goes on in the next one (`P`) is not
/// whole. Behind the first tag others may follow, separated by colons (`kubelet`'s `kuberuntime/logs`).
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

/// What stands behind `I1120 23:28:53.123456       1 glogsink.go:42] `: eventrouter's sink `glog` writes its events so.
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
            (&b"2026-11-20T23:28:53.123456789Z stdout F {\"a\": 1}\n"[..], Some(&b"{\"a\": 1}"[..])),
            (b"2026-11-20T23:28:53+01:00 stderr F:x  [ {}]", Some(b"[ {}]")),
            (b"2026-11-20T23:28:53.123456789Z stdout P {\"a\": 1}", None),
            (b"2026-11-20T23:28:53.123456789Z stdout FF {\"a\": 1}", None),
            (b"2026-11-20T23:28:53.123456789Z stdin F {\"a\": 1}", None),
            (b"2026-11-20 23:28:53 stdout F {\"a\": 1}", None),
            (b"2026-11-20T23:28:53.123456789Z stdout F", None),
            (b"7 {\"a\": 1}", None),
            (b"I1120 23:28:53.123456       1 glogsink.go:42] {\"a\": 1}\n", Some(b"{\"a\": 1}")),
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
            (b"[1, 2]", None),
            (b"[INFO] text", None),
            (b"\"{\\\"a\\\": 1}\"", Some(b"\"{\\\"a\\\": 1}\"")),
            (b"\"text\" {", None),
            (b"", None),
        ] {
            assert_eq!(json_in(line), json, "{}", String::from_utf8_lossy(line));
        }
    }
}
