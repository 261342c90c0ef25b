//! Prepare: a record is redacted, correlated and rendered into the batch; if that cannot be, it is cut or dead-lettered.

use std::sync::Arc;

use super::deduplicate::{BegunDelivery, NextStep};
use super::round::{Decoded, Place, Round};
use crate::correlate::About;
use crate::delivery::BatchEntry;
use crate::failpoint;
use crate::kind::Kind;
use crate::log::HostLog;
use crate::record::MAX_RECORD_BYTES;
use crate::record::audit;
use crate::record::classify::{BodyClass, read_as};
use crate::record::content::Content;
use crate::record::redact::Redactor;
use crate::record::shorten::shortened;
use crate::record::text::Repair;
use crate::record::violation::Violation;
use crate::time::Stamp;

pub(super) struct Preparer {
    redactor: Arc<Redactor>,
    log: Arc<HostLog>,
}

/// What redaction and cuts leave unchanged.
struct Original<'o> {
    place: Place<'o>,
    about: About<'o>,
    begun: BegunDelivery,
}

const TOO_LARGE: &str = "larger than 1 MiB";
/// Nearly all audit records are shorter, and every format can hold so much.
const LONG_BYTES: usize = 64 << 10;
const NO_BODIES: &str = "requestObject and responseObject are left out";
const SHORTENED: &str = "texts of more than 4 KiB and lists of more than 256 items are cut";

impl Preparer {
    pub(super) fn new(redactor: Arc<Redactor>, log: &Arc<HostLog>) -> Self {
        Self { redactor, log: Arc::clone(log) }
    }

    pub(super) fn prepare<'a>(&self, record: &Decoded<'_, 'a>, begun: BegunDelivery, round: &mut Round<'a>) {
        let Decoded { place, body, content, .. } = *record;
        let original = Original { place, about: About::from(content), begun };
        let is_too_large = content.kind() == Kind::Audit && body.len() > MAX_RECORD_BYTES;
        // A text that is cut before it is redacted may keep a part of a secret, so only whole bodies are left out here.
        let without_bodies = if is_too_large { audit::without_bodies(body) } else { None };
        if without_bodies.is_some() {
            self.warn_of_a_cut(place, TOO_LARGE, NO_BODIES);
        }
        let body: &'a [u8] = without_bodies.map_or(body, |cut| round.arena().alloc_slice_copy(&cut));
        match self.redactor.redact(&content, body) {
            None if !is_too_large => self.render_into_batch(&original, body, &content, round),
            None => self.reread(&original, body, &content, round),
            Some(redacted) => {
                let body: &'a [u8] = round.arena().alloc_slice_copy(&redacted);
                self.reread(&original, body, &content, round);
            }
        }
    }

    /// An audit record without its bodies, or, if it has none, with shorter texts and lists. `None`: nothing can be left
    /// out.
    fn smaller(&self, place: Place<'_>, record: &[u8], why: &str) -> Option<Vec<u8>> {
        let without_bodies = audit::without_bodies(record).map(|cut| (cut, NO_BODIES));
        let (cut, what) = without_bodies.or_else(|| Some((shortened(record)?, SHORTENED)))?;
        self.warn_of_a_cut(place, why, what);
        Some(cut)
    }

    fn warn_of_a_cut(&self, place: Place<'_>, why: &str, what: &str) {
        self.log.warn(
            "record cut",
            format!(
                "the audit record at offset {} of tag {} is {why}; {what}, and the rest is delivered",
                place.offset, place.tag
            ),
        );
    }

    /// Goes on with a record whose body was redacted or cut. `before` is what it said before that.
    fn reread<'a>(
        &self,
        original: &Original<'_>,
        body: &'a [u8],
        before: &Content<'_, 'a>,
        round: &mut Round<'a>,
    ) {
        match (read_as(before.kind(), body, &Repair::default()), before) {
            (Some(BodyClass::Event(event)), _) => {
                self.render_into_batch(original, body, &Content::Event(&event), round);
            }
            (Some(BodyClass::Audit(audit)), _) => {
                self.render_into_batch(original, body, &Content::Audit(&audit), round);
            }
            (Some(BodyClass::Violation(violation)), Content::Violation(said)) => {
                let violation = Violation { time: said.time, ..violation };
                self.render_into_batch(original, body, &Content::Violation(&violation), round);
            }
            (Some(_), Content::Other) => self.render_into_batch(original, body, before, round),
            // Redaction keeps what a kind needs and never breaks a body. If it did, nothing of the record would leave.
            _ => {
                round.name_nothing();
                let reason = "changed its kind when it was redacted";
                round.dead_letter(original.place.chunk, original.begun.ticket, &[], reason, "");
            }
        }
    }

    fn render_into_batch<'a>(
        &self,
        original: &Original<'_>,
        body: &'a [u8],
        content: &Content<'_, 'a>,
        round: &mut Round<'a>,
    ) {
        let Original { place, about, begun: BegunDelivery { ticket, next } } = original;
        let (chunk, ticket) = (place.chunk, *ticket);
        round.name(content, body);
        let new_occurrences = match *next {
            NextStep::Deliver { new_occurrences } => new_occurrences,
            NextStep::DeadLetter { reason, details } => {
                return round.dead_letter(chunk, ticket, body, reason, details);
            }
        };
        failpoint::hit("deliver");
        let is_audit = content.kind() == Kind::Audit;
        if body.len() > MAX_RECORD_BYTES {
            if is_audit && let Some(cut) = self.smaller(*place, body, TOO_LARGE) {
                return self.reread(original, round.arena().alloc_slice_copy(&cut), content, round);
            }
            return round.dead_letter(chunk, ticket, body, TOO_LARGE, "");
        }
        if !round.is_open() {
            return round.give_back(ticket, chunk);
        }
        let adjusted = match round.render(about, content, body, new_occurrences, place.received) {
            Ok(adjusted) => adjusted,
            Err(why) => {
                // It may be too long for the format, and clients choose how long an audit record is.
                if is_audit
                    && body.len() > LONG_BYTES
                    && let Some(cut) = self.smaller(*place, body, "too large for the format")
                {
                    return self.reread(original, round.arena().alloc_slice_copy(&cut), content, round);
                }
                return round.dead_letter(chunk, ticket, body, "the format cannot hold it", &why.to_string());
            }
        };
        // As JSON it may be six times as long. This ends when nothing is left to be cut.
        if is_audit
            && round.rendered_bytes() > MAX_RECORD_BYTES
            && let Some(cut) = self.smaller(*place, body, TOO_LARGE)
        {
            return self.reread(original, round.arena().alloc_slice_copy(&cut), content, round);
        }
        if !round.make_room() {
            return round.give_back(ticket, chunk);
        }
        // The host's parser may know the time of a violation or a log line; an event has its own.
        let received = place.received.filter(|_| matches!(content.kind(), Kind::Violation | Kind::Other));
        let happened = content.time().or(received).and_then(Stamp::wall);
        round.add_to_batch(BatchEntry { ticket, body, happened, adjusted, chunk, sharing: Vec::new() });
    }
}
