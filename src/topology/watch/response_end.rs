//! What happens when a response ends, or when there is none.

use std::time::Instant;

use super::{Body, Goal, LossReason, Pause, SHORT, STEADY, Watch, WatchEnd, WatchStatus};

impl Watch {
    /// The body has ended, normally or because of `cut`.
    pub fn body_ended(&mut self, cut: Option<&str>, now: Instant, chance: u64) {
        match std::mem::replace(&mut self.body, Body::None) {
            Body::None => {}
            Body::List(scanner) => self.list_ended(*scanner, cut, now, chance),
            Body::Probe(scanner) => self.probe_ended(*scanner, cut, now, chance),
            Body::Watch { began, progressed, over, .. } => {
                let lived = now.saturating_duration_since(began);
                if lived >= STEADY || (progressed && lived >= SHORT) {
                    self.failures = 0;
                    self.relists = 0;
                }
                self.output.restarts += 1;
                match (over, cut) {
                    (Some(WatchEnd::Expired), _) => self.expired(now, chance),
                    (Some(WatchEnd::Error(reason, why)), _) => self.watch_refused(reason, why, now, chance),
                    (None, Some(cut)) => {
                        self.lost(LossReason::Unreachable, cut.to_owned());
                        self.missed = true;
                        self.goal = Goal::Probe;
                        if lived < SHORT {
                            self.back_off_if_repeated(now, chance);
                        }
                    }
                    (None, None) if lived < SHORT => {
                        self.back_off_if_repeated(now, chance);
                        if self.pause == Pause::None {
                            self.output.following.get_or_insert(WatchStatus::Ended);
                        } else {
                            let why = "every watch ends right after it began".to_owned();
                            self.lost(LossReason::ServerError, why);
                        }
                    }
                    (None, None) => {
                        self.output.following.get_or_insert(WatchStatus::Ended);
                    }
                }
            }
        }
    }

    /// No bytes came for a long time. The cause may be a quiet kind without bookmarks, a dead connection, or
    /// a version that lies in the future of a restored etcd.
    pub fn fell_silent(&mut self, now: Instant, chance: u64) {
        if matches!(self.body, Body::Watch { .. }) {
            self.body = Body::None;
            self.failures = 0;
            self.relists = 0;
            self.output.restarts += 1;
            self.output.following.get_or_insert(WatchStatus::Ended);
            self.goal = Goal::Probe;
        } else {
            self.body_ended(Some("no more bytes came"), now, chance);
        }
    }

    /// There was no response. A first failure may be due to a stale connection, so it is retried at once.
    pub fn no_response(&mut self, why: &str) {
        self.lost(LossReason::Unreachable, why.to_owned());
        if matches!(self.goal, Goal::Watch) {
            self.goal = Goal::Probe;
        }
        if std::mem::replace(&mut self.missed, true) {
            self.is_away = true;
            self.pause = Pause::Turn;
        }
    }
}
