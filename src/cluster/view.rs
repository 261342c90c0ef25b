//! One instance's view of the cluster: waits for the first lists, then correlates events.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::handle::Cluster;
use super::shared::shared;
use crate::clock;
use crate::config::{ConfigError, CorrelationSettings};
use crate::correlate::{About, Awaited, Correlation, Correlator, Impact, Work};
use crate::log::HostLog;
use crate::metrics::Metrics;
use crate::topology::kind::ObjectKind;
use crate::topology::watch::LossReason;

/// The cluster as one instance sees it; empty if `correlate` is off.
pub struct View {
    cluster: Option<Arc<Cluster>>,
    correlator: Correlator,
    wait: Duration,
    /// Until when the first records wait at the latest.
    deadline: Instant,
    warned: Cell<bool>,
    /// The work limits of the current chunk.
    work: RefCell<Work>,
    metrics: Arc<Metrics>,
    log: Arc<HostLog>,
}

impl View {
    /// Finds or starts the cluster for these settings.
    ///
    /// # Errors
    /// As [`shared`].
    pub fn open(
        settings: &CorrelationSettings,
        metrics: &Arc<Metrics>,
        log: &Arc<HostLog>,
        on_start: fn(),
    ) -> Result<Self, Vec<ConfigError>> {
        let cluster = settings.topology.as_ref().map(|topology| shared(topology, on_start)).transpose()?;
        Ok(Self {
            cluster,
            correlator: Correlator {
                max_services: settings.max_services,
                labels: settings.labels.clone(),
                annotations: settings.annotations.clone(),
            },
            wait: settings.wait,
            deadline: clock::monotonic() + settings.wait,
            warned: Cell::new(false),
            work: RefCell::default(),
            metrics: Arc::clone(metrics),
            log: Arc::clone(log),
        })
    }

    /// The cluster as the last snapshot has it, once it was listed.
    #[must_use]
    pub fn cluster(&self) -> Option<Arc<Cluster>> {
        self.cluster.clone()
    }

    /// Whether records should wait: the first lists are not complete and `topology_wait` is not over. Logs
    /// once when it is over.
    #[must_use]
    pub fn is_worth_waiting_for(&self, now: Instant) -> bool {
        if self.warned.get() || self.cluster.as_ref().is_none_or(|cluster| cluster.is_ready()) {
            return false;
        }
        if now < self.deadline {
            return true;
        }
        self.warned.set(true);
        self.log.warn(
            "topology not ready",
            format!(
                "the cluster was not listed within topology_wait ({:?}); until it is, records are marked not_ready",
                self.wait
            ),
        );
        false
    }

    /// The object or kinds for which an event may wait.
    #[must_use]
    pub fn awaited(&self, about: &About<'_>) -> Option<Awaited> {
        Awaited::of(&self.cluster.as_ref()?.current(), about)
    }

    /// Whether the awaited object or kind has arrived.
    #[must_use]
    pub fn has_come(&self, awaited: &Awaited) -> bool {
        self.cluster.as_ref().is_none_or(|cluster| awaited.has_come(&cluster.current()))
    }

    /// Whether an event about this object would name a Service now.
    #[must_use]
    pub fn names_services(&self, about: &About<'_>) -> bool {
        let Some(cluster) = &self.cluster else { return false };
        let index = cluster.current();
        self.correlator.correlate_within(&index, about, &mut self.work.borrow_mut()).services_total > 0
    }

    /// How many snapshots were published so far.
    #[must_use]
    pub fn snapshots(&self) -> u64 {
        self.cluster.as_ref().map_or(0, |cluster| cluster.numbers().snapshots.get())
    }

    /// Starts a new chunk, with new work limits.
    pub fn begin_chunk(&self) {
        self.work.replace(Work::default());
    }

    /// Calls `tell` with the impact of an event, as the cluster is now.
    pub fn with_impact<R>(&self, about: &About<'_>, tell: impl FnOnce(&Impact<'_>) -> R) -> R {
        let Some(cluster) = &self.cluster else { return tell(&Impact::without(Correlation::Off)) };
        let index = cluster.current();
        let mut work = self.work.borrow_mut();
        let impact = self.correlator.correlate_within(&index, about, &mut work);
        self.metrics.correlation_incomplete_records_total.add(u64::from(impact.incomplete));
        if let Some(number) = self.metrics.correlated_records_total.of(&[impact.correlation.name()]) {
            number.add(1);
        }
        tell(&impact)
    }
}

impl Cluster {
    /// Copies the cluster's numbers into the metrics of an instance.
    pub fn publish(&self, metrics: &Metrics) {
        let numbers = self.numbers();
        metrics.topology_enabled.set(1);
        metrics.topology_ready.set(u64::from(self.is_ready()));
        metrics.topology_objects.set(numbers.objects.get());
        let last_messages = metrics.topology_last_message_timestamp_seconds.each();
        for ((_, published), number) in last_messages.zip(&numbers.last_message_seconds) {
            published.set(number.get());
        }
        for (kind, number) in ObjectKind::ALL.into_iter().zip(&numbers.unfollowed) {
            let of_kind = number.get();
            for (reason, place) in LossReason::ALL.into_iter().zip(1..) {
                if let Some(gauge) = metrics.topology_unfollowed.of(&[kind.resource(), reason.name()]) {
                    gauge.set(u64::from(of_kind == place));
                }
            }
        }
        metrics.topology_skipped_objects_total.set(numbers.skipped_objects.get());
        metrics.topology_watch_restarts_total.set(numbers.watch_restarts.get());
        metrics.topology_evicted_tombstones_total.set(numbers.evicted_tombstones.get());
    }
}
