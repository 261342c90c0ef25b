//! The words of a response, fit for a log line or a dead letter.

use crate::secrets::plain::is_unseen;

/// How much of a rejecting response a dead letter keeps.
pub const ANSWER_KEPT_BYTES: usize = 500;
/// How much of a response a log line shows.
pub(super) const SHOWN_BYTES: usize = 200;

/// Takes secrets out of a text. It runs before the text is cut: a cut would leave the beginning of a secret.
pub type Hide<'h> = &'h dyn Fn(String) -> String;

/// The service's own words, for the end of a log line.
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
