//! Whether the machine itself stood still: a thread with nothing to do but to notice.

use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use event_gateway::clock;

/// As often as the engine of the mini host.
const BEAT: Duration = Duration::from_millis(10);
/// Shorter ones are the scheduler's daily work.
const WORTH_NOTING: Duration = Duration::from_millis(50);

/// Beats until it is dropped.
pub struct Metronome {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    over: AtomicBool,
    /// When each standstill ended, and how long it was.
    standstills: Mutex<Vec<(Instant, Duration)>>,
}

impl Metronome {
    pub fn start() -> Metronome {
        let shared = Arc::<Shared>::default();
        let of_thread = Arc::clone(&shared);
        let thread = thread::Builder::new().name("metronome".into()).spawn(move || beat(&of_thread));
        Metronome { shared, thread: Some(thread.expect("a thread")) }
    }

    /// The longest standstill that ended since then.
    pub fn longest_since(&self, since: Instant) -> Duration {
        let standstills = self.shared.standstills.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = standstills.iter().filter(|(ended, _)| *ended >= since);
        seen.map(|(_, length)| *length).max().unwrap_or_default()
    }
}

fn beat(shared: &Shared) {
    let mut last = clock::monotonic();
    while !shared.over.load(SeqCst) {
        thread::sleep(BEAT);
        let now = clock::monotonic();
        if now - last > WORTH_NOTING {
            shared.standstills.lock().unwrap_or_else(PoisonError::into_inner).push((now, now - last));
        }
        last = now;
    }
}

impl Drop for Metronome {
    fn drop(&mut self) {
        self.shared.over.store(true, SeqCst);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}
