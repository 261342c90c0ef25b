//! A batch goes out, and every record of it gets its fate: acknowledged, put away, or to come again.
//!
//! Here it goes out; what an answer does to ledger, dead letters and chunks is in `fates`.

mod fates;

use std::ops::Range;
use std::sync::Arc;
use std::time::SystemTime;

use crate::clock;
use crate::config::{Endpoint, Guarantee, Mistake, Settings};
use crate::gateway::batch::{Batch, Limits, Parts};
use crate::gateway::{DeadLetterFile, Gateway, Outcome, Post, ShownGate, Stopper};
use crate::job::Tally;
use crate::journal::Journal;
use crate::ledger::{Ledger, Ticket};
use crate::metrics::Metrics;
use crate::render::Renderer;

pub use fates::{AMBIGUOUS, Culprit};

/// A record on its way: its place in the ledger, its bytes for the dead letters, and whose fate it is.
#[derive(Debug)]
pub struct Waiting<'a> {
    pub ticket: Ticket,
    pub body: &'a [u8],
    /// The event's own time, when it tells one.
    pub happened: Option<SystemTime>,
    /// The chunk it came in.
    pub chunk: usize,
    /// Other chunks that hold the same record.
    pub sharing: Vec<usize>,
}

pub struct Delivery {
    endpoint: Endpoint,
    guarantee: Guarantee,
    gateway: Gateway,
    gate: ShownGate,
    dead_letters: Option<DeadLetterFile>,
    renderer: Renderer,
    limits: Limits,
    metrics: Arc<Metrics>,
    journal: Arc<Journal>,
}

impl Delivery {
    /// Opens the gateway and the dead letter file.
    ///
    /// # Errors
    /// All mistakes found in the files that the settings name.
    pub fn open(
        settings: &Settings,
        metrics: &Arc<Metrics>,
        journal: &Arc<Journal>,
    ) -> Result<Self, Vec<Mistake>> {
        let mut mistakes = Vec::new();
        let gateway = Gateway::open(settings, Arc::clone(metrics), Arc::clone(journal))
            .map_err(|found| mistakes.extend(found))
            .ok();
        let dead_letters =
            DeadLetterFile::open(&settings.dead_letters).map_err(|mistake| mistakes.push(mistake)).ok();
        let (Some(gateway), Some(dead_letters)) = (gateway, dead_letters) else { return Err(mistakes) };
        Ok(Self {
            endpoint: settings.endpoint.clone(),
            guarantee: settings.guarantee,
            gateway,
            gate: ShownGate::new(Arc::clone(metrics)),
            dead_letters,
            renderer: Renderer::new(settings.format, &settings.cluster_name),
            limits: Limits { events: settings.batch_events, bytes: settings.batch_bytes },
            metrics: Arc::clone(metrics),
            journal: Arc::clone(journal),
        })
    }

    #[must_use]
    pub fn stopper(&self) -> Stopper {
        self.gateway.stopper()
    }

    #[must_use]
    pub fn renderer(&self) -> &Renderer {
        &self.renderer
    }

    #[must_use]
    pub fn new_batch<'a>(&self) -> Batch<Waiting<'a>> {
        Batch::new(self.renderer.form(), self.limits)
    }

    /// Whether a request may go out now.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.gate.is_open(clock::monotonic())
    }

    /// Sends a batch and empties it. Every record in it is settled when this returns.
    pub fn send(&mut self, batch: &mut Batch<Waiting<'_>>, ledger: &mut Ledger, tallies: &mut [Tally]) {
        let mut parts = Parts::whole(batch.len());
        while let Some(part) = parts.next() {
            // A batch begun while the gate was open meets it closed when the one before it failed.
            let settled = self.is_open() && self.send_part(batch, &part, &mut parts, ledger, tallies);
            if !settled {
                // What follows must not overtake: an update of the same event may be in it.
                for index in std::iter::once(part).chain(parts.by_ref()).flatten() {
                    if let Some(waiting) = batch.note(index) {
                        ledger.abort(waiting.ticket);
                        settle(waiting, false, tallies);
                    }
                }
            }
        }
        batch.clear();
    }

    /// Posts a part. `false`: nobody has taken it, and it has to come again.
    fn send_part(
        &mut self,
        batch: &Batch<Waiting<'_>>,
        part: &Range<usize>,
        parts: &mut Parts,
        ledger: &mut Ledger,
        tallies: &mut [Tally],
    ) -> bool {
        if !self.claim(batch, part, ledger) {
            return false;
        }
        let outcome = self.post(batch, part);
        let is_doubted = outcome.is_ambiguous() && self.guarantee == Guarantee::NoDuplicates;
        let why = match outcome {
            Outcome::Accepted { sent_bytes } => {
                self.acknowledged(batch, part, sent_bytes, ledger, tallies);
                return true;
            }
            Outcome::Rejected { status, answer } => {
                self.release(ledger);
                // It judges what it gets, so it is there.
                self.answers();
                if !parts.halve(part) {
                    self.rejected(batch, part, status, &answer, ledger, tallies);
                }
                return true;
            }
            Outcome::Retry { after, why, .. } => {
                self.gate.failed(clock::monotonic(), after);
                self.journal.warn("gateway retry", self.unsettled(&why, is_doubted));
                why
            }
            Outcome::Refused { why, .. } => {
                self.gate.failed(clock::monotonic(), None);
                self.journal.error("gateway refused", self.unsettled(&why, is_doubted));
                why
            }
        };
        if is_doubted {
            self.doubted(batch, part, &why, ledger, tallies);
            return true;
        }
        self.release(ledger);
        false
    }

    /// Writes down what is about to go out, where nothing may arrive twice. `false`: it must not go out.
    fn claim(&self, batch: &Batch<Waiting<'_>>, part: &Range<usize>, ledger: &mut Ledger) -> bool {
        if self.guarantee == Guarantee::NoEventLoss {
            return true;
        }
        let now_seconds = clock::unix_seconds(clock::wall());
        let written = ledger.claim(&tickets(batch, part), now_seconds);
        if let Err(why) = &written {
            self.metrics.ledger_failed_writes_total.add(1);
            self.journal.error(
                "state_file first",
                format!(
                    "state_file: {why}; with guarantee no_duplicates nothing is sent that is not written down \
                     first, and records wait; look at the disk"
                ),
            );
        }
        written.is_ok()
    }

    /// The gateway is there, whatever it says of the records.
    fn answers(&mut self) {
        if let Some(since_seconds) = self.gate.succeeded() {
            let seconds = clock::unix_seconds(clock::wall()).saturating_sub(since_seconds);
            let shown = &self.endpoint.shown;
            self.journal.info(
                "gateway again",
                format!("{shown}: the gateway takes records again, after {seconds} s"),
            );
        }
    }

    fn unsettled(&self, why: &str, is_doubted: bool) -> String {
        let then = if is_doubted {
            "whether it took the records is open, so they are put away"
        } else {
            "records wait"
        };
        format!("{}: {why}; {then}", self.endpoint.shown)
    }

    fn post(&mut self, batch: &Batch<Waiting<'_>>, part: &Range<usize>) -> Outcome {
        self.gateway.post(&Post {
            body: &batch.body(part),
            content_type: self.renderer.content_type(),
            idempotency_key: &batch.idempotency_key(part),
        })
    }
}

fn tickets(batch: &Batch<Waiting<'_>>, part: &Range<usize>) -> Vec<Ticket> {
    let mut tickets = Vec::with_capacity(part.len());
    tickets.extend(part.clone().filter_map(|index| batch.note(index)).map(|note| note.ticket));
    tickets
}

fn settle(waiting: &Waiting<'_>, ok: bool, tallies: &mut [Tally]) {
    for chunk in std::iter::once(&waiting.chunk).chain(&waiting.sharing) {
        if let Some(tally) = tallies.get_mut(*chunk) {
            tally.settle_one(ok);
        }
    }
}
