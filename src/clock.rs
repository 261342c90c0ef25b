//! The one place that reads the clocks. Ranks below `net` take the time as an argument.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// For spans: never jumps.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this is the place")]
pub fn monotonic() -> Instant {
    Instant::now()
}

/// For dates: may jump when someone sets the host's clock.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this is the place")]
pub fn wall() -> SystemTime {
    SystemTime::now()
}

/// Seconds since 1970 of a wall clock reading; 0 for a clock set before that.
#[must_use]
pub fn unix_seconds(wall: SystemTime) -> u64 {
    wall.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
