//! What a response does to the records of a batch: to the ledger, to the dead letters, and to the chunks that wait.

use std::ops::Range;
use std::time::SystemTime;

use super::dead_letter_sink::{AMBIGUOUS, DeadLetterSink, PARTLY};
use super::{BatchEntry, DeadLetterEntry, LoggedLedger};
use crate::clock;
use crate::gateway::batch::Batch;
use crate::job::Tally;
use crate::ledger::{Ledger, Ticket};
use crate::metrics::Metrics;
use crate::response::RecordOutcome;

/// Settles one batch. Each record gets one outcome; records are named by their index in the batch.
pub(super) struct Settlement<'r, 'a> {
    batch: &'r Batch<BatchEntry<'a>>,
    ledger: &'r mut LoggedLedger,
    tallies: &'r mut [Tally],
    dead_letters: &'r mut DeadLetterSink,
    metrics: &'r Metrics,
}

impl<'r, 'a> Settlement<'r, 'a> {
    pub(super) fn new(
        batch: &'r Batch<BatchEntry<'a>>,
        ledger: &'r mut LoggedLedger,
        tallies: &'r mut [Tally],
        dead_letters: &'r mut DeadLetterSink,
        metrics: &'r Metrics,
    ) -> Self {
        Self { batch, ledger, tallies, dead_letters, metrics }
    }

    pub(super) fn batch(&self) -> &'r Batch<BatchEntry<'a>> {
        self.batch
    }

    pub(super) fn ledger(&self) -> &Ledger {
        self.ledger.read()
    }

    /// With `no_duplicates`, writes down that this part is about to be sent. `false`: it must not be sent.
    pub(super) fn intend(&mut self, part: &Range<usize>) -> bool {
        let batch = self.batch;
        self.ledger.intend(|| tickets(batch, part.clone()))
    }

    /// The records of this part may be sent again: none was taken, or the receiver recognises what halving repeats. Only
    /// `no_duplicates` has an intent to end; with `no_event_loss` the part may have arrived, and this does nothing.
    pub(super) fn release(&mut self) {
        self.ledger.release();
    }

    /// The whole part was taken.
    pub(super) fn accepted(&mut self, part: &Range<usize>, sent_bytes: u64) {
        self.acknowledged(part.clone(), sent_bytes);
    }

    /// The response has an outcome for each record of the part. Returns why some have to come again, if some have: what
    /// follows must not overtake them.
    pub(super) fn partial(
        &mut self,
        part: &Range<usize>,
        outcomes: &[RecordOutcome],
        sent_bytes: u64,
    ) -> Option<String> {
        let pairs = || part.clone().zip(outcomes);
        let accepted: Vec<_> = pairs()
            .filter(|(_, outcome)| **outcome == RecordOutcome::Accepted)
            .map(|(index, _)| index)
            .collect();
        if accepted.is_empty() {
            self.release();
        } else {
            self.acknowledged(accepted.into_iter(), sent_bytes);
        }
        let mut retried: Option<(usize, &str)> = None;
        for (index, outcome) in pairs() {
            match outcome {
                RecordOutcome::Accepted => {}
                RecordOutcome::Rejected { status, answer } => self.rejected(index, *status, answer),
                RecordOutcome::Retry { why } => {
                    self.come_again(index);
                    retried.get_or_insert((0, why)).0 += 1;
                }
            }
        }
        retried.map(|(count, why)| format!("gateway asks to retry {count} of {} records ({why})", part.len()))
    }

    /// Some records of the part were rejected, and the response does not name them. None may be resent, and none may be
    /// lost, so all are dead-lettered too.
    pub(super) fn partly_rejected(
        &mut self,
        part: &Range<usize>,
        rejected: usize,
        answer: &str,
        sent_bytes: u64,
    ) {
        let now = self.count_acknowledged(part.len().saturating_sub(rejected), sent_bytes);
        let why = format!("{rejected} of {}: {answer}", part.len());
        if self.dead_letters.are_lost(rejected, &why) {
            return self.commit(part.clone(), now);
        }
        // If the file has no room for them now, they are dead-lettered the next time they come, and not sent.
        self.ledger.doubt(&tickets(self.batch, part.clone()), now);
        self.dead_letter(part, PARTLY, &why);
    }

    /// With `no_duplicates`: the part may have arrived, so it is dead-lettered and never resent.
    pub(super) fn in_doubt(&mut self, part: &Range<usize>, why: &str) {
        self.ledger.doubt(&tickets(self.batch, part.clone()), clock::wall());
        self.dead_letter(part, AMBIGUOUS, why);
    }

    /// The gateway will never take this record.
    pub(super) fn rejected(&mut self, index: usize, status: u16, answer: &str) {
        let Some(entry) = self.batch.note(index) else { return };
        let dead_letter = DeadLetterEntry {
            id: self.batch.id(index),
            body: entry.body,
            status: Some(status),
            reason: "rejected by the gateway",
            details: answer,
        };
        let ok = self.dead_letters.settle(&[(dead_letter, entry.ticket)], self.ledger) == [true];
        self.settle(entry, ok);
    }

    /// The host must bring the record again.
    pub(super) fn come_again(&mut self, index: usize) {
        if let Some(entry) = self.batch.note(index) {
            self.ledger.abort(entry.ticket);
            self.settle(entry, false);
        }
    }

    fn acknowledged(&mut self, indices: impl ExactSizeIterator<Item = usize> + Clone, sent_bytes: u64) {
        let now = self.count_acknowledged(indices.len(), sent_bytes);
        self.commit(indices, now);
    }

    fn count_acknowledged(&self, records: usize, sent_bytes: u64) -> SystemTime {
        count_acknowledged(self.metrics, records, sent_bytes)
    }

    fn commit(&mut self, indices: impl ExactSizeIterator<Item = usize> + Clone, now: SystemTime) {
        self.ledger.commit(&tickets(self.batch, indices.clone()), now);
        for entry in indices.filter_map(|index| self.batch.note(index)) {
            self.metrics.adjusted_times_total.add(u64::from(entry.adjusted.time));
            self.metrics.receiver_cuts_total.add(u64::from(entry.adjusted.cut));
            self.metrics.adjusted_counts_total.add(u64::from(entry.adjusted.count));
            if let Some(happened) = entry.happened {
                // An event from a clock ahead of ours counts as prompt.
                let took = now.duration_since(happened).unwrap_or_default();
                self.metrics.event_to_acknowledgement_seconds.observe(took);
            }
            self.settle(entry, true);
        }
    }

    fn dead_letter(&mut self, part: &Range<usize>, reason: &str, details: &str) {
        let batch = self.batch;
        let records = part.clone().filter_map(|index| Some((batch.id(index), batch.note(index)?)));
        let (dead_letters, entries): (Vec<_>, Vec<_>) = records
            .map(|(id, entry)| {
                let BatchEntry { body, ticket, .. } = *entry;
                ((DeadLetterEntry { id, body, status: None, reason, details }, ticket), entry)
            })
            .unzip();
        let is_settled = self.dead_letters.settle(&dead_letters, self.ledger);
        for (entry, ok) in entries.into_iter().zip(is_settled) {
            self.settle(entry, ok);
        }
    }

    fn settle(&mut self, entry: &BatchEntry<'_>, ok: bool) {
        for chunk in std::iter::once(&entry.chunk).chain(&entry.sharing) {
            if let Some(tally) = self.tallies.get_mut(*chunk) {
                tally.settle_one(ok);
            }
        }
    }
}

/// Counts a request of which the gateway took this many records. Returns the time of the acknowledgement.
pub(super) fn count_acknowledged(metrics: &Metrics, records: usize, sent_bytes: u64) -> SystemTime {
    let now = clock::wall();
    metrics.batches_total.add(1);
    metrics.delivered_records_total.add(records as u64);
    metrics.sent_bytes_total.add(sent_bytes);
    metrics.last_acknowledgement_timestamp_seconds.set(clock::unix_seconds(now));
    now
}

pub(super) fn tickets(
    batch: &Batch<BatchEntry<'_>>,
    indices: impl ExactSizeIterator<Item = usize>,
) -> Vec<Ticket> {
    let mut tickets = Vec::with_capacity(indices.len());
    tickets.extend(indices.filter_map(|index| batch.note(index)).map(|entry| entry.ticket));
    tickets
}
