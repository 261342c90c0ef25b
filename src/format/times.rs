//! Times within the range that a receiver accepts.

use std::time::Duration;

use crate::time::Stamp;

/// Clocks may differ by this much; a smaller adjustment is not reported.
const SLIGHT: Duration = Duration::from_secs(60);

/// A time that the receiver accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct AcceptedTime {
    /// The time to send.
    pub(super) time: Stamp,
    /// The true time, if it differs by more than [`SLIGHT`]. The format puts it into a field.
    pub(super) original: Option<Stamp>,
}

impl AcceptedTime {
    /// Whether the receiver gets another time than the true one.
    pub(super) fn is_adjusted(&self) -> bool {
        self.original.is_some()
    }

    /// The true time as a text; empty if the receiver gets it.
    pub(super) fn original_text(&self) -> String {
        self.original.map(|time| time.to_string()).unwrap_or_default()
    }
}

/// The nearest time that is not before `oldest` and not after `newest`.
pub(super) fn within(time: Stamp, oldest: Option<Stamp>, newest: Option<Stamp>) -> AcceptedTime {
    let late = newest.filter(|newest| newest.is_before(time));
    let early = oldest.filter(|oldest| time.is_before(*oldest));
    let Some(taken) = late.or(early) else { return AcceptedTime { time, original: None } };
    let apart = (taken.unix_nanos() - time.unix_nanos()).unsigned_abs();
    AcceptedTime { time: taken, original: (apart > SLIGHT.as_nanos()).then_some(time) }
}

/// Seconds since 1970 with decimals, exact to the microsecond; 0 for an earlier time.
pub(super) fn unix_seconds(stamp: Stamp) -> f64 {
    let micros = u64::try_from(stamp.unix_nanos() / 1_000).unwrap_or(0);
    #[expect(clippy::cast_precision_loss, reason = "below 2^53 for the next 250 years")]
    let seconds = micros as f64 / 1e6;
    seconds
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_beyond_becomes_the_nearest_within() {
        let at = |text: &str| Stamp::parse(text).unwrap();
        let (oldest, newest) = (Some(at("2026-01-01T00:00:00Z")), Some(at("2026-01-02T00:00:00Z")));
        let inside = at("2026-01-01T12:00:00.5Z");
        assert_eq!(within(inside, oldest, newest), AcceptedTime { time: inside, original: None });
        let ahead = at("2099-01-01T00:00:00Z");
        let taken = within(ahead, oldest, newest);
        assert_eq!((Some(taken.time), taken.original), (newest, Some(ahead)));
        assert_eq!(taken.original_text(), "2099-01-01T00:00:00Z");
        let ancient = at("0002-01-01T00:00:00Z");
        assert_eq!(
            within(ancient, oldest, newest),
            AcceptedTime { time: oldest.unwrap(), original: Some(ancient) }
        );
        let slightly = at("2026-01-02T00:00:59.9Z");
        let taken = within(slightly, oldest, newest);
        assert_eq!((Some(taken.time), taken.is_adjusted()), (newest, false));
        assert_eq!(within(ancient, None, None).time, ancient);
    }
}
