//! The handle of a verification: its start, what it says, and its stop.

use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::follower::{self, Follower};
use super::lag::{Lag, LagLog, Totals};
use super::loss::Losses;
use super::timekeeper::{self, Timekeeper};
use super::timing::Timing;
use super::watch::{self, Watch};
use crate::clock;
use crate::cluster::{Auth, Client};
use crate::config::{ConfigError, TopologySettings};
use crate::log::HostLog;
use crate::metrics::Metrics;
use crate::net::stop::{StopSignal, Stopper};
use crate::replicas::shared::SharedReplica;

/// Which events are verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// `None`: those of the whole cluster.
    pub namespace: Option<String>,
    /// What is unsettled for longer is overdue.
    pub reconcile_after: Duration,
}

/// Owns the threads. Dropping it stops them and waits for them; only a connect in progress cannot be interrupted, and takes
/// at most 2 s.
pub struct Verification {
    shared: Arc<SharedReplica>,
    totals: Arc<Totals>,
    reconcile_after: Duration,
    signal: Arc<StopSignal>,
    stoppers: Vec<Stopper>,
    threads: Vec<JoinHandle<()>>,
}

impl Verification {
    /// Opens the files with the credentials, then starts the threads. `on_start` runs first on each thread; the border uses
    /// it to block the host's signals there. `api` says where the API server is.
    ///
    /// # Errors
    /// All errors in the files, or that a thread could not be started.
    pub fn start(
        api: &TopologySettings,
        scope: &Scope,
        timing: &Timing,
        shared: &Arc<SharedReplica>,
        log: &Arc<HostLog>,
        on_start: fn(),
    ) -> Result<Self, Vec<ConfigError>> {
        let auth = Arc::new(Auth::open(api, log)?);
        let mut verification = Self {
            shared: Arc::clone(shared),
            totals: Arc::default(),
            reconcile_after: scope.reconcile_after,
            signal: Arc::default(),
            stoppers: Vec::new(),
            threads: Vec::new(),
        };
        let client = |buffer_bytes| {
            Client::new(buffer_bytes, &api.url, &auth, &timing.requests, &verification.signal, log)
        };
        let (reader, confirmer) = (client(follower::BUFFER_BYTES), client(timekeeper::BUFFER_BYTES));
        let namespace = scope.namespace.as_deref();
        let follower = Follower {
            watch: Watch::new(namespace),
            stopper: reader.stopper(),
            client: reader,
            shared: Arc::clone(shared),
            totals: Arc::clone(&verification.totals),
            losses: Losses::new(scope.namespace.clone(), timing.quiet),
            log: Arc::clone(log),
            said: None,
        };
        let timekeeper = Timekeeper {
            path: watch::path(namespace),
            stopper: confirmer.stopper(),
            client: confirmer,
            shared: Arc::clone(shared),
            totals: Arc::clone(&verification.totals),
            reconcile_after: scope.reconcile_after,
            timing: *timing,
            log: Arc::clone(log),
            lag_log: LagLog::default(),
            due: 0,
            forget_due: 0,
            renew_credentials: false,
        };
        verification.stoppers.extend([follower.stopper.clone(), timekeeper.stopper.clone()]);
        // If one thread cannot be started, dropping `verification` stops the other.
        let started = verification
            .spawn("verification", on_start, move || follower.run())
            .and_then(|()| verification.spawn("verification-clock", on_start, move || timekeeper.run()));
        started.map_err(|error| {
            vec![ConfigError {
                key: "reconcile",
                problem: format!("no thread could be started ({error})"),
                expected: "a host that allows two more threads".to_owned(),
            }]
        })?;
        Ok(verification)
    }

    /// The replica that it feeds, which wants to know what is settled.
    #[must_use]
    pub fn replica(&self) -> Arc<SharedReplica> {
        Arc::clone(&self.shared)
    }

    /// Copies its figures into the metrics of the instance.
    pub fn publish(&self, metrics: &Metrics) {
        let lag = self.lag();
        metrics.reconcile_enabled.set(1);
        metrics.reconcile_seen_versions_total.set(lag.seen);
        // What comes again after it was settled early may make it smaller for a moment.
        let settled = lag.settled.max(metrics.reconcile_settled_versions_total.get());
        metrics.reconcile_settled_versions_total.set(settled);
        metrics.reconcile_forgotten_versions_total.set(lag.forgotten);
        metrics.reconcile_unaccounted_versions.set(lag.overdue);
        let since = clock::unix_seconds(clock::wall()).saturating_sub(lag.oldest.as_secs());
        metrics.reconcile_unsettled_since_timestamp_seconds.set(if lag.unsettled == 0 { 0 } else { since });
    }

    /// What the source owes now.
    #[must_use]
    pub fn lag(&self) -> Lag {
        let now = self.shared.now_ms();
        Lag::measure(self.shared.lock().seen(), &self.totals, self.reconcile_after, now)
    }

    /// Counts since the start.
    #[must_use]
    pub fn totals(&self) -> &Totals {
        &self.totals
    }

    fn spawn(
        &mut self,
        name: &str,
        on_start: fn(),
        work: impl FnOnce() + Send + 'static,
    ) -> std::io::Result<()> {
        let thread = thread::Builder::new().name(name.to_owned()).spawn(move || {
            on_start();
            work();
        })?;
        self.threads.push(thread);
        Ok(())
    }
}

impl Drop for Verification {
    fn drop(&mut self) {
        self.signal.set();
        self.stoppers.iter().for_each(Stopper::stop);
        // Under the lock, or a thread that is about to wait would miss it.
        drop(self.shared.lock());
        self.shared.changed.notify_all();
        for thread in self.threads.drain(..) {
            // A panic of the thread was already logged.
            let _ = thread.join();
        }
    }
}
