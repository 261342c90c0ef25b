//! The words of a response, shortened for a log line or a dead letter.

use crate::secrets::plain::is_unseen;

/// The most bytes of a rejecting response that a dead letter keeps.
pub const KEPT_RESPONSE_BYTES: usize = 500;
/// The most bytes of a response that a log line shows.
pub(super) const SHOWN_BYTES: usize = 200;

/// Removes secrets from a text. It runs before the text is cut, because a cut would leave the beginning of a secret.
pub type Hide<'h> = &'h dyn Fn(String) -> String;

/// The service's own words, to append to a log line.
#[must_use]
pub fn quoted(body: &[u8]) -> String {
    match plain_text(body, SHOWN_BYTES).trim() {
        "" => String::new(),
        text => format!(" (it says: {text})"),
    }
}

/// The beginning of a text from outside: valid UTF-8 of at most `most_bytes`, without invisible characters, which could
/// forge log lines or move a terminal's cursor.
#[must_use]
pub fn plain_text(bytes: &[u8], most_bytes: usize) -> String {
    // Up to 3 bytes more than wanted, so that a character across the border is whole and can be left out.
    let start = String::from_utf8_lossy(&bytes[..bytes.len().min(most_bytes + 3)]);
    let mut text: String = start.chars().map(|c| if is_unseen(c) { ' ' } else { c }).collect();
    let cut = text.floor_char_boundary(most_bytes);
    text.truncate(cut);
    text
}
