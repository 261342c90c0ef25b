//! Which events wait for the topology, and what becomes of them when the wait is over.

use std::time::Duration;

use super::waiting::{Deferred, MOST_RECORDS, SETTLE};
use super::{Pipeline, Place, Round};
use crate::clock;
use crate::correlate::{About, Awaited};
use crate::kind::Kind;
use crate::ledger::Versioned;
use crate::record::classify::{BodyClass, read_as};
use crate::record::content::Content;
use crate::record::event::KubeEvent;

/// An event that happened so long ago waits no more: it comes from a list at a start, or has waited with the host.
const RECENT_SECONDS: i64 = 60;
/// What waits is looked at so often, if the topology has changed.
const LOOK: Duration = Duration::from_millis(20);

impl Pipeline {
    /// Puts an event aside whose object the topology does not know yet. `false`: it goes on at once.
    pub(super) fn defer(
        &mut self,
        place: Place<'_>,
        body: &[u8],
        content: &Content<'_, '_>,
        versioned: &Versioned,
        round: &mut Round<'_>,
    ) -> bool {
        let Content::Event(event) = content else { return false };
        if self.correlate_wait.is_zero() {
            return false;
        }
        let is_behind_another = self.waiting.holds(versioned.identity);
        let awaited = if is_behind_another { None } else { self.awaited(event, place, versioned, round) };
        if awaited.is_none() && !is_behind_another {
            return false;
        }
        if !self.waiting.has_room_for(body.len(), place.chunk) {
            self.metrics.correlation_not_delayed_records_total.add(1);
            self.log.warn(
                "too many wait for the topology",
                format!(
                    "{} events wait for the topology already, of {MOST_RECORDS} at most; further ones are delivered \
                     without a wait, and may say unknown or stale",
                    self.waiting.records.len()
                ),
            );
            if is_behind_another {
                self.release_event(versioned, round);
            }
            return false;
        }
        let now = clock::monotonic();
        self.metrics.correlation_delayed_records_total.add(1);
        self.waiting.remember(versioned, now);
        self.waiting.add(Deferred {
            chunk: place.chunk,
            tag: place.tag.into(),
            offset: place.offset,
            taken: place.taken,
            body: body.into(),
            versioned: *versioned,
            awaited,
            since_seconds: clock::unix_seconds(clock::wall()),
            until: now + self.correlate_wait,
            settling: None,
        });
        if let Some(tally) = round.tallies.get_mut(place.chunk) {
            tally.wait_for_one();
        }
        true
    }

    /// What a recent event waits for that has not waited before, and is not delivered already.
    fn awaited(
        &self,
        event: &KubeEvent<'_>,
        place: Place<'_>,
        versioned: &Versioned,
        round: &Round<'_>,
    ) -> Option<Awaited> {
        let happened = event.time().or(place.taken)?;
        let is_recent = happened.unix_seconds() > round.now.unix_seconds() - RECENT_SECONDS;
        // While the gateway is away the chunk fails at once, and comes again.
        if !is_recent || !self.delivery.is_open() {
            return None;
        }
        let awaited = self.view.awaited(&About::from(event))?;
        (!self.waiting.has_waited(versioned) && !self.ledger.holds(versioned)).then_some(awaited)
    }

    /// Whether a record that waits may go on.
    #[must_use]
    pub fn is_due(&self) -> bool {
        let now = clock::monotonic();
        self.waiting.next_end().is_some_and(|end| now >= end)
            || (!self.waiting.records.is_empty() && self.view.snapshots() != self.waiting.looked_at)
    }

    /// How long until [`Pipeline::is_due`] is worth asking again; `None`: nothing waits.
    pub(super) fn next_look(&self) -> Option<Duration> {
        (!self.waiting.records.is_empty()).then_some(LOOK)
    }

    /// Lets those go on that need not wait any more.
    pub(super) fn release(&mut self, round: &mut Round<'_>) {
        if self.waiting.records.is_empty() {
            return;
        }
        let now = clock::monotonic();
        let (view, repair) = (&self.view, &self.repair);
        self.waiting.looked_at = view.snapshots();
        // They share what may be looked at for them, apart from what came in the last chunk.
        view.begin_chunk();
        let due = self.waiting.take(|record| {
            let Some(awaited) = record.awaited else { return true };
            if now >= record.until {
                return true;
            }
            if !view.has_come(&awaited) || record.settling.is_some_and(|next| now < next) {
                return false;
            }
            let Some(BodyClass::Event(event)) = read_as(Kind::Event, &record.body, repair) else {
                return true;
            };
            if view.names_services(&About::from(&event)) {
                return true;
            }
            if record.settling.replace(now + SETTLE / 4).is_none() {
                record.until = record.until.min(now + SETTLE);
            }
            false
        });
        self.go_on(due, round);
    }

    /// Lets all versions of one event go on, so that a further one may.
    fn release_event(&mut self, versioned: &Versioned, round: &mut Round<'_>) {
        let due = self.waiting.take(|record| record.versioned.identity == versioned.identity);
        self.go_on(due, round);
    }

    fn go_on(&mut self, due: Vec<Deferred>, round: &mut Round<'_>) {
        for Deferred { chunk, tag, offset, taken, body, versioned, .. } in due {
            let (tag, body): (&str, &[u8]) =
                (round.arena.alloc_str(&tag), round.arena.alloc_slice_copy(&body));
            let place = Place { chunk, tag, offset, taken };
            match read_as(Kind::Event, body, &self.repair) {
                Some(BodyClass::Event(event)) => {
                    self.judge(place, body, &Content::Event(&event), Some(&versioned), round);
                }
                // It was read when it came. Let the host bring it again.
                _ => round.fail(chunk),
            }
            self.repair.take_count();
            if let Some(tally) = round.tallies.get_mut(chunk) {
                tally.settle_one(true);
            }
        }
    }

    /// Chunks of which a record waits, and since when the oldest does, in Unix time.
    #[must_use]
    pub fn deferred(&self) -> (usize, Option<u64>) {
        (self.waiting.tallies.len(), self.waiting.since_seconds())
    }

    /// Publishes what waits.
    pub(super) fn show_waiting(&self) {
        let waiting = &self.waiting;
        self.metrics.correlation_waiting_records.set(waiting.records.len() as u64);
        let since_seconds = waiting.since_seconds().unwrap_or(0);
        self.metrics.correlation_waiting_since_timestamp_seconds.set(since_seconds);
    }
}
