//! The request that has no clear answer: it goes out again before any other, just as it was, or never.

use super::Delivery;
use crate::clock;
use crate::config::Guarantee;
use crate::gateway::{Disposition, Doubt, RecordOutcome};
use crate::ledger::Ledger;
use crate::record::identity::Versioned;

impl Delivery {
    /// Takes up the request that an earlier life left without an answer: it is sent again, or, where nothing may
    /// arrive twice, its records never are.
    pub fn take_up(&mut self, ledger: &mut Ledger) {
        if self.guarantee == Guarantee::NoEventLoss {
            return self.in_flight.take_up(ledger);
        }
        let Some(left) = self.in_flight.found(ledger) else { return };
        let mut records = left.records;
        records.retain(|record| !ledger.holds(record));
        let written = ledger.doubt_unbegun(records, clock::unix_seconds(clock::wall()));
        if self.is_written_first(written) {
            self.in_flight.end();
        }
    }

    /// Sends the request again that has no clear answer, if there is one.
    pub fn send_unclear(&mut self, ledger: &mut Ledger) {
        let Some(kept) = self.in_flight.unclear().filter(|_| self.gate.is_open(clock::monotonic())) else {
            return;
        };
        let records = kept.records();
        match self.gateway.post(&kept.post(self.renderer.answers())) {
            Disposition::Accepted { sent_bytes } => self.taken_at_last(records, sent_bytes, ledger),
            // What it did not take comes again, in batches whose records are at hand.
            Disposition::Partial { outcomes, sent_bytes } => {
                let pairs = records.into_iter().zip(outcomes);
                let taken: Vec<_> = pairs
                    .filter(|(_, outcome)| *outcome == RecordOutcome::Accepted)
                    .map(|(record, _)| record)
                    .collect();
                if !taken.is_empty() {
                    self.taken_at_last(taken, sent_bytes, ledger);
                }
            }
            Disposition::PartlyRejected { rejected, answer, sent_bytes } => {
                let (of, named) = (records.len(), records.into_iter().flatten().collect());
                let now = clock::unix_seconds(self.acknowledgement(of.saturating_sub(rejected), sent_bytes));
                if self.lost(rejected, &format!("{rejected} of {of}: {answer}")) {
                    let written = ledger.commit_unbegun(named, now);
                    self.advanced(written, ledger);
                } else {
                    // They come again to be dead-lettered, and are not sent.
                    let written = ledger.doubt_unbegun(named, now);
                    self.advanced(written, ledger);
                }
            }
            // Its records come again, in batches that can be halved.
            Disposition::Rejected { .. } => self.answers(),
            disposition => {
                if disposition.doubt() > Doubt::None || disposition.is_about_this_request() {
                    self.in_flight.failed();
                }
                return self.failed(&disposition, false);
            }
        }
        self.in_flight.end();
    }

    /// Records without an identity come again all the same: nothing remembers them.
    fn taken_at_last(&mut self, records: Vec<Option<Versioned>>, sent_bytes: u64, ledger: &mut Ledger) {
        let now = self.acknowledgement(records.len(), sent_bytes);
        let named = records.into_iter().flatten().collect();
        let written = ledger.commit_unbegun(named, clock::unix_seconds(now));
        self.advanced(written, ledger);
    }
}
