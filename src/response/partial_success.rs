//! Partial success: shared by formats that read the body of a 2xx.
//!
//! If such a body cannot be read, the response acknowledges nothing: the request is resent or, with
//! `guarantee no_duplicates`, its records are dead-lettered.

use super::text::{Hide, KEPT_RESPONSE_BYTES, plain_text};
use super::{Disposition, Doubt, Response};

/// The most bytes of a body that names each record: some hundred for each of 10,000 records.
pub const BODY_BYTES: usize = 8 << 20;

/// Reads the body of a 2xx with `read`. `None` for any other status.
#[must_use]
pub fn classify(
    response: &Response<'_>,
    read: impl FnOnce(&Response<'_>) -> Disposition,
) -> Option<Disposition> {
    if !response.is_success() {
        return None;
    }
    if !response.is_whole {
        return Some(unreadable("the response ended before it named each record"));
    }
    Some(read(response))
}

/// The disposition for a response that does not say what became of the records.
#[must_use]
pub fn unreadable(why: &str) -> Disposition {
    Disposition::Retry { after: None, why: why.to_owned(), doubt: Doubt::Unanswered }
}

/// The beginning of a text, without secrets, for a dead letter.
#[must_use]
pub fn kept(text: &str, hide: Hide<'_>) -> String {
    // Hiding secrets shortens a text, but seldom by this factor.
    const READ_BYTES: usize = 16 * KEPT_RESPONSE_BYTES;
    let text = &text[..text.floor_char_boundary(READ_BYTES)];
    plain_text(hide(text.to_owned()).as_bytes(), KEPT_RESPONSE_BYTES)
}
