//! How long an answer asks us to wait: the header `Retry-After` (RFC 9110, 10.2.3).

use std::time::{Duration, SystemTime};

/// The longest silence a `Retry-After` is obeyed for. A hostile or broken value must not silence the
/// plugin for years; after this time one request asks again.
pub const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(600);

/// A number of seconds or a date; a value that is neither counts as absent.
#[must_use]
pub fn retry_after(value: &str, wall: SystemTime) -> Option<Duration> {
    let value = value.trim();
    let wait = if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than a number holds is still a number, and a long time.
        value.parse().map_or(LONGEST_RETRY_AFTER, Duration::from_secs)
    } else {
        // A date in the past means now.
        httpdate::parse_http_date(value).ok()?.duration_since(wall).unwrap_or_default()
    };
    Some(wait.min(LONGEST_RETRY_AFTER))
}
