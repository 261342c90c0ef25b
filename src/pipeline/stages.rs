//! The order of the stages and nothing else: select → defer → deduplicate → prepare (redact, correlate, render).

use std::sync::Arc;

use super::deduplicate::Deduplicator;
use super::defer::{Deferral, Deferrer};
use super::deferred::Deferred;
use super::prepare::Preparer;
use super::round::{Decoded, Place, Round};
use crate::config::{Selection, Settings};
use crate::kind::Kind;
use crate::log::HostLog;
use crate::metrics::Metrics;
use crate::record::classify::{BodyClass, read_as};
use crate::record::content::Content;
use crate::record::identity::{Versioned, versioned};
use crate::record::redact::Redactor;
use crate::record::text::Repair;
use crate::select;

pub(super) struct Stages {
    selection: Selection,
    pub(super) deferrer: Deferrer,
    deduplicator: Deduplicator,
    preparer: Preparer,
    metrics: Arc<Metrics>,
}

impl Stages {
    pub(super) fn new(
        settings: &Settings,
        redactor: Arc<Redactor>,
        metrics: &Arc<Metrics>,
        log: &Arc<HostLog>,
    ) -> Self {
        Self {
            selection: settings.selection.clone(),
            deferrer: Deferrer::new(settings.correlate_wait, metrics, log),
            deduplicator: Deduplicator::new(settings.others, metrics, log),
            preparer: Preparer::new(redactor, log),
            metrics: Arc::clone(metrics),
        }
    }

    /// Takes a record through all stages, up to the one at which it waits or ends.
    pub(super) fn take<'a>(&mut self, record: &Decoded<'_, 'a>, round: &mut Round<'a>) {
        self.metrics.records_total.add(1);
        if !select::selects(&self.selection, &record.content) {
            self.metrics.excluded_records_total.add(1);
            if round.wants_settled()
                && let Some(versioned) = versioned(&record.content, record.body)
            {
                round.settled_without_delivery(&versioned);
            }
            return;
        }
        self.metrics.replaced_strings_total.add(record.replaced_strings);
        let versioned = versioned(&record.content, record.body);
        if let Some(versioned) = &versioned {
            match self.deferrer.defer(record, versioned, round) {
                Deferral::Waits => return,
                Deferral::GoesOn { after } => self.resume(after, round),
            }
        }
        self.deliver(record, versioned.as_ref(), round);
    }

    /// Resumes the deferred records that need not wait any more.
    pub(super) fn resume_due(&mut self, round: &mut Round<'_>) {
        let due = self.deferrer.take_due(round.view());
        self.resume(due, round);
    }

    fn resume(&mut self, due: Vec<Deferred>, round: &mut Round<'_>) {
        for Deferred { chunk, tag, offset, received, body, versioned, .. } in due {
            let arena = round.arena();
            let (tag, body): (&str, &[u8]) = (arena.alloc_str(&tag), arena.alloc_slice_copy(&body));
            let place = Place { chunk, tag, offset, received };
            match read_as(Kind::Event, body, &Repair::default()) {
                Some(BodyClass::Event(event)) => {
                    let content = Content::Event(&event);
                    let record = Decoded { place, body, content, replaced_strings: 0 };
                    self.deliver(&record, Some(&versioned), round);
                }
                // It was read when it came. Let the host bring it again.
                _ => round.fail(chunk),
            }
            round.resumed_one(chunk);
        }
    }

    /// Deduplicates a record, and adds it to the batch or dead-letters it. `versioned` is what the ledger knows it by.
    fn deliver<'a>(&self, record: &Decoded<'_, 'a>, versioned: Option<&Versioned>, round: &mut Round<'a>) {
        if let Some(begun) = self.deduplicator.begin(record, versioned, round) {
            self.preparer.prepare(record, begun, round);
        }
    }
}
