//! The delivery worker: the thread that delivers, its start and its stop.
//!
//! Each instance has one thread, so deliveries stay in order and the ledger needs no lock. The queue is bounded; beyond the
//! bound it refuses a chunk at once and the host keeps it.

mod queue;

use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::cluster::Cluster;
use crate::config::{ConfigError, Guarantee, Settings};
use crate::gateway::Stopper;
use crate::job::{Job, Pending, Wake};
use crate::log::HostLog;
use crate::metrics::Metrics;
use crate::pipeline::Pipeline;
use crate::sync::Arc;
use crate::verification::Verification;
use queue::{Bounds, Queue, Rounds};

/// Chunks without a result. The host's own map of tasks holds 2,048 in old versions, for all of its outputs together. A
/// chunk has about 2 MB at most, unless one record is larger.
const BOUNDS: Bounds = Bounds { jobs: 256, bytes: 64 << 20 };
/// How long a request in flight may take to end by itself when the host exits. If it is cut off, it is in doubt whether it
/// arrived, and the next start resends it.
const LAST_REQUEST: Duration = Duration::from_millis(500);
/// The same with `no_duplicates`: a request that is cut off is dead-lettered, and a person has to look at it. The host's
/// grace period is 5 s.
const LAST_REQUEST_ONCE: Duration = Duration::from_secs(3);

/// Owns the thread, and stops it when it is dropped.
pub struct Worker {
    queue: Arc<Queue>,
    stopper: Stopper,
    last_request: Duration,
    cluster: Option<Arc<Cluster>>,
    verification: Option<Arc<Verification>>,
    thread: Option<JoinHandle<()>>,
}

impl Worker {
    /// Opens the files, then starts the thread. `on_start` runs first on it; `abi` blocks signals there, as they are the
    /// host's.
    ///
    /// # Errors
    /// All errors found in the files that the settings name, or that no thread can be started.
    pub fn start(
        settings: &Settings,
        metrics: &Arc<Metrics>,
        log: &Arc<HostLog>,
        on_start: fn(),
    ) -> Result<Self, Vec<ConfigError>> {
        let mut pipeline = Pipeline::open(settings, metrics, log, on_start)?;
        let (stopper, cluster) = (pipeline.stopper(), pipeline.cluster());
        let verification = pipeline.verification();
        let queue = Arc::new(Queue::new(BOUNDS, Arc::clone(metrics), Arc::clone(log)));
        let for_thread = Arc::clone(&queue);
        metrics.delivering.set(1);
        let thread = thread::Builder::new()
            .name("event_gateway".to_owned())
            .spawn(move || {
                on_start();
                for_thread.serve(&mut pipeline);
            })
            .map_err(|error| {
                vec![ConfigError {
                    key: "endpoint",
                    problem: format!("no thread could be started ({error})"),
                    expected: "a host with room for one more thread".to_owned(),
                }]
            })?;
        let last_request = match settings.guarantee {
            Guarantee::NoEventLoss => LAST_REQUEST,
            Guarantee::NoDuplicates => LAST_REQUEST_ONCE,
        };
        Ok(Self { queue, stopper, last_request, cluster, verification, thread: Some(thread) })
    }

    /// Copies a chunk into the queue. `None`: there is no room, or the instance is stopping, and the host must bring it
    /// again. `wake` is called when the result is there. Uses little stack, as it runs on the host's.
    #[must_use]
    pub fn enqueue(&self, tag: &[u8], data: &[u8], wake: Wake) -> Option<Pending> {
        self.queue.put(tag, data, wake)
    }

    /// The cluster that records are looked up in.
    #[must_use]
    pub fn cluster(&self) -> Option<&Cluster> {
        self.cluster.as_deref()
    }

    /// What knows which events the API server has, with `reconcile report`.
    #[must_use]
    pub fn verification(&self) -> Option<&Verification> {
        self.verification.as_deref()
    }

    /// Stops the thread and waits for it. A request in flight gets a moment to end, then it is cut off. That is bounded, as a
    /// connect takes 5 s at most.
    pub fn stop(&mut self) {
        let Some(thread) = self.thread.take() else { return };
        self.queue.close(self.last_request);
        self.stopper.stop();
        // If the thread panicked, that is logged already.
        let _ = thread.join();
        // The last instance to drop it stops its threads.
        self.cluster = None;
        self.verification = None;
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Rounds for Pipeline {
    fn holds_back(&self) -> bool {
        Pipeline::holds_back(self)
    }

    fn round(&mut self, jobs: Vec<Job>) {
        Pipeline::round(self, jobs);
    }

    fn is_due(&self) -> bool {
        Pipeline::is_due(self)
    }

    fn deferred(&self) -> (usize, Option<u64>) {
        Pipeline::deferred(self)
    }

    fn recover(&mut self) {
        Pipeline::recover(self);
    }

    fn idle(&mut self) -> Option<Duration> {
        Pipeline::idle(self)
    }

    fn finish(&mut self) {
        Pipeline::finish(self);
    }
}
