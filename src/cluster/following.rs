//! Whether each kind is followed, since when it is not, and what is to be said of that.
//!
//! ```text
//! Starting ──200 to a watch──► Followed ──lost──► Lost ──200 to a watch──► CatchingUp ──500 ms──► Followed
//!     └──────────lost──────────────────────────────▲                            └──lost──► Lost
//! ```
//! It has no clock and no lock: the board calls it under its own, with the time. A restart of the API server, a token that
//! is exchanged, a role that is bound after its pod has started: all that passes within seconds, and nobody has to be told.

use std::time::{Duration, Instant};

use super::timing::Timing;
use super::words;
use crate::topology::freshness::Freshness;
use crate::topology::kind::{KINDS, Kind};
use crate::topology::watch::{Following as Turn, Reason};

/// A kind that is lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Loss {
    pub kind: Kind,
    pub since: Instant,
    pub reason: Reason,
    /// Since when the reason is this one.
    pub reason_since: Instant,
    pub why: String,
    pub is_refused: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum State {
    Starting,
    Followed,
    CatchingUp { until: Instant },
    Lost(Loss),
}

/// A line for the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Line {
    /// WARN.
    NotFollowed(String),
    /// INFO.
    FollowedAgain(String),
}

#[derive(Debug)]
pub(super) struct Following {
    states: [State; KINDS],
    /// The losses that a WARN has named and that are not over, by kind.
    told: [Vec<Reason>; KINDS],
    /// A kind that a WARN has named is followed again, and nobody was told yet.
    is_recovering: bool,
    settle: Duration,
    stale: Duration,
    quiet: Duration,
}

impl Following {
    pub(super) fn new(timing: &Timing) -> Self {
        Self {
            states: [const { State::Starting }; KINDS],
            told: [const { Vec::new() }; KINDS],
            is_recovering: false,
            settle: timing.settle,
            stale: timing.stale,
            quiet: timing.quiet,
        }
    }

    pub(super) fn turn(&mut self, kind: Kind, turn: Turn, now: Instant) {
        let state = &mut self.states[kind.index()];
        match (turn, state) {
            (Turn::Followed, state @ State::Starting) => *state = State::Followed,
            (Turn::Followed, State::Followed | State::CatchingUp { .. }) => {}
            (Turn::Followed, state @ State::Lost(_)) => {
                *state = State::CatchingUp { until: now + self.settle };
                let told = &mut self.told[kind.index()];
                self.is_recovering |= !told.is_empty();
                told.clear();
            }
            (Turn::Lost { reason, why, is_refused }, State::Lost(loss)) => {
                if loss.reason != reason {
                    loss.reason_since = now;
                }
                (loss.reason, loss.why, loss.is_refused) = (reason, why, is_refused);
            }
            (Turn::Lost { reason, why, is_refused }, state) => {
                *state = State::Lost(Loss { kind, since: now, reason, reason_since: now, why, is_refused });
            }
        }
    }

    pub(super) fn freshness(&self, kind: Kind, now: Instant) -> Freshness {
        match &self.states[kind.index()] {
            State::Starting | State::Followed => Freshness::Current,
            State::CatchingUp { until } if now >= *until => Freshness::Current,
            State::CatchingUp { .. } => Freshness::Behind,
            State::Lost(Loss { is_refused: true, .. }) => Freshness::Refused,
            State::Lost(loss) if now >= loss.since + self.stale => Freshness::Stale,
            State::Lost(_) => Freshness::Behind,
        }
    }

    /// Why a kind is not followed.
    pub(super) fn unfollowed(&self, kind: Kind) -> Option<Reason> {
        self.loss(kind).map(|loss| loss.reason)
    }

    /// When time alone changes what is said here next.
    pub(super) fn next_change(&self, now: Instant) -> Option<Instant> {
        let of_kind = |state: &State| match state {
            State::Starting | State::Followed => [None; 3],
            State::CatchingUp { until } => [Some(*until), None, None],
            State::Lost(loss) => [
                Some(loss.since + self.stale),
                Some(loss.since + self.quiet),
                Some(loss.reason_since + self.quiet),
            ],
        };
        self.states.iter().flat_map(of_kind).flatten().filter(|at| *at > now).min()
    }

    /// What is to be said now, once.
    pub(super) fn line(&mut self, now: Instant) -> Option<Line> {
        let is_news = |loss: &&Loss| {
            let told = &self.told[loss.kind.index()];
            let since = if told.is_empty() { loss.since } else { loss.reason_since };
            now >= since + self.quiet && !told.contains(&loss.reason)
        };
        if self.losses().any(|loss| is_news(&loss)) {
            // All that is lost, but what may be over in a moment.
            let least = self.stale.min(self.quiet);
            let lasting: Vec<Loss> =
                self.losses().filter(|loss| loss.is_refused || now >= loss.since + least).cloned().collect();
            for loss in &lasting {
                let told = &mut self.told[loss.kind.index()];
                if !told.contains(&loss.reason) {
                    told.push(loss.reason);
                }
            }
            return Some(Line::NotFollowed(words::not_followed(&lasting, now)));
        }
        if !self.is_recovering || self.losses().any(|loss| !loss.is_refused) {
            return None;
        }
        self.is_recovering = false;
        let refused: Vec<Loss> = self.losses().cloned().collect();
        Some(Line::FollowedAgain(words::followed_again(&refused)))
    }

    fn loss(&self, kind: Kind) -> Option<&Loss> {
        match &self.states[kind.index()] {
            State::Lost(loss) => Some(loss),
            _ => None,
        }
    }

    fn losses(&self) -> impl Iterator<Item = &Loss> {
        Kind::ALL.into_iter().filter_map(|kind| self.loss(kind))
    }
}
