//! Answers that tell of each record by itself, or of how many: what they do to ledger, dead letters and chunks.

use std::ops::Range;

use super::fates::PARTLY;
use super::{Delivery, Waiting, settle};
use crate::gateway::Fate;
use crate::gateway::batch::Batch;
use crate::job::Tally;
use crate::ledger::Ledger;

impl Delivery {
    /// Settles a part of which the answer tells record by record. How many have to come again: what
    /// follows must not overtake them.
    pub(super) fn told_of_each(
        &mut self,
        batch: &Batch<Waiting<'_>>,
        part: &Range<usize>,
        fates: &[Fate],
        sent_bytes: u64,
        ledger: &mut Ledger,
        tallies: &mut [Tally],
    ) -> usize {
        // Of more or fewer items than records none can be told which it is.
        let known = |place: usize| fates.get(place).filter(|_| fates.len() == part.len());
        let with_fate = |wanted: fn(&Fate) -> bool| -> Vec<usize> {
            let is_wanted = |(place, _): &(usize, usize)| known(*place).is_some_and(wanted);
            part.clone().enumerate().filter(is_wanted).map(|(_, index)| index).collect()
        };
        let accepted = with_fate(|fate| *fate == Fate::Accepted);
        self.acknowledged(batch, accepted.into_iter(), sent_bytes, ledger, tallies);
        let mut left = 0;
        for (place, index) in part.clone().enumerate() {
            match known(place) {
                Some(Fate::Accepted) => {}
                Some(Fate::Rejected { status, answer }) => {
                    self.rejected(batch, index, *status, answer, ledger, tallies);
                }
                Some(Fate::Retry) | None => {
                    if let Some(waiting) = batch.note(index) {
                        ledger.abort(waiting.ticket);
                        settle(waiting, false, tallies);
                    }
                    left += 1;
                }
            }
        }
        left
    }

    /// Settles a part of which the gateway took all but so many. Which these are nobody knows, and none may be sent
    /// again: so that none is lost, all of them go to the dead letters too.
    pub(super) fn partly_rejected(
        &mut self,
        batch: &Batch<Waiting<'_>>,
        part: &Range<usize>,
        rejected: u64,
        answer: &str,
        ledger: &mut Ledger,
        tallies: &mut [Tally],
    ) {
        if part.len() == 1 {
            return self.rejected(batch, part.start, 200, answer, ledger, tallies);
        }
        let why = format!("{rejected} of {}: {answer}", part.len());
        self.buried(batch, part, PARTLY, &why, ledger, tallies);
    }
}
