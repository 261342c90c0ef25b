//! What it takes to add an impact: the cluster, and the wait for its first lists.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use crate::clock;
use crate::cluster::{self, Cluster};
use crate::config::{ConfigError, CorrelationSettings};
use crate::correlate::Correlator;
use crate::log::HostLog;
use crate::pattern::Patterns;
use crate::topology::index::Index;

/// How often the wait checks whether it is over.
const LOOK: Duration = Duration::from_millis(10);

/// Where the filter finds the cluster.
pub trait Topology: Send + Sync {
    /// Lends the newest snapshot. Never waits.
    fn lend(&self, to: &mut dyn FnMut(&Index));

    /// The log of the threads that follow it, if there are any.
    fn log(&self) -> Option<Arc<HostLog>> {
        None
    }
}

impl Topology for Cluster {
    fn lend(&self, to: &mut dyn FnMut(&Index)) {
        to(&self.current());
    }

    fn log(&self) -> Option<Arc<HostLog>> {
        Some(Self::log(self))
    }
}

/// What it takes to add an event's impact.
pub struct Impacts {
    /// Lends the newest snapshot to each chunk.
    pub topology: Arc<dyn Topology>,
    /// Holds which Services, labels and annotations a record may name.
    pub correlator: Correlator,
}

impl Impacts {
    /// Follows the cluster, and waits for its first lists. This runs in `cb_init`, before any record comes, on a thread's own
    /// stack. `None`: the settings ask for no impacts.
    ///
    /// # Errors
    /// As [`cluster::shared`].
    pub fn start(
        settings: &CorrelationSettings,
        log: &HostLog,
        on_start: fn(),
    ) -> Result<Option<Self>, Vec<ConfigError>> {
        let Some(topology) = &settings.topology else { return Ok(None) };
        let cluster = cluster::shared(topology, on_start)?;
        let deadline = clock::monotonic() + settings.wait;
        while !cluster.is_ready() {
            if clock::monotonic() >= deadline {
                log.warn(
                    "topology not ready",
                    format!(
                        "the first look at the cluster was not complete in {:?} (topology_wait); until it is, events \
                         say not_ready",
                        settings.wait
                    ),
                );
                break;
            }
            thread::sleep(LOOK);
        }
        let annotations: Patterns = topology.annotations.clone();
        let correlator =
            Correlator { max_services: settings.max_services, labels: settings.labels.clone(), annotations };
        Ok(Some(Self { topology: cluster, correlator }))
    }
}
