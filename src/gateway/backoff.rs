//! The backoff after a failure: the endpoint is closed for a while, and chunks get the host result RETRY without a
//! request. Time is an argument.

use std::time::{Duration, Instant};

use crate::response::retry_after::LONGEST_RETRY_AFTER;

/// How long the endpoint stays closed after the first, second, … failure in a row, if the gateway names no time. The host
/// retries after `base + 1` seconds at the earliest, 6 with its default base of 5 (`flb_scheduler.c`,
/// `backoff_full_jitter`). The endpoint must be open by then: the host's default `retry_limit` allows one retry, which
/// would otherwise be lost.
const DEFAULTS: [Duration; 4] =
    [Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(4), Duration::from_secs(5)];

/// Whether the endpoint is open, or closed until an instant.
#[derive(Debug, Default)]
pub struct Backoff {
    opens: Option<Instant>,
    failures_in_a_row: usize,
}

impl Backoff {
    /// Whether requests may be sent.
    #[must_use]
    pub fn is_open(&self, now: Instant) -> bool {
        self.opens.is_none_or(|opens| now >= opens)
    }

    /// When the endpoint opens; `None` after a success.
    #[must_use]
    pub fn opens(&self) -> Option<Instant> {
        self.opens
    }

    /// Closes the endpoint, because a batch was not settled. `after` is the gateway's `Retry-After` and replaces the
    /// default, even if it is shorter. It never shortens a time that is already set.
    pub fn failed(&mut self, now: Instant, after: Option<Duration>) {
        let default = DEFAULTS[self.failures_in_a_row.min(DEFAULTS.len() - 1)];
        self.failures_in_a_row = self.failures_in_a_row.saturating_add(1);
        let opens = now + after.unwrap_or(default).min(LONGEST_RETRY_AFTER);
        self.opens = Some(self.opens.map_or(opens, |before| before.max(opens)));
    }

    /// Opens the endpoint, because the gateway took or rejected a batch.
    pub fn succeeded(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;

    const MS: Duration = Duration::from_millis(1);
    const SECOND: Duration = Duration::from_secs(1);

    /// The endpoint stays closed for `expected` from `now` on.
    fn closed_for(backoff: &Backoff, now: Instant, expected: Duration) {
        assert!(expected.is_zero() || !backoff.is_open(now + expected - MS), "opened before {expected:?}");
        assert!(backoff.is_open(now + expected), "still closed after {expected:?}");
    }

    #[test]
    fn each_failure_closes_it_for_longer_but_never_until_the_hosts_retry() {
        let mut now = clock::monotonic();
        let mut backoff = Backoff::default();
        assert!(backoff.is_open(now));
        for seconds in [1, 2, 4, 5, 5, 5] {
            backoff.failed(now, None);
            closed_for(&backoff, now, SECOND * seconds);
            assert!(backoff.is_open(now + SECOND * 6), "the host's first retry");
            now += SECOND * 10;
        }
        backoff.succeeded();
        assert!(backoff.is_open(now));
        backoff.failed(now, None);
        closed_for(&backoff, now, SECOND);
    }

    #[test]
    fn the_gateways_time_replaces_the_default() {
        let now = clock::monotonic();
        let mut backoff = Backoff::default();
        backoff.failed(now, Some(Duration::ZERO));
        assert!(backoff.is_open(now));
        backoff.failed(now, Some(SECOND * 60));
        closed_for(&backoff, now, SECOND * 60);
        // A request that was under way fails later and names no time.
        backoff.failed(now + SECOND, None);
        closed_for(&backoff, now, SECOND * 60);
        backoff.failed(now, Some(Duration::MAX));
        closed_for(&backoff, now, LONGEST_RETRY_AFTER);
    }

    #[test]
    fn a_success_opens_it_at_once() {
        let now = clock::monotonic();
        let mut backoff = Backoff::default();
        backoff.failed(now, Some(SECOND * 60));
        backoff.succeeded();
        assert!(backoff.is_open(now));
    }
}
