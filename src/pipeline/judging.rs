//! What becomes of a record: left out, known already, or on its way out.

use memchr::memmem;

use super::leaving::Way;
use super::{Pipeline, Place, Round};
use crate::config::Others;
use crate::delivery::AMBIGUOUS;
use crate::ledger::{Ticket, Verdict};
use crate::record::content::Content;
use crate::record::identity::{Versioned, versioned};
use crate::select;

impl Pipeline {
    pub(super) fn content<'a>(
        &mut self,
        place: Place<'a>,
        body: &'a [u8],
        content: &Content<'_, 'a>,
        round: &mut Round<'a>,
    ) {
        self.metrics.records_total.add(1);
        let replaced = self.repair.take_count();
        if !select::selects(&self.selection, content) {
            self.metrics.excluded_records_total.add(1);
            return;
        }
        self.metrics.replaced_strings_total.add(replaced);
        let versioned = versioned(content, body);
        if versioned.is_none_or(|versioned| !self.defer(place, body, content, &versioned, round)) {
            self.judge(place, body, content, versioned.as_ref(), round);
        }
    }

    /// Asks the ledger, and takes the record further if it is to be delivered. `versioned`: as the ledger knows it.
    pub(super) fn judge<'a>(
        &mut self,
        place: Place<'a>,
        body: &'a [u8],
        content: &Content<'_, 'a>,
        versioned: Option<&Versioned>,
        round: &mut Round<'a>,
    ) {
        let way = match versioned {
            Some(versioned) => {
                let verdict = self.ledger.begin(*versioned);
                self.judged(place, verdict, content, versioned.count, round)
            }
            None => self.other(place, body),
        };
        if let Some((ticket, way)) = way {
            self.leave(place, body, content, ticket, way, round);
        }
    }

    /// What a verdict of the ledger means; `None`: nothing is left to do.
    fn judged(
        &mut self,
        place: Place<'_>,
        verdict: Verdict,
        content: &Content<'_, '_>,
        count: u32,
        round: &mut Round<'_>,
    ) -> Option<(Ticket, Way)> {
        match verdict {
            Verdict::New { ticket } => return Some((ticket, Way::Deliver { new_occurrences: count })),
            Verdict::Update { ticket, new_occurrences } => {
                // Of what counts nothing each coming is one.
                let new_occurrences = if content.counts() { new_occurrences } else { 1 };
                return Some((ticket, Way::Deliver { new_occurrences }));
            }
            Verdict::InDoubt { ticket } => {
                let answer = "the host ended, or the dead letter file could not be written, before it was dead-lettered";
                return Some((ticket, Way::DeadLetter { reason: AMBIGUOUS, answer }));
            }
            Verdict::Duplicate => self.metrics.duplicate_records_total.add(1),
            Verdict::InFlight { ticket } => {
                self.metrics.duplicate_records_total.add(1);
                share(place.chunk, ticket, round);
            }
            Verdict::Suppressed { behind } => {
                self.metrics.suppressed_updates_total.add(1);
                if let Some(ticket) = behind {
                    share(place.chunk, ticket, round);
                }
            }
        }
        None
    }

    /// A record of a kind that nobody knows.
    fn other(&mut self, place: Place<'_>, body: &[u8]) -> Option<(Ticket, Way)> {
        let deliver = Way::Deliver { new_occurrences: 1 };
        let way = match self.others {
            Others::Pass => deliver,
            Others::DeadLetter => {
                Way::DeadLetter { reason: "of no kind that is known", answer: "other is dead_letter" }
            }
            // It may be an audit record that was cut or cannot be read, and none of those may vanish.
            Others::Drop if holds_audit_id(body) => {
                self.log.warn(
                    "other kept",
                    format!(
                        "the record at offset {} of tag {} holds an auditID and cannot be read as an audit record; it is \
                         delivered as it came although other is drop; was the line cut?",
                        place.offset, place.tag
                    ),
                );
                deliver
            }
            Others::Drop => {
                self.metrics.excluded_records_total.add(1);
                self.log.warn(
                    "other",
                    format!(
                        "the record at offset {} of tag {} is of no kind that is known and was left out, as other is \
                         drop; does match take too much?",
                        place.offset, place.tag
                    ),
                );
                return None;
            }
        };
        Some((self.ledger.begin_unnamed(), way))
    }
}

/// Whether a key `auditID` stands anywhere in a body: as a text of MessagePack, or in JSON, however often it was escaped. A
/// line that only mentions one, as klog does (`auditID="…"`), is none.
fn holds_audit_id(body: &[u8]) -> bool {
    const KEY: &[u8] = b"auditID";
    memmem::find_iter(body, KEY).any(|at| {
        let behind = body[at + KEY.len()..].iter().find(|byte| **byte != b'\\');
        match at.checked_sub(1).map(|before| body[before]) {
            Some(b'"') => behind == Some(&b'"'),
            // The length, in the heads of short and of longer texts.
            Some(0xa7 | 7) => true,
            _ => false,
        }
    })
}

/// Makes a chunk wait for a record that another chunk, or an earlier record of its own, brought.
fn share(chunk: usize, ticket: Ticket, round: &mut Round<'_>) {
    if let (Some(waiting), Some(tally)) =
        (round.batch.note_mut(&ticket, |waiting| waiting.ticket), round.tallies.get_mut(chunk))
    {
        waiting.sharing.push(chunk);
        tally.wait_for_one();
    } else {
        // Nobody waits for it: let the host bring the chunk again rather than trust that it went out.
        round.fail(chunk);
    }
}
