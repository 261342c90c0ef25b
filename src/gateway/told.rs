//! What a 2xx says beyond itself: of each record, or of how many. Pure: no network, no clock.

use serde::Deserialize;

use super::answer::plain_text;
use super::outcome::{ANSWER_KEPT_BYTES, Doubt, Fate, Outcome};
use crate::net::agent::BODY_READ_BYTES;
use crate::render::Answers;

/// So much of an answer is read.
#[must_use]
pub const fn answer_bytes(answers: Answers) -> u64 {
    match answers {
        // For each of 10,000 records some hundred bytes.
        Answers::ElasticsearchBulk => 8 << 20,
        _ => BODY_READ_BYTES,
    }
}

/// The outcome of a request with a 2xx, by what the answer's body says.
#[must_use]
pub fn told(answers: Answers, body: &[u8], sent_bytes: u64) -> Outcome {
    match answers {
        Answers::Status | Answers::Hec | Answers::Loki | Answers::PagerDuty => {
            Outcome::Accepted { sent_bytes }
        }
        Answers::ElasticsearchBulk => bulk(body, sent_bytes),
        Answers::OtlpJson => partial_success(serde_json::from_slice(body).unwrap_or_default(), sent_bytes),
        Answers::OtlpProtobuf => partial_success(of_protobuf(body).unwrap_or_default(), sent_bytes),
    }
}

/// <https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-bulk>: an item for each action, in order.
fn bulk(body: &[u8], sent_bytes: u64) -> Outcome {
    #[derive(Deserialize)]
    struct Bulk {
        #[serde(default = "yes")]
        errors: bool,
        #[serde(default)]
        items: Vec<Item>,
    }
    #[derive(Deserialize)]
    struct Item {
        create: Done,
    }
    #[derive(Deserialize)]
    struct Done {
        status: u16,
        #[serde(default)]
        error: serde_json::Value,
    }
    /// Whoever filters the answer down to its items leaves it out.
    const fn yes() -> bool {
        true
    }
    let fate = |Item { create: Done { status, error } }: Item| match status {
        // 409: it is there already.
        200..=299 | 409 => Fate::Accepted,
        429 | 500..=599 => Fate::Retry,
        _ => Fate::Rejected { status, answer: plain_text(error.to_string().as_bytes(), ANSWER_KEPT_BYTES) },
    };
    match serde_json::from_slice::<Bulk>(body) {
        Ok(Bulk { errors: false, .. }) => Outcome::Accepted { sent_bytes },
        Ok(Bulk { items, .. }) if !items.is_empty() => {
            Outcome::Each { fates: items.into_iter().map(fate).collect(), sent_bytes }
        }
        _ => Outcome::Retry {
            after: None,
            why: "the answer does not tell of each document: does endpoint lead to _bulk?".to_owned(),
            doubt: Doubt::Unanswered,
        },
    }
}

/// `ExportLogsServiceResponse`.
#[derive(Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase", default)]
struct Response {
    partial_success: Partial,
}

#[derive(Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase", default)]
struct Partial {
    #[serde(deserialize_with = "number_or_text")]
    rejected_log_records: i64,
    error_message: String,
}

/// A 64-bit integer is a text in protobuf's JSON, and some write a number.
fn number_or_text<'de, D: serde::Deserializer<'de>>(from: D) -> Result<i64, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either {
        Number(i64),
        Text(String),
    }
    Ok(match Either::deserialize(from)? {
        Either::Number(number) => number,
        Either::Text(text) => text.parse().unwrap_or(0),
    })
}

/// A receiver that took all may still have something to say; that is no error.
fn partial_success(response: Response, sent_bytes: u64) -> Outcome {
    let Partial { rejected_log_records, error_message } = response.partial_success;
    match u64::try_from(rejected_log_records) {
        Ok(rejected @ 1..) => Outcome::PartlyRejected {
            rejected,
            answer: plain_text(error_message.as_bytes(), ANSWER_KEPT_BYTES),
            sent_bytes,
        },
        _ => Outcome::Accepted { sent_bytes },
    }
}

/// Field 1, a message of the fields 1 (int64) and 2 (string).
fn of_protobuf(body: &[u8]) -> Option<Response> {
    let mut partial = Partial::default();
    for (field, value) in Fields(body) {
        if let (1, Wire::Bytes(inside)) = (field, value?) {
            for (field, value) in Fields(inside) {
                match (field, value?) {
                    (1, Wire::Varint(number)) => partial.rejected_log_records = number.cast_signed(),
                    (2, Wire::Bytes(text)) => {
                        partial.error_message = String::from_utf8_lossy(text).into_owned()
                    }
                    _ => {}
                }
            }
        }
    }
    Some(Response { partial_success: partial })
}

/// The fields of a protobuf message; a value that is cut or of an old kind is `None`, and the last.
struct Fields<'b>(&'b [u8]);

enum Wire<'b> {
    Varint(u64),
    Bytes(&'b [u8]),
    Fixed,
}

impl<'b> Iterator for Fields<'b> {
    type Item = (u64, Option<Wire<'b>>);

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_none() {
            self.0 = &[];
        }
        Some(field.map_or((0, None), |(field, value)| (field, Some(value))))
    }
}

impl<'b> Fields<'b> {
    fn field(&mut self) -> Option<(u64, Wire<'b>)> {
        let tag = self.varint()?;
        let value = match tag & 7 {
            0 => Wire::Varint(self.varint()?),
            1 => self.take(8).map(|_| Wire::Fixed)?,
            2 => {
                let len = usize::try_from(self.varint()?).ok()?;
                Wire::Bytes(self.take(len)?)
            }
            5 => self.take(4).map(|_| Wire::Fixed)?,
            _ => return None,
        };
        Some((tag >> 3, value))
    }

    fn take(&mut self, len: usize) -> Option<&'b [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }

    fn varint(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self.0.split_first()?;
            self.0 = rest;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rejected(answers: Answers, body: &[u8]) -> Option<(u64, String)> {
        match told(answers, body, 7) {
            Outcome::PartlyRejected { rejected, answer, sent_bytes: 7 } => Some((rejected, answer)),
            outcome => {
                assert_eq!(outcome, Outcome::Accepted { sent_bytes: 7 });
                None
            }
        }
    }

    #[test]
    fn a_partial_success_is_read_in_both_encodings() {
        for (json, expected) in [
            ("", None),
            ("{}", None),
            ("no JSON", None),
            (r#"{"partialSuccess":{}}"#, None),
            (r#"{"partialSuccess":{"rejectedLogRecords":"0","errorMessage":"careful"}}"#, None),
            (
                r#"{"partialSuccess":{"rejectedLogRecords":"3","errorMessage":"old"}}"#,
                Some((3, "old".into())),
            ),
            (r#"{"partialSuccess":{"rejectedLogRecords":2}}"#, Some((2, String::new()))),
        ] {
            assert_eq!(rejected(Answers::OtlpJson, json.as_bytes()), expected, "{json}");
        }
        for (bytes, expected) in [
            (&b""[..], None),
            (b"\x0a\x00", None),
            (b"\x0a\x07\x08\x03\x12\x03old", Some((3, "old".into()))),
            (b"\x10\x01\x0a\x02\x08\x02", Some((2, String::new()))),
            (b"\x0a\x07\x08\x03\x12", None),
            (b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", None),
        ] {
            assert_eq!(rejected(Answers::OtlpProtobuf, bytes), expected, "{bytes:?}");
        }
    }

    #[test]
    fn each_item_of_a_bulk_has_its_fate() {
        let of = |body: &str| told(Answers::ElasticsearchBulk, body.as_bytes(), 7);
        assert_eq!(of(r#"{"took":1,"errors":false,"items":[]}"#), Outcome::Accepted { sent_bytes: 7 });
        let items = r#"{"errors":true,"items":[{"create":{"status":201}},{"create":{"status":409,"error":{}}},
            {"create":{"status":429}},{"create":{"status":400,"error":{"type":"mapper_parsing_exception"}}}]}"#;
        let answer = r#"{"type":"mapper_parsing_exception"}"#.to_owned();
        let fates = vec![Fate::Accepted, Fate::Accepted, Fate::Retry, Fate::Rejected { status: 400, answer }];
        assert_eq!(of(items), Outcome::Each { fates, sent_bytes: 7 });
        for unclear in ["", "{}", "<html>", r#"{"errors":true}"#, r#"{"errors":true,"items":[{"cre"#] {
            assert!(matches!(of(unclear), Outcome::Retry { doubt: Doubt::Unanswered, .. }), "{unclear}");
        }
    }
}
