//! What follows the end of a response, or no response.

use std::time::{Duration, Instant};

use super::{
    Body, Change, Goal, Listed, LossReason, Page, REFUSALS, Restored, SHORT, STEADY, Watch, WatchBody,
    WatchEnd, WatchStatus, backoff,
};
use crate::topology::list_scanner::{ListError, ListScanner};
use crate::verification::change::number;

impl Watch {
    /// The body has ended, normally or because of `cut`.
    pub fn body_ended(&mut self, cut: Option<&str>, now: Instant, chance: u64) {
        match std::mem::replace(&mut self.body, Body::None) {
            Body::None => {}
            Body::List { scanner, .. } => self.list_ended(*scanner, cut, now, chance),
            Body::Probe(scanner) => self.probe_ended(*scanner, cut, now, chance),
            Body::Watch(watch) => self.watch_ended(watch, cut, now, chance),
        }
    }

    /// No bytes came for a long time.
    pub fn fell_silent(&mut self, now: Instant, chance: u64) {
        if !matches!(self.body, Body::Watch(_)) {
            return self.body_ended(Some("no more bytes came"), now, chance);
        }
        self.body = Body::None;
        (self.failures, self.relists) = (0, 0);
        self.output.restarts += 1;
        self.output.status.get_or_insert(WatchStatus::Ended);
        self.goal = Goal::Probe { is_silent: true };
    }

    /// There was no response. A first failure may be due to a stale connection, so it is retried at once.
    pub fn no_response(&mut self, why: &str, now: Instant, chance: u64) {
        self.lost(LossReason::Unreachable, why.to_owned(), false);
        if matches!(self.goal, Goal::Watch) {
            self.goal = Goal::Probe { is_silent: false };
        }
        if std::mem::replace(&mut self.missed, true) {
            self.wait_for_it(now, chance);
        }
    }

    fn watch_ended(&mut self, watch: WatchBody, cut: Option<&str>, now: Instant, chance: u64) {
        let lived = now.saturating_duration_since(watch.began);
        if lived >= STEADY || (watch.progressed && lived >= SHORT) {
            (self.failures, self.relists) = (0, 0);
        }
        self.output.restarts += 1;
        match (watch.over, cut) {
            (Some(WatchEnd::Expired), _) => self.expired(now, chance),
            (Some(WatchEnd::Error(reason, why)), _) => self.watch_refused(reason, why, now, chance),
            (None, Some(cut)) => {
                self.lost(LossReason::Unreachable, cut.to_owned(), false);
                self.missed = true;
                // etcd may have been restored meanwhile.
                self.goal = Goal::Probe { is_silent: false };
                self.wait_if_short(lived, now, chance);
            }
            (None, None) => {
                if self.wait_if_short(lived, now, chance) {
                    let why = "every watch ends right after it began".to_owned();
                    self.lost(LossReason::ServerError, why, false);
                } else {
                    self.output.status.get_or_insert(WatchStatus::Ended);
                }
            }
        }
    }

    /// No wait the first time, backoff after that. Returns whether there is a wait.
    fn wait_if_short(&mut self, lived: Duration, now: Instant, chance: u64) -> bool {
        if lived >= SHORT {
            return false;
        }
        self.failures = self.failures.saturating_add(1);
        let is_repeated = self.failures > 1;
        if is_repeated {
            self.wait(backoff(self.failures - 1, chance), now);
        }
        is_repeated
    }

    fn list_ended(&mut self, scanner: ListScanner, cut: Option<&str>, now: Instant, chance: u64) {
        self.output.skipped += scanner.refused();
        let why = match (scanner.finish(), cut) {
            // A complete body is good, however the connection ended.
            (Ok(meta), _) => {
                let last = match &self.goal {
                    Goal::List(Page::Next { token }) => Some(token.clone()),
                    _ => None,
                };
                match (meta.token.filter(|token| !token.is_empty()), self.listed.take()) {
                    (_, None) => "the list has no resourceVersion".to_owned(),
                    (Some(token), Some(_)) if Some(&token) == last.as_ref() => {
                        self.begin_list(Page::Whole);
                        "a page of the list leads to itself".to_owned()
                    }
                    (Some(token), listed) => {
                        self.listed = listed;
                        self.goal = Goal::List(Page::Next { token });
                        return;
                    }
                    (None, Some(listed)) => return self.list_complete(listed),
                }
            }
            // The page is asked for again: what is seen twice is seen.
            (Err(_), Some(cut)) => {
                return self.back_off(LossReason::Unreachable, cut.to_owned(), now, chance);
            }
            (Err(error), None) => not_json(error),
        };
        self.back_off(LossReason::Unreadable, why, now, chance);
    }

    /// The version is that of the first page. If a server returned later ones at another version, the watch shows what
    /// changed in between.
    fn list_complete(&mut self, Listed { text, number }: Listed) {
        if self.is_older(&text) {
            self.restored(text.clone());
        }
        self.output.changes.extend(number.map(Change::ListEnds));
        self.is_ordered = number.is_some();
        self.highest = number.unwrap_or(0);
        self.version = text;
        self.goal = Goal::Watch;
    }

    fn probe_ended(&mut self, scanner: ListScanner, cut: Option<&str>, now: Instant, chance: u64) {
        let found = match (scanner.finish(), cut) {
            (Ok(meta), _) => meta.resource_version.filter(|found| !found.is_empty()),
            (Err(_), Some(cut)) => {
                return self.back_off(LossReason::Unreachable, cut.to_owned(), now, chance);
            }
            (Err(error), None) => {
                return self.back_off(LossReason::Unreadable, not_json(error), now, chance);
            }
        };
        let Some(found) = found else {
            let why = "the list has no resourceVersion".to_owned();
            return self.back_off(LossReason::Unreadable, why, now, chance);
        };
        if self.is_older(&found) {
            self.restored(found);
            return self.begin_list(Page::FirstOfNewest);
        }
        let number = number(&found);
        self.output.changes.extend(number.map(Change::Confirmed));
        if let Goal::Probe { is_silent: true } = self.goal {
            self.silent_until = number;
        }
        self.goal = Goal::Watch;
    }

    pub(super) fn watch_refused(&mut self, reason: LossReason, why: String, now: Instant, chance: u64) {
        self.refusals += 1;
        if self.refusals >= REFUSALS {
            self.begin_list(Page::FirstOfNewest);
        }
        self.back_off(reason, why, now, chance);
    }

    fn is_older(&self, found: &str) -> bool {
        matches!((number(found), number(&self.version)), (Some(found), Some(known)) if found < known)
    }

    fn restored(&mut self, found: String) {
        let known = std::mem::take(&mut self.version);
        self.output.restored = Some(Restored { known, found });
    }
}

fn not_json(error: ListError) -> String {
    format!("the list is not JSON from byte {} on", error.offset)
}
