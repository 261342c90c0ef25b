//! What formats share that read the body of a 2xx: partial success.
//!
//! A response that should name its rejections and cannot be read acknowledges nothing: the request is resent, or, where
//! nothing may arrive twice, its records are dead-lettered.

use super::text::{ANSWER_KEPT_BYTES, Hide, plain_text};
use super::{Disposition, Doubt, Response};

/// Bytes of a body that names each record: some hundred for each of 10,000.
pub const BODY_BYTES: usize = 8 << 20;

/// Reads the body of a 2xx. `None` for another status.
#[must_use]
pub fn classify(
    response: &Response<'_>,
    read: impl FnOnce(&Response<'_>) -> Disposition,
) -> Option<Disposition> {
    if !response.is_success() {
        return None;
    }
    if !response.is_whole {
        return Some(unreadable("the answer was cut before it had named each record"));
    }
    Some(read(response))
}

/// The response does not say what became of the records.
#[must_use]
pub fn unreadable(why: &str) -> Disposition {
    Disposition::Retry { after: None, why: why.to_owned(), doubt: Doubt::Unanswered }
}

/// What a dead letter keeps of a text.
#[must_use]
pub fn kept(text: &str, hide: Hide<'_>) -> String {
    // Hiding shortens a text, seldom by this much.
    const READ_BYTES: usize = 16 * ANSWER_KEPT_BYTES;
    let text = &text[..text.floor_char_boundary(READ_BYTES)];
    plain_text(hide(text.to_owned()).as_bytes(), ANSWER_KEPT_BYTES)
}
