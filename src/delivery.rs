//! A batch goes out, and every record of it gets its fate: acknowledged, put away, or to come again.

use std::ops::Range;
use std::sync::Arc;
use std::time::SystemTime;

use crate::clock;
use crate::config::{Endpoint, Mistake, Settings};
use crate::gateway::batch::{Batch, Limits, Parts};
use crate::gateway::{DeadLetterFile, Gateway, Letter, Outcome, Post, ShownGate, Stopper};
use crate::job::Tally;
use crate::journal::Journal;
use crate::ledger::{Ledger, Ticket};
use crate::metrics::Metrics;
use crate::render::{self, Renderer};
use crate::time::Stamp;

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

/// A record that the gateway will never take.
#[derive(Debug, Clone, Copy)]
pub struct Culprit<'a> {
    pub id: &'a str,
    pub body: &'a [u8],
    pub status: Option<u16>,
    pub reason: &'a str,
    /// The first bytes of the gateway's answer.
    pub answer: &'a str,
}

pub struct Delivery {
    endpoint: Endpoint,
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
        match self.post(batch, part) {
            Outcome::Accepted { sent_bytes } => self.acknowledged(batch, part, sent_bytes, ledger, tallies),
            Outcome::Rejected { status, answer } => {
                // It judges what it gets, so it is there.
                self.answers();
                if !parts.halve(part) {
                    self.rejected(batch, part, status, &answer, ledger, tallies);
                }
            }
            Outcome::Retry { after, why } => {
                self.gate.failed(clock::monotonic(), after);
                self.journal.warn("gateway retry", self.records_wait(&why));
                return false;
            }
            Outcome::Refused { why, .. } => {
                self.gate.failed(clock::monotonic(), None);
                self.journal.error("gateway refused", self.records_wait(&why));
                return false;
            }
        }
        true
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

    fn records_wait(&self, why: &str) -> String {
        format!("{}: {why}; records wait", self.endpoint.shown)
    }

    fn post(&mut self, batch: &Batch<Waiting<'_>>, part: &Range<usize>) -> Outcome {
        self.gateway.post(&Post {
            body: &batch.body(part),
            content_type: self.renderer.content_type(),
            idempotency_key: &batch.idempotency_key(part),
        })
    }

    fn acknowledged(
        &mut self,
        batch: &Batch<Waiting<'_>>,
        part: &Range<usize>,
        sent_bytes: u64,
        ledger: &mut Ledger,
        tallies: &mut [Tally],
    ) {
        self.answers();
        let now = clock::wall();
        let now_seconds = clock::unix_seconds(now);
        self.metrics.batches_total.add(1);
        self.metrics.delivered_records_total.add(part.len() as u64);
        self.metrics.batch_bytes_total.add(batch.body_bytes(part) as u64);
        self.metrics.sent_bytes_total.add(sent_bytes);
        self.metrics.last_acknowledgement_timestamp_seconds.set(now_seconds);
        let mut tickets = Vec::with_capacity(part.len());
        tickets.extend(part.clone().filter_map(|index| batch.note(index)).map(|note| note.ticket));
        self.commit(&tickets, now_seconds, ledger);
        for waiting in part.clone().filter_map(|index| batch.note(index)) {
            if let Some(happened) = waiting.happened {
                // A clock ahead of ours is no reason to count an event as anything but prompt.
                let took = now.duration_since(happened).unwrap_or_default();
                self.metrics.event_to_acknowledgement_seconds.observe(took);
            }
            settle(waiting, true, tallies);
        }
    }

    fn rejected(
        &mut self,
        batch: &Batch<Waiting<'_>>,
        part: &Range<usize>,
        status: u16,
        answer: &str,
        ledger: &mut Ledger,
        tallies: &mut [Tally],
    ) {
        let Some(waiting) = batch.note(part.start) else { return };
        let culprit = Culprit {
            id: batch.id(part.start),
            body: waiting.body,
            status: Some(status),
            reason: "rejected by the gateway",
            answer,
        };
        let ok = self.put_away(&culprit, waiting.ticket, ledger);
        settle(waiting, ok, tallies);
    }

    /// Puts a record away that can never be delivered. `false`: the dead letter file did not take it, so
    /// the host must bring it again.
    pub fn put_away(&mut self, culprit: &Culprit<'_>, ticket: Ticket, ledger: &mut Ledger) -> bool {
        let now_seconds = clock::unix_seconds(clock::wall());
        let Culprit { id, status, reason, answer, .. } = *culprit;
        let status_text = status.map_or_else(String::new, |status| format!(" with {status}"));
        match &mut self.dead_letters {
            None => {
                self.metrics.dropped_records_total.add(1);
                self.journal.error(
                    "record dropped",
                    format!("record {id} is lost: {reason}{status_text} ({answer}), and dead_letter_file is not set"),
                );
            }
            Some(file) => {
                let time = Stamp::from_unix_seconds(now_seconds).map(|at| at.to_string()).unwrap_or_default();
                let record = render::original(id, culprit.body);
                let letter = Letter {
                    time: &time,
                    id,
                    status,
                    reason,
                    answer,
                    record: &String::from_utf8_lossy(&record),
                };
                if let Err(error) = file.write(&letter) {
                    self.metrics.dead_letter_failures_total.add(1);
                    self.journal
                        .error("dead letter waits", format!("record {id} waits: dead_letter_file {error}"));
                    ledger.abort(ticket);
                    return false;
                }
                self.metrics.dead_lettered_records_total.add(1);
                self.journal.error(
                    "record dead-lettered",
                    format!("record {id} was put into dead_letter_file: {reason}{status_text} ({answer})"),
                );
            }
        }
        self.report_write(ledger.put_away(ticket, now_seconds), ledger);
        true
    }

    fn commit(&self, tickets: &[Ticket], now_seconds: u64, ledger: &mut Ledger) {
        self.report_write(ledger.commit(tickets, now_seconds), ledger);
    }

    fn report_write(&self, written: Result<(), String>, ledger: &mut Ledger) {
        self.metrics.ledger_commits_total.add(1);
        if let Err(why) = written {
            self.metrics.ledger_failed_writes_total.add(1);
            self.journal.error(
                "state_file",
                format!("state_file: {why}; a restart now would deliver again what was delivered since; look at the disk"),
            );
        }
        self.metrics.ledger_evicted_entries_total.add(ledger.take_evicted());
    }
}

fn settle(waiting: &Waiting<'_>, ok: bool, tallies: &mut [Tally]) {
    for chunk in std::iter::once(&waiting.chunk).chain(&waiting.sharing) {
        if let Some(tally) = tallies.get_mut(*chunk) {
            tally.settle_one(ok);
        }
    }
}
