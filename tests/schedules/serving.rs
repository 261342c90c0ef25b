//! A worker without its I/O: a queue, the thread that serves it, and what is done in its rounds.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::Duration;

use shuttle::rand::Rng;
use shuttle::thread::{self, JoinHandle};

use crate::failpoint;
use crate::job::{HostResult, Job};
use crate::log::HostLog;
use crate::metrics::Metrics;
use crate::queue::{Bounds, Queue, Rounds};
use crate::sync::{Arc, Mutex};

pub const BOUNDS: Bounds = Bounds { jobs: 3, bytes: 8 };
/// Three of these are more than the bytes allow.
pub const CHUNK: &[u8] = b"abc";

/// Jobs that are answered in a later round.
pub const MOST_DEFERRED: usize = 2;

/// What the rounds may do beside answering OK and RETRY.
#[derive(Debug, Clone, Copy, Default)]
pub struct Misfortune {
    pub panics: bool,
    pub holds_back: bool,
    /// A request that hangs until it is cut off.
    pub hangs: bool,
    /// The thread itself ends by a panic.
    pub dies: bool,
    /// Some jobs are answered in a later round only.
    pub defers: bool,
}

/// The other end of a request that hangs: `Stopper` of the gateway.
#[derive(Debug, Default)]
pub struct Line {
    pub is_cut: Mutex<bool>,
}

pub struct Served {
    pub queue: Arc<Queue>,
    pub metrics: Arc<Metrics>,
    /// The chunks that a gateway has acknowledged.
    pub acknowledged: Arc<Mutex<BTreeSet<String>>>,
    pub line: Arc<Line>,
    pub defers: bool,
    pub thread: JoinHandle<()>,
}

impl Served {
    pub fn start(misfortune: Misfortune) -> Self {
        let (metrics, log) = (Arc::new(Metrics::default()), Arc::new(HostLog::default()));
        let queue = Arc::new(Queue::new(BOUNDS, Arc::clone(&metrics), log));
        let (acknowledged, line) = (Arc::default(), Arc::default());
        let mut rounds = Fake {
            acknowledged: Arc::clone(&acknowledged),
            line: Arc::clone(&line),
            misfortune,
            deferred: Vec::new(),
            finished: false,
            faults: 0,
        };
        let for_thread = Arc::clone(&queue);
        let thread =
            thread::spawn(move || match catch_unwind(AssertUnwindSafe(|| for_thread.serve(&mut rounds))) {
                Ok(()) => assert!(rounds.finished, "the ledger was not closed"),
                Err(panic) if misfortune.dies && failpoint::was_asked_for(&*panic) => {}
                Err(panic) => resume_unwind(panic),
            });
        Self { queue, metrics, acknowledged, line, defers: misfortune.defers, thread }
    }

    /// As `Worker::stop`.
    pub fn stop(self) {
        self.queue.close(Duration::from_millis(500));
        *self.line.is_cut.lock().unwrap() = true;
        self.thread.join().unwrap();
        assert_eq!(self.metrics.jobs_in_flight.get(), 0, "jobs are left");
        assert_eq!(self.metrics.job_bytes_in_flight.get(), 0, "bytes are left");
        assert_eq!(self.metrics.delivering.get(), 0);
    }
}

struct Fake {
    acknowledged: Arc<Mutex<BTreeSet<String>>>,
    line: Arc<Line>,
    misfortune: Misfortune,
    deferred: Vec<Job>,
    finished: bool,
    faults: usize,
}

fn happens(is_possible: bool) -> bool {
    is_possible && shuttle::rand::thread_rng().gen_bool(0.3)
}

impl Rounds for Fake {
    fn holds_back(&self) -> bool {
        happens(self.misfortune.holds_back)
    }

    fn round(&mut self, jobs: Vec<Job>) {
        // A fault that is found here must not be taken for a panic that the queue survives.
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| self.checked_round(jobs))) {
            self.faults += usize::from(!failpoint::was_asked_for(&*panic));
            resume_unwind(panic);
        }
    }

    fn is_due(&self) -> bool {
        !self.deferred.is_empty()
    }

    fn deferred(&self) -> (usize, Option<u64>) {
        (self.deferred.len(), (!self.deferred.is_empty()).then_some(1))
    }

    fn idle(&mut self) -> Option<Duration> {
        self.is_due().then_some(Duration::from_millis(1))
    }

    fn recover(&mut self) {
        self.deferred.clear();
        assert_eq!(self.faults, 0, "a round went wrong");
    }

    fn finish(&mut self) {
        self.deferred.clear();
        self.finished = true;
    }
}

impl Fake {
    fn checked_round(&mut self, jobs: Vec<Job>) {
        let bytes: usize = jobs.iter().map(|job| job.data.len()).sum();
        let is_right = jobs.len() <= BOUNDS.jobs && bytes <= BOUNDS.bytes;
        assert!(
            is_right && !(jobs.is_empty() && self.deferred.is_empty()),
            "{jobs:?} beside {:?}",
            self.deferred
        );
        let jobs: Vec<Job> = std::mem::take(&mut self.deferred).into_iter().chain(jobs).collect();
        if happens(self.misfortune.hangs) {
            while !*self.line.is_cut.lock().unwrap() {
                thread::yield_now();
            }
            return; // nobody took them
        }
        for job in jobs {
            if happens(self.misfortune.panics) {
                failpoint::panic_quietly();
            }
            assert_eq!(job.data, CHUNK);
            if self.deferred.len() < MOST_DEFERRED && happens(self.misfortune.defers) {
                self.deferred.push(job);
                continue;
            }
            if shuttle::rand::thread_rng().gen_bool(0.7) {
                self.acknowledged.lock().unwrap().insert(job.tag);
                job.reply.send(HostResult::Ok);
            } else {
                job.reply.send(HostResult::Retry);
            }
        }
    }
}
