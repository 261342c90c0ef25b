//! RequestKind a status means for a list and for a watch.
//!
//! | status | list | watch |
//! |---|---|---|
//! | 200 | its body comes | its body comes |
//! | 401 | the token is read again and tried at once, then by turns | the same |
//! | 403, 404 | asked again soon; once believed given up, but for what an earlier list said; then after ever longer waits | asked again soon; once believed what was listed stays; listed again at the same times |
//! | 410 | the token has run out: the list anew, in one piece | the version is too old: the newest list |
//! | 429 | as long as `Retry-After` says, else a wait of its own | the same |
//! | 5xx | by turns; if the API server serves other kinds or lists, as 429 | the same, then a probe; after three in a row the newest list |
//! | other | a wait of its own; a page that is refused begins the list anew | a wait of its own; after three in a row the newest list |

use std::time::{Duration, Instant};

use super::backoff::share;
use super::request::Page;
use super::{Body, Goal, LossReason, ObjectChange, Pause, REFUSALS, Watch, WatchStatus};
use crate::topology::line_splitter::LineSplitter;

/// An API server that has just started forbids everything until it knows the roles, and serves not everything at once: a
/// denial is asked again after half a second to a second, where it was denied.
const DENIED_WAIT: Duration = Duration::from_millis(500);
/// It is believed after this long,
const DENIED_TIME: Duration = Duration::from_secs(5);
/// or earlier, when another kind was served in between. Not at once, as the roles may have come in between as well.
const DENIED_LEAST: Duration = Duration::from_millis(400);
/// The first wait for a kind that is refused: a role may be bound after its pod has started.
const FIRST_REFUSED_WAIT: Duration = Duration::from_secs(5);
/// And the longest, when that goes on.
const REFUSED_WAIT: Duration = Duration::from_secs(300);
/// No retry_after of the API server's is obeyed for longer.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(60);
/// Times that an API server may not have seen our version yet, before a consistent read decides.
const TOO_NEW: u32 = 3;

impl Watch {
    /// An answer's head. `true`: its body is to be fed to [`Watch::body`], and its end announced.
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
            // RequestKind failed was the server's absence. A quiet kind that sees one outage after the other has no other proof.
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

    /// 403 or 404. After a start it passes; else correlation goes on without the kind.
    fn denied(&mut self, status: u16, now: Instant, chance: u64) {
        let since = *self.denied_since.get_or_insert(now);
        let lasted = now.saturating_duration_since(since);
        let others_are_served = self.others.followed
            || match (self.others.served, self.asked) {
                (Some(served), Some(asked)) => served > since && served <= asked,
                _ => false,
            };
        // That others are served proves something at the first start only. Later one of several API servers may have been
        // restarted, and the others be served elsewhere.
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
            // It can be listed but not watched: what the list tells is better than nothing.
            self.begin_list(Page::FirstOfNewest);
        }
        // Twice as long each time, and up to a tenth more, so that the kinds do not all come at once.
        let wait = FIRST_REFUSED_WAIT.saturating_mul(1 << self.denials.min(8)).min(REFUSED_WAIT);
        self.denials = self.denials.saturating_add(1);
        if self.others.followed {
            self.pause = Pause::Until { until: now + wait + share(wait / 10, chance), wakes: true };
        } else {
            // Nothing at all may be read: the roles are on their way, or the API server has not read them yet.
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
        // A server that serves lists and no watches is there; so is one that serves others.
        let is_alone = self.others.followed || self.is_there;
        match retry_after {
            Some(retry_after) if status == 429 || is_alone => {
                self.lost(reason, why);
                self.pause = Pause::Until { until: now + retry_after, wakes: false };
            }
            None if status == 429 || is_alone => self.back_off(reason, why, now, chance),
            // For all kinds together one try a second is no burden, whatever a load balancer wishes.
            _ => {
                self.lost(reason, why);
                self.is_away = true;
                self.pause = Pause::Turn;
            }
        }
    }

    /// The version is too old: what happened since is known to nobody, so everything is listed. Not from the
    /// cache of a server that may lag behind, or the same version would come again.
    pub(super) fn expired(&mut self, now: Instant, chance: u64) {
        // No failure: whoever gets through afterwards tells nothing to others.
        let why = "the version to go on from is too old".to_owned();
        self.output.following =
            Some(WatchStatus::Lost { reason: LossReason::ServerError, why, is_refused: false });
        self.begin_list(Page::FirstOfNewest);
        self.relist(now, chance);
    }

    /// At once; but list and 410 may follow on each other without an end.
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
