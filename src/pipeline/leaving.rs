//! A record on its way out: what must not leave is taken out of it, and it is rendered into the batch or dead-lettered.

use super::{Pipeline, Place, Round};
use crate::correlate::About;
use crate::delivery::{DeadLetterEntry, Waiting};
use crate::failpoint;
use crate::kind::Kind;
use crate::ledger::Ticket;
use crate::ledger::identity::write_id;
use crate::record::MAX_RECORD_BYTES;
use crate::record::audit;
use crate::record::classify::{BodyClass, read_as};
use crate::record::content::Content;
use crate::record::shorten::shortened;
use crate::record::violation::Violation;
use crate::render::Record;
use crate::time::Stamp;

/// Where a record goes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Way {
    Deliver { new_occurrences: u32 },
    DeadLetter { reason: &'static str, answer: &'static str },
}

/// What is known of a record by what it really said.
struct Known<'k> {
    about: About<'k>,
    ticket: Ticket,
    way: Way,
}

const TOO_LARGE: &str = "larger than 1 MiB";
/// More than nearly all audit records have, and less than any format holds.
const LONG_BYTES: usize = 64 << 10;
const NO_BODIES: &str = "requestObject and responseObject are left out";
const SHORTENED: &str = "texts of more than 4 KiB and lists of more than 256 items are cut";

impl Pipeline {
    pub(super) fn leave<'a>(
        &mut self,
        place: Place<'_>,
        body: &'a [u8],
        content: &Content<'_, 'a>,
        ticket: Ticket,
        way: Way,
        round: &mut Round<'a>,
    ) {
        let known = Known { about: About::from(*content), ticket, way };
        let is_too_large = content.kind() == Kind::Audit && body.len() > MAX_RECORD_BYTES;
        // What is cut before it is redacted must hold no part of a secret, so texts are cut behind it.
        let without_bodies = if is_too_large { audit::without_bodies(body) } else { None };
        if without_bodies.is_some() {
            self.warn_of_a_cut(place, TOO_LARGE, NO_BODIES);
        }
        let body: &'a [u8] = without_bodies.map_or(body, |cut| round.arena.alloc_slice_copy(&cut));
        match self.redactor.redact(content, body) {
            None if !is_too_large => self.go(place, body, content, &known, round),
            None => self.changed(place, body, content, &known, round),
            Some(redacted) => {
                let body: &'a [u8] = round.arena.alloc_slice_copy(&redacted);
                self.changed(place, body, content, &known, round);
            }
        }
    }

    /// An audit record that is too large without its bodies, and if it has none, with shorter texts and lists; `None` when
    /// nothing can be left out.
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

    /// A record of which something was taken out, and what it said before.
    fn changed<'a>(
        &mut self,
        place: Place<'_>,
        body: &'a [u8],
        before: &Content<'_, 'a>,
        known: &Known<'_>,
        round: &mut Round<'a>,
    ) {
        match (read_as(before.kind(), body, &self.repair), before) {
            (Some(BodyClass::Event(event)), _) => {
                self.go(place, body, &Content::Event(&event), known, round);
            }
            (Some(BodyClass::Audit(audit)), _) => {
                self.go(place, body, &Content::Audit(&audit), known, round);
            }
            (Some(BodyClass::Violation(violation)), Content::Violation(said)) => {
                let violation = Violation { time: said.time, ..violation };
                self.go(place, body, &Content::Violation(&violation), known, round);
            }
            (Some(_), Content::Other) => self.go(place, body, before, known, round),
            // Redaction keeps what a kind needs and never breaks a body. If it did, nothing of the record would leave.
            _ => {
                round.id.clear();
                let reason = "not itself any more when it was redacted";
                self.dead_letter(place, &[], known.ticket, reason, "", round);
            }
        }
    }

    fn go<'a>(
        &mut self,
        place: Place<'_>,
        body: &'a [u8],
        content: &Content<'_, 'a>,
        known: &Known<'_>,
        round: &mut Round<'a>,
    ) {
        self.repair.take_count();
        // Of what is left of it: nobody may try out what was taken out by what makes the same id.
        write_id(content, body, &mut round.id);
        let ticket = known.ticket;
        let new_occurrences = match known.way {
            Way::Deliver { new_occurrences } => new_occurrences,
            Way::DeadLetter { reason, answer } => {
                return self.dead_letter(place, body, ticket, reason, answer, round);
            }
        };
        failpoint::hit("deliver");
        let is_audit = content.kind() == Kind::Audit;
        if body.len() > MAX_RECORD_BYTES {
            if is_audit && let Some(cut) = self.smaller(place, body, TOO_LARGE) {
                return self.changed(place, round.arena.alloc_slice_copy(&cut), content, known, round);
            }
            return self.dead_letter(place, body, ticket, TOO_LARGE, "", round);
        }
        if !self.delivery.is_open() {
            self.ledger.abort(ticket);
            return round.fail(place.chunk);
        }
        round.rendered.clear();
        let now = round.now;
        let rendered = self.view.with_impact(&known.about, |impact| {
            let record = Record {
                id: &round.id,
                content: *content,
                new_occurrences,
                impact,
                body,
                taken: place.taken,
                now,
            };
            self.delivery.renderer().render(&record, &mut round.rendered)
        });
        let adjusted = match rendered {
            Ok(adjusted) => adjusted,
            Err(why) => {
                // Its length may be why, and that a client chooses.
                if is_audit
                    && body.len() > LONG_BYTES
                    && let Some(cut) = self.smaller(place, body, "too large for the format")
                {
                    return self.changed(place, round.arena.alloc_slice_copy(&cut), content, known, round);
                }
                return self.dead_letter(place, body, ticket, "the format cannot hold it", &why, round);
            }
        };
        // As JSON it may be six times as long. Where nothing is left to be cut it comes here no more.
        if is_audit
            && round.rendered.len() > MAX_RECORD_BYTES
            && let Some(cut) = self.smaller(place, body, TOO_LARGE)
        {
            return self.changed(place, round.arena.alloc_slice_copy(&cut), content, known, round);
        }
        if !round.batch.has_room_for(round.rendered.len()) && !self.send(round) {
            self.ledger.abort(ticket);
            return round.fail(place.chunk);
        }
        if let Some(tally) = round.tallies.get_mut(place.chunk) {
            tally.wait_for_one();
        }
        // A parser of the host may have made what a line tells the time of the record; an event tells its own.
        let taken = place.taken.filter(|_| matches!(content.kind(), Kind::Violation | Kind::Other));
        let happened = content.time().or(taken).and_then(Stamp::wall);
        let waiting = Waiting { ticket, body, happened, adjusted, chunk: place.chunk, sharing: Vec::new() };
        round.batch.push(&round.id, &round.rendered, waiting);
    }

    /// Puts away the record whose id the round holds.
    fn dead_letter(
        &mut self,
        place: Place<'_>,
        body: &[u8],
        ticket: Ticket,
        reason: &str,
        answer: &str,
        round: &mut Round<'_>,
    ) {
        let entry = DeadLetterEntry { id: &round.id, body, status: None, reason, answer };
        if !self.delivery.dead_letter(&entry, ticket, &mut self.ledger) {
            round.fail(place.chunk);
        }
    }
}
