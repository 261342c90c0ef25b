//! A batch goes out, and every record of it gets its outcome: acknowledged, dead-lettered, or to come again.
//!
//! Here it goes out; what an answer does to ledger, dead letters and chunks is in `settlement`. `in_flight` keeps the
//! request on its way, so that it can be sent again just as it was.

mod binding;
mod in_flight;
mod kept;
mod limits;
mod partial;
mod settlement;
mod unclear;

use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::clock;
use crate::config::{ConfigError, Endpoint, Guarantee, Settings};
use crate::format::{Adjusted, Renderer};
use crate::gateway::batch::{Batch, Limits, Parts};
use crate::gateway::{DeadLetterFile, Packer, Post, ShownGate, Stopper, Transport, transport};
use crate::job::Tally;
use crate::ledger::{Ledger, Ticket};
use crate::log::HostLog;
use crate::metrics::Metrics;
use crate::response::{Disposition, Doubt};

use in_flight::InFlight;
pub use settlement::{AMBIGUOUS, DeadLetterEntry, until_it_is_back};

/// A record on its way: its place in the ledger, its bytes for the dead letters, and whose outcome it is.
#[derive(Debug)]
pub struct Waiting<'a> {
    pub ticket: Ticket,
    pub body: &'a [u8],
    /// The event's own time, if it has one.
    pub happened: Option<SystemTime>,
    /// What was changed of it for its receiver.
    pub adjusted: Adjusted,
    /// The chunk it came in.
    pub chunk: usize,
    /// Other chunks that hold the same record.
    pub sharing: Vec<usize>,
}

/// What became of a part of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sent {
    /// Each of its records has its outcome, or was handed on in smaller parts.
    Settled,
    /// The same, and what follows has to wait.
    SettledAndLast,
    /// It has to come again, and what follows with it.
    NotTaken,
}

pub struct Delivery {
    endpoint: Endpoint,
    guarantee: Guarantee,
    gateway: Box<dyn Transport>,
    packer: Packer,
    in_flight: InFlight,
    gate: ShownGate,
    dead_letters: Option<DeadLetterFile>,
    renderer: Renderer,
    limits: Limits,
    metrics: Arc<Metrics>,
    log: Arc<HostLog>,
}

impl Delivery {
    /// Opens the dead letter file, and delivers over this transport.
    ///
    /// # Errors
    /// All errors found in the files that the settings name.
    pub fn open(
        gateway: Result<Box<dyn Transport>, Vec<ConfigError>>,
        settings: &Settings,
        metrics: &Arc<Metrics>,
        log: &Arc<HostLog>,
    ) -> Result<Self, Vec<ConfigError>> {
        let mut errors = Vec::new();
        let gateway = gateway.map_err(|found| errors.extend(found)).ok();
        let body_key = gateway.as_ref().and_then(|gateway| gateway.key_in_the_body());
        let renderer = Renderer::open(&settings.render, body_key).map_err(|found| errors.extend(found)).ok();
        if let Some(renderer) = &renderer {
            errors.extend(transport::fits(settings, renderer.format()).err());
        }
        let dead_letters =
            DeadLetterFile::open(&settings.dead_letters).map_err(|error| errors.push(error)).ok();
        let (Some(gateway), Some(mut dead_letters), Some(renderer), true) =
            (gateway, dead_letters, renderer, errors.is_empty())
        else {
            return Err(errors);
        };
        if let Some(trouble) = dead_letters.as_mut().and_then(DeadLetterFile::take_trouble) {
            log.error(
                "dead_letter_file",
                format!("{trouble}; until it can be, records wait that should go there; look at the disk"),
            );
        }
        let limits = limits::of(settings, &renderer, log);
        Ok(Self {
            endpoint: settings.endpoint.clone(),
            guarantee: settings.guarantee,
            gateway,
            packer: Packer::new(settings.compress),
            in_flight: InFlight::new(settings, log),
            gate: ShownGate::new(Arc::clone(metrics)),
            dead_letters,
            renderer,
            limits,
            metrics: Arc::clone(metrics),
            log: Arc::clone(log),
        })
    }

    #[must_use]
    pub fn stopper(&self) -> Stopper {
        self.gateway.stopper()
    }

    /// As [`Transport::idle`].
    pub fn idle(&mut self) -> Option<Duration> {
        self.gateway.idle()
    }

    /// As [`Transport::finish`].
    pub fn finish(&mut self) {
        self.gateway.finish();
    }

    #[must_use]
    pub fn renderer(&self) -> &Renderer {
        &self.renderer
    }

    #[must_use]
    pub fn new_batch<'a>(&self) -> Batch<Waiting<'a>> {
        Batch::new(self.renderer.framing(), self.limits)
    }

    /// Whether a request with new records may go out now.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.gate.is_open(clock::monotonic()) && self.in_flight.unclear().is_none()
    }

    /// Sends a batch and empties it. Every record in it is settled when this returns. `false`: something failed, and
    /// nothing that was judged before may follow, as its new occurrences may be counted from what has failed.
    pub fn send(
        &mut self,
        batch: &mut Batch<Waiting<'_>>,
        ledger: &mut Ledger,
        tallies: &mut [Tally],
    ) -> bool {
        let mut is_well = true;
        let mut parts = Parts::whole(batch.len());
        while let Some(part) = parts.next() {
            // A batch begun while the gate was open meets it closed when the one before it failed.
            let sent = if self.is_open() {
                self.send_part(batch, &part, &mut parts, ledger, tallies)
            } else {
                Sent::NotTaken
            };
            is_well &= sent == Sent::Settled;
            let left = match sent {
                Sent::Settled => continue,
                Sent::SettledAndLast => None,
                Sent::NotTaken => Some(part),
            };
            // What follows must not overtake: an update of the same event may be in it.
            for index in left.into_iter().chain(parts.by_ref()).flatten() {
                if let Some(waiting) = batch.note(index) {
                    ledger.abort(waiting.ticket);
                    settle(waiting, false, tallies);
                }
            }
        }
        batch.clear();
        is_well
    }

    /// Posts a part, and settles it unless nobody has taken it.
    fn send_part(
        &mut self,
        batch: &Batch<Waiting<'_>>,
        part: &Range<usize>,
        parts: &mut Parts,
        ledger: &mut Ledger,
        tallies: &mut [Tally],
    ) -> Sent {
        if !self.claim(batch, part, ledger) {
            return Sent::NotTaken;
        }
        let disposition = self.post(batch, part, ledger);
        if disposition.is_success() {
            self.metrics.batch_bytes_total.add(batch.body_bytes(part) as u64);
        }
        let is_answered = disposition.doubt() < Doubt::Unanswered;
        let sent = match disposition {
            Disposition::Accepted { sent_bytes } => {
                self.acknowledged(batch, part.clone(), sent_bytes, ledger, tallies);
                Sent::Settled
            }
            Disposition::Partial { ref outcomes, sent_bytes } => {
                let left = self.settle_partly(batch, part, outcomes, sent_bytes, ledger, tallies);
                match left {
                    None => Sent::Settled,
                    Some(why) => {
                        self.failed(&Disposition::not_sent(why), false);
                        Sent::SettledAndLast
                    }
                }
            }
            Disposition::PartlyRejected { rejected, ref answer, sent_bytes } => {
                self.partly_rejected(batch, part, (rejected, answer), sent_bytes, ledger, tallies);
                Sent::Settled
            }
            Disposition::Rejected { status, ref answer } => {
                self.release(ledger);
                // It judges what it gets, so it is there.
                self.answers();
                if !parts.halve(part) {
                    self.rejected(batch, part.start, status, answer, ledger, tallies);
                }
                Sent::Settled
            }
            Disposition::Retry { ref why, doubt, .. } | Disposition::Refused { ref why, doubt, .. } => {
                let is_doubted = doubt > Doubt::None && self.guarantee == Guarantee::NoDuplicates;
                self.failed(&disposition, is_doubted);
                if is_doubted {
                    self.doubted(batch, part, why, ledger, tallies);
                    Sent::SettledAndLast
                } else {
                    self.release(ledger);
                    Sent::NotTaken
                }
            }
        };
        // Not before the ledger knows: a crash in between would send it again in other company.
        if is_answered {
            self.in_flight.end();
        }
        sent
    }

    /// Closes the gate for a while, and tells why.
    fn failed(&mut self, disposition: &Disposition, is_doubted: bool) {
        let then = if is_doubted {
            "whether it took the records is open, so they are dead-lettered"
        } else {
            "records wait"
        };
        let line = |why: &str| format!("{}: {why}; {then}", self.endpoint.shown);
        match disposition {
            Disposition::Retry { after, why, .. } => {
                self.log.warn("gateway retry", line(why));
                self.gate.failed(clock::monotonic(), *after);
            }
            Disposition::Refused { why, .. } => {
                self.log.error("gateway refused", line(why));
                self.gate.failed(clock::monotonic(), None);
            }
            _ => {}
        }
    }

    /// Writes down what is about to go out, where nothing may arrive twice. `false`: it must not go out.
    fn claim(&self, batch: &Batch<Waiting<'_>>, part: &Range<usize>, ledger: &mut Ledger) -> bool {
        if self.guarantee == Guarantee::NoEventLoss {
            return true;
        }
        let now_seconds = clock::unix_seconds(clock::wall());
        self.is_written_first(ledger.claim(&tickets(batch, part.clone()), now_seconds))
    }

    fn is_written_first(&self, written: Result<(), String>) -> bool {
        if let Err(why) = &written {
            self.metrics.ledger_failed_writes_total.add(1);
            self.log.error(
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
            self.log.info(
                "gateway again",
                format!("{shown}: the gateway takes records again, after {seconds} s"),
            );
        }
    }

    fn post(&mut self, batch: &Batch<Waiting<'_>>, part: &Range<usize>, ledger: &Ledger) -> Disposition {
        let body = batch.body(part);
        let body = match self.packer.pack(&body) {
            Ok(body) => body,
            Err(error) => {
                return Disposition::Retry { after: None, why: format!("gzip: {error}"), doubt: Doubt::None };
            }
        };
        let idempotency_key = &*batch.idempotency_key(part);
        let content_type = &*self.renderer.content_type();
        let post =
            Post { body, content_type, idempotency_key, format: self.renderer.format(), records: part.len() };
        if self.guarantee == Guarantee::NoDuplicates {
            return self.gateway.post(&post);
        }
        let records = ledger.begun(&tickets(batch, part.clone()));
        self.in_flight.begin(&post, &records, ledger);
        let disposition = self.gateway.post(&post);
        if disposition.doubt() == Doubt::Unanswered {
            self.in_flight.keep(&post, &records);
        }
        disposition
    }
}

fn tickets(batch: &Batch<Waiting<'_>>, places: impl ExactSizeIterator<Item = usize>) -> Vec<Ticket> {
    let mut tickets = Vec::with_capacity(places.len());
    tickets.extend(places.filter_map(|place| batch.note(place)).map(|note| note.ticket));
    tickets
}

fn settle(waiting: &Waiting<'_>, ok: bool, tallies: &mut [Tally]) {
    for chunk in std::iter::once(&waiting.chunk).chain(&waiting.sharing) {
        if let Some(tally) = tallies.get_mut(*chunk) {
            tally.settle_one(ok);
        }
    }
}
