//! Decides when a loss is logged: once, if it lasts, with all lost kinds in one line; and once when it is
//! over.
//!
//! A restart of the API server, a token rotation or a role bound after the pod's start is over within
//! seconds, so it is not logged.

use std::time::Instant;

use super::followed_kinds::{FollowedKinds, Loss, State};
use super::log_text;

/// A log line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum LogLine {
    /// WARN.
    NotFollowed(String),
    /// INFO.
    FollowedAgain(String),
}

impl FollowedKinds {
    /// The line to log now, if any. Each line is returned once.
    pub(super) fn line(&mut self, now: Instant) -> Option<LogLine> {
        for (state, warned) in self.states.iter_mut().zip(&mut self.warned) {
            if matches!(state, State::CatchingUp { since, .. } if now >= *since + self.stale) {
                *state = State::Followed;
                self.is_recovering |= !warned.is_empty();
                warned.clear();
            }
        }
        let is_news = |loss: &&Loss| {
            let warned = &self.warned[loss.kind.index()];
            let since = if warned.is_empty() { loss.since } else { loss.reason_since };
            now >= since + self.quiet && !warned.contains(&loss.reason)
        };
        if self.losses().any(|loss| is_news(&loss)) {
            // All lost kinds, except those that may recover in a moment.
            let least = self.stale.min(self.quiet);
            let lasting: Vec<Loss> =
                self.losses().filter(|loss| loss.is_refused || now >= loss.since + least).cloned().collect();
            for loss in &lasting {
                let warned = &mut self.warned[loss.kind.index()];
                if !warned.contains(&loss.reason) {
                    warned.push(loss.reason);
                }
            }
            return Some(LogLine::NotFollowed(log_text::not_followed(&lasting, now)));
        }
        let is_catching_up = self.states.iter().any(|state| matches!(state, State::CatchingUp { .. }));
        if !self.is_recovering || is_catching_up || self.losses().any(|loss| !loss.is_refused) {
            return None;
        }
        self.is_recovering = false;
        let refused: Vec<Loss> = self.losses().cloned().collect();
        Some(LogLine::FollowedAgain(log_text::followed_again(&refused)))
    }
}

#[cfg(test)]
mod tests {

    use super::super::followed_kinds::model::{Model, SECOND};
    use crate::topology::freshness::Freshness;
    use crate::topology::kind::ObjectKind;
    use crate::topology::watch::LossReason;

    #[test]
    fn what_is_over_within_half_a_minute_is_not_said() {
        let mut model = Model::new();
        for reason in LossReason::ALL {
            model.lost(ObjectKind::ALL, reason, reason == LossReason::Forbidden);
            assert_eq!(model.pass(4 * SECOND), [""; 0]);
        }
        model.followed(ObjectKind::ALL);
        assert_eq!(model.pass(100 * SECOND), [""; 0]);
    }

    #[test]
    fn one_line_for_all_and_one_when_it_is_over() {
        let mut model = Model::new();
        for kind in ObjectKind::ALL {
            model.lost([kind], LossReason::Unreachable, false);
            assert_eq!(model.pass(SECOND), [""; 0]);
        }
        assert_eq!(
            model.pass(600 * SECOND),
            [
                "WARN services, endpointslices, pods and 11 more have not been followed for 30 s: unreachable (look at kube_url, \
              and at the API server); events that need them say stale; their last known state stays in use"
            ]
        );
        // The API server is back but refuses every request; each kind finds that out at its turn.
        for kind in ObjectKind::ALL {
            model.lost([kind], LossReason::Unauthorized, false);
            assert_eq!(model.pass(SECOND), [""; 0]);
        }
        let lines = model.pass(600 * SECOND);
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(lines[0].contains("and 11 more") && lines[0].contains("kube_token_file"), "{lines:?}");
        // The old reason again: nothing new.
        model.lost(ObjectKind::ALL, LossReason::Unreachable, false);
        assert_eq!(model.pass(600 * SECOND), [""; 0]);
        model.followed(ObjectKind::ALL.into_iter().skip(1));
        assert_eq!(model.pass(SECOND), [""; 0], "not all");
        model.followed(ObjectKind::ALL);
        assert_eq!(model.pass(4 * SECOND), [""; 0], "it may break off again");
        assert_eq!(model.pass(600 * SECOND), ["INFO all of the cluster is followed again"]);
    }

    #[test]
    fn a_watch_that_opens_and_breaks_off_again_and_again_is_lost_all_the_while() {
        let mut model = Model::new();
        let mut lines = Vec::new();
        for _ in 0..30 {
            model.lost([ObjectKind::Pod], LossReason::ServerError, false);
            lines.extend(model.pass(4 * SECOND));
            model.followed([ObjectKind::Pod]);
            lines.extend(model.pass(SECOND / 10));
            assert_ne!(model.freshness(ObjectKind::Pod), Freshness::Current);
        }
        assert_eq!(lines.len(), 1, "{lines:?}");
        model.lost([ObjectKind::Pod], LossReason::ServerError, false);
        assert_eq!(model.freshness(ObjectKind::Pod), Freshness::Stale);
    }

    #[test]
    fn a_kind_that_stays_refused_is_named_and_does_not_keep_the_rest_from_being_well() {
        let mut model = Model::new();
        model.lost([ObjectKind::Ingress, ObjectKind::Pod], LossReason::Forbidden, true);
        model.lost([ObjectKind::HorizontalPodAutoscaler], LossReason::NotServed, true);
        let lines = model.pass(600 * SECOND);
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(
            lines[0].starts_with(
                "WARN pods and ingresses have not been followed for 30 s: the ClusterRole needs list and watch on pods in the \
                 group \"\", ingresses in the group \"networking.k8s.io\" (403); horizontalpodautoscalers have not been \
                 followed for 30 s: this API server does not serve /apis/autoscaling/v2/horizontalpodautoscalers (404)"
            ),
            "{lines:?}"
        );
        model.lost([ObjectKind::Service], LossReason::ServerError, false);
        assert_eq!(model.pass(60 * SECOND).len(), 1);
        model.followed([ObjectKind::Service]);
        assert_eq!(
            model.pass(60 * SECOND),
            ["INFO the cluster is followed again, except what the API server refuses: pods, \
              horizontalpodautoscalers and ingresses"]
        );
        model.followed(ObjectKind::ALL);
        assert_eq!(model.pass(60 * SECOND), ["INFO all of the cluster is followed again"]);
    }
}
