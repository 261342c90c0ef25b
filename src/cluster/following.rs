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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;

    const SECOND: Duration = Duration::from_secs(1);

    struct Model {
        following: Following,
        now: Instant,
    }

    impl Model {
        fn new() -> Self {
            let mut model = Self { following: Following::new(&Timing::default()), now: clock::monotonic() };
            model.followed(Kind::ALL);
            model
        }

        fn followed(&mut self, kinds: impl IntoIterator<Item = Kind>) {
            kinds.into_iter().for_each(|kind| self.following.turn(kind, Turn::Followed, self.now));
        }

        fn lost(&mut self, kinds: impl IntoIterator<Item = Kind>, reason: Reason, is_refused: bool) {
            for kind in kinds {
                let why = reason.name().to_owned();
                self.following.turn(kind, Turn::Lost { reason, why, is_refused }, self.now);
            }
        }

        /// Lets time go by as the clock's thread does, and answers what was said.
        fn pass(&mut self, time: Duration) -> Vec<String> {
            let end = self.now + time;
            let mut lines = Vec::new();
            loop {
                lines.extend(self.following.line(self.now).map(|line| match line {
                    Line::NotFollowed(text) => format!("WARN {text}"),
                    Line::FollowedAgain(text) => format!("INFO {text}"),
                }));
                assert_eq!(self.following.line(self.now), None, "once");
                match self.following.next_change(self.now).filter(|next| *next <= end) {
                    Some(next) => self.now = next,
                    None => break,
                }
            }
            self.now = end;
            lines
        }

        fn freshness(&self, kind: Kind) -> Freshness {
            self.following.freshness(kind, self.now)
        }
    }

    #[test]
    fn how_far_a_kind_can_be_believed() {
        let mut model = Model::new();
        assert_eq!(model.freshness(Kind::Pod), Freshness::Current);
        model.lost([Kind::Pod], Reason::Unreachable, false);
        assert_eq!(model.following.unfollowed(Kind::Pod), Some(Reason::Unreachable));
        assert_eq!(
            (model.freshness(Kind::Pod), model.freshness(Kind::Node)),
            (Freshness::Behind, Freshness::Current)
        );
        model.pass(Duration::from_millis(4_999));
        assert_eq!(model.freshness(Kind::Pod), Freshness::Behind);
        // Another reason, and still the same loss.
        model.lost([Kind::Pod], Reason::Forbidden, false);
        model.pass(Duration::from_millis(1));
        assert_eq!(model.freshness(Kind::Pod), Freshness::Stale);
        model.lost([Kind::Pod], Reason::Forbidden, true);
        assert_eq!(model.freshness(Kind::Pod), Freshness::Refused);
        model.followed([Kind::Pod]);
        assert_eq!(model.following.unfollowed(Kind::Pod), None);
        assert_eq!(model.freshness(Kind::Pod), Freshness::Behind, "it may not have caught up");
        model.pass(Duration::from_millis(499));
        model.followed([Kind::Pod]);
        assert_eq!(model.freshness(Kind::Pod), Freshness::Behind);
        model.pass(Duration::from_millis(1));
        assert_eq!(model.freshness(Kind::Pod), Freshness::Current);
    }

    #[test]
    fn what_is_over_within_half_a_minute_is_not_said() {
        let mut model = Model::new();
        for reason in Reason::ALL {
            model.lost(Kind::ALL, reason, reason == Reason::Forbidden);
            assert_eq!(model.pass(4 * SECOND), [""; 0]);
        }
        model.followed(Kind::ALL);
        assert_eq!(model.pass(100 * SECOND), [""; 0]);
    }

    #[test]
    fn one_line_for_all_and_one_when_it_is_over() {
        let mut model = Model::new();
        for kind in Kind::ALL {
            model.lost([kind], Reason::Unreachable, false);
            assert_eq!(model.pass(SECOND), [""; 0]);
        }
        assert_eq!(
            model.pass(600 * SECOND),
            [
                "WARN services, endpointslices, pods and 11 more are not followed since 30 s: unreachable (look at kube_url, \
              and at the API server); events about them say stale; what is known of them stays in use"
            ]
        );
        // The API server is back, and its answers are not those that are wanted: each kind finds that out at its turn.
        for kind in Kind::ALL {
            model.lost([kind], Reason::Unauthorized, false);
            assert_eq!(model.pass(SECOND), [""; 0]);
        }
        let lines = model.pass(600 * SECOND);
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(lines[0].contains("and 11 more") && lines[0].contains("kube_token_file"), "{lines:?}");
        // And back: nothing new.
        model.lost(Kind::ALL, Reason::Unreachable, false);
        assert_eq!(model.pass(600 * SECOND), [""; 0]);
        model.followed(Kind::ALL.into_iter().skip(1));
        assert_eq!(model.pass(SECOND), [""; 0], "not all");
        model.followed(Kind::ALL);
        assert_eq!(model.pass(600 * SECOND), ["INFO all of the cluster is followed again"]);
    }

    #[test]
    fn a_kind_that_stays_refused_is_named_and_does_not_keep_the_rest_from_being_well() {
        let mut model = Model::new();
        model.lost([Kind::Ingress, Kind::Pod], Reason::Forbidden, true);
        model.lost([Kind::HorizontalPodAutoscaler], Reason::NotServed, true);
        let lines = model.pass(600 * SECOND);
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(
            lines[0].starts_with(
                "WARN pods and ingresses are not followed since 30 s: the ClusterRole needs list and watch on pods in the \
                 group \"\", ingresses in the group \"networking.k8s.io\" (403); horizontalpodautoscalers are not followed \
                 since 30 s: this API server does not serve /apis/autoscaling/v2/horizontalpodautoscalers (404)"
            ),
            "{lines:?}"
        );
        model.lost([Kind::Service], Reason::ServerError, false);
        assert_eq!(model.pass(60 * SECOND).len(), 1);
        model.followed([Kind::Service]);
        assert_eq!(
            model.pass(60 * SECOND),
            ["INFO the cluster is followed again, but for what the API server refuses: pods, \
              horizontalpodautoscalers and ingresses"]
        );
        model.followed(Kind::ALL);
        assert_eq!(model.pass(60 * SECOND), ["INFO all of the cluster is followed again"]);
    }
}
