//! The gate, with what the metrics tell of it: until when it is closed, and since when nothing gets through.
//!
//! The gate counts in instants, which mean nothing outside the process; what is shown is Unix time, in whole
//! seconds, the end of the silence rounded up.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::gate::Gate;
use crate::clock;
use crate::metrics::Metrics;

/// Opens and closes the endpoint, and publishes both.
#[derive(Debug)]
pub struct ShownGate {
    gate: Gate,
    metrics: Arc<Metrics>,
}

impl ShownGate {
    /// Open, without a failure.
    #[must_use]
    pub fn new(metrics: Arc<Metrics>) -> Self {
        Self { gate: Gate::default(), metrics }
    }

    /// As [`Gate::is_open`].
    #[must_use]
    pub fn is_open(&self, now: Instant) -> bool {
        self.gate.is_open(now)
    }

    /// As [`Gate::failed`].
    pub fn failed(&mut self, now: Instant, after: Option<Duration>) {
        self.gate.failed(now, after);
        let wall = clock::wall();
        let wall_seconds = clock::unix_seconds(wall);
        let silence = self.gate.opens().map_or(Duration::ZERO, |opens| opens.saturating_duration_since(now));
        // The moment is rounded up, not the silence: a clock late in its second would open the gate early.
        let almost_a_second = Duration::from_nanos(999_999_999);
        let until_seconds = clock::unix_seconds(wall + silence + almost_a_second);
        self.metrics.endpoint_closed_until_timestamp_seconds.set(until_seconds);
        if self.metrics.endpoint_failing_since_timestamp_seconds.get() == 0 {
            self.metrics.endpoint_failing_since_timestamp_seconds.set(wall_seconds);
        }
    }

    /// As [`Gate::succeeded`]. Tells since when, in Unix time, it had failed until now; `None`: it had not.
    pub fn succeeded(&mut self) -> Option<u64> {
        self.gate.succeeded();
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
        let mut gate = ShownGate::new(Arc::clone(&metrics));
        let (now, wall) = (clock::monotonic(), clock::unix_seconds(clock::wall()));
        let until = || metrics.endpoint_closed_until_timestamp_seconds.get();
        let since = || metrics.endpoint_failing_since_timestamp_seconds.get();
        let open_at = |seconds| {
            metrics.set_time(seconds);
            metrics.endpoint_open.get() == 1
        };
        assert!(open_at(wall) && until() == 0 && since() == 0);

        gate.failed(now, Some(Duration::from_millis(59_001)));
        assert!((wall + 60..=wall + 61).contains(&until()), "{} is not {wall} and a minute", until());
        assert!((wall..=wall + 1).contains(&since()));
        assert!(!gate.is_open(now) && !open_at(wall + 59) && open_at(until()));

        let first = since();
        metrics.endpoint_failing_since_timestamp_seconds.set(first - 100);
        gate.failed(now, None);
        assert_eq!(since(), first - 100, "the first failure counts");
        assert!(until() >= wall + 60, "a later failure without a wish shortens nothing");

        assert_eq!(gate.succeeded(), Some(first - 100));
        assert_eq!(gate.succeeded(), None);
        assert!(open_at(wall) && until() == 0 && since() == 0 && gate.is_open(now));
    }
}
