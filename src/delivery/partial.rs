//! Answers that tell of each record by itself, or of how many: what they do to ledger, dead letters and chunks.

use std::ops::Range;

use super::settlement::PARTLY;
use super::{Delivery, Waiting, settle, tickets};
use crate::clock;
use crate::config::Guarantee;
use crate::gateway::batch::Batch;
use crate::job::Tally;
use crate::ledger::Ledger;
use crate::response::RecordOutcome;

impl Delivery {
    /// Settles a part of which the answer tells record by record. Why some have to come again, if some have: what
    /// follows must not overtake them.
    pub(super) fn settle_partly(
        &mut self,
        batch: &Batch<Waiting<'_>>,
        part: &Range<usize>,
        outcomes: &[RecordOutcome],
        sent_bytes: u64,
        ledger: &mut Ledger,
        tallies: &mut [Tally],
    ) -> Option<String> {
        let pairs = || part.clone().zip(outcomes);
        let accepted: Vec<_> = pairs()
            .filter(|(_, outcome)| **outcome == RecordOutcome::Accepted)
            .map(|(index, _)| index)
            .collect();
        if accepted.is_empty() {
            self.release(ledger);
        } else {
            self.acknowledged(batch, accepted.into_iter(), sent_bytes, ledger, tallies);
        }
        let mut left: Option<(usize, &str)> = None;
        for (index, outcome) in pairs() {
            match outcome {
                RecordOutcome::Accepted => {}
                RecordOutcome::Rejected { status, answer } => {
                    // It judges what it gets, so it is there.
                    self.answers();
                    self.rejected(batch, index, *status, answer, ledger, tallies);
                }
                RecordOutcome::Retry { why } => {
                    if let Some(waiting) = batch.note(index) {
                        ledger.abort(waiting.ticket);
                        settle(waiting, false, tallies);
                    }
                    left.get_or_insert((0, why)).0 += 1;
                }
            }
        }
        left.map(|(count, why)| format!("it does not take {count} of {} records now ({why})", part.len()))
    }

    /// Settles a part of which the gateway took all but so many, and its reason. Which these are nobody knows, and
    /// none may be sent again: so that none is lost, all of them go to the dead letters too.
    pub(super) fn partly_rejected(
        &mut self,
        batch: &Batch<Waiting<'_>>,
        part: &Range<usize>,
        (rejected, answer): (usize, &str),
        sent_bytes: u64,
        ledger: &mut Ledger,
        tallies: &mut [Tally],
    ) {
        let taken = part.len().saturating_sub(rejected);
        let now = self.acknowledgement(taken, sent_bytes);
        let why = format!("{rejected} of {}: {answer}", part.len());
        if self.lost(rejected, &why) {
            return self.committed(batch, part.clone(), now, ledger, tallies);
        }
        // Most of them are there. Should there be no room for them, the next time they are dead-lettered, and not sent.
        if self.guarantee == Guarantee::NoDuplicates {
            ledger.doubt();
        } else {
            let named = ledger.begun(&tickets(batch, part.clone())).into_iter().flatten().collect();
            let written = ledger.doubt_unbegun(named, clock::unix_seconds(now));
            self.advanced(written, ledger);
        }
        self.dead_letter_part(batch, part, PARTLY, &why, ledger, tallies);
    }
}
