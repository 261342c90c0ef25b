//! List and watch of the metadata of all events, without I/O and without a clock.
//!
//! ```text
//! next ──► Wait(until)                     the caller waits
//!      └─► Request(request)                the caller sends it and reports the result:
//!            no_response(why)                no response
//!            response(status, …) ─► true     body(bytes)… , then body_ended(cut?) or fell_silent()
//! take ──► what was shown, and whether the events are followed
//! ```
//! It follows events as `topology/watch` follows other kinds, with the same requests, but events have no watch cache in
//! the API server. So each list is a consistent read of etcd, each watch is one on etcd, no bookmarks come, and the
//! history ends at the last compaction, some 5 to 10 minutes ago. A watch from before that gets a 200 and then an ERROR line
//! with code 410, after which everything is listed again.
//!
//! # What proves what
//! - A list proves the state at its version, and hides the versions that were replaced since the watch ended. It is
//!   handed over while it comes; only its last page makes it complete.
//! - A line of the watch proves that everything up to its version was shown. An expiry (DELETED) is not a version of an event,
//!   but it proves as much. Expiries come in bunches of one version, so a watch that broke off in one resumes before it.
//! - A version that is no number proves nothing and is not shown: nothing waits for it, and each replica delivers it. After a
//!   list whose own version is no number, versions are shown, and nothing proves that all up to them were. Then no
//!   watermark rises.
//!
//! # Silence and death
//! A watch that is silent may be quiet, or its connection may be half-open. The version of a consistent read (one item, no
//! resourceVersion) does not tell the two apart: it moves with every write to etcd, of any resource. So after
//! `silence` without a byte:
//!
//! 1. One such read. If its version is below what was seen, etcd was restored, and everything is listed again. If there is
//!    no response, the API server is away, and the read is repeated.
//! 2. The watch starts again, on a new connection, from the last version that it has shown. If the old one was only quiet, nothing
//!    comes. If it was dead, what it missed comes at once, because etcd still has it, or the ERROR line comes, and a list
//!    shows it.
//!
//! So nothing is lost to a dead watch but `silence` of time, and a version is never taken for shown because nothing came: a
//! member of etcd that is behind looks quiet too. A quiet watch does not move `Through`. After a compaction, its next
//! restart lists again, which does; a quiet resource has a short list.

mod body;
mod end;
mod status;

use std::time::{Duration, Instant};

use super::change::Change;
use crate::replicas::Event;
use crate::topology::line_splitter::LineSplitter;
use crate::topology::list_scanner::ListScanner;
use crate::topology::watch::backoff::{backoff, share};
use crate::topology::watch::request::{self, Page};
use crate::topology::watch::{ApiRequest, LossReason, RequestKind, Restored, WatchStatus};

/// A watch that lasted this long was good, and so was a shorter one that made progress.
const STEADY: Duration = Duration::from_secs(10);
/// A watch that lasted less has not really begun (client-go: "very short watch").
const SHORT: Duration = Duration::from_secs(1);
/// After this many refused watches in a row, the version they start at may be the cause.
const REFUSALS: u32 = 3;
/// Between two tries while the API server does not respond, half of it by chance: one client is no burden, and the first
/// response must not come late.
const AWAY: Duration = Duration::from_secs(1);

/// The next step of the caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The caller calls `next` again then, by the monotonic clock.
    Wait(Instant),
    /// The caller sends it and reports the result to [`Watch::response`] or [`Watch::no_response`].
    Request(ApiRequest),
}

/// The results since the last call of [`Watch::take`].
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// In the order in which they were shown.
    pub changes: Vec<Change>,
    /// The last change of status, if any.
    pub status: Option<WatchStatus>,
    /// A consistent read is older than what was seen. The caller logs it.
    pub restored: Option<Restored>,
    /// Events and lines that were dropped: without a uid, too large, too deep, or not valid.
    pub skipped: u64,
    /// Versions that are no number.
    pub unordered: u64,
    /// Watches that ended and restart.
    pub restarts: u64,
    /// Silent watches after which something came that etcd had before the read: they were dead, but for an event in the moment
    /// between the two.
    pub dead: u64,
}

/// List and watch of the events of a cluster or of one namespace.
#[derive(Debug)]
pub struct Watch {
    path: String,
    goal: Goal,
    body: Body,
    /// The first page of the list in progress has shown its version.
    listed: Option<Listed>,
    /// The version from which a watch resumes. It is kept while everything is listed again, because no list may be older.
    version: String,
    /// The highest version that was shown since the last list. It is above `version` if expiries came last.
    highest: u64,
    /// Whether the last list had a version that can be compared.
    is_ordered: bool,
    /// After a silence: the version of the consistent read. Until something above it comes, the old watch may prove dead.
    silent_until: Option<u64>,
    until: Option<Instant>,
    /// The last request had no complete response.
    missed: bool,
    /// Failures in a row; each lengthens the next wait.
    failures: u32,
    /// Refused watches in a row.
    refusals: u32,
    /// Lists in a row that were followed by 410.
    relists: u32,
    renew_credentials: bool,
    output: Output,
}

#[derive(Debug)]
enum Goal {
    List(Page),
    /// One item, for its version. `is_silent`: the watch before it fell silent.
    Probe {
        is_silent: bool,
    },
    Watch,
}

#[derive(Debug)]
enum Body {
    None,
    List {
        scanner: Box<ListScanner>,
        /// What came before the version of the list; the API server writes the version first.
        early: Vec<(Event, u64)>,
    },
    Probe(Box<ListScanner>),
    Watch(WatchBody),
}

#[derive(Debug)]
struct WatchBody {
    lines: LineSplitter,
    began: Instant,
    progressed: bool,
    over: Option<WatchEnd>,
}

/// A line that ends a watch.
#[derive(Debug)]
enum WatchEnd {
    Expired,
    Error(LossReason, String),
}

/// The version of a list in progress.
#[derive(Debug, Clone)]
struct Listed {
    text: String,
    number: Option<u64>,
}

/// Where the API server lists the events of the cluster, or of one namespace.
#[must_use]
pub fn path(namespace: Option<&str>) -> String {
    match namespace {
        None => "/api/v1/events".to_owned(),
        Some(namespace) => format!("/api/v1/namespaces/{namespace}/events"),
    }
}

impl Watch {
    /// `namespace`: only its events.
    #[must_use]
    pub fn new(namespace: Option<&str>) -> Self {
        Self {
            path: path(namespace),
            goal: Goal::List(Page::FirstOfNewest),
            body: Body::None,
            listed: None,
            version: String::new(),
            highest: 0,
            is_ordered: false,
            silent_until: None,
            until: None,
            missed: false,
            failures: 0,
            refusals: 0,
            relists: 0,
            renew_credentials: false,
            output: Output::default(),
        }
    }

    /// The step to take now. `chance` is a uniformly random number, here and below.
    pub fn next(&mut self, now: Instant, chance: u64) -> Step {
        match self.until {
            Some(until) if until > now => return Step::Wait(until),
            _ => self.until = None,
        }
        let (target, kind) = match &self.goal {
            Goal::List(page) => (request::list(&self.path, page), RequestKind::List),
            Goal::Probe { .. } => (request::probe(&self.path), RequestKind::Probe),
            Goal::Watch => (request::watch(&self.path, &self.version, chance), RequestKind::Watch),
        };
        let accept = request::accept(true, kind == RequestKind::Watch);
        Step::Request(ApiRequest { target, accept, kind, renew_credentials: self.renew_credentials })
    }

    /// Drops everything in progress and lists again.
    pub fn start_over(&mut self, now: Instant, chance: u64) {
        self.body = Body::None;
        self.begin_list(Page::FirstOfNewest);
        self.back_off(LossReason::Unreadable, "the watch panicked".to_owned(), now, chance);
    }

    /// Returns the results since the last call.
    pub fn take(&mut self) -> Output {
        std::mem::take(&mut self.output)
    }

    fn begin_list(&mut self, page: Page) {
        self.listed = None;
        self.refusals = 0;
        self.silent_until = None;
        self.goal = Goal::List(page);
    }

    fn lost(&mut self, reason: LossReason, why: String, is_refused: bool) {
        self.output.status = Some(WatchStatus::Lost { reason, why, is_refused });
    }

    fn wait(&mut self, wait: Duration, now: Instant) {
        self.until = Some(now + wait);
    }

    /// The API server does not respond.
    fn wait_for_it(&mut self, now: Instant, chance: u64) {
        self.wait(AWAY / 2 + share(AWAY / 2, chance), now);
    }

    /// After a useless response: waits longer each time.
    fn back_off(&mut self, reason: LossReason, why: String, now: Instant, chance: u64) {
        self.lost(reason, why, false);
        self.failures = self.failures.saturating_add(1);
        self.wait(backoff(self.failures, chance), now);
    }
}
