//! What a status means for a list and for a watch.
//!
//! | status | list | watch |
//! |---|---|---|
//! | 200 | its body comes | its body comes |
//! | 401 | the token is read again and tried at once, then after waits | the same |
//! | 403, 404 | given up, with one WARN, but what an earlier list told; asked again soon, then every five minutes | what was listed stays; listed again at the same times |
//! | 410 | the token has run out: the list anew, in one piece | the version is too old: the newest list |
//! | 429, 503 | `Retry-After`, else a wait | the same |
//! | other | a wait; a page that is refused begins the list anew | a wait; after three in a row the newest list |

use std::time::{Duration, Instant};

use super::ask::Page;
use super::{Body, Change, Goal, REFUSALS, Watch};
use crate::journal::Level;
use crate::topology::lines::Lines;

/// A kind that is forbidden, or not served, is asked for again so soon: an API server that has just started
/// forbids everything for a moment, and a role may be bound after its pod has started.
const FIRST_FORBIDDEN_WAIT: Duration = Duration::from_secs(5);
/// And so often when that goes on.
const FORBIDDEN_WAIT: Duration = Duration::from_secs(300);

impl Watch {
    /// An answer's head. `true`: its body is to be fed to [`Watch::body`], and its end told.
    pub fn answered(
        &mut self,
        status: u16,
        retry_after: Option<Duration>,
        now: Instant,
        chance: u64,
    ) -> bool {
        let lists = matches!(self.goal, Goal::List(_));
        let denied_before = std::mem::replace(&mut self.renew_credentials, status == 401);
        match status {
            200 => {
                self.body = self.expected_body(now);
                return true;
            }
            // client-go leaves this to its transport, which reads the token once a minute.
            401 if !denied_before => self.wait = None,
            403 | 404 if lists => self.give_up(status, now, chance),
            403 | 404 => self.poll(status, now, chance),
            410 if lists => {
                self.begin(Page::Whole);
                self.again(now, chance);
            }
            410 => self.expired(now, chance),
            429 | 503 if retry_after.is_some_and(|wait| !wait.is_zero()) => {
                self.trouble(&format!("the API server answers {status}"), now, chance);
                self.wait = retry_after.map(|wait| now + wait);
            }
            401 | 429 | 503 => self.trouble(&format!("the API server answers {status}"), now, chance),
            _ if lists => {
                if status < 500 && matches!(self.goal, Goal::List(Page::Next { .. })) {
                    self.begin(Page::FirstOfNewest);
                }
                self.trouble(&format!("the API server answers {status}"), now, chance);
            }
            _ => self.watch_refused(&format!("the API server answers {status}"), now, chance),
        }
        false
    }

    fn expected_body(&mut self, now: Instant) -> Body {
        if matches!(self.goal, Goal::List(_)) {
            return Body::List(Box::default());
        }
        self.denials = 0;
        if std::mem::take(&mut self.told_trouble) | std::mem::take(&mut self.told_given_up) {
            let resource = self.kind.resource();
            self.note(Level::Info, "topology again", format!("{resource} are followed again"));
        }
        Body::Watch { lines: Lines::default(), began: now, progressed: false, over: None }
    }

    /// The kind cannot be listed: correlation goes on without it.
    fn give_up(&mut self, status: u16, now: Instant, chance: u64) {
        self.begin(Page::FirstFromCache);
        if !self.was_listed && !std::mem::replace(&mut self.given_up, true) {
            self.output.changes.push(Change::GivenUp);
        }
        self.denied("listed, and Services are found without them", status);
        self.pause(now, chance);
    }

    /// The kind can be listed but not watched: what the list told is better than nothing.
    fn poll(&mut self, status: u16, now: Instant, chance: u64) {
        self.begin(Page::FirstOfNewest);
        self.denied("watched, and are listed now and then instead", status);
        self.pause(now, chance);
    }

    /// One WARN, and then silence until it works.
    fn denied(&mut self, what: &str, status: u16) {
        if std::mem::replace(&mut self.told_given_up, true) {
            return;
        }
        let (resource, group, path) = (self.kind.resource(), self.kind.group(), self.kind.path());
        let text = if status == 403 {
            format!(
                "{resource} may not be {what}: the ClusterRole needs list and watch on {resource} in the \
                 group \"{group}\" (403)"
            )
        } else {
            format!("{resource} cannot be {what}: this API server does not serve {path} (404)")
        };
        self.note(Level::Warn, resource, text);
    }

    /// Twice as long each time, and up to a tenth more, so that the kinds do not all come at once.
    fn pause(&mut self, now: Instant, chance: u64) {
        self.failures = 0;
        let wait = FIRST_FORBIDDEN_WAIT.saturating_mul(1 << self.denials.min(8)).min(FORBIDDEN_WAIT);
        self.denials = self.denials.saturating_add(1);
        let tenth = u64::try_from(wait.as_millis() / 10).unwrap_or(u64::MAX).max(1);
        self.wait = Some(now + wait + Duration::from_millis(chance % tenth));
    }

    /// The version is too old: what happened since is known to nobody, so everything is listed. Not from the
    /// cache of a server that may lag behind, or the same version would come again.
    pub(super) fn expired(&mut self, now: Instant, chance: u64) {
        self.begin(Page::FirstOfNewest);
        self.again(now, chance);
    }

    pub(super) fn watch_refused(&mut self, why: &str, now: Instant, chance: u64) {
        self.refusals += 1;
        if self.refusals >= REFUSALS {
            self.begin(Page::FirstOfNewest);
        }
        self.trouble(why, now, chance);
    }
}
