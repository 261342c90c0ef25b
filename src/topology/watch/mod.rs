//! List and watch of one kind, as in client-go's reflector, without I/O and without a clock.
//!
//! ```text
//! next ──► Wait{until, wakes}              the caller waits; if `wakes`, a success of another kind ends the wait
//!      ├─► Turn                            the caller waits for its turn to retry, see below
//!      └─► Request(request)                the caller sends it and reports the result:
//!            no_response(why)                no response
//!            response(status, …) ─► true     body(bytes)… , then body_ended(cut?) or fell_silent()
//! take ──► the changes, and whether the kind is followed
//! ```
//! A list is handed over as a whole after its last page. A watch starts at the list's version; after it ends
//! or breaks, the next one starts at the last version seen. `status` defines what each status means,
//! `list_end` what the version of a list proves, `response_end` what follows the end of a response.
//!
//! An outage hits all kinds at once. So a failure that only shows that the API server is away (no response,
//! or a 5xx for all kinds) does not use one kind's backoff. Instead the kinds take turns, one try per second
//! in total, and the first success wakes the others.

pub mod backoff;
mod event;
pub mod line;
mod list_end;
mod output;
pub mod request;
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

/// A watch that lasted this long was good, and so was a shorter one that made progress: earlier failures are
/// forgotten.
const STEADY: Duration = Duration::from_secs(10);
/// A watch that lasted less has not really begun (client-go: "very short watch").
const SHORT: Duration = Duration::from_secs(1);
/// After this many refused watches in a row, the version they start at may be the cause.
const REFUSALS: u32 = 3;
/// Maximum number of objects of one kind; Kubernetes is built for 150,000 pods.
const MAX_OBJECTS: usize = 2_000_000;

/// The next step of the caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The caller calls `next` again when the wait is over.
    Wait {
        /// By the monotonic clock.
        until: Instant,
        /// Whether a success of another kind ends the wait ([`Watch::wake`]).
        wakes: bool,
    },
    /// The API server is away: wait for a turn, or for a success of another kind ([`Watch::wake`]).
    Turn,
    /// The caller sends it and reports the result to [`Watch::response`] or [`Watch::no_response`].
    Request(ApiRequest),
}

/// How the other kinds fare with the same API server.
#[derive(Debug, Clone, Copy, Default)]
pub struct OtherKinds {
    /// When one of them last got a 200.
    pub served: Option<Instant>,
    /// Whether one of them is followed now.
    pub followed: bool,
}

/// List and watch of one kind.
#[derive(Debug)]
pub struct Watch {
    kind: ObjectKind,
    parser: Parser,
    goal: Goal,
    body: Body,
    /// Objects of the list in progress.
    objects: Vec<Arc<Object>>,
    of_earlier_pages: usize,
    /// Whether the list in progress began with a consistent read.
    consistent: bool,
    /// The last version seen. It is kept while the kind is given up or listed again, because no list may be
    /// older.
    version: String,
    pause: Pause,
    /// When the current request was sent.
    asked: Option<Instant>,
    others: OtherKinds,
    /// The API server did not respond or seemed to have just started. The first kind that succeeds wakes the
    /// others.
    is_away: bool,
    /// A list or a probe got a 200 since the last watch did, so the API server is there.
    is_there: bool,
    /// The last request had no complete response.
    missed: bool,
    /// Failures in a row; each lengthens the next wait.
    failures: u32,
    /// Refused watches in a row.
    refusals: u32,
    /// Lists in a row that were followed by 410.
    relists: u32,
    /// Times in a row that the API server had not reached our version yet.
    too_new: u32,
    renew_credentials: bool,
    given_up: bool,
    was_listed: bool,
    denied_since: Option<Instant>,
    /// Denials in a row that were taken as final.
    denials: u32,
    output: Output,
}

#[derive(Debug)]
enum Goal {
    List(Page),
    /// Before a watch resumes: does the API server still know our version?
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

/// An event that ends a watch.
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
    /// `annotations` selects the annotations to keep.
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

    /// Sets how the other kinds fare, because the meaning of a refusal depends on it.
    pub fn compare(&mut self, others: OtherKinds) {
        self.others = others;
    }

    /// The step to take now. `chance` is a uniformly random number, here and below.
    pub fn next(&mut self, now: Instant, chance: u64) -> Step {
        match self.pause {
            Pause::Until { until, wakes } if until > now => return Step::Wait { until, wakes },
            Pause::Turn => return Step::Turn,
            Pause::None | Pause::Until { .. } => self.pause = Pause::None,
        }
        self.asked = Some(now);
        let (target, kind) = match &self.goal {
            Goal::List(page) => (request::list(self.kind.path(), page), RequestKind::List),
            Goal::Probe => (request::probe(self.kind.path()), RequestKind::Probe),
            Goal::Watch => (request::watch(self.kind.path(), &self.version, chance), RequestKind::Watch),
        };
        let accept = request::accept(self.kind.metadata_only(), kind == RequestKind::Watch);
        Step::Request(ApiRequest { target, accept, kind, renew_credentials: self.renew_credentials })
    }

    /// Ends a wait: it is this kind's turn, or another kind succeeded.
    pub fn wake(&mut self) {
        self.pause = Pause::None;
    }

    /// Takes bytes of the response body. `false` means that no more bytes are wanted.
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
                        // The event is lost; it comes again when the watch restarts at the last version.
                        Err(why) => {
                            let why = format!("a line is not a watch event ({why})");
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

    /// Lists again because another kind found that the API server's data is older than what was seen.
    /// Versions seen before no longer count.
    pub fn list_again(&mut self) {
        self.body = Body::None;
        self.version.clear();
        self.pause = Pause::None;
        self.begin_list(Page::FirstOfNewest);
    }

    /// Drops everything in progress and starts with the newest list.
    pub fn start_over(&mut self, now: Instant, chance: u64) {
        self.body = Body::None;
        self.begin_list(Page::FirstOfNewest);
        self.back_off(LossReason::Unreadable, "the watch panicked".to_owned(), now, chance);
    }

    /// Returns the results since the last call.
    pub fn take(&mut self) -> Output {
        std::mem::take(&mut self.output)
    }

    /// Starts a list with this page.
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

    /// After a useless response: waits longer each time.
    fn back_off(&mut self, reason: LossReason, why: String, now: Instant, chance: u64) {
        self.lost(reason, why);
        self.failures = self.failures.saturating_add(1);
        self.pause = Pause::Until { until: now + backoff(self.failures, chance), wakes: true };
    }

    /// After something that is normal now and then: no wait the first time, backoff after that.
    fn back_off_if_repeated(&mut self, now: Instant, chance: u64) {
        self.failures = self.failures.saturating_add(1);
        if self.failures > 1 {
            self.pause = Pause::Until { until: now + backoff(self.failures - 1, chance), wakes: true };
        }
    }
}
