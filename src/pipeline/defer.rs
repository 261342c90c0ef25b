//! Defer: decides which events wait for the topology, and when the wait is over.

use std::sync::Arc;
use std::time::Duration;

use super::deferred::{Deferred, DeferredRecords, GRACE, MOST_RECORDS};
use super::round::{Decoded, Place, Round};
use crate::clock;
use crate::cluster::View;
use crate::correlate::{About, Awaited};
use crate::job::Tally;
use crate::kind::Kind;
use crate::log::HostLog;
use crate::metrics::Metrics;
use crate::record::classify::{BodyClass, read_as};
use crate::record::content::Content;
use crate::record::event::KubeEvent;
use crate::record::identity::Versioned;
use crate::record::text::Repair;

/// Older events do not wait: they come from a list at a start, or have waited with the host.
const RECENT_SECONDS: i64 = 60;
/// How often deferred records are looked at while the topology changes.
const LOOK: Duration = Duration::from_millis(20);

pub(super) struct Deferrer {
    deferred: DeferredRecords,
    /// How long an event waits for its object at most; zero: none waits.
    wait: Duration,
    /// How often the topology had changed when the records were last looked at.
    looked_at: u64,
    metrics: Arc<Metrics>,
    log: Arc<HostLog>,
}

/// What a record does now.
pub(super) enum Deferral {
    /// Its chunk stays open for it.
    Waits,
    /// It goes on, behind these earlier versions of it.
    GoesOn { after: Vec<Deferred> },
}

impl Deferrer {
    pub(super) fn new(wait: Duration, metrics: &Arc<Metrics>, log: &Arc<HostLog>) -> Self {
        let (metrics, log) = (Arc::clone(metrics), Arc::clone(log));
        Self { deferred: DeferredRecords::default(), wait, looked_at: 0, metrics, log }
    }

    /// Defers an event if the topology does not know its object yet, or if an earlier version of it waits.
    pub(super) fn defer(
        &mut self,
        record: &Decoded<'_, '_>,
        versioned: &Versioned,
        round: &mut Round<'_>,
    ) -> Deferral {
        let at_once = Deferral::GoesOn { after: Vec::new() };
        let Content::Event(event) = record.content else { return at_once };
        if self.wait.is_zero() {
            return at_once;
        }
        let (place, body) = (record.place, record.body);
        let is_behind_another = self.deferred.holds(versioned.identity);
        let awaited = if is_behind_another { None } else { self.awaited(event, place, versioned, round) };
        if awaited.is_none() && !is_behind_another {
            return at_once;
        }
        if !self.deferred.has_room_for(body.len(), place.chunk) {
            self.metrics.correlation_not_delayed_records_total.add(1);
            self.log.warn(
                "too many wait for the topology",
                format!(
                    "{} events wait for the topology already, of {MOST_RECORDS} at most; further ones are delivered \
                     without a wait, and may say unknown or stale",
                    self.deferred.len()
                ),
            );
            if !is_behind_another {
                return at_once;
            }
            let after = self.deferred.take(|record| record.versioned.identity == versioned.identity);
            return Deferral::GoesOn { after };
        }
        let now = clock::monotonic();
        self.metrics.correlation_delayed_records_total.add(1);
        self.deferred.remember(versioned, now);
        self.deferred.add(Deferred {
            chunk: place.chunk,
            tag: place.tag.into(),
            offset: place.offset,
            received: place.received,
            body: body.into(),
            versioned: *versioned,
            awaited,
            since_seconds: clock::unix_seconds(clock::wall()),
            until: now + self.wait,
            look_again: None,
        });
        round.wait_for_one(place.chunk);
        Deferral::Waits
    }

    /// What an event waits for. Only a recent one waits, once, and not if it was delivered already.
    fn awaited(
        &self,
        event: &KubeEvent<'_>,
        place: Place<'_>,
        versioned: &Versioned,
        round: &Round<'_>,
    ) -> Option<Awaited> {
        let happened = event.time().or(place.received)?;
        let is_recent = happened.unix_seconds() > round.now().unix_seconds() - RECENT_SECONDS;
        // While the endpoint is closed the chunk fails at once, and comes again.
        if !is_recent || !round.is_open() {
            return None;
        }
        let awaited = round.view().awaited(&About::from(event))?;
        (!self.deferred.has_waited(versioned) && !round.was_delivered(versioned)).then_some(awaited)
    }

    /// Whether a deferred record may go on.
    pub(super) fn is_due(&self, view: &View) -> bool {
        let now = clock::monotonic();
        self.deferred.next_end().is_some_and(|end| now >= end)
            || (!self.deferred.is_empty() && view.snapshots() != self.looked_at)
    }

    /// How long until [`Deferrer::is_due`] is worth asking again; `None`: nothing waits.
    pub(super) fn next_look(&self) -> Option<Duration> {
        (!self.deferred.is_empty()).then_some(LOOK)
    }

    /// Takes out the records that need not wait any more.
    pub(super) fn take_due(&mut self, view: &View) -> Vec<Deferred> {
        if self.deferred.is_empty() {
            return Vec::new();
        }
        let (now, repair) = (clock::monotonic(), Repair::default());
        self.looked_at = view.snapshots();
        // They share one budget of correlation, apart from that of the last chunk.
        view.begin_chunk();
        self.deferred.take(|record| {
            let Some(awaited) = record.awaited else { return true };
            if now >= record.until {
                return true;
            }
            if !view.has_come(&awaited) || record.look_again.is_some_and(|next| now < next) {
                return false;
            }
            let Some(BodyClass::Event(event)) = read_as(Kind::Event, &record.body, &repair) else {
                return true;
            };
            if view.names_services(&About::from(&event)) {
                return true;
            }
            if record.look_again.replace(now + GRACE / 4).is_none() {
                record.until = record.until.min(now + GRACE);
            }
            false
        })
    }

    /// The tallies of the chunks that stay open, for a round.
    pub(super) fn take_tallies(&mut self) -> Vec<Tally> {
        self.deferred.take_tallies()
    }

    /// Takes the tallies of a round back, and drops those of chunks without a deferred record.
    pub(super) fn end_round(&mut self, tallies: Vec<Tally>) {
        self.deferred.end_round(tallies);
        self.publish();
    }

    /// Drops everything; the host brings it again.
    pub(super) fn clear(&mut self) {
        self.deferred.clear();
        self.publish();
    }

    /// How many chunks stay open for a deferred record, and since when the oldest waits, in Unix time.
    pub(super) fn deferred(&self) -> (usize, Option<u64>) {
        (self.deferred.open_chunks(), self.deferred.since_seconds())
    }

    fn publish(&self) {
        self.metrics.correlation_waiting_records.set(self.deferred.len() as u64);
        let since_seconds = self.deferred.since_seconds().unwrap_or(0);
        self.metrics.correlation_waiting_since_timestamp_seconds.set(since_seconds);
    }
}
