//! The meaning of each status code.
//!
//! | status | list, probe | watch |
//! |---|---|---|
//! | 200 | read the body | read the body |
//! | 401 | read the token again and retry at once, then once a second | the same |
//! | 403, 404 | back off: a role may be bound later | the same |
//! | 410 | the continue token has expired: list again in one response | the version is too old: list again |
//! | 429 | wait as long as `Retry-After` says, otherwise back off | the same |
//! | 5xx | the same, or retry once a second | the same, then probe; after three in a row list again |
//! | other | back off, and list again | back off; after three in a row list again |

use std::time::{Duration, Instant};

use super::{Body, Goal, LossReason, Page, REFUSALS, Watch, WatchBody, WatchStatus, backoff};
use crate::topology::line_splitter::LineSplitter;

/// A longer `Retry-After` is cut to this.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(60);

impl Watch {
    /// Handles the head of a response. `true`: pass the body to [`Watch::body`] and report its end.
    pub fn response(
        &mut self,
        status: u16,
        retry_after: Option<Duration>,
        now: Instant,
        chance: u64,
    ) -> bool {
        let was_unauthorized = std::mem::replace(&mut self.renew_credentials, status == 401);
        self.missed = false;
        let retry_after = retry_after.filter(|wait| !wait.is_zero()).map(|wait| wait.min(MAX_RETRY_AFTER));
        let why = format!("the API server answers {status}");
        match (status, &self.goal) {
            (200, _) => {
                self.served(now);
                return true;
            }
            (401, _) => {
                self.lost(LossReason::Unauthorized, why, false);
                if was_unauthorized {
                    self.wait_for_it(now, chance);
                }
            }
            (403 | 404, _) => {
                let reason = if status == 403 { LossReason::Forbidden } else { LossReason::NotServed };
                self.back_off(reason, why.clone(), now, chance);
                self.lost(reason, why, true);
            }
            (410, Goal::List(_)) => {
                self.begin_list(Page::Whole);
                self.relist(now, chance);
            }
            (410, _) => self.expired(now, chance),
            (429 | 500..=599, _) => self.unavailable(status, retry_after, why, now, chance),
            (_, Goal::Watch) => self.watch_refused(LossReason::ServerError, why, now, chance),
            _ => {
                self.begin_list(Page::FirstOfNewest);
                self.back_off(LossReason::ServerError, why, now, chance);
            }
        }
        false
    }

    fn served(&mut self, now: Instant) {
        if !matches!(self.goal, Goal::List(Page::Next { .. })) {
            // A first page that is asked for again has a version of its own.
            self.listed = None;
        }
        self.body = match self.goal {
            Goal::List(_) => Body::List { scanner: Box::default(), early: Vec::new() },
            Goal::Probe { .. } => Body::Probe(Box::default()),
            Goal::Watch => {
                self.output.status = Some(WatchStatus::Followed);
                let lines = LineSplitter::default();
                Body::Watch(WatchBody { lines, began: now, progressed: false, over: None })
            }
        };
    }

    /// 429 or 5xx.
    fn unavailable(
        &mut self,
        status: u16,
        retry_after: Option<Duration>,
        why: String,
        now: Instant,
        chance: u64,
    ) {
        let is_busy = status == 429;
        if matches!(self.goal, Goal::Watch) && !is_busy {
            self.refusals += 1;
            if self.refusals >= REFUSALS {
                self.begin_list(Page::FirstOfNewest);
            } else {
                self.goal = Goal::Probe { is_silent: false };
            }
        }
        let reason = if is_busy { LossReason::Throttled } else { LossReason::ServerError };
        match retry_after {
            None if is_busy => self.back_off(reason, why, now, chance),
            None => {
                self.lost(reason, why, false);
                self.wait_for_it(now, chance);
            }
            Some(retry_after) => {
                self.lost(reason, why, false);
                self.wait(retry_after, now);
            }
        }
    }

    /// The history of etcd begins after the version, so changes were missed and everything is listed again.
    pub(super) fn expired(&mut self, now: Instant, chance: u64) {
        let why = "the version to resume from is too old".to_owned();
        self.lost(LossReason::ServerError, why, false);
        self.begin_list(Page::FirstOfNewest);
        self.relist(now, chance);
    }

    /// Lists again at once, but backs off if lists and 410 keep alternating.
    fn relist(&mut self, now: Instant, chance: u64) {
        self.relists = self.relists.saturating_add(1);
        if self.relists > 1 {
            self.wait(backoff(self.relists - 1, chance), now);
        }
    }
}
