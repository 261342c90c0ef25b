//! How long a response asks the plugin to wait: the header `Retry-After` (RFC 9110, 10.2.3).

use std::time::{Duration, SystemTime};

/// The longest `Retry-After` that is obeyed, so that a hostile or broken value cannot stop the plugin for years. After
/// this time one request tries again.
pub const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(600);

/// Parses a number of seconds or a date; a value that is neither counts as absent. A date is compared with `date`, the
/// response's own `Date`, because the server's clock may differ from ours; without it, with `wall`, the time now.
#[must_use]
pub fn retry_after(value: &str, date: Option<&str>, wall: SystemTime) -> Option<Duration> {
    let value = value.trim();
    let wait = if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // A number that overflows is a long time.
        value.parse().map_or(LONGEST_RETRY_AFTER, Duration::from_secs)
    } else {
        let until = httpdate::parse_http_date(value).ok()?;
        let now = date.and_then(|date| httpdate::parse_http_date(date.trim()).ok()).unwrap_or(wall);
        // A date in the past means no wait.
        until.duration_since(now).unwrap_or_default()
    };
    Some(wait.min(LONGEST_RETRY_AFTER))
}
