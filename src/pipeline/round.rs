//! A round: the chunks that are delivered together, their one batch, and what is lent to the stages meanwhile.

use bumpalo::Bump;

use crate::clock;
use crate::cluster::View;
use crate::correlate::About;
use crate::delivery::{BatchEntry, DeadLetterEntry, Delivery, LoggedLedger};
use crate::format::{Adjusted, Record, RenderError};
use crate::gateway::batch::Batch;
use crate::job::Tally;
use crate::ledger::{Ticket, Verdict};
use crate::record::content::Content;
use crate::record::identity::{Versioned, write_id};
use crate::time::Stamp;

/// One chunk of a round.
#[derive(Clone, Copy)]
pub(super) struct Chunk<'a> {
    /// The index of its tally.
    pub index: usize,
    pub tag: &'a str,
    pub data: &'a [u8],
}

/// Where a record was found.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub chunk: usize,
    pub tag: &'a str,
    pub offset: usize,
    /// When the host received it.
    pub received: Option<Stamp>,
}

/// A record as `decode` read it.
#[derive(Clone, Copy)]
pub(super) struct Decoded<'r, 'a> {
    pub place: Place<'a>,
    pub body: &'a [u8],
    pub content: Content<'r, 'a>,
    /// Strings that were no UTF-8.
    pub replaced_strings: u64,
}

pub(super) struct Round<'a> {
    ledger: &'a mut LoggedLedger,
    delivery: &'a mut Delivery,
    view: &'a View,
    tallies: Vec<Tally>,
    batch: Batch<BatchEntry<'a>>,
    /// Holds bodies that were made here.
    arena: &'a Bump,
    /// The time at which records are rendered: some receivers take only times near it.
    now: Stamp,
    /// Id and text of the record at hand, in buffers that all records use.
    id: String,
    rendered: Vec<u8>,
}

impl<'a> Round<'a> {
    pub(super) fn new(
        tallies: Vec<Tally>,
        arena: &'a Bump,
        ledger: &'a mut LoggedLedger,
        delivery: &'a mut Delivery,
        view: &'a View,
    ) -> Self {
        let batch = delivery.new_batch();
        let (id, rendered) = (String::new(), Vec::new());
        Self { ledger, delivery, view, tallies, batch, arena, now: now(), id, rendered }
    }

    pub(super) fn arena(&self) -> &'a Bump {
        self.arena
    }

    pub(super) fn view(&self) -> &'a View {
        self.view
    }

    pub(super) fn now(&self) -> Stamp {
        self.now
    }

    /// Whether this version was acknowledged.
    pub(super) fn was_delivered(&self, versioned: &Versioned) -> bool {
        self.ledger.read().holds(versioned)
    }

    /// As [`LoggedLedger::begin`].
    pub(super) fn begin(&mut self, versioned: Versioned) -> Verdict {
        self.ledger.begin(versioned)
    }

    /// As [`LoggedLedger::begin_unnamed`].
    pub(super) fn begin_unnamed(&mut self) -> Ticket {
        self.ledger.begin_unnamed()
    }

    /// Whether the source is verified, so that it matters what is settled.
    pub(super) fn wants_settled(&self) -> bool {
        self.ledger.wants_settled()
    }

    /// As [`LoggedLedger::settled_with`].
    pub(super) fn settled_with(&mut self, ticket: Ticket, versioned: &Versioned) {
        self.ledger.settled_with(ticket, *versioned);
    }

    /// As [`LoggedLedger::settled_without_delivery`].
    pub(super) fn settled_without_delivery(&self, versioned: &Versioned) {
        self.ledger.settled_without_delivery(*versioned);
    }

    /// As [`Delivery::is_open`].
    pub(super) fn is_open(&self) -> bool {
        self.delivery.is_open()
    }

    /// The host must bring the chunk again.
    pub(super) fn fail(&mut self, chunk: usize) {
        if let Some(tally) = self.tallies.get_mut(chunk) {
            tally.fail();
        }
    }

    /// The host must bring this record again.
    pub(super) fn give_back(&mut self, ticket: Ticket, chunk: usize) {
        self.ledger.abort(ticket);
        self.fail(chunk);
    }

    /// The chunk has no result before one more of its records is settled.
    pub(super) fn wait_for_one(&mut self, chunk: usize) {
        if let Some(tally) = self.tallies.get_mut(chunk) {
            tally.wait_for_one();
        }
    }

    /// A deferred record of the chunk waits no more; if it comes into the batch, the chunk waits for that.
    pub(super) fn resumed_one(&mut self, chunk: usize) {
        if let Some(tally) = self.tallies.get_mut(chunk) {
            tally.settle_one(true);
        }
    }

    /// The chunk is decoded to its end.
    pub(super) fn finish_reading(&mut self, chunk: usize) {
        if let Some(tally) = self.tallies.get_mut(chunk) {
            tally.finish_reading();
        }
    }

    /// The chunk waits for a record that another chunk, or an earlier record of its own, brought.
    pub(super) fn share(&mut self, chunk: usize, ticket: Ticket) {
        if let (Some(entry), Some(tally)) =
            (self.batch.note_mut(&ticket, |entry| entry.ticket), self.tallies.get_mut(chunk))
        {
            entry.sharing.push(chunk);
            tally.wait_for_one();
        } else {
            // The record is in no batch. Rather than trust that it was sent, let the host bring the chunk again.
            self.fail(chunk);
        }
    }

    /// Makes the id of the record at hand, of the body as it leaves: an id of the original would let a reader try out what
    /// was redacted.
    pub(super) fn name(&mut self, content: &Content<'_, '_>, body: &[u8]) {
        write_id(content, body, &mut self.id);
    }

    /// The record at hand has no id.
    pub(super) fn name_nothing(&mut self) {
        self.id.clear();
    }

    /// Correlates and renders the record at hand.
    ///
    /// # Errors
    /// As [`Renderer::render`](crate::format::Renderer::render).
    pub(super) fn render(
        &mut self,
        about: &About<'_>,
        content: &Content<'_, 'a>,
        body: &'a [u8],
        new_occurrences: u32,
        received: Option<Stamp>,
    ) -> Result<Adjusted, RenderError> {
        let Self { delivery, id, rendered, now, .. } = self;
        rendered.clear();
        self.view.with_impact(about, |impact| {
            let record = Record { id, content: *content, new_occurrences, impact, body, received, now: *now };
            delivery.renderer().render(&record, rendered)
        })
    }

    pub(super) fn rendered_bytes(&self) -> usize {
        self.rendered.len()
    }

    /// Sends the batch if the rendered record does not fit. `false`: that failed, and the record must not follow.
    pub(super) fn make_room(&mut self) -> bool {
        self.batch.has_room_for(self.rendered.len()) || self.send()
    }

    /// Adds the rendered record to the batch.
    pub(super) fn add_to_batch(&mut self, entry: BatchEntry<'a>) {
        self.wait_for_one(entry.chunk);
        self.batch.push(&self.id, &self.rendered, entry);
    }

    /// Dead-letters the record at hand.
    pub(super) fn dead_letter(
        &mut self,
        chunk: usize,
        ticket: Ticket,
        body: &[u8],
        reason: &str,
        details: &str,
    ) {
        let entry = DeadLetterEntry { id: &self.id, body, status: None, reason, details };
        if !self.delivery.dead_letter(&entry, ticket, self.ledger) {
            self.fail(chunk);
        }
    }

    /// As [`Delivery::dead_letter_unread`].
    pub(super) fn dead_letter_unread(&mut self, what: &str, why: &str, record: &str, records: u64) -> bool {
        self.delivery.dead_letter_unread(what, why, record, records)
    }

    /// As [`Delivery::has_dead_letters`].
    pub(super) fn has_dead_letters(&self) -> bool {
        self.delivery.has_dead_letters()
    }

    /// Sends the batch. `false`: something failed, and records that were deduplicated before must not follow.
    fn send(&mut self) -> bool {
        let sent = self.delivery.send(&mut self.batch, self.ledger, &mut self.tallies);
        // A request may have taken minutes.
        self.now = now();
        sent
    }

    /// Sends what is left. The chunks of deferred records have no result yet.
    pub(super) fn finish(mut self) -> Vec<Tally> {
        self.send();
        self.tallies
    }
}

/// In whole seconds.
fn now() -> Stamp {
    Stamp::from_unix_seconds(clock::unix_seconds(clock::wall())).unwrap_or(Stamp::EPOCH)
}
