//! The thread that delivers, its queue of jobs, its start and its stop.
//!
//! One thread an instance: deliveries stay in order, and the ledger needs no lock. The queue is bounded;
//! beyond the bound a chunk is turned away at once and the host keeps it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::clock;
use crate::cluster::Cluster;
use crate::config::{Guarantee, Mistake, Settings};
use crate::gateway::Stopper;
use crate::job::{Job, Pending, Ring, reply};
use crate::journal::{Journal, said};
use crate::metrics::Metrics;
use crate::pipeline::Pipeline;
use crate::trip;

/// Chunks taken and not yet answered. The host's own map of tasks holds 2,048 in old versions, for all of
/// its outputs together.
const MAX_JOBS: usize = 256;
/// Bytes of these chunks; a chunk is about 2 MB at most, unless one record is larger.
const MAX_JOB_BYTES: usize = 64 << 20;
/// A request that is on its way when the host exits gets so long to end by itself. Cutting it off leaves
/// open whether the gateway took it, and the next start would send it again.
const LAST_REQUEST: Duration = Duration::from_millis(500);
/// The same where what is cut off is put away, and a person has to look after it. The host's grace is 5 s.
const LAST_REQUEST_ALONE: Duration = Duration::from_secs(3);

/// Jobs that are held back are looked at again so often.
const HOLD_BACK: Duration = Duration::from_millis(20);

/// The owner of the thread. Dropped, it stops it.
pub struct Courier {
    shared: Arc<Shared>,
    stopper: Stopper,
    last_request: Duration,
    cluster: Option<Arc<Cluster>>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    queue: Mutex<Queue>,
    changed: Condvar,
    metrics: Arc<Metrics>,
    journal: Arc<Journal>,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: Vec<Job>,
    waiting_bytes: usize,
    /// When the first of those that wait came, in Unix time.
    waiting_since_seconds: Option<u64>,
    /// Chunks and bytes of the round that runs.
    running: (usize, usize),
    running_since_seconds: Option<u64>,
    stopping: bool,
}

impl Courier {
    /// Opens the files, then starts the thread. `on_start` runs on the new thread first; the border blocks
    /// the signals there, which are the host's.
    ///
    /// # Errors
    /// All mistakes found in the files that the settings name, or that no thread could be started.
    pub fn start(
        settings: &Settings,
        metrics: &Arc<Metrics>,
        journal: &Arc<Journal>,
        on_start: fn(),
    ) -> Result<Self, Vec<Mistake>> {
        let pipeline = Pipeline::open(settings, metrics, journal, on_start)?;
        let (stopper, cluster) = (pipeline.stopper(), pipeline.cluster());
        let shared = Arc::new(Shared {
            queue: Mutex::default(),
            changed: Condvar::new(),
            metrics: Arc::clone(metrics),
            journal: Arc::clone(journal),
        });
        let for_thread = Arc::clone(&shared);
        metrics.delivering.set(1);
        let thread = thread::Builder::new()
            .name("event_gateway".to_owned())
            .spawn(move || {
                on_start();
                work(&for_thread, pipeline);
            })
            .map_err(|error| {
                vec![Mistake {
                    key: "endpoint",
                    problem: format!("no thread could be started ({error})"),
                    expected: "a host with room for one more thread".to_owned(),
                }]
            })?;
        let last_request = match settings.guarantee {
            Guarantee::NoEventLoss => LAST_REQUEST,
            Guarantee::NoDuplicates => LAST_REQUEST_ALONE,
        };
        Ok(Self { shared, stopper, last_request, cluster, thread: Some(thread) })
    }

    /// Copies a chunk into the queue. `None`: there is no room, or the instance is stopping; the host is to
    /// bring it again. `ring` is called when the answer is there. Uses little stack: this runs on the
    /// host's.
    #[must_use]
    pub fn enqueue(&self, tag: &[u8], data: &[u8], ring: Ring) -> Option<Pending> {
        let refused = || {
            self.shared.metrics.refused_chunks_total.add(1);
            None
        };
        if !self.shared.lock().has_room_for(data.len()) {
            return refused();
        }
        // The copy is made without the lock; memory may be short, and a panic here would be ours.
        let mut copy = Vec::new();
        if copy.try_reserve_exact(data.len()).is_err() {
            return refused();
        }
        copy.extend_from_slice(data);
        let (reply, pending) = reply(ring);
        let job = Job { tag: String::from_utf8_lossy(tag).into_owned(), data: copy, reply };
        let mut queue = self.shared.lock();
        if !queue.has_room_for(data.len()) {
            drop(queue);
            return refused();
        }
        queue.waiting_since_seconds.get_or_insert_with(|| clock::unix_seconds(clock::wall()));
        queue.waiting_bytes += data.len();
        queue.waiting.push(job);
        self.shared.publish(&queue);
        drop(queue);
        self.shared.changed.notify_all();
        Some(pending)
    }

    /// The cluster that records are looked up in.
    #[must_use]
    pub fn cluster(&self) -> Option<&Cluster> {
        self.cluster.as_deref()
    }

    /// Stops the thread and waits for it: a request on its way gets a moment to end, then it is cut off.
    /// Bounded but for a connect in progress, which takes 5 s at most.
    pub fn stop(&mut self) {
        let Some(thread) = self.thread.take() else { return };
        let deadline = clock::monotonic() + self.last_request;
        let mut queue = self.shared.lock();
        queue.close();
        self.shared.changed.notify_all();
        while queue.running.0 > 0 {
            let left = deadline.saturating_duration_since(clock::monotonic());
            if left.is_zero() {
                break;
            }
            queue = self.shared.changed.wait_timeout(queue, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        drop(queue);
        self.stopper.stop();
        // A panic of the thread was told when it happened.
        let _ = thread.join();
        // The last instance that lets go of it stops its threads.
        self.cluster = None;
    }
}

impl Drop for Courier {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn publish(&self, queue: &Queue) {
        self.metrics.jobs_in_flight.set((queue.waiting.len() + queue.running.0) as u64);
        self.metrics.job_bytes_in_flight.set((queue.waiting_bytes + queue.running.1) as u64);
        let oldest = queue.running_since_seconds.or(queue.waiting_since_seconds);
        self.metrics.oldest_job_timestamp_seconds.set(oldest.unwrap_or(0));
    }
}

impl Queue {
    /// A chunk larger than the bound is taken when no other waits: it would never be delivered else.
    fn has_room_for(&self, bytes: usize) -> bool {
        let jobs = self.waiting.len() + self.running.0;
        let in_flight = self.waiting_bytes + self.running.1;
        let fits = jobs < MAX_JOBS && in_flight + bytes <= MAX_JOB_BYTES;
        !self.stopping && (fits || (bytes > MAX_JOB_BYTES && self.waiting.is_empty()))
    }

    /// Takes no more, and lets go of what waits: the replies say RETRY as they are dropped.
    fn close(&mut self) {
        self.stopping = true;
        self.waiting.clear();
        self.waiting_bytes = 0;
        self.waiting_since_seconds = None;
    }

    /// Hands over all that wait.
    fn begin_round(&mut self) -> Vec<Job> {
        self.running = (self.waiting.len(), self.waiting_bytes);
        self.waiting_bytes = 0;
        self.running_since_seconds = self.waiting_since_seconds.take();
        std::mem::take(&mut self.waiting)
    }

    fn end_round(&mut self) {
        self.running = (0, 0);
        self.running_since_seconds = None;
    }
}

/// Whatever ends the thread, nobody waits for it afterwards, and a person is told if it was not asked to.
struct LastWill<'a>(&'a Shared);

impl Drop for LastWill<'_> {
    fn drop(&mut self) {
        self.0.metrics.delivering.set(0);
        let mut queue = self.0.lock();
        queue.close();
        queue.end_round();
        self.0.publish(&queue);
        drop(queue);
        self.0.changed.notify_all();
        if thread::panicking() {
            self.0.journal.error(
                "delivery ended",
                "the delivering thread ended by a panic, a fault of this plugin: chunks wait with the host until it \
                 is restarted",
            );
        }
    }
}

fn work(shared: &Shared, mut pipeline: Pipeline) {
    let _last_will = LastWill(shared);
    while let Some(jobs) = next_round(shared, || pipeline.holds_back()) {
        trip::wire("thread");
        // A panic drops the jobs, and a dropped job says RETRY.
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| pipeline.round(jobs))) {
            pipeline.recover();
            shared.metrics.panicked_rounds_total.add(1);
            shared.journal.error(
                "delivery panicked",
                format!(
                    "a round of deliveries panicked, a fault of this plugin; its chunks come again: {}",
                    said(&*panic)
                ),
            );
        }
        let mut queue = shared.lock();
        queue.end_round();
        shared.publish(&queue);
        drop(queue);
        shared.changed.notify_all();
    }
    pipeline.finish();
}

/// Waits for jobs and takes all that are there, unless they are held back. `None`: stop.
fn next_round(shared: &Shared, hold_back: impl Fn() -> bool) -> Option<Vec<Job>> {
    let mut queue = shared.lock();
    loop {
        if queue.stopping {
            return None;
        }
        if !queue.waiting.is_empty() && hold_back() {
            let slept = shared.changed.wait_timeout(queue, HOLD_BACK);
            queue = slept.unwrap_or_else(PoisonError::into_inner).0;
            continue;
        }
        if !queue.waiting.is_empty() {
            return Some(queue.begin_round());
        }
        queue = shared.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
    }
}
