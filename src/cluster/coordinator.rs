//! Coordinates the reflectors: whose turn it is to retry during an outage, and when one of them succeeds.
//!
//! Fourteen kinds with separate backoffs would send many requests to a dead API server and still notice its
//! return late. So the kinds without a response take turns, one try per second in total, and the first 200
//! wakes all others.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::clock;
use crate::net::stop::Stopper;
use crate::topology::kind::{KINDS, ObjectKind};
use crate::topology::watch::{OtherKinds, WatchStatus};

pub(super) struct Coordinator {
    state: Mutex<State>,
    changed: Condvar,
    /// Time between two tries.
    interval: Duration,
}

#[derive(Default)]
struct State {
    /// When the next try is due; `None` means at once.
    due: Option<Instant>,
    /// How often all kinds were woken.
    wakes: u64,
    woke: Option<Instant>,
    served: [Option<Instant>; KINDS],
    followed: [bool; KINDS],
    /// How often a restored etcd was found.
    restores: u64,
    stoppers: Vec<(ObjectKind, Stopper)>,
    is_stopping: bool,
}

impl Coordinator {
    pub(super) fn new(interval: Duration) -> Self {
        Self { state: Mutex::default(), changed: Condvar::new(), interval }
    }

    /// How often all kinds were woken so far. A wait starts from this number, so that it misses no wake-up.
    pub(super) fn wakes(&self) -> u64 {
        self.lock().wakes
    }

    /// Waits for the caller's turn, or until all were woken since `seen`.
    pub(super) fn wait_for_turn(&self, seen: u64) {
        let mut state = self.lock();
        loop {
            let now = clock::monotonic();
            if state.is_stopping || state.wakes != seen {
                return;
            }
            let wait = state.due.map_or(Duration::ZERO, |due| due.saturating_duration_since(now));
            if wait.is_zero() {
                state.due = Some(now + self.interval);
                return;
            }
            state = self.changed.wait_timeout(state, wait).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Waits until a time. `true` means that all were woken since `seen`.
    pub(super) fn wait_until(&self, until: Instant, seen: u64) -> bool {
        let mut state = self.lock();
        loop {
            let wait = until.saturating_duration_since(clock::monotonic());
            if state.wakes != seen {
                return true;
            }
            if state.is_stopping || wait.is_zero() {
                return false;
            }
            state = self.changed.wait_timeout(state, wait).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Records that a kind got a 200.
    pub(super) fn served(&self, kind: ObjectKind) {
        self.lock().served[kind.index()] = Some(clock::monotonic());
    }

    /// Wakes all waiting kinds, because one succeeded after a failure. The rate is limited, because an API
    /// server that alternates between success and failure would otherwise make all kinds spin.
    pub(super) fn wake_all(&self) {
        let mut state = self.lock();
        let now = clock::monotonic();
        if state.woke.is_none_or(|woke| now >= woke + self.interval) {
            state.woke = Some(now);
            state.wakes += 1;
            drop(state);
            self.changed.notify_all();
        }
    }

    pub(super) fn set_status(&self, kind: ObjectKind, following: &WatchStatus) {
        // A watch that ended normally says nothing about the API server.
        if *following != WatchStatus::Ended {
            self.lock().followed[kind.index()] = *following == WatchStatus::Followed;
        }
    }

    /// How all kinds but this one fare.
    pub(super) fn others(&self, kind: ObjectKind) -> OtherKinds {
        let state = self.lock();
        let but_this = |index: &usize| *index != kind.index();
        let served = (0..KINDS).filter(but_this).filter_map(|index| state.served[index]).max();
        OtherKinds { served, followed: (0..KINDS).filter(but_this).any(|index| state.followed[index]) }
    }

    pub(super) fn register(&self, kind: ObjectKind, stopper: Stopper) {
        self.lock().stoppers.push((kind, stopper));
    }

    /// How often a restored etcd was found so far.
    pub(super) fn restores(&self) -> u64 {
        self.lock().restores
    }

    /// Records that a kind found a restored etcd. Watches of the other kinds may stay silent indefinitely, so
    /// they are interrupted. Returns whether this kind is the first to find it, among those that had `seen`
    /// this count.
    pub(super) fn restored(&self, kind: ObjectKind, seen: u64) -> bool {
        let mut state = self.lock();
        if state.restores != seen {
            return false;
        }
        state.restores += 1;
        let others: Vec<Stopper> = state
            .stoppers
            .iter()
            .filter(|(other, _)| *other != kind)
            .map(|(_, stopper)| stopper.clone())
            .collect();
        drop(state);
        // Outside the lock, because it closes sockets.
        others.iter().for_each(Stopper::interrupt);
        true
    }

    pub(super) fn stop(&self) {
        self.lock().is_stopping = true;
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    const BOUND: Duration = Duration::from_secs(30);

    #[test]
    fn one_turn_at_a_time_and_a_wake_for_all() {
        let coordinator = Coordinator::new(Duration::from_millis(200));
        let taken = AtomicUsize::new(0);
        let began = clock::monotonic();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..2 {
                        coordinator.wait_for_turn(0);
                        taken.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
        });
        assert_eq!(taken.load(Ordering::Relaxed), 8);
        assert!(clock::monotonic() - began >= Duration::from_millis(7 * 200), "the first is at once");

        let coordinator = Coordinator::new(BOUND);
        coordinator.wait_for_turn(0);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| coordinator.wait_for_turn(0));
            }
            let waiting = scope.spawn(|| coordinator.wait_until(clock::monotonic() + BOUND, 0));
            coordinator.wake_all();
            assert!(waiting.join().is_ok_and(|woken| woken));
        });
        // A kind that sent its request before the wake-up and failed after it misses nothing.
        assert!(coordinator.wait_until(clock::monotonic() + BOUND, 0));
        // A second wake-up does not follow at once.
        coordinator.wake_all();
        assert_eq!(coordinator.wakes(), 1);
        coordinator.stop();
        coordinator.wait_for_turn(1);
        assert!(!coordinator.wait_until(clock::monotonic() + BOUND, 1));
        assert!(clock::monotonic() - began < BOUND);
    }

    #[test]
    fn how_the_others_fare() {
        let coordinator = Coordinator::new(BOUND);
        coordinator.served(ObjectKind::Pod);
        coordinator.set_status(ObjectKind::Pod, &WatchStatus::Followed);
        let shown = |kind| {
            let OtherKinds { served, followed } = coordinator.others(kind);
            (served.is_some(), followed)
        };
        assert_eq!((shown(ObjectKind::Pod), shown(ObjectKind::Node)), ((false, false), (true, true)));
    }

    #[test]
    fn a_restore_is_found_once() {
        let coordinator = Coordinator::new(BOUND);
        assert!(coordinator.restored(ObjectKind::Pod, 0));
        assert!(!coordinator.restored(ObjectKind::Node, 0), "the others find the same");
        assert!(coordinator.restored(ObjectKind::Node, coordinator.restores()));
    }
}
