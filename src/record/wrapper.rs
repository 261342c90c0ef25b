//! Wrappers: records of other tools that contain an event or an audit record.
//!
//! A wrapper is recognised by its fields. This file lists the fields that may contain a record;
//! `wrapper_search` checks them. A wrapper without a known kind inside stays as it came.

use super::cursor::{Cursor, DecodeError, Token};
use super::json_in_text;
use super::redact::is_secret_kind;

/// Fields that may contain a record, as a map, a list, or JSON text. Those with maps come first, because they
/// are the cheapest to check.
const MEMBERS: [&str; 12] = [
    // The Merge_Log_Key of the kubernetes filter, as in its documentation.
    "log_processed",
    // A watch line `{type, object}`, as OpenTelemetry's k8sobjects receiver writes it.
    "object",
    // eventrouter's `{verb, event, old_event}`, and the envelope of Splunk's HTTP Event Collector.
    "event",
    // Azure resource logs: the record is in `properties.log`.
    "properties",
    // Azure Event Hubs: a list of such rows.
    "records",
    // A CloudWatch Logs subscription.
    "logEvents",
    // The kafka input.
    "payload",
    // An OpenTelemetry log record.
    "body",
    // A line of a file or of a container.
    "log",
    "message",
    // The systemd input.
    "MESSAGE",
    // zap.
    "msg",
];

/// Fields that a logger or the host writes beside `msg`. A line with more fields belongs to an application
/// and may quote a record; extracting it would lose the line's own fields.
const BESIDE_MSG: [&[u8]; 17] = [
    b"level",
    b"severity",
    b"ts",
    b"time",
    b"timestamp",
    b"@timestamp",
    b"date",
    b"caller",
    b"logger",
    b"stacktrace",
    b"v",
    b"log",
    b"stream",
    b"logtag",
    b"_p",
    b"kubernetes",
    b"msg",
];

/// A field that may contain a record.
#[derive(Debug, Clone, Copy)]
pub(super) struct Member<'a> {
    pub(super) name: &'static str,
    pub(super) value: &'a [u8],
    /// The name in this map under which the record is.
    pub(super) inside: Option<&'static str>,
}

/// Whether a field with this name and value may contain a record.
pub(super) fn may_hold(name: &[u8], value: Token<'_>) -> bool {
    let is_worth_it = match value {
        Token::Map(len) | Token::Array(len) => len > 0,
        Token::Str(text) | Token::Bin(text) => json_in_text::may_begin(text),
        _ => false,
    };
    is_worth_it && MEMBERS.iter().any(|member| member.as_bytes() == name)
}

/// The fields of a body that may contain a record; the last of equal names counts. An object that holds
/// secrets is not a wrapper, because what is extracted from it would lose the kind by which it is recognised.
pub(super) fn members(body: &[u8]) -> impl Iterator<Item = Member<'_>> {
    let mut found = [None; MEMBERS.len()];
    let (mut verb, mut change) = (None, None);
    let (mut is_loggers, mut is_secret) = (true, false);
    let mut cursor = Cursor::new(body);
    let len = if let Ok(Token::Map(len)) = cursor.token() { len } else { 0 };
    for _ in 0..len {
        let Ok(name) = next_head(&mut cursor) else { break };
        let start = cursor;
        let Ok(head) = next_head(&mut cursor) else { break };
        let Token::Str(name) = name else { continue };
        is_loggers &= BESIDE_MSG.contains(&name);
        match name {
            b"verb" => verb = Some(head),
            b"type" => change = Some(head),
            b"kind" => {
                is_secret |=
                    matches!(head, Token::Str(kind) if str::from_utf8(kind).is_ok_and(is_secret_kind))
            }
            _ => {}
        }
        if let Some(at) = MEMBERS.iter().position(|member| member.as_bytes() == name) {
            found[at] = Some(start.up_to(&cursor));
        }
    }
    // A deletion is not a new event, and `old_event` repeats what was delivered before.
    let is_watched = matches!(change, Some(Token::Str(b"ADDED" | b"MODIFIED")));
    let is_routed = matches!(verb, None | Some(Token::Nil | Token::Str(b"ADDED" | b"UPDATED")));
    MEMBERS.into_iter().zip(found).filter_map(move |(name, value)| {
        let value = value.filter(|_| !is_secret)?;
        let member = |inside| Some(Member { name, value, inside });
        match name {
            "object" if !is_watched => None,
            "event" if !is_routed => None,
            "msg" if !is_loggers => None,
            "records" | "logEvents" if is_map(value) => None,
            "properties" => member(Some("log")),
            _ => member(None),
        }
    })
}

/// Reads the head of the next value and skips the value.
fn next_head<'a>(cursor: &mut Cursor<'a>) -> Result<Token<'a>, DecodeError> {
    let head = cursor.token()?;
    cursor.skip_children(head)?;
    Ok(head)
}

fn is_map(value: &[u8]) -> bool {
    matches!(Cursor::new(value).token(), Ok(Token::Map(_)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_object_that_holds_secrets_wraps_nothing() {
        let event = json!({"involvedObject": {"kind": "Pod"}});
        for (kind, wraps) in [("Secret", false), ("v1/Secret", false), ("tokenreview", false), ("Line", true)]
        {
            for record in [json!({"kind": kind, "message": event}), json!({"message": event, "kind": kind})] {
                let packed = rmp_serde::to_vec(&record).unwrap();
                assert_eq!(members(&packed).count() == 1, wraps, "{record}");
            }
        }
    }
}
