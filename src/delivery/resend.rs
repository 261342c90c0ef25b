//! What a response to a resent request does to the ledger and the dead letters.
//!
//! No chunk waits for its records: the host brings them again, and the ledger then knows them.

use super::LoggedLedger;
use super::dead_letter_sink::DeadLetterSink;
use super::settlement::count_acknowledged;
use crate::metrics::Metrics;
use crate::record::identity::Versioned;
use crate::response::{Disposition, RecordOutcome};

pub(super) struct Resend<'r> {
    pub(super) ledger: &'r mut LoggedLedger,
    pub(super) dead_letters: &'r DeadLetterSink,
    pub(super) metrics: &'r Metrics,
}

impl Resend<'_> {
    /// `records` are those of the request, in order. `false`: the response does not settle them, and the request has to
    /// be sent once more.
    pub(super) fn settle(mut self, records: Vec<Option<Versioned>>, disposition: &Disposition) -> bool {
        match disposition {
            Disposition::Accepted { sent_bytes } => self.acknowledged(records, *sent_bytes),
            // Those that it did not take come again, in batches whose records are at hand.
            Disposition::Partial { outcomes, sent_bytes } => {
                let pairs = records.into_iter().zip(outcomes);
                let accepted: Vec<_> = pairs
                    .filter(|(_, outcome)| **outcome == RecordOutcome::Accepted)
                    .map(|(record, _)| record)
                    .collect();
                if !accepted.is_empty() {
                    self.acknowledged(accepted, *sent_bytes);
                }
            }
            Disposition::PartlyRejected { rejected, answer, sent_bytes } => {
                let (of, named) = (records.len(), records.into_iter().flatten().collect());
                let now = count_acknowledged(self.metrics, of.saturating_sub(*rejected), *sent_bytes);
                if self.dead_letters.are_lost(*rejected, &format!("{rejected} of {of}: {answer}")) {
                    self.ledger.commit_unbegun(named, now);
                } else {
                    // They come again to be dead-lettered, and are not sent.
                    self.ledger.doubt_unbegun(named, now);
                }
            }
            // Its records come again, in batches that can be halved.
            Disposition::Rejected { .. } => {}
            Disposition::Retry { .. } | Disposition::Refused { .. } => return false,
        }
        true
    }

    /// Records without an identity come again all the same: nothing remembers them.
    fn acknowledged(&mut self, records: Vec<Option<Versioned>>, sent_bytes: u64) {
        let now = count_acknowledged(self.metrics, records.len(), sent_bytes);
        self.ledger.commit_unbegun(records.into_iter().flatten().collect(), now);
    }
}
