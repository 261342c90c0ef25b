//! A record on its way out: what must not leave is taken out of it, and it is rendered into the batch or put away.

use super::{Pipeline, Place, Round};
use crate::correlate::About;
use crate::delivery::{Culprit, Waiting};
use crate::kind::Kind;
use crate::ledger::Ticket;
use crate::ledger::identity::write_id;
use crate::record::MAX_RECORD_BYTES;
use crate::record::content::Content;
use crate::record::understood::{Understood, Within, understand};
use crate::record::violation::Violation;
use crate::render::Record;
use crate::time::Stamp;
use crate::trip;

/// Where a record goes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Way {
    Deliver { new_occurrences: u32 },
    PutAway { reason: &'static str, answer: &'static str },
}

/// What is known of a record by what it really said.
struct Known<'k> {
    about: About<'k>,
    ticket: Ticket,
    way: Way,
}

const TOO_LARGE: &str = "larger than 1 MiB";

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
        // By what it really is, so that nobody has to say less to be told apart.
        write_id(content, body, &mut round.id);
        let known = Known { about: About::from(*content), ticket, way };
        let Some(redacted) = self.redactor.redact(content, body) else {
            return self.go(place, body, content, &known, round);
        };
        let body: &'a [u8] = round.arena.alloc_slice_copy(&redacted);
        if content.kind() == Kind::Other {
            // A hash of all that it says: of what is left of it.
            write_id(content, body, &mut round.id);
        }
        // As an item of a list it is what it says itself, and nothing inside it is looked for.
        match (understand(body, Within::List, &self.repair, round.arena).is, content) {
            (Understood::Event(event), _) => self.go(place, body, &Content::Event(&event), &known, round),
            (Understood::Audit(audit), _) => self.go(place, body, &Content::Audit(&audit), &known, round),
            (Understood::Violation(violation), Content::Violation(said)) => {
                let violation = Violation { time: said.time, ..violation };
                self.go(place, body, &Content::Violation(&violation), &known, round);
            }
            (_, Content::Other { .. }) if !body.is_empty() => self.go(place, body, content, &known, round),
            // No rule takes away what a kind is told by, and no body breaks. Should it be so all the same, nothing leaves.
            _ => self.put_away(place, &[], ticket, "not itself any more when it was redacted", "", round),
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
        let ticket = known.ticket;
        let new_occurrences = match known.way {
            Way::Deliver { new_occurrences } => new_occurrences,
            Way::PutAway { reason, answer } => {
                return self.put_away(place, body, ticket, reason, answer, round);
            }
        };
        trip::wire("deliver");
        // Of an audit record the bodies may be all there is to its size, and are not told.
        let is_audit = content.kind() == Kind::Audit;
        if body.len() > MAX_RECORD_BYTES && !is_audit {
            return self.put_away(place, body, ticket, TOO_LARGE, "", round);
        }
        if !self.delivery.is_open() {
            self.ledger.abort(ticket);
            return round.fail(place.chunk);
        }
        round.rendered.clear();
        let rendered = self.view.with_impact(&known.about, |impact| {
            let record = Record { id: &round.id, content: *content, new_occurrences, impact, body };
            self.delivery.renderer().render(&record, &mut round.rendered)
        });
        if let Err(why) = rendered {
            return self.put_away(place, body, ticket, "the format cannot hold it", &why, round);
        }
        if is_audit && round.rendered.len() > MAX_RECORD_BYTES {
            return self.put_away(place, body, ticket, TOO_LARGE, "", round);
        }
        if !round.batch.has_room_for(round.rendered.len()) && !self.send(round) {
            self.ledger.abort(ticket);
            return round.fail(place.chunk);
        }
        if let Some(tally) = round.tallies.get_mut(place.chunk) {
            tally.wait_for_one();
        }
        let happened = content.time().and_then(Stamp::wall);
        let waiting = Waiting { ticket, body, happened, chunk: place.chunk, sharing: Vec::new() };
        round.batch.push(&round.id, &round.rendered, waiting);
    }

    /// Puts away the record whose id the round holds.
    fn put_away(
        &mut self,
        place: Place<'_>,
        body: &[u8],
        ticket: Ticket,
        reason: &str,
        answer: &str,
        round: &mut Round<'_>,
    ) {
        let culprit = Culprit { id: &round.id, body, status: None, reason, answer };
        if !self.delivery.put_away(&culprit, ticket, &mut self.ledger) {
            round.fail(place.chunk);
        }
    }
}
