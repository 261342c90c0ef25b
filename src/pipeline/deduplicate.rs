//! Deduplicate: the ledger says whether a record was delivered; here that becomes what to do with it.

use std::sync::Arc;

use memchr::memmem;

use super::round::{Decoded, Round};
use crate::config::Others;
use crate::delivery::AMBIGUOUS;
use crate::ledger::{Ticket, Verdict};
use crate::log::HostLog;
use crate::metrics::Metrics;
use crate::record::identity::Versioned;

/// A record whose delivery was begun in the ledger.
#[derive(Debug, Clone, Copy)]
pub(super) struct BegunDelivery {
    pub ticket: Ticket,
    pub next: NextStep,
}

/// What to do with the record.
#[derive(Debug, Clone, Copy)]
pub(super) enum NextStep {
    Deliver { new_occurrences: u32 },
    DeadLetter { reason: &'static str, details: &'static str },
}

pub(super) struct Deduplicator {
    others: Others,
    metrics: Arc<Metrics>,
    log: Arc<HostLog>,
}

impl Deduplicator {
    pub(super) fn new(others: Others, metrics: &Arc<Metrics>, log: &Arc<HostLog>) -> Self {
        Self { others, metrics: Arc::clone(metrics), log: Arc::clone(log) }
    }

    /// Begins the delivery of a record. `None`: nothing is left to do. `versioned` is what the ledger knows it by.
    pub(super) fn begin(
        &self,
        record: &Decoded<'_, '_>,
        versioned: Option<&Versioned>,
        round: &mut Round<'_>,
    ) -> Option<BegunDelivery> {
        let Some(versioned) = versioned else { return self.begin_other(record, round) };
        let chunk = record.place.chunk;
        match round.begin(*versioned) {
            Verdict::New { ticket } => {
                let next = NextStep::Deliver { new_occurrences: versioned.count };
                return Some(BegunDelivery { ticket, next });
            }
            Verdict::Update { ticket, new_occurrences } => {
                // A record without a count is one occurrence each time it comes.
                let new_occurrences = if record.content.counts() { new_occurrences } else { 1 };
                return Some(BegunDelivery { ticket, next: NextStep::Deliver { new_occurrences } });
            }
            Verdict::InDoubt { ticket } => {
                let details = "the host ended, or the dead letter file could not be written, before it was dead-lettered";
                return Some(BegunDelivery {
                    ticket,
                    next: NextStep::DeadLetter { reason: AMBIGUOUS, details },
                });
            }
            Verdict::Duplicate => {
                self.metrics.duplicate_records_total.add(1);
                round.settled_without_delivery(versioned);
            }
            Verdict::InFlight { ticket } => {
                self.metrics.duplicate_records_total.add(1);
                round.share(chunk, ticket);
            }
            Verdict::Suppressed { behind } => {
                self.metrics.suppressed_updates_total.add(1);
                match behind {
                    Some(ticket) => {
                        round.share(chunk, ticket);
                        round.settled_with(ticket, versioned);
                    }
                    None => round.settled_without_delivery(versioned),
                }
            }
        }
        None
    }

    /// The same for a record of unknown kind, which the ledger does not remember.
    fn begin_other(&self, record: &Decoded<'_, '_>, round: &mut Round<'_>) -> Option<BegunDelivery> {
        let place = record.place;
        let deliver = NextStep::Deliver { new_occurrences: 1 };
        let next = match self.others {
            Others::Pass => deliver,
            Others::DeadLetter => {
                NextStep::DeadLetter { reason: "of no kind that is known", details: "other is dead_letter" }
            }
            // It may be an audit record that was cut or cannot be read, and none of those may be lost.
            Others::Drop if holds_audit_id(record.body) => {
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
        Some(BegunDelivery { ticket: round.begin_unnamed(), next })
    }
}

/// Whether a body holds a key `auditID` anywhere: as a text of MessagePack, or in JSON, however often it was escaped. A
/// line that only mentions one, as klog does (`auditID="…"`), does not count.
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
