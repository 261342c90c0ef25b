//! The thread that delivers, its start and its stop.
//!
//! One thread an instance: deliveries stay in order, and the ledger needs no lock. The queue is bounded;
//! beyond the bound a chunk is turned away at once and the host keeps it.

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
use queue::{Bounds, Queue, Rounds};

/// Chunks taken and not yet answered. The host's own map of tasks holds 2,048 in old versions, for all of
/// its outputs together. Of bytes, a chunk has about 2 MB at most, unless one record is larger.
const BOUNDS: Bounds = Bounds { jobs: 256, bytes: 64 << 20 };
/// A request that is on its way when the host exits gets so long to end by itself. Cutting it off leaves
/// open whether the gateway took it, and the next start would send it again.
const LAST_REQUEST: Duration = Duration::from_millis(500);
/// The same where what is cut off is dead-lettered, and a person has to look after it. The host's grace is 5 s.
const LAST_REQUEST_ALONE: Duration = Duration::from_secs(3);

/// The owner of the thread. Dropped, it stops it.
pub struct Worker {
    queue: Arc<Queue>,
    stopper: Stopper,
    last_request: Duration,
    cluster: Option<Arc<Cluster>>,
    thread: Option<JoinHandle<()>>,
}

impl Worker {
    /// Opens the files, then starts the thread. `on_start` runs on the new thread first; the border blocks
    /// the signals there, which are the host's.
    ///
    /// # Errors
    /// All errors found in the files that the settings name, or that no thread could be started.
    pub fn start(
        settings: &Settings,
        metrics: &Arc<Metrics>,
        log: &Arc<HostLog>,
        on_start: fn(),
    ) -> Result<Self, Vec<ConfigError>> {
        let mut pipeline = Pipeline::open(settings, metrics, log, on_start)?;
        let (stopper, cluster) = (pipeline.stopper(), pipeline.cluster());
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
            Guarantee::NoDuplicates => LAST_REQUEST_ALONE,
        };
        Ok(Self { queue, stopper, last_request, cluster, thread: Some(thread) })
    }

    /// Copies a chunk into the queue. `None`: there is no room, or the instance is stopping; the host is to
    /// bring it again. `wake` is called when the answer is there. Uses little stack: this runs on the
    /// host's.
    #[must_use]
    pub fn enqueue(&self, tag: &[u8], data: &[u8], wake: Wake) -> Option<Pending> {
        self.queue.put(tag, data, wake)
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
        self.queue.close(self.last_request);
        self.stopper.stop();
        // A panic of the thread was logged when it happened.
        let _ = thread.join();
        // The last instance that lets go of it stops its threads.
        self.cluster = None;
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
