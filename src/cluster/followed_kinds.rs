//! Tracks whether each kind is followed, and since when it is not.
//!
//! ```text
//! Starting ──200 to a watch──► Followed ──lost──► Lost ──200 to a watch──► CatchingUp ──5 s──► Followed
//!     └──────────lost──────────────────────────────▲                            └──lost──► Lost, since the first loss
//! Followed ──ended normally──► Reopening ──200 to a watch──► Followed
//! ```
//! After a loss, a kind counts as current half a second after its watch reopens, and the loss is over after
//! five seconds. So a watch that keeps opening and breaking stays lost.
//!
//! There is no clock and no lock here: the publisher calls this under its own lock and passes the time.
//! `log_decision` decides what is logged.

use std::time::{Duration, Instant};

use super::timing::Timing;
use crate::topology::freshness::Freshness;
use crate::topology::kind::{KINDS, ObjectKind};
use crate::topology::watch::{LossReason, WatchStatus};

/// A kind that is not followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Loss {
    pub kind: ObjectKind,
    pub since: Instant,
    pub reason: LossReason,
    /// Since when this has been the reason.
    pub reason_since: Instant,
    pub why: String,
    pub is_refused: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum State {
    Starting,
    Followed,
    /// The watch ended normally and the next one has no response yet.
    Reopening {
        since: Instant,
    },
    CatchingUp {
        since: Instant,
        loss: Loss,
    },
    Lost(Loss),
}

#[derive(Debug)]
pub(super) struct FollowedKinds {
    pub(super) states: [State; KINDS],
    /// Reasons already named in a WARN, for losses that are not over, by kind.
    pub(super) warned: [Vec<LossReason>; KINDS],
    /// A kind that a WARN named is followed again, and no INFO has said so yet.
    pub(super) is_recovering: bool,
    settle: Duration,
    reopening: Duration,
    pub(super) stale: Duration,
    pub(super) quiet: Duration,
}

impl FollowedKinds {
    pub(super) fn new(timing: &Timing) -> Self {
        Self {
            states: [const { State::Starting }; KINDS],
            warned: [const { Vec::new() }; KINDS],
            is_recovering: false,
            settle: timing.settle,
            reopening: timing.reopening,
            stale: timing.stale,
            quiet: timing.quiet,
        }
    }

    pub(super) fn set_status(&mut self, kind: ObjectKind, status: WatchStatus, now: Instant) {
        let state = &mut self.states[kind.index()];
        match (status, state) {
            (WatchStatus::Followed, state @ (State::Starting | State::Reopening { .. })) => {
                *state = State::Followed
            }
            (WatchStatus::Ended, state @ State::Followed) => *state = State::Reopening { since: now },
            (WatchStatus::Ended, _) | (WatchStatus::Followed, State::Followed | State::CatchingUp { .. }) => {
            }
            (WatchStatus::Followed, state @ State::Lost(_)) => {
                if let State::Lost(loss) = std::mem::replace(state, State::Followed) {
                    *state = State::CatchingUp { since: now, loss };
                }
            }
            (WatchStatus::Lost { reason, why, is_refused }, State::Lost(loss)) => {
                if loss.reason != reason {
                    loss.reason_since = now;
                }
                (loss.reason, loss.why, loss.is_refused) = (reason, why, is_refused);
            }
            // The recovery did not last, so the loss goes on.
            (WatchStatus::Lost { reason, why, is_refused }, state @ State::CatchingUp { .. }) => {
                let State::CatchingUp { loss, .. } = state else { return };
                let reason_since = if loss.reason == reason { loss.reason_since } else { now };
                let loss = Loss { kind, since: loss.since, reason, reason_since, why, is_refused };
                *state = State::Lost(loss);
            }
            (WatchStatus::Lost { reason, why, is_refused }, state) => {
                *state = State::Lost(Loss { kind, since: now, reason, reason_since: now, why, is_refused });
            }
        }
    }

    pub(super) fn freshness(&self, kind: ObjectKind, now: Instant) -> Freshness {
        match &self.states[kind.index()] {
            State::Starting | State::Followed => Freshness::Current,
            State::Reopening { since } if now < *since + self.reopening => Freshness::Current,
            State::Reopening { since } if now >= *since + self.stale => Freshness::Stale,
            State::CatchingUp { since, .. } if now >= *since + self.settle => Freshness::Current,
            State::Reopening { .. } | State::CatchingUp { .. } => Freshness::Behind,
            State::Lost(Loss { is_refused: true, .. }) => Freshness::Refused,
            State::Lost(loss) if now >= loss.since + self.stale => Freshness::Stale,
            State::Lost(_) => Freshness::Behind,
        }
    }

    /// Why a kind is not followed.
    pub(super) fn unfollowed(&self, kind: ObjectKind, now: Instant) -> Option<LossReason> {
        match &self.states[kind.index()] {
            State::Reopening { since } if now >= *since + self.reopening => Some(LossReason::Unreachable),
            _ => self.loss(kind).map(|loss| loss.reason),
        }
    }

    /// The next time at which a result changes without any event.
    pub(super) fn next_change(&self, now: Instant) -> Option<Instant> {
        let of_kind = |state: &State| match state {
            State::Starting | State::Followed => [None; 3],
            State::Reopening { since } => [Some(*since + self.reopening), Some(*since + self.stale), None],
            State::CatchingUp { since, .. } => [Some(*since + self.settle), Some(*since + self.stale), None],
            State::Lost(loss) => [
                Some(loss.since + self.stale),
                Some(loss.since + self.quiet),
                Some(loss.reason_since + self.quiet),
            ],
        };
        self.states.iter().flat_map(of_kind).flatten().filter(|at| *at > now).min()
    }

    fn loss(&self, kind: ObjectKind) -> Option<&Loss> {
        match &self.states[kind.index()] {
            State::Lost(loss) => Some(loss),
            _ => None,
        }
    }

    pub(super) fn losses(&self) -> impl Iterator<Item = &Loss> {
        ObjectKind::ALL.into_iter().filter_map(|kind| self.loss(kind))
    }
}

#[cfg(test)]
pub(super) mod model {
    use super::super::log_decision::LogLine;
    use super::*;
    use crate::clock;

    pub const SECOND: Duration = Duration::from_secs(1);

    pub struct Model {
        pub followed: FollowedKinds,
        pub now: Instant,
    }

    impl Model {
        pub fn new() -> Self {
            let mut model =
                Self { followed: FollowedKinds::new(&Timing::default()), now: clock::monotonic() };
            model.followed(ObjectKind::ALL);
            model
        }

        pub fn followed(&mut self, kinds: impl IntoIterator<Item = ObjectKind>) {
            kinds
                .into_iter()
                .for_each(|kind| self.followed.set_status(kind, WatchStatus::Followed, self.now));
        }

        pub fn lost(
            &mut self,
            kinds: impl IntoIterator<Item = ObjectKind>,
            reason: LossReason,
            is_refused: bool,
        ) {
            for kind in kinds {
                let why = reason.name().to_owned();
                self.followed.set_status(kind, WatchStatus::Lost { reason, why, is_refused }, self.now);
            }
        }

        /// Lets time pass as the clock thread does, and returns the log lines.
        pub fn pass(&mut self, time: Duration) -> Vec<String> {
            let end = self.now + time;
            let mut lines = Vec::new();
            loop {
                lines.extend(self.followed.line(self.now).map(|line| match line {
                    LogLine::NotFollowed(text) => format!("WARN {text}"),
                    LogLine::FollowedAgain(text) => format!("INFO {text}"),
                }));
                assert_eq!(self.followed.line(self.now), None, "once");
                match self.followed.next_change(self.now).filter(|next| *next <= end) {
                    Some(next) => self.now = next,
                    None => break,
                }
            }
            self.now = end;
            lines
        }

        pub fn freshness(&self, kind: ObjectKind) -> Freshness {
            self.followed.freshness(kind, self.now)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::model::{Model, SECOND};
    use super::*;

    #[test]
    fn how_far_a_kind_can_be_believed() {
        let mut model = Model::new();
        assert_eq!(model.freshness(ObjectKind::Pod), Freshness::Current);
        model.lost([ObjectKind::Pod], LossReason::Unreachable, false);
        assert_eq!(model.followed.unfollowed(ObjectKind::Pod, model.now), Some(LossReason::Unreachable));
        assert_eq!(
            (model.freshness(ObjectKind::Pod), model.freshness(ObjectKind::Node)),
            (Freshness::Behind, Freshness::Current)
        );
        model.pass(Duration::from_millis(4_999));
        assert_eq!(model.freshness(ObjectKind::Pod), Freshness::Behind);
        // Another reason, but the same loss.
        model.lost([ObjectKind::Pod], LossReason::Forbidden, false);
        model.pass(Duration::from_millis(1));
        assert_eq!(model.freshness(ObjectKind::Pod), Freshness::Stale);
        model.lost([ObjectKind::Pod], LossReason::Forbidden, true);
        assert_eq!(model.freshness(ObjectKind::Pod), Freshness::Refused);
        model.followed([ObjectKind::Pod]);
        assert_eq!(model.followed.unfollowed(ObjectKind::Pod, model.now), None);
        assert_eq!(model.freshness(ObjectKind::Pod), Freshness::Behind, "it may not have caught up");
        model.pass(Duration::from_millis(499));
        model.followed([ObjectKind::Pod]);
        assert_eq!(model.freshness(ObjectKind::Pod), Freshness::Behind);
        model.pass(Duration::from_millis(1));
        assert_eq!(model.freshness(ObjectKind::Pod), Freshness::Current);
    }

    #[test]
    fn a_watch_that_ended_is_opened_again_at_once_or_is_not_followed() {
        let mut model = Model::new();
        model.followed.set_status(ObjectKind::Pod, WatchStatus::Ended, model.now);
        assert_eq!(
            (model.freshness(ObjectKind::Pod), model.followed.unfollowed(ObjectKind::Pod, model.now)),
            (Freshness::Current, None)
        );
        model.pass(SECOND);
        assert_eq!(model.freshness(ObjectKind::Pod), Freshness::Behind);
        assert_eq!(model.followed.unfollowed(ObjectKind::Pod, model.now), Some(LossReason::Unreachable));
        model.pass(4 * SECOND);
        assert_eq!(model.freshness(ObjectKind::Pod), Freshness::Stale);
        model.followed([ObjectKind::Pod]);
        assert_eq!(model.freshness(ObjectKind::Pod), Freshness::Current);
    }
}
