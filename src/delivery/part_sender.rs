//! Posts a part of a batch and classifies the response; also the request that an earlier round or run left in doubt.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use super::BatchEntry;
use super::availability::Availability;
use super::dead_letter_sink::DeadLetterSink;
use super::in_flight::InFlight;
use super::logged_ledger::LoggedLedger;
use super::resend::Resend;
use super::settlement::{Settlement, tickets};
use crate::config::{Guarantee, Settings};
use crate::format::Renderer;
use crate::gateway::batch::{Batch, Parts};
use crate::gateway::{Packer, Post, Stopper, Transport};
use crate::ledger::Ledger;
use crate::log::HostLog;
use crate::metrics::Metrics;
use crate::response::{Disposition, Doubt, RecordOutcome};

/// What became of a part of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sent {
    /// Each of its records has its outcome, or was handed on in smaller parts. Send the next part.
    Settled,
    /// The same, but the next parts have to come again.
    SettledAndLast,
    /// Its records have no outcome and have to come again, and the next parts with them.
    ComeAgain,
}

pub(super) struct PartSender {
    guarantee: Guarantee,
    transport: Box<dyn Transport>,
    renderer: Renderer,
    packer: Packer,
    in_flight: InFlight,
    availability: Availability,
    metrics: Arc<Metrics>,
}

impl PartSender {
    pub(super) fn new(
        transport: Box<dyn Transport>,
        renderer: Renderer,
        settings: &Settings,
        metrics: &Arc<Metrics>,
        log: &Arc<HostLog>,
    ) -> Self {
        Self {
            guarantee: settings.guarantee,
            transport,
            renderer,
            packer: Packer::new(settings.compress),
            in_flight: InFlight::new(settings, log),
            availability: Availability::new(settings.endpoint.shown.clone(), metrics, log),
            metrics: Arc::clone(metrics),
        }
    }

    pub(super) fn renderer(&self) -> &Renderer {
        &self.renderer
    }

    pub(super) fn stopper(&self) -> Stopper {
        self.transport.stopper()
    }

    /// As [`Transport::idle`].
    pub(super) fn idle(&mut self) -> Option<Duration> {
        self.transport.idle()
    }

    /// As [`Transport::finish`].
    pub(super) fn finish(&mut self) {
        self.transport.finish();
    }

    /// Whether a request with new records may be sent now.
    pub(super) fn is_open(&self) -> bool {
        self.availability.is_open() && self.in_flight.in_doubt().is_none()
    }

    /// Posts a part and settles it, unless it has to come again. If the gateway rejects a part of several records, its
    /// halves go into `parts` instead.
    pub(super) fn send(
        &mut self,
        part: &Range<usize>,
        parts: &mut Parts,
        settlement: &mut Settlement<'_, '_>,
    ) -> Sent {
        if !settlement.intend(part) {
            return Sent::ComeAgain;
        }
        let batch = settlement.batch();
        let disposition = self.post(part, batch, settlement.ledger());
        if disposition.is_success() {
            self.metrics.batch_bytes_total.add(batch.body_bytes(part) as u64);
        }
        let is_answered = disposition.doubt() < Doubt::Unanswered;
        let sent = self.settle(part, parts, disposition, settlement);
        // Not before the ledger knows: after a crash in between, its records would be sent again in other batches.
        if is_answered {
            self.in_flight.end();
        }
        sent
    }

    fn settle(
        &mut self,
        part: &Range<usize>,
        parts: &mut Parts,
        disposition: Disposition,
        settlement: &mut Settlement<'_, '_>,
    ) -> Sent {
        match disposition {
            Disposition::Accepted { sent_bytes } => {
                self.availability.succeeded();
                settlement.accepted(part, sent_bytes);
                Sent::Settled
            }
            Disposition::Partial { outcomes, sent_bytes } => {
                if outcomes.iter().any(|outcome| !matches!(outcome, RecordOutcome::Retry { .. })) {
                    self.availability.succeeded();
                }
                let Some(why) = settlement.partial(part, &outcomes, sent_bytes) else { return Sent::Settled };
                self.availability.failed(&Disposition::not_sent(why), false);
                Sent::SettledAndLast
            }
            Disposition::PartlyRejected { rejected, answer, sent_bytes } => {
                self.availability.succeeded();
                settlement.partly_rejected(part, rejected, &answer, sent_bytes);
                Sent::Settled
            }
            Disposition::Rejected { status, answer } => {
                settlement.release();
                self.availability.succeeded();
                if !parts.halve(part) {
                    settlement.rejected(part.start, status, &answer);
                }
                Sent::Settled
            }
            Disposition::Retry { ref why, doubt, .. } | Disposition::Refused { ref why, doubt, .. } => {
                let is_in_doubt = doubt > Doubt::None && self.guarantee == Guarantee::NoDuplicates;
                self.availability.failed(&disposition, is_in_doubt);
                if is_in_doubt {
                    settlement.in_doubt(part, why);
                    Sent::SettledAndLast
                } else {
                    settlement.release();
                    Sent::ComeAgain
                }
            }
        }
    }

    fn post(&mut self, part: &Range<usize>, batch: &Batch<BatchEntry<'_>>, ledger: &Ledger) -> Disposition {
        let body = batch.body(part);
        let body = match self.packer.pack(&body) {
            Ok(body) => body,
            Err(error) => return Disposition::not_sent(format!("gzip: {error}")),
        };
        let post = Post {
            body,
            content_type: &self.renderer.content_type(),
            idempotency_key: &batch.idempotency_key(part),
            format: self.renderer.format(),
            records: part.len(),
        };
        if self.guarantee == Guarantee::NoDuplicates {
            return self.transport.post(&post);
        }
        let records = ledger.begun(&tickets(batch, part.clone()));
        self.in_flight.begin(&post, &records, ledger);
        let disposition = self.transport.post(&post);
        if disposition.doubt() == Doubt::Unanswered {
            self.in_flight.doubt(&post, &records);
        }
        disposition
    }

    /// Takes up the request that an earlier run, or a round that panicked, left in doubt: it will be resent. With
    /// `no_duplicates` its records are in doubt instead.
    pub(super) fn take_up(&mut self, ledger: &mut LoggedLedger) {
        if self.guarantee == Guarantee::NoEventLoss {
            return self.in_flight.take_up(ledger.read());
        }
        let Some(mut records) = self.in_flight.find_records(ledger.read()) else { return };
        records.retain(|record| !ledger.read().holds(record));
        if ledger.doubt_found(records) {
            self.in_flight.end();
        }
    }

    /// Resends the request in doubt, if there is one and the endpoint is open.
    pub(super) fn resend(&mut self, ledger: &mut LoggedLedger, dead_letters: &DeadLetterSink) {
        let Some(saved) = self.in_flight.in_doubt().filter(|_| self.availability.is_open()) else { return };
        let records = saved.records();
        let disposition = self.transport.post(&saved.post(self.renderer.format()));
        if disposition.is_success() || matches!(disposition, Disposition::Rejected { .. }) {
            self.availability.succeeded();
        }
        let resend = Resend { ledger, dead_letters, metrics: &self.metrics };
        if resend.settle(records, &disposition) {
            return self.in_flight.end();
        }
        if disposition.doubt() > Doubt::None || disposition.is_about_this_request() {
            self.in_flight.failed();
        }
        self.availability.failed(&disposition, false);
    }
}
