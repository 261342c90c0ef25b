//! OTLP's `ExportLogsServiceResponse`: how many records were rejected, but not which.
//!
//! The body shows its encoding, because no whole protobuf of it begins with a brace. Some collectors respond in JSON to
//! either encoding. A few words of text count as a 2xx without rejections. A page, invalid JSON, or a compressed body
//! that was not asked for is unreadable.

use serde::Deserialize;
use serde_json::Value;

use super::protobuf::{self, PartialSuccess};
use crate::response::partial_success::{kept, unreadable};
use crate::response::{Disposition, RecordOutcome, Response};

/// Every field may be absent or null. Parsers of protobuf's JSON accept both spellings.
#[derive(Deserialize)]
struct ExportResponse {
    #[serde(alias = "partial_success", rename = "partialSuccess")]
    partial: Option<PartialSuccessJson>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct PartialSuccessJson {
    #[serde(alias = "rejected_log_records", rename = "rejectedLogRecords")]
    rejected: Value,
    #[serde(alias = "error_message", rename = "errorMessage")]
    message: Option<String>,
}

pub(super) fn read(response: &Response<'_>) -> Disposition {
    let Response { body, records, sent_bytes, hide, .. } = *response;
    let Some(PartialSuccess { rejected, message }) = partial(body) else {
        return unreadable(
            "the response is not an ExportLogsServiceResponse: does endpoint lead to /v1/logs?",
        );
    };
    let answer = kept(&message, hide);
    match usize::try_from(rejected) {
        // A receiver that took all records may still send a message, which is not an error.
        Err(_) | Ok(0) => Disposition::Accepted { sent_bytes },
        Ok(rejected) if rejected < records => Disposition::PartlyRejected { rejected, answer, sent_bytes },
        Ok(_) => Disposition::Partial {
            outcomes: vec![RecordOutcome::Rejected { status: 200, answer }; records],
            sent_bytes,
        },
    }
}

fn partial(body: &[u8]) -> Option<PartialSuccess> {
    const GZIP: [u8; 2] = [0x1f, 0x8b];
    let in_protobuf = protobuf::read(body);
    if in_protobuf.is_whole {
        return Some(in_protobuf.partial);
    }
    let text = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body).trim_ascii();
    match text {
        [b'{', ..] => of_json(text),
        [b'<', ..] => None,
        _ if body.starts_with(&GZIP) => None,
        // A cut response counts only if it already reports rejections.
        [..] if body.first() == Some(&protobuf::PARTIAL_SUCCESS) => {
            Some(in_protobuf.partial).filter(|partial| partial.rejected > 0)
        }
        _ => Some(PartialSuccess::default()),
    }
}

fn of_json(text: &[u8]) -> Option<PartialSuccess> {
    let ExportResponse { partial } = serde_json::from_slice(text).ok()?;
    let PartialSuccessJson { rejected, message } = partial.unwrap_or_default();
    // Protobuf's JSON writes a 64-bit integer as a text, but some receivers write a number.
    let rejected = match rejected {
        Value::Null => 0,
        Value::Number(number) => number.as_i64()?,
        Value::String(text) => text.parse().ok()?,
        _ => return None,
    };
    Some(PartialSuccess { rejected, message: message.unwrap_or_default() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::response::Doubt;

    /// How many of three records were rejected, and why; `None` if it does not say.
    fn of(body: &[u8]) -> Option<(usize, String)> {
        match read(&Response { status: 200, body, records: 3, sent_bytes: 7, ..Response::default() }) {
            Disposition::Accepted { sent_bytes: 7 } => Some((0, String::new())),
            Disposition::PartlyRejected { rejected, answer, sent_bytes: 7 } => Some((rejected, answer)),
            Disposition::Partial { outcomes, sent_bytes: 7 } => match &outcomes[..] {
                [RecordOutcome::Rejected { status: 200, answer }, _, _] => Some((3, answer.clone())),
                _ => panic!("{outcomes:?}"),
            },
            Disposition::Retry { doubt: Doubt::Unanswered, .. } => None,
            other => panic!("{other:?}"),
        }
    }

    fn said(rejected: usize, why: &str) -> Option<(usize, String)> {
        Some((rejected, why.to_owned()))
    }

    #[test]
    fn json_says_how_many_were_rejected() {
        for (json, expected) in [
            ("", said(0, "")),
            ("OK\n", said(0, "")),
            ("{}", said(0, "")),
            (r#"{"partialSuccess":null}"#, said(0, "")),
            (r#"{"partialSuccess":{}}"#, said(0, "")),
            (r#"{"partialSuccess":{"rejectedLogRecords":"0","errorMessage":"careful"}}"#, said(0, "")),
            (r#"{"partialSuccess":{"rejectedLogRecords":null,"errorMessage":null}}"#, said(0, "")),
            (r#"{"partialSuccess":{"rejectedLogRecords":"2","errorMessage":"old"}}"#, said(2, "old")),
            (r#" {"partialSuccess":{"rejectedLogRecords":2,"errorMessage":null}}"#, said(2, "")),
            ("\u{feff}{\"partialSuccess\":{\"rejectedLogRecords\":2}}", said(2, "")),
            (r#"{"partial_success":{"rejected_log_records":1,"error_message":"old"}}"#, said(1, "old")),
            (r#"{"partialSuccess":{"rejectedLogRecords":3,"errorMessage":"old"}}"#, said(3, "old")),
            (r#"{"partialSuccess":{"rejectedLogRecords":"400"}}"#, said(3, "")),
            (r#"{"partialSuccess":{"rejectedLogRecords":"some"}}"#, None),
            (r#"{"partialSuccess":{"rejectedLogRecords":[2]}}"#, None),
            (r#"{"partialSuccess":{"rejectedLogRecords":2"#, None),
            ("\n <!doctype html>", None),
        ] {
            assert_eq!(of(json.as_bytes()), expected, "{json}");
        }
    }

    #[test]
    fn so_does_protobuf() {
        for (bytes, expected) in [
            (&b"\x0a\x00"[..], said(0, "")),
            (b"\x0a\x07\x08\x02\x12\x03old", said(2, "old")),
            (b"\x10\x01\x0a\x02\x08\x02", said(2, "")),
            (b"\x0a\x02\x08\x03", said(3, "")),
            // Cut before and after the number.
            (b"\x0a\x07\x12\x03ol", None),
            (b"\x0a\x07\x08\x02\x12\x03ol", said(2, "")),
            (b"\x1f\x8b\x08\x00\x00\x00\x00\x00", None),
        ] {
            assert_eq!(of(bytes), expected, "{bytes:?}");
        }
    }

    /// The length of a message may be a brace, and its tag is a line feed.
    #[test]
    fn no_message_is_taken_for_json_for_its_length() {
        for length in 5..128_u8 {
            let text = vec![b'x'; usize::from(length) - 4];
            let inside = [&[0x08, 2, 0x12, length - 4][..], &text].concat();
            let body = [&[0x0a, length][..], &inside].concat();
            assert_eq!(of(&body), said(2, str::from_utf8(&text).unwrap()), "{length}");
        }
    }
}
