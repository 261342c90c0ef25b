//! What a 2xx says beyond itself: of each record, or of how many. Pure: no network, no clock.
//!
//! An answer that should tell and does not acknowledges nothing: the request goes out again, or, where nothing may
//! arrive twice, its records are dead-lettered.

mod bulk;
mod partial;
mod protobuf;

use super::answer::plain_text;
use super::disposition::{ANSWER_KEPT_BYTES, Disposition, Doubt};
use crate::net::agent::{BODY_READ_BYTES, Beginning};
use crate::render::Answers;

/// Whether the body of a 2xx is read as a whole, however long it takes within `timeout`; where not, its beginning is
/// for a person.
#[must_use]
pub const fn is_read(answers: Answers) -> bool {
    matches!(answers, Answers::ElasticsearchBulk | Answers::Otlp)
}

/// So much of an answer is read.
#[must_use]
pub const fn answer_bytes(answers: Answers) -> usize {
    // For each of 10,000 records some hundred bytes.
    if is_read(answers) { 8 << 20 } else { BODY_READ_BYTES }
}

/// A text of the answer without what is secret. It is asked before the text is cut: a cut leaves the beginning of a secret.
pub type Hide<'h> = &'h dyn Fn(String) -> String;

/// The disposition of a request of so many records with a 2xx, by what the answer's body says.
#[must_use]
pub fn classify_body(
    answers: Answers,
    answer: &Beginning,
    records: usize,
    sent_bytes: u64,
    hide: Hide<'_>,
) -> Disposition {
    if !is_read(answers) {
        return Disposition::Accepted { sent_bytes };
    }
    if !answer.is_whole {
        return unclear("the answer was cut before it had named each record");
    }
    match answers {
        Answers::ElasticsearchBulk => bulk::classify_body(&answer.bytes, records, sent_bytes, hide),
        _ => partial::classify_body(&answer.bytes, records, sent_bytes, hide),
    }
}

/// What is kept of a text.
fn kept(text: &str, hide: Hide<'_>) -> String {
    // What is hidden makes a text shorter, seldom by so much.
    const LOOKED_AT_BYTES: usize = 16 * ANSWER_KEPT_BYTES;
    let text = &text[..text.floor_char_boundary(LOOKED_AT_BYTES)];
    plain_text(hide(text.to_owned()).as_bytes(), ANSWER_KEPT_BYTES)
}

fn unclear(why: &str) -> Disposition {
    Disposition::Retry { after: None, why: why.to_owned(), doubt: Doubt::Unanswered }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_was_cut_tells_nothing() {
        let cut = |bytes: &[u8]| Beginning { bytes: bytes.to_vec(), is_whole: false };
        for answers in [Answers::ElasticsearchBulk, Answers::Otlp] {
            for bytes in [&b""[..], b"{}", br#"{"errors":false,"items":[]}"#, b"\x0a\x02\x08\x01"] {
                let disposition = classify_body(answers, &cut(bytes), 3, 7, &|text| text);
                assert!(
                    matches!(disposition, Disposition::Retry { doubt: Doubt::Unanswered, .. }),
                    "{answers:?}: {disposition:?}"
                );
            }
        }
        for answers in [Answers::Status, Answers::Hec, Answers::Loki, Answers::PagerDuty] {
            assert_eq!(
                classify_body(answers, &cut(b"welc"), 3, 7, &|text| text),
                Disposition::Accepted { sent_bytes: 7 }
            );
        }
    }
}
