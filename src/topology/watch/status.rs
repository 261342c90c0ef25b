//! What each status code means for a list and for a watch.
//!
//! | status | list | watch |
//! |---|---|---|
//! | 200 | read the body | read the body |
//! | 401 | read the token again and retry at once, then by turns | the same |
//! | 403, 404 | retry soon; once final, give the kind up but keep what an earlier list returned; then retry with growing waits | retry soon; once final, keep what was listed; list again with the same waits |
//! | 410 | the continue token has expired: list again in one response | the version is too old: list the newest state |
//! | 429 | wait as long as `Retry-After` says, otherwise back off | the same |
//! | 5xx | retry by turns; if the API server serves other kinds or lists, as for 429 | the same, then probe; after three in a row list the newest state |
//! | other | back off; a refused later page starts the list again | back off; after three in a row list the newest state |

use std::time::{Duration, Instant};

use super::backoff::share;
use super::request::Page;
use super::{Body, Goal, LossReason, ObjectChange, Pause, REFUSALS, Watch, WatchStatus};
use crate::topology::line_splitter::LineSplitter;

/// An API server that has just started forbids everything until it has read the roles, and does not serve all
/// kinds at once. So a denial is retried after half a second to a second.
const DENIED_WAIT: Duration = Duration::from_millis(500);
/// A denial is final after this long,
const DENIED_TIME: Duration = Duration::from_secs(5);
/// or earlier if another kind was served in between. It is never final at once, because the roles may have
/// been loaded in between as well.
const DENIED_LEAST: Duration = Duration::from_millis(400);
/// The first wait after a final denial: a role may be bound after its pod has started.
const FIRST_REFUSED_WAIT: Duration = Duration::from_secs(5);
/// The longest wait after repeated final denials.
const REFUSED_WAIT: Duration = Duration::from_secs(300);
/// A longer `Retry-After` is cut to this.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(60);
/// How often an API server may not have reached our version before a consistent read decides.
const TOO_NEW: u32 = 3;

impl Watch {
    /// Handles the head of a response. `true`: pass the body to [`Watch::body`] and report its end.
    pub fn response(
        &mut self,
        status: u16,
        retry_after: Option<Duration>,
        now: Instant,
        chance: u64,
    ) -> bool {
        let lists = matches!(self.goal, Goal::List(_));
        let was_unauthorized = std::mem::replace(&mut self.renew_credentials, status == 401);
        self.missed = false;
        let retry_after = retry_after.filter(|wait| !wait.is_zero()).map(|wait| wait.min(MAX_RETRY_AFTER));
        let why = || format!("the API server answers {status}");
        match status {
            200 => {
                self.served(now);
                return true;
            }
            // client-go leaves this to its transport, which reads the token once a minute.
            401 => {
                self.lost(LossReason::Unauthorized, why());
                self.is_away = true;
                if was_unauthorized {
                    self.pause = Pause::Turn;
                }
            }
            403 | 404 => self.denied(status, now, chance),
            410 if lists => {
                self.begin_list(Page::Whole);
                self.relist(now, chance);
            }
            410 => self.expired(now, chance),
            429 | 500..=599 => {
                if matches!(self.goal, Goal::List(Page::FirstNotOlderThan(_))) {
                    self.too_new += 1;
                    if self.too_new >= TOO_NEW {
                        self.begin_list(Page::FirstOfNewest);
                    }
                }
                self.unavailable(status, retry_after, why(), now, chance);
            }
            _ if matches!(self.goal, Goal::Watch) => {
                self.watch_refused(LossReason::ServerError, why(), now, chance);
            }
            _ => {
                if matches!(
                    self.goal,
                    Goal::Probe | Goal::List(Page::Next { .. } | Page::FirstNotOlderThan(_))
                ) {
                    self.begin_list(Page::FirstOfNewest);
                }
                self.back_off(LossReason::ServerError, why(), now, chance);
            }
        }
        false
    }

    /// 200.
    fn served(&mut self, now: Instant) {
        if std::mem::take(&mut self.is_away) {
            self.output.got_through = true;
            // The failures were due to the outage. A quiet kind has no other way to clear its count.
            self.failures = 0;
            self.relists = 0;
        }
        self.is_there = !matches!(self.goal, Goal::Watch);
        self.denied_since = None;
        self.body = match self.goal {
            Goal::List(_) => Body::List(Box::default()),
            Goal::Probe => Body::Probe(Box::default()),
            Goal::Watch => {
                self.denials = 0;
                self.output.following = Some(WatchStatus::Followed);
                Body::Watch { lines: LineSplitter::default(), began: now, progressed: false, over: None }
            }
        };
    }

    /// 403 or 404. Soon after a start of the API server it is temporary. Otherwise correlation goes on
    /// without the kind.
    fn denied(&mut self, status: u16, now: Instant, chance: u64) {
        let since = *self.denied_since.get_or_insert(now);
        let lasted = now.saturating_duration_since(since);
        let others_are_served = self.others.followed
            || match (self.others.served, self.asked) {
                (Some(served), Some(asked)) => served > since && served <= asked,
                _ => false,
            };
        // That other kinds are served proves something only before the first list. Later, one of several API
        // servers may have restarted while the others serve the other kinds.
        let is_early = !self.was_listed && lasted >= DENIED_LEAST && others_are_served;
        let is_refused = self.denials > 0 || lasted >= DENIED_TIME || is_early;
        let reason = if status == 403 { LossReason::Forbidden } else { LossReason::NotServed };
        let why = format!("the API server answers {status}");
        self.output.following = Some(WatchStatus::Lost { reason, why, is_refused });
        if !is_refused {
            self.is_away = true;
            self.pause = Pause::Until { until: now + DENIED_WAIT + share(DENIED_WAIT, chance), wakes: true };
            return;
        }
        if matches!(self.goal, Goal::List(_)) {
            self.begin_list(self.page_from_cache());
            if !self.was_listed && !std::mem::replace(&mut self.given_up, true) {
                self.output.changes.push(ObjectChange::GivenUp);
            }
        } else {
            // The kind can be listed but not watched; lists are better than nothing.
            self.begin_list(Page::FirstOfNewest);
        }
        // Doubled each time, plus up to a tenth so that the kinds spread out.
        let wait = FIRST_REFUSED_WAIT.saturating_mul(1 << self.denials.min(8)).min(REFUSED_WAIT);
        self.denials = self.denials.saturating_add(1);
        if self.others.followed {
            self.pause = Pause::Until { until: now + wait + share(wait / 10, chance), wakes: true };
        } else {
            // Nothing can be read at all: the roles are not bound yet, or the API server has not read them
            // yet.
            self.is_away = true;
            self.pause = Pause::Turn;
        }
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
        let reason = if status == 429 { LossReason::Throttled } else { LossReason::ServerError };
        if matches!(self.goal, Goal::Watch) && status != 429 {
            self.refusals += 1;
            if self.refusals >= REFUSALS {
                self.begin_list(Page::FirstOfNewest);
            } else {
                self.goal = Goal::Probe;
            }
        }
        // A server that serves lists but no watches is there, and so is one that serves other kinds.
        let is_alone = self.others.followed || self.is_there;
        match retry_after {
            Some(retry_after) if status == 429 || is_alone => {
                self.lost(reason, why);
                self.pause = Pause::Until { until: now + retry_after, wakes: false };
            }
            None if status == 429 || is_alone => self.back_off(reason, why, now, chance),
            // One try per second for all kinds together is no burden, whatever `Retry-After` a load balancer
            // sends.
            _ => {
                self.lost(reason, why);
                self.is_away = true;
                self.pause = Pause::Turn;
            }
        }
    }

    /// The version is too old, so changes were missed and everything is listed again. The list must not come
    /// from the cache of a lagging server, or the same version would come back.
    pub(super) fn expired(&mut self, now: Instant, chance: u64) {
        // This is not an outage, so the next success does not wake other kinds.
        let why = "the version to resume from is too old".to_owned();
        self.output.following =
            Some(WatchStatus::Lost { reason: LossReason::ServerError, why, is_refused: false });
        self.begin_list(Page::FirstOfNewest);
        self.relist(now, chance);
    }

    /// Lists again at once, but backs off if lists and 410 keep alternating.
    fn relist(&mut self, now: Instant, chance: u64) {
        self.relists = self.relists.saturating_add(1);
        if self.relists > 1 {
            let wait = super::backoff(self.relists - 1, chance);
            self.pause = Pause::Until { until: now + wait, wakes: false };
        }
    }

    pub(super) fn watch_refused(&mut self, reason: LossReason, why: String, now: Instant, chance: u64) {
        self.refusals += 1;
        if self.refusals >= REFUSALS {
            self.begin_list(Page::FirstOfNewest);
        }
        self.back_off(reason, why, now, chance);
    }
}
