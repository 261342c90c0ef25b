//! Holds the published snapshot and builds the next one.
//!
//! Reflectors parse without the lock and hold it only to apply changes. A snapshot costs a few reference
//! counts, but changes after it copy what they touch. So snapshots are at least [`Timing::publication`]
//! apart, and the clock thread publishes changes that had to wait.
//!
//! A change of freshness is published at once: an event that arrives now must not see a kind as fresher than
//! it is.
//!
//! [`Timing::publication`]: super::Timing

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use arc_swap::{ArcSwap, Guard};

use super::followed_kinds::FollowedKinds;
use super::log_decision::LogLine;
use super::numbers::Numbers;
use super::timing::Timing;
use crate::clock;
use crate::failpoint;
use crate::log::HostLog;
use crate::topology::index::Index;
use crate::topology::kind::ObjectKind;
use crate::topology::watch::{LossReason, ObjectChange, WatchStatus};
use crate::topology::writer::IndexWriter;

pub(super) struct Publisher {
    current: ArcSwap<Index>,
    next: Mutex<NextSnapshot>,
    /// Notified when there is something to publish, or on stop.
    waiting: Condvar,
    numbers: Arc<Numbers>,
    log: Arc<HostLog>,
    /// Minimum time between two snapshots.
    interval: Duration,
}

struct NextSnapshot {
    writer: IndexWriter,
    followed: FollowedKinds,
    published: Option<Instant>,
    is_pending: bool,
    is_stopping: bool,
}

impl Publisher {
    pub(super) fn new(
        writer: IndexWriter,
        numbers: Arc<Numbers>,
        log: Arc<HostLog>,
        timing: &Timing,
    ) -> Self {
        let followed = FollowedKinds::new(timing);
        let next = NextSnapshot { writer, followed, published: None, is_pending: false, is_stopping: false };
        let publisher = Self {
            current: ArcSwap::default(),
            next: Mutex::new(next),
            waiting: Condvar::new(),
            numbers,
            log,
            interval: timing.publication,
        };
        publisher.publish(&mut publisher.lock());
        publisher
    }

    /// The latest snapshot. Never waits.
    pub(super) fn current(&self) -> Guard<Arc<Index>> {
        self.current.load()
    }

    /// Applies a batch of changes and the new status of the kind.
    pub(super) fn apply(&self, kind: ObjectKind, changes: Vec<ObjectChange>, status: Option<WatchStatus>) {
        if changes.is_empty() && status.is_none() {
            return;
        }
        let mut next = self.lock();
        failpoint::hit("apply");
        for change in changes {
            match change {
                ObjectChange::Listed(objects) => next.writer.replace(kind, objects),
                ObjectChange::Put(object) => next.writer.put(object),
                ObjectChange::Deleted(last) => next.writer.delete(last),
                ObjectChange::GivenUp => next.writer.give_up(kind),
            }
        }
        let now = clock::monotonic();
        let has_status = status.is_some();
        if let Some(status) = status {
            next.followed.set_status(kind, status, now);
        }
        let is_urgent = self.update_freshness(&mut next, now);
        if is_urgent || next.published.is_none_or(|published| now >= published + self.interval) {
            self.publish(&mut next);
            if has_status {
                // The clock thread must compute its wait again.
                drop(next);
                self.waiting.notify_one();
            }
        } else if !std::mem::replace(&mut next.is_pending, true) {
            drop(next);
            self.waiting.notify_one();
        }
    }

    /// Publishes pending changes when they are due, until `until`. `false` means stop.
    pub(super) fn publish_pending(&self, until: Instant) -> bool {
        let mut next = self.lock();
        loop {
            let now = clock::monotonic();
            if next.is_stopping {
                return false;
            }
            let is_urgent = self.update_freshness(&mut next, now);
            let due = next.published.filter(|_| next.is_pending).map(|published| published + self.interval);
            if is_urgent || due.is_some_and(|due| now >= due) {
                self.publish(&mut next);
                continue;
            }
            let times = [due, next.followed.next_change(now)];
            let wait = times.into_iter().flatten().fold(until, Instant::min).saturating_duration_since(now);
            if wait.is_zero() {
                return true;
            }
            next = self.waiting.wait_timeout(next, wait).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Sets the time and erases expired tombstones.
    pub(super) fn tick(&self) {
        let mut next = self.lock();
        next.writer.set_time(clock::unix_seconds(clock::wall()));
        let before = next.writer.len();
        self.numbers.evicted_tombstones.add(next.writer.expire());
        if next.writer.len() != before {
            self.publish(&mut next);
        }
    }

    /// Lends the writer, for changes that do not come from the API server.
    pub(super) fn write(&self, write: impl FnOnce(&mut IndexWriter)) {
        let mut next = self.lock();
        write(&mut next.writer);
        self.publish(&mut next);
    }

    /// Updates the freshness of each kind and writes log lines. Returns whether a freshness changed and must
    /// be published.
    fn update_freshness(&self, next: &mut NextSnapshot, now: Instant) -> bool {
        let NextSnapshot { writer, followed, .. } = next;
        let mut is_news = false;
        for kind in ObjectKind::ALL {
            is_news |= writer.set_freshness(kind, followed.freshness(kind, now));
            let reason = followed.unfollowed(kind, now);
            let place = reason.and_then(|reason| LossReason::ALL.iter().position(|other| *other == reason));
            self.numbers.unfollowed[kind.index()].set(place.map_or(0, |place| place as u64 + 1));
        }
        match followed.line(now) {
            Some(LogLine::NotFollowed(text)) => self.log.warn("topology not followed", text),
            Some(LogLine::FollowedAgain(text)) => self.log.info("topology followed again", text),
            None => {}
        }
        is_news
    }

    pub(super) fn stop(&self) {
        self.lock().is_stopping = true;
        self.waiting.notify_all();
    }

    fn publish(&self, next: &mut NextSnapshot) {
        let index = next.writer.snapshot();
        self.numbers.objects.set(index.len() as u64);
        self.current.store(Arc::new(index));
        // After the store: a reader that sees this number finds this snapshot or a later one.
        self.numbers.snapshots.add(1);
        next.published = Some(clock::monotonic());
        next.is_pending = false;
    }

    /// If a thread panicked while holding the lock, its kind is listed again, so the poisoned state can be
    /// used.
    fn lock(&self) -> MutexGuard<'_, NextSnapshot> {
        self.next.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
