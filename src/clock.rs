//! The only place that reads the clocks. Ranks up to 4 take the time as an argument.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The clock for durations; it never jumps.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this is the place")]
pub fn monotonic() -> Instant {
    Instant::now()
}

/// The clock for dates; it may jump when someone sets the machine's clock.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this is the place")]
pub fn wall() -> SystemTime {
    SystemTime::now()
}

/// Seconds since 1970; 0 for an earlier time.
#[must_use]
pub fn unix_seconds(wall: SystemTime) -> u64 {
    wall.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// Detects when someone sets the date forward. A machine that slept looks the same.
#[derive(Debug)]
pub struct ForwardJumps {
    last: (Instant, SystemTime),
}

/// Smaller corrections of the date are ignored.
const SLIGHT: Duration = Duration::from_secs(60);

impl ForwardJumps {
    /// Compares with the present moment from now on.
    #[must_use]
    pub fn from_now() -> Self {
        Self { last: (monotonic(), wall()) }
    }

    /// How many seconds more the wall clock has advanced than the monotonic clock since the last call.
    pub fn seconds(&mut self) -> u64 {
        self.seconds_at(monotonic(), wall())
    }

    fn seconds_at(&mut self, now: Instant, date: SystemTime) -> u64 {
        let (then, old_date) = std::mem::replace(&mut self.last, (now, date));
        let went = date.duration_since(old_date).unwrap_or_default();
        let ahead = went.saturating_sub(now.saturating_duration_since(then));
        if ahead < SLIGHT { 0 } else { ahead.as_secs() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_date_set_forward_is_a_jump() {
        let (now, date) = (monotonic(), wall());
        let (minute, day) = (Duration::from_secs(60), Duration::from_secs(86_400));
        let mut jumps = ForwardJumps { last: (now, date) };
        assert_eq!(jumps.seconds_at(now + minute, date + minute), 0);
        assert_eq!(jumps.seconds_at(now + minute * 2, date + minute * 2 + day), day.as_secs());
        assert_eq!(jumps.seconds_at(now + minute * 3, date + minute * 3 + day), 0, "reported once");
        assert_eq!(jumps.seconds_at(now + minute * 4, date + minute * 4), 0, "back again");
        assert_eq!(jumps.seconds_at(now + minute * 5, date + minute * 6 - Duration::from_secs(1)), 0);
        assert_eq!(jumps.seconds_at(now + minute * 6, date + minute * 8), 61);
        assert_eq!(jumps.seconds_at(now + day, date), 0, "the date has stopped");
    }
}
