//! The pipeline: a chunk's way from the queue to the endpoint.
//!
//! - `round`: the chunks that are delivered together
//! - `decode`: a chunk becomes records of known or unknown kind; `unreadable` dead-letters the rest
//! - `stages`: select, then the stages that follow
//! - `defer`: events wait until the topology knows their object; `deferred` holds them
//! - `deduplicate`: what the ledger knows of a record decides what to do with it
//! - `prepare`: redact, correlate, render, and add to the batch
//!
//! To send and to settle is the work of [`delivery`](crate::delivery).
//!
//! A round takes all chunks that wait. Their records fill one batch after the other, so one request may serve several
//! chunks, and a chunk has its result as soon as the last of its records is settled. A record that is already on its way
//! in the same round is not sent twice: its chunk shares the outcome.

mod decode;
mod deduplicate;
mod defer;
mod deferred;
mod prepare;
mod round;
mod stages;
mod unreadable;

use std::sync::Arc;
use std::time::Duration;

use bumpalo::Bump;

use crate::clock;
use crate::cluster::{Cluster, View};
use crate::config::{ConfigError, ReconcileSettings, Redaction, Settings};
use crate::delivery::{Delivery, LoggedLedger, SettledVersions};
use crate::disk::not_private;
use crate::failpoint;
use crate::gateway::{Stopper, Transport, transport};
use crate::job::{Job, Tally};
use crate::log::HostLog;
use crate::metrics::Metrics;
use crate::record::redact::{Action, Redactor};
use crate::replicas::replica::Replica;
use crate::replicas::seen::Bounds;
use crate::replicas::shared::SharedReplica;
use crate::verification::timing::Timing;
use crate::verification::{Scope, Verification};
use decode::Decoder;
use round::{Chunk, Round};
use stages::Stages;
use unreadable::UnreadableLetters;

/// Versions that the verification remembers, at some 70 bytes each. Without a Lease nothing lists exceptions.
const BOUNDS: Bounds = Bounds { versions: 200_000, exceptions: 0 };

/// All stages of one instance.
pub struct Pipeline {
    decoder: Decoder,
    unreadable: UnreadableLetters,
    stages: Stages,
    ledger: LoggedLedger,
    view: View,
    delivery: Delivery,
    /// `None` with `reconcile off`.
    verification: Option<Arc<Verification>>,
    metrics: Arc<Metrics>,
}

impl Pipeline {
    /// Opens the ledger, the transport and the dead letter file, and finds or starts the cluster. `on_start` runs first on
    /// each thread that is started.
    ///
    /// # Errors
    /// All errors found in the files that the settings name.
    pub fn open(
        settings: &Settings,
        metrics: &Arc<Metrics>,
        log: &Arc<HostLog>,
        on_start: fn(),
    ) -> Result<Self, Vec<ConfigError>> {
        Self::over(transport::open(settings, metrics, log), settings, metrics, log, on_start)
    }

    /// The same over a transport of the caller's, which sees what is sent.
    ///
    /// # Errors
    /// As [`Pipeline::open`].
    pub fn over(
        transport: Result<Box<dyn Transport>, Vec<ConfigError>>,
        settings: &Settings,
        metrics: &Arc<Metrics>,
        log: &Arc<HostLog>,
        on_start: fn(),
    ) -> Result<Self, Vec<ConfigError>> {
        let ledger = LoggedLedger::open(settings, metrics, log);
        let delivery = Delivery::open(transport, settings, metrics, log);
        let view = View::open(&settings.correlation, metrics, log, on_start);
        let redactor = redactor(&settings.redaction);
        let (mut ledger, mut delivery, view, redactor) = match (ledger, delivery, view, redactor) {
            (Ok(ledger), Ok(delivery), Ok(view), Ok(redactor)) => (ledger, delivery, view, redactor),
            (ledger, delivery, view, redactor) => {
                let more = [delivery.err(), view.err(), redactor.err()].into_iter().flatten().flatten();
                return Err(ledger.err().into_iter().chain(more).collect());
            }
        };
        ledger.start();
        if let Some(warning) = not_private(&settings.written_folders()) {
            log.warn("folder not private", warning);
        }
        if settings.ledger.state_file.is_none() {
            log.warn(
                "no state_file",
                "state_file is not set: a restart forgets what was delivered, and delivers it again; set it to a file that stays",
            );
        }
        let verification =
            settings.reconcile.as_ref().map(|reconcile| verify(reconcile, log, on_start)).transpose()?;
        if let Some(verification) = &verification {
            ledger.report_to(SettledVersions::to(verification.replica()));
        }
        delivery.take_up(&mut ledger);
        metrics.ledger_entries.set(ledger.read().entries() as u64);
        let redactor = Arc::new(redactor);
        Ok(Self {
            decoder: Decoder::new(Arc::clone(&redactor), log),
            unreadable: UnreadableLetters::default(),
            stages: Stages::new(settings, redactor, metrics, log),
            ledger,
            view,
            delivery,
            verification: verification.map(Arc::new),
            metrics: Arc::clone(metrics),
        })
    }

    /// Reports from now on which versions of events this output has settled.
    pub fn report_settled_to(&mut self, replica: Arc<SharedReplica>) {
        self.ledger.report_to(SettledVersions::to(replica));
    }

    /// Stops the request in flight from another thread.
    #[must_use]
    pub fn stopper(&self) -> Stopper {
        self.delivery.stopper()
    }

    /// The cluster that records are looked up in.
    #[must_use]
    pub fn cluster(&self) -> Option<Arc<Cluster>> {
        self.view.cluster()
    }

    /// What knows which events the API server has.
    #[must_use]
    pub fn verification(&self) -> Option<Arc<Verification>> {
        self.verification.clone()
    }

    /// Whether chunks should wait for the cluster's first lists.
    #[must_use]
    pub fn holds_back(&self) -> bool {
        self.view.is_worth_waiting_for(clock::monotonic())
    }

    /// Takes chunks through all stages. Each gets its result, at the latest when its last deferred record is settled.
    pub fn round(&mut self, jobs: Vec<Job>) {
        let Self { decoder, unreadable, stages, ledger, view, delivery, metrics, .. } = self;
        ledger.begin_round();
        delivery.resend(ledger);
        // Deferred records come first: they came first.
        let mut tallies = stages.deferrer.take_tallies();
        let before = tallies.len();
        let mut chunks = Vec::with_capacity(jobs.len());
        for Job { tag, data, reply } in jobs {
            chunks.push((tag, data));
            tallies.push(Tally::new(reply));
        }
        let arena = Bump::new();
        let mut round = Round::new(tallies, &arena, ledger, delivery, view);
        stages.resume_due(&mut round);
        for (index, (tag, data)) in (before..).zip(&chunks) {
            view.begin_chunk();
            let chunk = Chunk { index, tag, data };
            let unread = decoder.chunk(chunk, &arena, &mut |record| stages.take(record, &mut round));
            if !unreadable.dead_letter(&unread, &mut round) {
                round.fail(index);
            }
            failpoint::hit("round");
            round.finish_reading(index);
        }
        let tallies = round.finish();
        stages.deferrer.end_round(tallies);
        metrics.ledger_entries.set(ledger.read().entries() as u64);
    }

    /// Whether a deferred record may go on.
    #[must_use]
    pub fn is_due(&self) -> bool {
        self.stages.deferrer.is_due(&self.view)
    }

    /// How many chunks stay open for a deferred record, and since when the oldest waits, in Unix time.
    #[must_use]
    pub fn deferred(&self) -> (usize, Option<u64>) {
        self.stages.deferrer.deferred()
    }

    /// Cleans up after a round that panicked. Nothing of it was committed that was not acknowledged.
    pub fn recover(&mut self) {
        self.stages.deferrer.clear();
        self.ledger.abort_all();
        self.delivery.take_up(&mut self.ledger);
    }

    /// Does what is due though no chunk waits. Returns how long until something is due again.
    pub fn idle(&mut self) -> Option<Duration> {
        failpoint::hit("idle");
        [self.delivery.idle(), self.stages.deferrer.next_look()].into_iter().flatten().min()
    }

    /// Completes what was delivered, and writes what the ledger's file has not taken yet.
    pub fn finish(&mut self) {
        failpoint::hit("finish");
        self.stages.deferrer.clear();
        self.delivery.finish();
        self.ledger.finish();
    }
}

/// Starts the verification of the source, for one replica that never leads.
fn verify(
    settings: &ReconcileSettings,
    log: &Arc<HostLog>,
    on_start: fn(),
) -> Result<Verification, Vec<ConfigError>> {
    let scope = Scope { namespace: None, reconcile_after: settings.after };
    let replica = Arc::new(SharedReplica::new(Replica::alone(BOUNDS), clock::monotonic));
    Verification::start(&settings.api, &scope, &Timing::default(), &replica, log, on_start)
}

/// The redactor that the settings ask for.
fn redactor(settings: &Redaction) -> Result<Redactor, Vec<ConfigError>> {
    let mut redactor = Redactor::new(settings.max_message_bytes);
    let mut errors = Vec::new();
    for (key, fields, action) in
        [("redact", &settings.remove, Action::Remove), ("redact_hash", &settings.hash, Action::Hash)]
    {
        for field in fields {
            if let Err(bad) = redactor.add(field, action) {
                let problem = format!("{field} {bad}");
                errors.push(ConfigError { key, problem, expected: EXPECTED_FIELDS.to_owned() });
            }
        }
    }
    if errors.is_empty() { Ok(redactor) } else { Err(errors) }
}

const EXPECTED_FIELDS: &str = "fields of format native, such as audit.user.extra or violation.details";
