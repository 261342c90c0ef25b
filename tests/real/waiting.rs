//! Waiting for what a real program does in its own time.

use std::time::Duration;

use crate::real::BOUND;
use event_gateway::clock;

pub fn wait_until(what: &str, done: impl Fn() -> bool) {
    let start = clock::monotonic();
    while !done() {
        assert!(start.elapsed() < BOUND, "waited {BOUND:?} until {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
