//! The cluster around the events, and the wait for the first look at it.

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

/// How often the wait looks whether it is over.
const LOOK: Duration = Duration::from_millis(10);

/// Where the filter finds the cluster.
pub trait Topology: Send + Sync {
    /// Lends the newest snapshot. Never waits.
    fn lend(&self, to: &mut dyn FnMut(&Index));

    /// What is to be said of it.
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

/// What it takes to tell of an event's impact.
pub struct Impacts {
    pub topology: Arc<dyn Topology>,
    pub correlator: Correlator,
}

impl Impacts {
    /// Follows the cluster, and waits for the first look at it: this runs in cb_init, before any record is
    /// there, on a thread's own stack. `None`: nobody wants to know of impacts.
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
