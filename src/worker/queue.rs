//! The queue of jobs between the host's threads and the one that delivers: how it is filled, served and closed.
//!
//! What happens to the jobs is behind [`Rounds`], so that a test can look at the threads alone.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;
use std::time::Duration;

use crate::clock;
use crate::failpoint;
use crate::job::{Job, Pending, Wake, reply};
use crate::log::{HostLog, panic_message};
use crate::metrics::Metrics;
use crate::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// How often jobs that are held back are looked at again.
const HOLD_BACK: Duration = Duration::from_millis(20);

/// How long the worker rests after the work between rounds panicked.
const AFTER_A_PANIC: Duration = Duration::from_secs(5);

/// What the thread does with the jobs it takes.
pub trait Rounds {
    /// Whether jobs should wait for now.
    fn holds_back(&self) -> bool;
    /// Gives each of the jobs its result, now or in a later round. A job that is dropped, even by a panic, gets RETRY.
    fn round(&mut self, jobs: Vec<Job>);
    /// Whether a round is due although no job waits: a deferred record of an earlier round may go on.
    fn is_due(&self) -> bool {
        false
    }
    /// How many jobs of earlier rounds have no result yet, and since when the oldest has waited, in Unix time. The queue
    /// refuses no others because of them, as what defers them has a bound of its own.
    fn deferred(&self) -> (usize, Option<u64>) {
        (0, None)
    }
    /// Cleans up after a round that panicked.
    fn recover(&mut self);
    /// Does what is due although no job waits. Returns how long until something is due again; `None`: not before the next
    /// round.
    fn idle(&mut self) -> Option<Duration> {
        None
    }
    /// There will be no other round.
    fn finish(&mut self);
}

/// What the queue takes at most, including the jobs of the round that runs.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    pub jobs: usize,
    pub bytes: usize,
}

#[derive(Debug)]
pub struct Queue {
    state: Mutex<State>,
    changed: Condvar,
    bounds: Bounds,
    metrics: Arc<Metrics>,
    log: Arc<HostLog>,
}

#[derive(Debug, Default)]
struct State {
    waiting: Vec<Job>,
    waiting_bytes: usize,
    /// When the first waiting job came, in Unix time.
    waiting_since_seconds: Option<u64>,
    /// Chunks and bytes of the round that runs.
    running: (usize, usize),
    running_since_seconds: Option<u64>,
    is_running: bool,
    /// Jobs of earlier rounds that have no result yet.
    deferred: usize,
    deferred_since_seconds: Option<u64>,
    stopping: bool,
}

impl Queue {
    #[must_use]
    pub fn new(bounds: Bounds, metrics: Arc<Metrics>, log: Arc<HostLog>) -> Self {
        Self { state: Mutex::default(), changed: Condvar::new(), bounds, metrics, log }
    }

    /// Copies a chunk into the queue. `None`: there is no room, or the instance is stopping, and the host must bring it
    /// again. `wake` is called when the result is there. Uses little stack, as it runs on the host's.
    #[must_use]
    pub fn put(&self, tag: &[u8], data: &[u8], wake: Wake) -> Option<Pending> {
        let refused = || {
            self.metrics.refused_chunks_total.add(1);
            None
        };
        if !self.lock().has_room_for(data.len(), self.bounds) {
            return refused();
        }
        // Copied without the lock. Memory may be short, and must not make us panic on the host's thread.
        let mut copy = Vec::new();
        if copy.try_reserve_exact(data.len()).is_err() {
            return refused();
        }
        copy.extend_from_slice(data);
        let (reply, pending) = reply(wake);
        let job = Job { tag: String::from_utf8_lossy(tag).into_owned(), data: copy, reply };
        let mut state = self.lock();
        if !state.has_room_for(data.len(), self.bounds) {
            drop(state);
            return refused();
        }
        state.waiting_since_seconds.get_or_insert_with(|| clock::unix_seconds(clock::wall()));
        state.waiting_bytes += data.len();
        state.waiting.push(job);
        self.publish(&state);
        drop(state);
        self.changed.notify_all();
        Some(pending)
    }

    /// Takes no more jobs, gives RETRY to those that wait, and waits this long for the round that runs.
    pub fn close(&self, patience: Duration) {
        let deadline = clock::monotonic() + patience;
        let mut state = self.lock();
        let given_up = state.close();
        drop(state);
        self.changed.notify_all();
        // Without the lock, as a result wakes the engine.
        drop(given_up);
        let mut state = self.lock();
        while state.is_running {
            let left = deadline.saturating_duration_since(clock::monotonic());
            if left.is_zero() {
                break;
            }
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Takes all jobs that wait through one round after the other, until the queue is closed.
    pub fn serve(&self, rounds: &mut impl Rounds) {
        let _last_will = LastWill(self);
        while let Some(jobs) = self.next_round(rounds) {
            failpoint::hit("thread");
            // A panic drops the jobs, and a dropped job gets RETRY.
            if self.guarded("a round of deliveries panicked", || rounds.round(jobs)).is_none() {
                rounds.recover();
            }
            let mut state = self.lock();
            state.end_round();
            (state.deferred, state.deferred_since_seconds) = rounds.deferred();
            self.publish(&state);
            drop(state);
            self.changed.notify_all();
        }
        rounds.finish();
    }

    /// Does a part of the work. `None`: it panicked, which is logged.
    fn guarded<T>(&self, what: &str, work: impl FnOnce() -> T) -> Option<T> {
        let done = catch_unwind(AssertUnwindSafe(work));
        done.map_err(|panic| {
            self.metrics.panicked_rounds_total.add(1);
            self.log.error(
                "delivery panicked",
                format!(
                    "{what}, a fault of this plugin; what it had in hand comes again: {}",
                    panic_message(&*panic)
                ),
            );
        })
        .ok()
    }

    /// Waits for jobs and takes all that are there, unless they are held back. `None`: the queue is closed.
    fn next_round(&self, rounds: &mut impl Rounds) -> Option<Vec<Job>> {
        loop {
            // Without the lock, as it may take its time, and the host's threads put jobs meanwhile.
            let rest = self
                .guarded("the work between rounds panicked", || rounds.idle())
                .unwrap_or(Some(AFTER_A_PANIC));
            let state = self.lock();
            let mut state = match rest {
                Some(rest) if state.is_idle() => {
                    self.changed.wait_timeout(state, rest).unwrap_or_else(PoisonError::into_inner).0
                }
                _ => state,
            };
            // If nothing is due, only a job or a stop matters.
            while rest.is_none() && state.is_idle() {
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            if state.stopping {
                return None;
            }
            if state.waiting.is_empty() {
                if rounds.is_due() {
                    return Some(state.begin_round());
                }
                continue;
            }
            if rounds.holds_back() {
                drop(self.changed.wait_timeout(state, HOLD_BACK).unwrap_or_else(PoisonError::into_inner));
                continue;
            }
            return Some(state.begin_round());
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn publish(&self, state: &State) {
        self.metrics.jobs_in_flight.set((state.waiting.len() + state.running.0 + state.deferred) as u64);
        self.metrics.job_bytes_in_flight.set((state.waiting_bytes + state.running.1) as u64);
        let oldest = [state.deferred_since_seconds, state.running_since_seconds, state.waiting_since_seconds];
        let oldest = oldest.into_iter().flatten().min();
        self.metrics.oldest_job_timestamp_seconds.set(oldest.unwrap_or(0));
    }
}

impl State {
    /// A chunk larger than the bound is taken if no other waits: otherwise it would never be delivered.
    fn has_room_for(&self, bytes: usize, bounds: Bounds) -> bool {
        let jobs = self.waiting.len() + self.running.0;
        let in_flight = self.waiting_bytes + self.running.1;
        let fits = jobs < bounds.jobs && in_flight + bytes <= bounds.bytes;
        !self.stopping && (fits || (bytes > bounds.bytes && self.waiting.is_empty()))
    }

    /// Whether there is nothing to do or to end.
    fn is_idle(&self) -> bool {
        self.waiting.is_empty() && !self.stopping
    }

    /// Takes no more jobs, and returns those that wait: they get RETRY when they are dropped.
    fn close(&mut self) -> Vec<Job> {
        self.stopping = true;
        self.waiting_bytes = 0;
        self.waiting_since_seconds = None;
        std::mem::take(&mut self.waiting)
    }

    /// Hands over all jobs that wait.
    fn begin_round(&mut self) -> Vec<Job> {
        self.is_running = true;
        self.running = (self.waiting.len(), self.waiting_bytes);
        self.waiting_bytes = 0;
        self.running_since_seconds = self.waiting_since_seconds.take();
        std::mem::take(&mut self.waiting)
    }

    fn end_round(&mut self) {
        self.is_running = false;
        self.running = (0, 0);
        self.running_since_seconds = None;
    }
}

/// Whatever ends the thread, no caller waits for it afterwards. If it panicked, an ERROR says so.
struct LastWill<'a>(&'a Queue);

impl Drop for LastWill<'_> {
    fn drop(&mut self) {
        self.0.metrics.delivering.set(0);
        let mut state = self.0.lock();
        let given_up = state.close();
        state.end_round();
        (state.deferred, state.deferred_since_seconds) = (0, None);
        self.0.publish(&state);
        drop(state);
        self.0.changed.notify_all();
        drop(given_up);
        if thread::panicking() {
            self.0.log.error(
                "delivery ended",
                "the delivering thread ended by a panic, a fault of this plugin: chunks wait with the host until it \
                 is restarted",
            );
        }
    }
}
