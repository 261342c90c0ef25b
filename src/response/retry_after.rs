//! How long an answer asks us to wait: the header `Retry-After` (RFC 9110, 10.2.3).

use std::time::{Duration, SystemTime};

/// The longest silence a `Retry-After` is obeyed for. A hostile or broken value must not silence the
/// plugin for years; after this time one request asks again.
pub const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(600);

/// A number of seconds or a date; a value that is neither counts as absent. `date` is the answer's own `Date`: whoever
/// names a moment names it by his clock, which need not be ours. `wall` is the time now, for an answer without.
#[must_use]
pub fn retry_after(value: &str, date: Option<&str>, wall: SystemTime) -> Option<Duration> {
    let value = value.trim();
    let wait = if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than a number holds is still a number, and a long time.
        value.parse().map_or(LONGEST_RETRY_AFTER, Duration::from_secs)
    } else {
        let until = httpdate::parse_http_date(value).ok()?;
        let now = date.and_then(|date| httpdate::parse_http_date(date.trim()).ok()).unwrap_or(wall);
        // A date in the past means now.
        until.duration_since(now).unwrap_or_default()
    };
    Some(wait.min(LONGEST_RETRY_AFTER))
}
