//! What the source owes: versions that the API server has shown and that nobody has settled.
//!
//! A version that is unsettled for a moment is on its way. One that is unsettled for longer than `reconcile_after` is overdue:
//! the input lost it, a filter left it out, or the delivery is behind. From here the three look the same.

use std::time::Duration;

use crate::metrics::Number;
use crate::replicas::Millis;
use crate::replicas::seen::Seen;

/// Counts since the start.
#[derive(Debug, Default)]
pub struct Totals {
    /// Versions of events that the API server has shown.
    pub seen: Number,
    /// Versions that were forgotten unsettled: their event expired, etcd was restored, or too many came.
    pub forgotten: Number,
    /// Events, lines and versions that could not be read.
    pub skipped: Number,
    /// Watches that ended and restarted.
    pub restarts: Number,
    /// Silent watches that turned out to be dead.
    pub dead: Number,
}

/// What is owed at a moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Lag {
    /// Versions that the API server has shown since the start.
    pub seen: u64,
    /// How many of them are settled.
    pub settled: u64,
    /// How many of them were forgotten unsettled.
    pub forgotten: u64,
    /// How many are unsettled, overdue or not.
    pub unsettled: u64,
    /// How many are unsettled for longer than `reconcile_after`.
    pub overdue: u64,
    /// For how long the oldest has been unsettled; zero if none is.
    pub oldest: Duration,
}

impl Lag {
    /// Measures at this time of the replica's clock.
    #[must_use]
    pub fn measure(seen: &Seen, totals: &Totals, reconcile_after: Duration, now: Millis) -> Self {
        let before = now.saturating_sub(millis(reconcile_after));
        let (shown, forgotten) = (totals.seen.get(), totals.forgotten.get());
        let unsettled = seen.unsettled_len() as u64;
        let oldest = seen.unsettled().next().map_or(now, |(_, oldest)| oldest.since);
        Self {
            seen: shown,
            settled: shown.saturating_sub(forgotten + unsettled),
            forgotten,
            unsettled,
            overdue: overdue(seen, before),
            oldest: Duration::from_millis(now.saturating_sub(oldest)),
        }
    }
}

/// How many unsettled versions were shown before this time. Versions are in the order of their numbers, which is nearly that
/// of their times: so it looks from both ends at once, and the shorter side says how many are on the longer one.
fn overdue(seen: &Seen, before: Millis) -> u64 {
    let is_overdue = |since: Millis| since < before;
    let both_ends = seen.unsettled().zip(seen.unsettled().rev());
    let mut steps = 0;
    for ((_, low), (_, high)) in both_ends {
        if !is_overdue(low.since) {
            return steps;
        }
        if is_overdue(high.since) {
            return seen.unsettled_len() as u64 - steps;
        }
        steps += 1;
    }
    steps
}

/// One WARN a minute while the source lags, and one INFO when it no longer does.
#[derive(Debug, Default)]
pub struct LagLog {
    /// When the last WARN was.
    warned: Option<Millis>,
    is_lagging: bool,
}

/// What to log.
#[derive(Debug, PartialEq, Eq)]
pub enum LagLine {
    /// WARN.
    Lags(String),
    /// INFO.
    CaughtUp(String),
}

impl LagLog {
    /// The line to log now, if any.
    pub fn line(
        &mut self,
        lag: &Lag,
        reconcile_after: Duration,
        every: Duration,
        now: Millis,
    ) -> Option<LagLine> {
        let Lag { seen, overdue, oldest, .. } = lag;
        if *overdue == 0 {
            let text = format!(
                "all {seen} versions of events that the API server has shown are settled or on their way"
            );
            return std::mem::take(&mut self.is_lagging).then_some(LagLine::CaughtUp(text));
        }
        if self.warned.is_some_and(|warned| now < warned + millis(every)) {
            return None;
        }
        (self.warned, self.is_lagging) = (Some(now), true);
        let (oldest, after) = (oldest.as_secs(), reconcile_after.as_secs());
        Some(LagLine::Lags(format!(
            "{overdue} of {seen} versions of events that the API server has shown have not come through this output for \
             more than {after} s, the oldest for {oldest} s: the input has lost them, a filter between the input and this \
             output leaves them out, or the gateway is away; the API server keeps an event for an hour, and what is not \
             read until then is lost; if the gateway takes records, restart the pod, or set reconcile deliver; if a filter leaves \
             them out, use this output's own selection instead"
        )))
    }
}

fn millis(duration: Duration) -> Millis {
    Millis::try_from(duration.as_millis()).unwrap_or(Millis::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replicas::seen::Bounds;

    fn seen(times: &[Millis]) -> Seen {
        let mut seen = Seen::new(Bounds { versions: 1_000, exceptions: 8 });
        for (version, since) in (1..).zip(times) {
            seen.see(u128::from(version), version, *since);
        }
        seen
    }

    #[test]
    fn what_is_overdue_is_counted_from_the_nearer_end() {
        for len in 0..20_usize {
            for old in 0..=len {
                let times: Vec<Millis> = (0..len).map(|at| if at < old { 5 } else { 15 }).collect();
                assert_eq!(overdue(&seen(&times), 10), old as u64, "{old} of {len}");
            }
        }
    }

    #[test]
    fn what_is_shown_is_settled_owed_or_forgotten() {
        let mut seen = seen(&[1_000, 2_000, 9_000]);
        let totals = Totals::default();
        totals.seen.add(4);
        totals.forgotten.add(1);
        let after = Duration::from_secs(5);
        let lag = Lag::measure(&seen, &totals, after, 10_000);
        let oldest = Duration::from_secs(9);
        assert_eq!(lag, Lag { seen: 4, settled: 0, forgotten: 1, unsettled: 3, overdue: 2, oldest });
        for version in 1..=3 {
            seen.settle(u128::from(version), version);
        }
        let lag = Lag::measure(&seen, &totals, after, 10_000);
        assert_eq!((lag.settled, lag.unsettled, lag.overdue, lag.oldest), (3, 0, 0, Duration::ZERO));
    }

    #[test]
    fn one_line_a_minute_and_one_at_the_end() {
        let mut log = LagLog::default();
        let (after, every) = (Duration::from_secs(300), Duration::from_secs(60));
        let lags = Lag { seen: 9, overdue: 2, oldest: Duration::from_secs(301), ..Lag::default() };
        let mut at = |lag: &Lag, seconds: u64| log.line(lag, after, every, seconds * 1_000);
        assert_eq!(at(&Lag::default(), 0), None);
        let Some(LagLine::Lags(text)) = at(&lags, 1) else { panic!("no line") };
        assert!(
            text.starts_with("2 of 9 versions") && text.contains("300 s, the oldest for 301 s"),
            "{text}"
        );
        assert_eq!([at(&lags, 2), at(&lags, 60)], [None, None]);
        assert!(matches!(at(&lags, 61), Some(LagLine::Lags(_))));
        assert!(matches!(at(&Lag::default(), 62), Some(LagLine::CaughtUp(_))));
        assert_eq!(at(&Lag::default(), 63), None);
        assert_eq!(at(&lags, 64), None);
        assert!(matches!(at(&lags, 121), Some(LagLine::Lags(_))));
    }
}
