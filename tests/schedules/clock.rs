//! A clock that stands still until a wait has passed: the same schedule always reads the same times.

use std::cell::Cell;
use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

pub use event_gateway::clock::unix_seconds;

thread_local!(static PASSED: Cell<Duration> = const { Cell::new(Duration::ZERO) });

pub fn reset() {
    PASSED.set(Duration::ZERO);
}

pub fn pass(time: Duration) {
    PASSED.set(PASSED.get() + time);
}

pub fn monotonic() -> Instant {
    static START: OnceLock<Instant> = OnceLock::new();
    *START.get_or_init(event_gateway::clock::monotonic) + PASSED.get()
}

pub fn wall() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_700_000_000) + PASSED.get()
}
