//! The order of the stages and nothing else: record → select → ledger → correlate → render → batch → delivery.
//!
//! - `reading`: a chunk becomes records that say something
//! - `unread`: what of a chunk is no record
//! - `deferring`: events wait until the topology knows their object; `waiting` holds them
//! - `judging`: what becomes of each
//! - `leaving`: one that is to be delivered, or dead-lettered
//!
//! A round takes all chunks that wait. Their records fill one batch after the other, so that one request
//! may serve several chunks; a chunk is answered as soon as the last of its records is settled. A record
//! that is already on its way in the same round is not sent twice: its chunk shares the outcome.

mod deferring;
mod judging;
mod leaving;
mod reading;
mod unread;
mod waiting;

use std::sync::Arc;
use std::time::Duration;

use bumpalo::Bump;

use crate::clock::{self, ForwardJumps};
use crate::cluster::{Cluster, View};
use crate::config::{ConfigError, Guarantee, Others, Redaction, Selection, Settings};
use crate::delivery::{Delivery, Waiting, until_it_is_back};
use crate::disk::not_private;
use crate::failpoint;
use crate::gateway::batch::Batch;
use crate::gateway::{Stopper, Transport, transport};
use crate::job::{Job, Tally};
use crate::ledger::Ledger;
use crate::log::HostLog;
use crate::metrics::Metrics;
use crate::record::redact::{Action, Redactor};
use crate::record::text::Repair;
use crate::time::Stamp;

/// All stages of one instance.
pub struct Pipeline {
    selection: Selection,
    others: Others,
    redactor: Redactor,
    ledger: Ledger,
    leaps: ForwardJumps,
    view: View,
    /// How long an event waits for its object.
    correlate_wait: Duration,
    waiting: waiting::Waiting,
    delivery: Delivery,
    written: unread::Written,
    repair: Repair,
    metrics: Arc<Metrics>,
    log: Arc<HostLog>,
}

/// The chunks of one round on their way.
struct Round<'a> {
    tallies: Vec<Tally>,
    batch: Batch<Waiting<'a>>,
    /// Where bodies lie that were made here.
    arena: &'a Bump,
    /// The time at which records are rendered: receivers take no other times than those around it.
    now: Stamp,
    /// Of the record at hand; kept for their memory.
    id: String,
    rendered: Vec<u8>,
}

impl Round<'_> {
    /// The host must bring the chunk again.
    fn fail(&mut self, chunk: usize) {
        if let Some(tally) = self.tallies.get_mut(chunk) {
            tally.fail();
        }
    }
}

/// Where a record stands.
#[derive(Clone, Copy)]
struct Place<'a> {
    chunk: usize,
    tag: &'a str,
    offset: usize,
    /// When the host took it in.
    taken: Option<Stamp>,
}

/// In whole seconds.
fn now() -> Stamp {
    Stamp::from_unix_seconds(clock::unix_seconds(clock::wall())).unwrap_or(Stamp::EPOCH)
}

impl Pipeline {
    /// Opens the ledger, the gateway and the dead letter file, and finds or starts the cluster. `on_start`
    /// runs first on each thread that is started.
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

    /// The same over a transport of the caller's, for those who want to see what goes out.
    ///
    /// # Errors
    /// As [`Pipeline::open`].
    pub fn over(
        gateway: Result<Box<dyn Transport>, Vec<ConfigError>>,
        settings: &Settings,
        metrics: &Arc<Metrics>,
        log: &Arc<HostLog>,
        on_start: fn(),
    ) -> Result<Self, Vec<ConfigError>> {
        let now_seconds = clock::unix_seconds(clock::wall());
        let ledger =
            Ledger::open(&settings.ledger, settings.updates, now_seconds).map_err(|problem| ConfigError {
                key: "state_file",
                problem,
                expected: "a file that this instance alone can write".to_owned(),
            });
        let delivery = Delivery::open(gateway, settings, metrics, log);
        let view = View::open(&settings.correlation, metrics, log, on_start);
        let redactor = redactor(&settings.redaction);
        let ((mut ledger, moved), mut delivery, view, redactor) = match (ledger, delivery, view, redactor) {
            (Ok(ledger), Ok(delivery), Ok(view), Ok(redactor)) => (ledger, delivery, view, redactor),
            (ledger, delivery, view, redactor) => {
                let more = [delivery.err(), view.err(), redactor.err()].into_iter().flatten().flatten();
                return Err(ledger.err().into_iter().chain(more).collect());
            }
        };
        if let Some(moved) = moved {
            log.error(
                "state_file moved aside",
                format!(
                    "state_file {moved}; events that the source brings again are delivered again; {}",
                    moved.advice()
                ),
            );
        }
        if let Some(why) = ledger.take_trouble() {
            let until = until_it_is_back(settings.guarantee);
            log.error("state_file", format!("state_file: {why}; {until}; look at the disk"));
        }
        if let Some(warning) = not_private(&settings.written_folders()) {
            log.warn("folder not private", warning);
        }
        if settings.ledger.state_file.is_none() {
            log.warn(
                "no state_file",
                "state_file is not set: a restart forgets what was delivered, and delivers it again; set it to a file that stays",
            );
        }
        if settings.guarantee == Guarantee::NoEventLoss {
            ledger.forget_doubts();
        }
        delivery.take_up(&mut ledger);
        metrics.ledger_entries.set(ledger.len() as u64);
        Ok(Self {
            selection: settings.selection.clone(),
            others: settings.others,
            redactor,
            ledger,
            leaps: ForwardJumps::from_now(),
            view,
            correlate_wait: settings.correlate_wait,
            waiting: waiting::Waiting::default(),
            delivery,
            written: unread::Written::default(),
            repair: Repair::default(),
            metrics: Arc::clone(metrics),
            log: Arc::clone(log),
        })
    }

    #[must_use]
    pub fn stopper(&self) -> Stopper {
        self.delivery.stopper()
    }

    /// The cluster that records are looked up in.
    #[must_use]
    pub fn cluster(&self) -> Option<Arc<Cluster>> {
        self.view.cluster()
    }

    /// Whether chunks should wait for the cluster's first lists.
    #[must_use]
    pub fn holds_back(&self) -> bool {
        self.view.is_worth_waiting_for(clock::monotonic())
    }

    /// Takes chunks through all stages and answers each.
    pub fn round(&mut self, jobs: Vec<Job>) {
        self.ledger.leap(self.leaps.seconds());
        self.ledger.expire(clock::unix_seconds(clock::wall()));
        self.delivery.recall(&mut self.ledger);
        self.delivery.send_unclear(&mut self.ledger);
        let mut chunks = Vec::with_capacity(jobs.len());
        // What waits comes first: it came first.
        let mut tallies = std::mem::take(&mut self.waiting.tallies);
        let before = tallies.len();
        for Job { tag, data, reply } in jobs {
            chunks.push((tag, data));
            tallies.push(Tally::new(reply));
        }
        let arena = Bump::new();
        let mut round = Round {
            tallies,
            batch: self.delivery.new_batch(),
            arena: &arena,
            now: now(),
            id: String::new(),
            rendered: Vec::new(),
        };
        self.release(&mut round);
        for (index, (tag, data)) in (before..).zip(&chunks) {
            self.view.begin_chunk();
            self.chunk(index, tag, data, &mut round);
            failpoint::hit("round");
            if let Some(tally) = round.tallies.get_mut(index) {
                tally.finish_reading();
            }
        }
        self.send(&mut round);
        self.waiting.keep(round.tallies);
        self.show_waiting();
        self.metrics.ledger_entries.set(self.ledger.len() as u64);
    }

    /// Makes good for a round that panicked: nothing of it was committed that was not acknowledged.
    pub fn recover(&mut self) {
        self.waiting.clear();
        self.show_waiting();
        self.ledger.abort_all();
        self.delivery.take_up(&mut self.ledger);
    }

    /// Does what is due though no chunk waits; how long until something is again.
    pub fn idle(&mut self) -> Option<Duration> {
        failpoint::hit("idle");
        [self.delivery.idle(), self.next_look()].into_iter().flatten().min()
    }

    /// Completes what was delivered, and writes what the ledger's file has not taken yet.
    pub fn finish(&mut self) {
        failpoint::hit("finish");
        self.waiting.clear();
        self.delivery.finish();
        if let Err(why) = self.ledger.finish(clock::unix_seconds(clock::wall())) {
            self.metrics.ledger_failed_writes_total.add(1);
            self.log.error(
                "state_file",
                format!(
                    "state_file: {why}; the next start will deliver some records again; look at the disk"
                ),
            );
        }
    }

    /// As [`Delivery::send`].
    fn send(&mut self, round: &mut Round<'_>) -> bool {
        let sent = self.delivery.send(&mut round.batch, &mut self.ledger, &mut round.tallies);
        // A request may have taken minutes.
        round.now = now();
        sent
    }
}

/// The rules of the settings.
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
