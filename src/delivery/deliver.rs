//! [`Delivery`]: what the pipeline calls to send a batch, and to dead-letter what cannot be sent.

use std::sync::Arc;
use std::time::Duration;

use super::batch_entry::BatchEntry;
use super::batch_limits;
use super::dead_letter_sink::{DeadLetterEntry, DeadLetterSink};
use super::logged_ledger::LoggedLedger;
use super::part_sender::{PartSender, Sent};
use super::settlement::Settlement;
use crate::config::{ConfigError, Settings};
use crate::format::Renderer;
use crate::gateway::batch::{Batch, BatchLimits, Parts};
use crate::gateway::{Stopper, Transport, transport};
use crate::job::Tally;
use crate::ledger::Ticket;
use crate::log::HostLog;
use crate::metrics::Metrics;

/// Sends batches and dead-letters what is rejected, for one instance.
pub struct Delivery {
    sender: PartSender,
    dead_letters: DeadLetterSink,
    limits: BatchLimits,
    metrics: Arc<Metrics>,
}

impl Delivery {
    /// Opens the dead letter file and the format, and delivers over this transport.
    ///
    /// # Errors
    /// All errors found in the files that the settings name.
    pub fn open(
        transport: Result<Box<dyn Transport>, Vec<ConfigError>>,
        settings: &Settings,
        metrics: &Arc<Metrics>,
        log: &Arc<HostLog>,
    ) -> Result<Self, Vec<ConfigError>> {
        let mut errors = Vec::new();
        let transport = transport.map_err(|found| errors.extend(found)).ok();
        let body_key = transport.as_ref().and_then(|transport| transport.key_in_the_body());
        let renderer = Renderer::open(&settings.render, body_key).map_err(|found| errors.extend(found)).ok();
        if let Some(renderer) = &renderer {
            errors.extend(transport::fits(settings, renderer.format()).err());
        }
        let dead_letters =
            DeadLetterSink::open(settings, metrics, log).map_err(|error| errors.push(error)).ok();
        let (Some(transport), Some(mut dead_letters), Some(renderer), true) =
            (transport, dead_letters, renderer, errors.is_empty())
        else {
            return Err(errors);
        };
        dead_letters.start();
        let limits = batch_limits::of(settings, &renderer, log);
        let sender = PartSender::new(transport, renderer, settings, metrics, log);
        Ok(Self { sender, dead_letters, limits, metrics: Arc::clone(metrics) })
    }

    /// Stops the request in flight from another thread.
    #[must_use]
    pub fn stopper(&self) -> Stopper {
        self.sender.stopper()
    }

    /// As [`Transport::idle`].
    pub fn idle(&mut self) -> Option<Duration> {
        self.sender.idle()
    }

    /// As [`Transport::finish`].
    pub fn finish(&mut self) {
        self.sender.finish();
    }

    /// The format of this instance.
    #[must_use]
    pub fn renderer(&self) -> &Renderer {
        self.sender.renderer()
    }

    /// An empty batch within the format's limits.
    #[must_use]
    pub fn new_batch<'a>(&self) -> Batch<BatchEntry<'a>> {
        Batch::new(self.renderer().framing(), self.limits)
    }

    /// Whether a request with new records may be sent now.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.sender.is_open()
    }

    /// Sends a batch and empties it. Every record in it is settled when this returns. `false`: something failed, and
    /// records that were deduplicated before must not follow, as their new occurrences may be counted from what failed.
    pub fn send(
        &mut self,
        batch: &mut Batch<BatchEntry<'_>>,
        ledger: &mut LoggedLedger,
        tallies: &mut [Tally],
    ) -> bool {
        let mut settlement = Settlement::new(batch, ledger, tallies, &mut self.dead_letters, &self.metrics);
        let mut is_well = true;
        let mut parts = Parts::whole(settlement.batch().len());
        while let Some(part) = parts.next() {
            // An endpoint that was open when the batch was begun is closed if the batch before it failed.
            let sent = if self.sender.is_open() {
                self.sender.send(&part, &mut parts, &mut settlement)
            } else {
                Sent::ComeAgain
            };
            is_well &= sent == Sent::Settled;
            let left = match sent {
                Sent::Settled => continue,
                Sent::SettledAndLast => None,
                Sent::ComeAgain => Some(part),
            };
            // The rest must not overtake: it may hold an update of the same event.
            left.into_iter().chain(parts.by_ref()).flatten().for_each(|index| settlement.come_again(index));
        }
        batch.clear();
        is_well
    }

    /// Dead-letters a record that is in no batch. `false`: the file has not taken it, so the host must bring it again.
    pub fn dead_letter(
        &mut self,
        entry: &DeadLetterEntry<'_>,
        ticket: Ticket,
        ledger: &mut LoggedLedger,
    ) -> bool {
        self.dead_letters.settle(&[(*entry, ticket)], ledger) == [true]
    }

    /// Dead-letters records that could not be read, so that none of them has a ticket. `what` says which.
    /// `false`: the file has not taken it.
    pub fn dead_letter_unread(&mut self, what: &str, why: &str, record: &str, records: u64) -> bool {
        self.dead_letters.dead_letter_unread(what, why, record, records)
    }

    /// Whether `dead_letter_file` is set. Otherwise records that would be dead-lettered are dropped.
    #[must_use]
    pub fn has_dead_letters(&self) -> bool {
        self.dead_letters.is_set()
    }

    /// Takes up the request that an earlier run, or a round that panicked, left in doubt.
    pub fn take_up(&mut self, ledger: &mut LoggedLedger) {
        self.sender.take_up(ledger);
    }

    /// Resends the request in doubt, if there is one and the endpoint is open.
    pub fn resend(&mut self, ledger: &mut LoggedLedger) {
        self.sender.resend(ledger, &self.dead_letters);
    }
}
