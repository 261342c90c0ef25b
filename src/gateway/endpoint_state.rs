//! The backoff with its metrics: until when the endpoint is closed, and since when requests have failed.
//!
//! [`Backoff`] counts in instants, which mean nothing outside the process. The metrics show Unix time in whole seconds;
//! the end of the backoff is rounded up.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::backoff::Backoff;
use crate::clock;
use crate::metrics::Metrics;

/// Opens and closes the endpoint, and sets the metrics of both.
#[derive(Debug)]
pub struct EndpointState {
    backoff: Backoff,
    metrics: Arc<Metrics>,
}

impl EndpointState {
    /// An open endpoint without a failure.
    #[must_use]
    pub fn new(metrics: Arc<Metrics>) -> Self {
        Self { backoff: Backoff::default(), metrics }
    }

    /// As [`Backoff::is_open`].
    #[must_use]
    pub fn is_open(&self, now: Instant) -> bool {
        self.backoff.is_open(now)
    }

    /// As [`Backoff::failed`].
    pub fn failed(&mut self, now: Instant, after: Option<Duration>) {
        self.backoff.failed(now, after);
        let wall = clock::wall();
        let wall_seconds = clock::unix_seconds(wall);
        let closed_for =
            self.backoff.opens().map_or(Duration::ZERO, |opens| opens.saturating_duration_since(now));
        // The moment is rounded up, not the duration: late in a second, the metric would otherwise be too early.
        let almost_a_second = Duration::from_nanos(999_999_999);
        let until_seconds = clock::unix_seconds(wall + closed_for + almost_a_second);
        self.metrics.endpoint_closed_until_timestamp_seconds.set(until_seconds);
        if self.metrics.endpoint_failing_since_timestamp_seconds.get() == 0 {
            self.metrics.endpoint_failing_since_timestamp_seconds.set(wall_seconds);
        }
    }

    /// As [`Backoff::succeeded`]. Returns since when it had failed, in Unix time; `None` if it had not.
    pub fn succeeded(&mut self) -> Option<u64> {
        self.backoff.succeeded();
        let since_seconds = self.metrics.endpoint_failing_since_timestamp_seconds.get();
        self.metrics.endpoint_closed_until_timestamp_seconds.set(0);
        self.metrics.endpoint_failing_since_timestamp_seconds.set(0);
        (since_seconds > 0).then_some(since_seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_shown_until_the_next_success() {
        let metrics = Arc::<Metrics>::default();
        let mut state = EndpointState::new(Arc::clone(&metrics));
        let (now, wall) = (clock::monotonic(), clock::unix_seconds(clock::wall()));
        let until = || metrics.endpoint_closed_until_timestamp_seconds.get();
        let since = || metrics.endpoint_failing_since_timestamp_seconds.get();
        let open_at = |seconds| {
            metrics.set_time(seconds);
            metrics.endpoint_open.get() == 1
        };
        assert!(open_at(wall) && until() == 0 && since() == 0);

        state.failed(now, Some(Duration::from_millis(59_001)));
        assert!((wall + 60..=wall + 61).contains(&until()), "{} is not {wall} and a minute", until());
        assert!((wall..=wall + 1).contains(&since()));
        assert!(!state.is_open(now) && !open_at(wall + 59) && open_at(until()));

        let first = since();
        metrics.endpoint_failing_since_timestamp_seconds.set(first - 100);
        state.failed(now, None);
        assert_eq!(since(), first - 100, "the first failure counts");
        assert!(until() >= wall + 60, "a later failure that names no time shortens nothing");

        assert_eq!(state.succeeded(), Some(first - 100));
        assert_eq!(state.succeeded(), None);
        assert!(open_at(wall) && until() == 0 && since() == 0 && state.is_open(now));
    }
}
