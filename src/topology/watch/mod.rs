//! List and watch of one kind, as client-go's reflector does it, without I/O and without a clock.
//!
//! ```text
//! next ──► Wait{until, wakes}              the caller waits; where `wakes`, another kind that gets through ends it
//!      ├─► Turn                            the caller waits until it is its turn to try, see below
//!      └─► ApiRequest(request)                    the caller asks, and tells what came:
//!            failed(why)                     no response
//!            answered(status, …) ─► true     body(bytes)… , then ended(cut?) or fell_silent()
//! take ──► what changed, and whether the kind is followed
//! ```
//! A list is handed over whole, when its last page is there. A watch begins at the list's version and goes
//! on, after an end or a cut, from the last version that it saw. `refused` says what each status means, `listed` what the
//! version of a list proves, `ending` what follows on the end of a response.
//!
//! All kinds meet the same outage. So what only says that the API server is away (no response, a 5xx for all kinds) is not
//! a matter of one kind's backoff: the kinds take turns, one try a second in all, and the first that gets through wakes
//! the others.

mod backoff;
mod event;
mod list_end;
mod output;
mod request;
mod response_end;
mod status;

use std::sync::Arc;
use std::time::{Duration, Instant};

use self::backoff::backoff;
use self::event::WatchEvent;
pub use self::output::{LossReason, ObjectChange, Output, Restored, WatchStatus};
use self::request::Page;
pub use self::request::{ApiRequest, RequestKind};
use super::kind::ObjectKind;
use super::line_splitter::LineSplitter;
use super::list_scanner::ListScanner;
use super::object::Object;
use super::parse::Parser;
use crate::pattern::Patterns;

/// A watch that lived so long was a good one, and so was a shorter one that brought something: what failed
/// before is forgotten.
const STEADY: Duration = Duration::from_secs(10);
/// One that lived shorter has not really begun (client-go: "very short watch").
const SHORT: Duration = Duration::from_secs(1);
/// So many refusals of a watch in a row, and the version it begins with may be the cause.
const REFUSALS: u32 = 3;
/// Objects of one kind; Kubernetes is built for 150,000 pods.
const MAX_OBJECTS: usize = 2_000_000;

/// RequestKind the caller does next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    Wait {
        until: Instant,
        /// A kind that gets through ends the wait ([`Watch::wake`]).
        wakes: bool,
    },
    /// The API server is away: wait for a turn, or for another kind to get through ([`Watch::wake`]).
    Turn,
    Request(ApiRequest),
}

/// How the other kinds fare with the same API server.
#[derive(Debug, Clone, Copy, Default)]
pub struct OtherKinds {
    /// When one of them was last answered 200.
    pub served: Option<Instant>,
    /// Whether one of them is followed now.
    pub followed: bool,
}

/// One kind's list and watch.
#[derive(Debug)]
pub struct Watch {
    kind: ObjectKind,
    parser: Parser,
    goal: Goal,
    body: Body,
    /// Of the list that comes in, and how many of them are of earlier pages.
    objects: Vec<Arc<Object>>,
    of_earlier_pages: usize,
    /// The list that comes in began with a consistent read.
    consistent: bool,
    /// The last that was seen; kept while the kind is given up or listed anew, as no list may lie before it.
    version: String,
    pause: Pause,
    /// When the request under way was given out.
    asked: Option<Instant>,
    others: OtherKinds,
    /// The API server did not respond, or seemed to have just started: the first that gets through wakes the others.
    is_away: bool,
    /// A list or a probe was answered 200 since the last watch was: the API server is there.
    is_there: bool,
    /// The last request had no whole response.
    missed: bool,
    /// Bad responses in a row, each of which makes the next wait longer.
    failures: u32,
    /// Refusals of a watch in a row.
    refusals: u32,
    /// Lists in a row that were followed by 410.
    relists: u32,
    /// Times in a row that the API server had not seen our version yet.
    too_new: u32,
    renew_credentials: bool,
    given_up: bool,
    was_listed: bool,
    denied_since: Option<Instant>,
    /// Denials that were believed, in a row.
    denials: u32,
    output: Output,
}

#[derive(Debug)]
enum Goal {
    List(Page),
    /// Before a watch goes on: does the API server still know our version?
    Probe,
    Watch,
}

#[derive(Debug)]
enum Body {
    None,
    List(Box<ListScanner>),
    Probe(Box<ListScanner>),
    Watch { lines: LineSplitter, began: Instant, progressed: bool, over: Option<WatchEnd> },
}

/// RequestKind a line of a watch ends it with.
#[derive(Debug)]
enum WatchEnd {
    Expired,
    Error(LossReason, String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pause {
    None,
    Until { until: Instant, wakes: bool },
    Turn,
}

impl Watch {
    /// `annotations`: those to keep of every object.
    #[must_use]
    pub fn new(kind: ObjectKind, annotations: Patterns) -> Self {
        Self {
            kind,
            parser: Parser::new(kind, annotations),
            goal: Goal::List(Page::FirstFromCache),
            body: Body::None,
            objects: Vec::new(),
            of_earlier_pages: 0,
            consistent: false,
            version: String::new(),
            pause: Pause::None,
            asked: None,
            others: OtherKinds::default(),
            is_away: false,
            is_there: false,
            missed: false,
            failures: 0,
            refusals: 0,
            relists: 0,
            too_new: 0,
            renew_credentials: false,
            given_up: false,
            was_listed: false,
            denied_since: None,
            denials: 0,
            output: Output::default(),
        }
    }

    /// Tells how the other kinds fare: what a refusal means depends on it.
    pub fn compare(&mut self, others: OtherKinds) {
        self.others = others;
    }

    /// RequestKind to do now. `chance` is any number, as likely as every other, here and below.
    pub fn next(&mut self, now: Instant, chance: u64) -> Step {
        match self.pause {
            Pause::Until { until, wakes } if until > now => return Step::Wait { until, wakes },
            Pause::Turn => return Step::Turn,
            Pause::None | Pause::Until { .. } => self.pause = Pause::None,
        }
        self.asked = Some(now);
        let (target, kind) = match &self.goal {
            Goal::List(page) => (request::list(self.kind, page), RequestKind::List),
            Goal::Probe => (request::probe(self.kind), RequestKind::Probe),
            Goal::Watch => (request::watch(self.kind, &self.version, chance), RequestKind::Watch),
        };
        let accept = request::accept(self.kind, kind == RequestKind::Watch);
        Step::Request(ApiRequest { target, accept, kind, renew_credentials: self.renew_credentials })
    }

    /// Ends a wait: it is this kind's turn, or another one got through.
    pub fn wake(&mut self) {
        self.pause = Pause::None;
    }

    /// Bytes of the answer's body. `false`: no more of it is wanted.
    pub fn body(&mut self, bytes: &[u8]) -> bool {
        let Self { body, parser, objects, output, version, refusals, .. } = self;
        match body {
            Body::None => false,
            Body::List(scanner) => {
                let fed = scanner.feed(bytes, |item| match parser.object(item) {
                    Ok(object) if objects.len() < MAX_OBJECTS => objects.push(Arc::new(object)),
                    _ => output.skipped += 1,
                });
                fed.is_ok()
            }
            Body::Probe(scanner) => scanner.feed(bytes, |_| {}).is_ok(),
            Body::Watch { lines, progressed, over, .. } => {
                lines.feed(bytes, |line| {
                    if over.is_some() {
                        return;
                    }
                    let (said, seen) = match event::read(line, parser) {
                        Ok(read) => read,
                        // RequestKind it said is lost: it comes again from the last version on.
                        Err(why) => {
                            let why = format!("a line is no event ({why})");
                            return *over = Some(WatchEnd::Error(LossReason::Unreadable, why));
                        }
                    };
                    if let Some(seen) = seen {
                        *version = seen;
                        *progressed = true;
                        *refusals = 0;
                    }
                    match said {
                        WatchEvent::Put(object) => output.changes.push(ObjectChange::Put(object)),
                        WatchEvent::Deleted(object) => output.changes.push(ObjectChange::Deleted(object)),
                        WatchEvent::Bookmark => {}
                        WatchEvent::Unusable => output.skipped += 1,
                        WatchEvent::Expired => *over = Some(WatchEnd::Expired),
                        WatchEvent::Error(why) => *over = Some(WatchEnd::Error(LossReason::ServerError, why)),
                    }
                });
                output.skipped += lines.take_dropped();
                over.is_none()
            }
        }
    }

    /// The API server's data is older than what was seen, as another kind has found: nothing that was seen counts.
    pub fn list_again(&mut self) {
        self.body = Body::None;
        self.version.clear();
        self.pause = Pause::None;
        self.begin_list(Page::FirstOfNewest);
    }

    /// Whatever was under way is lost; the newest list is the beginning.
    pub fn start_over(&mut self, now: Instant, chance: u64) {
        self.body = Body::None;
        self.begin_list(Page::FirstOfNewest);
        self.back_off(LossReason::Unreadable, "following them panicked".to_owned(), now, chance);
    }

    /// RequestKind has come of everything since this was last asked.
    pub fn take(&mut self) -> Output {
        std::mem::take(&mut self.output)
    }

    /// From the beginning of a list.
    fn begin_list(&mut self, page: Page) {
        self.objects = Vec::new();
        self.of_earlier_pages = 0;
        self.refusals = 0;
        self.consistent = page.is_consistent();
        self.goal = Goal::List(page);
    }

    fn lost(&mut self, reason: LossReason, why: String) {
        self.output.following = Some(WatchStatus::Lost { reason, why, is_refused: false });
    }

    /// A response that is of no use.
    fn back_off(&mut self, reason: LossReason, why: String, now: Instant, chance: u64) {
        self.lost(reason, why);
        self.failures = self.failures.saturating_add(1);
        self.pause = Pause::Until { until: now + backoff(self.failures, chance), wakes: true };
    }

    /// Something that happens now and then: the first time at once, then after a wait.
    fn back_off_if_repeated(&mut self, now: Instant, chance: u64) {
        self.failures = self.failures.saturating_add(1);
        if self.failures > 1 {
            self.pause = Pause::Until { until: now + backoff(self.failures - 1, chance), wakes: true };
        }
    }
}
