//! Time and allocations of a piece of work, per event.

use std::time::Duration;

use event_gateway::clock;

use crate::allocations::{Allocations, during};

/// The runs of one piece of work end after this time, but there is at least one run.
const ENOUGH: Duration = Duration::from_millis(400);
const MOST_RUNS: usize = 30;

/// The cost of an event.
pub struct Cost {
    pub ns: f64,
    pub allocations: f64,
    pub bytes: f64,
}

impl Cost {
    pub fn of(spent: Duration, asked: Allocations, events: usize) -> Self {
        let each = |sum: f64| sum / events.max(1) as f64;
        Self {
            ns: each(spent.as_nanos() as f64),
            allocations: each(asked.calls as f64),
            bytes: each(asked.bytes as f64),
        }
    }

    /// The best of several runs, after an uncounted one.
    pub fn best(events: usize, mut work: impl FnMut()) -> Self {
        work();
        let mut best = Duration::MAX;
        let mut asked = Allocations::default();
        let begin = clock::monotonic();
        for _ in 0..MOST_RUNS {
            let start = clock::monotonic();
            asked = during(&mut work);
            best = best.min(start.elapsed());
            if begin.elapsed() > ENOUGH {
                break;
            }
        }
        Self::of(best, asked, events)
    }

    pub fn print(&self, name: &str) {
        let Self { ns, allocations, bytes } = self;
        println!("  {name:<44}{ns:>9.0}{:>12.0}{allocations:>13.2}{bytes:>10.0}", 1e9 / ns);
    }
}

pub fn print_head(title: &str) {
    println!("{title:<46}{:>9}{:>12}{:>13}{:>10}", "ns/event", "events/s", "allocations", "bytes");
}

/// The processor time of this thread, in user and kernel mode.
pub fn thread_time() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux tells it");
    Duration::from_nanos(text.split(' ').next().and_then(|ns| ns.parse().ok()).expect("nanoseconds"))
}
