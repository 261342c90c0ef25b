//! The gate before the gateway: after a failure it is closed for a while, and whoever comes is answered
//! RETRY without touching the network. Pure: time is an argument.

use std::time::{Duration, Instant};

use crate::response::retry_after::LONGEST_RETRY_AFTER;

/// How long the gate stays closed after the first, second, … failure in a row. The host comes back after
/// `base + 1` seconds at the earliest, 6 with its default base of 5 (`flb_scheduler.c`,
/// `backoff_full_jitter`). A gate closed by habit must be open again by then, or a retry of the host would
/// be spent on nothing; with the host's default `retry_limit` it is the only one.
const HABIT: [Duration; 4] =
    [Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(4), Duration::from_secs(5)];

/// Open, or closed until an instant.
#[derive(Debug, Default)]
pub struct Gate {
    opens: Option<Instant>,
    failures_in_a_row: usize,
}

impl Gate {
    /// Whether requests may go out.
    #[must_use]
    pub fn is_open(&self, now: Instant) -> bool {
        self.opens.is_none_or(|opens| now >= opens)
    }

    /// When they may again; `None` after a success.
    #[must_use]
    pub fn opens(&self) -> Option<Instant> {
        self.opens
    }

    /// A batch came back unsettled. `after` is the gateway's own wish and goes before our habit, even when
    /// it is shorter; it never shortens a time already set.
    pub fn failed(&mut self, now: Instant, after: Option<Duration>) {
        let habit = HABIT[self.failures_in_a_row.min(HABIT.len() - 1)];
        self.failures_in_a_row = self.failures_in_a_row.saturating_add(1);
        let opens = now + after.unwrap_or(habit).min(LONGEST_RETRY_AFTER);
        self.opens = Some(self.opens.map_or(opens, |before| before.max(opens)));
    }

    /// The gateway took a batch, or judged it: it is alive.
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

    /// How long the gate stays closed from `now` on.
    fn closed_for(gate: &Gate, now: Instant, expected: Duration) {
        assert!(expected.is_zero() || !gate.is_open(now + expected - MS), "opened before {expected:?}");
        assert!(gate.is_open(now + expected), "still closed after {expected:?}");
    }

    #[test]
    fn it_closes_longer_with_every_failure_but_never_meets_the_hosts_retry() {
        let mut now = clock::monotonic();
        let mut gate = Gate::default();
        assert!(gate.is_open(now));
        for seconds in [1, 2, 4, 5, 5, 5] {
            gate.failed(now, None);
            closed_for(&gate, now, SECOND * seconds);
            assert!(gate.is_open(now + SECOND * 6), "the host's first retry");
            now += SECOND * 10;
        }
        gate.succeeded();
        assert!(gate.is_open(now));
        gate.failed(now, None);
        closed_for(&gate, now, SECOND);
    }

    #[test]
    fn the_gateways_wish_goes_before_habit() {
        let now = clock::monotonic();
        let mut gate = Gate::default();
        gate.failed(now, Some(Duration::ZERO));
        assert!(gate.is_open(now));
        gate.failed(now, Some(SECOND * 60));
        closed_for(&gate, now, SECOND * 60);
        // A request that was under way fails later and without a wish.
        gate.failed(now + SECOND, None);
        closed_for(&gate, now, SECOND * 60);
        gate.failed(now, Some(Duration::MAX));
        closed_for(&gate, now, LONGEST_RETRY_AFTER);
    }

    #[test]
    fn a_success_opens_it_at_once() {
        let now = clock::monotonic();
        let mut gate = Gate::default();
        gate.failed(now, Some(SECOND * 60));
        gate.succeeded();
        assert!(gate.is_open(now));
    }
}
