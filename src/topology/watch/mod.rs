//! List and watch of one kind, as client-go's reflector does it, without I/O and without a clock.
//!
//! ```text
//! next ──► Wait(until)                     the caller waits
//!      └─► Ask(request)                    the caller asks, and tells what came:
//!            failed(why)                     no answer
//!            answered(status, …) ─► false    the answer was all
//!                                └► true     body(bytes)… , ended(cut?)
//! take ──► what changed, and what is to be said of it
//! ```
//! A list is handed over whole, when its last page is there. A watch begins at the list's version and goes
//! on, after an end or a cut, from the last version it told. What each refusal means is in `refused`.

mod ask;
mod backoff;
mod event;
mod refused;

use std::sync::Arc;
use std::time::{Duration, Instant};

pub use self::ask::Ask;
use self::ask::Page;
use self::backoff::backoff;
use self::event::Said;
use super::kind::Kind;
use super::lines::Lines;
use super::object::Object;
use super::parse::Parser;
use super::scan::Scanner;
use crate::journal::Level;
use crate::pattern::Patterns;

/// A watch that lived so long was a good one, and so was a shorter one that brought something: what failed
/// before is forgotten.
const STEADY: Duration = Duration::from_secs(10);
/// One that lived shorter has not really begun (client-go: "very short watch").
const SHORT: Duration = Duration::from_secs(1);
/// So many refusals of a watch in a row, and the version it begins with may be the cause: after etcd was
/// restored from a backup ours lies in the future, which no server says plainly.
const REFUSALS: u32 = 3;
/// So many failures in a row are worth a line; one or two come with every restart of an API server.
const FAILURES_TOLD: u32 = 3;
/// Objects of one kind; Kubernetes is built for 150,000 pods.
const MAX_OBJECTS: usize = 2_000_000;

/// What the caller does next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    Wait(Instant),
    Ask(Ask),
}

/// What happened to the objects of the kind, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// These are there, and no others.
    Listed(Vec<Arc<Object>>),
    Put(Arc<Object>),
    /// With its last state.
    Deleted(Arc<Object>),
    /// The kind cannot be had: forbidden, or not served.
    GivenUp,
}

/// A line for the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    pub level: Level,
    /// For the journal's limit: what all kinds say when the API server is away counts together, what is said
    /// of one kind's rights does not.
    pub about: &'static str,
    pub text: String,
}

/// What came of what was told.
#[derive(Debug, Default)]
pub struct Output {
    pub changes: Vec<Change>,
    pub notes: Vec<Note>,
    /// Objects and lines left out: too large, too deep, or not as Kubernetes writes them.
    pub skipped: u64,
    /// Watches that ended and are to begin again.
    pub restarts: u64,
}

/// One kind's list and watch.
#[derive(Debug)]
pub struct Watch {
    kind: Kind,
    parser: Parser,
    goal: Goal,
    body: Body,
    /// Of the list that comes in, and how many of them are of earlier pages.
    objects: Vec<Arc<Object>>,
    of_earlier_pages: usize,
    version: String,
    wait: Option<Instant>,
    /// In a row.
    failures: u32,
    refusals: u32,
    renew_credentials: bool,
    given_up: bool,
    was_listed: bool,
    /// Times that it was forbidden or not served, in a row.
    denials: u32,
    /// Whether a person was told that it is given up, or in trouble.
    told_given_up: bool,
    told_trouble: bool,
    output: Output,
}

#[derive(Debug)]
enum Goal {
    List(Page),
    Watch,
}

#[derive(Debug)]
enum Body {
    None,
    List(Box<Scanner>),
    Watch { lines: Lines, began: Instant, progressed: bool, over: Option<Over> },
}

/// What a line of a watch ends it with.
#[derive(Debug)]
enum Over {
    Expired,
    Error(String),
}

impl Watch {
    /// `annotations`: those to keep of every object.
    #[must_use]
    pub fn new(kind: Kind, annotations: Patterns) -> Self {
        Self {
            kind,
            parser: Parser::new(kind, annotations),
            goal: Goal::List(Page::FirstFromCache),
            body: Body::None,
            objects: Vec::new(),
            of_earlier_pages: 0,
            version: String::new(),
            wait: None,
            failures: 0,
            refusals: 0,
            renew_credentials: false,
            given_up: false,
            was_listed: false,
            denials: 0,
            told_given_up: false,
            told_trouble: false,
            output: Output::default(),
        }
    }

    /// What to do now. `chance` is any number, as likely as every other, here and below.
    pub fn next(&mut self, now: Instant, chance: u64) -> Step {
        if let Some(until) = self.wait.filter(|until| *until > now) {
            return Step::Wait(until);
        }
        self.wait = None;
        let (target, is_watch) = match &self.goal {
            Goal::List(page) => (ask::list(self.kind, page), false),
            Goal::Watch => (ask::watch(self.kind, &self.version, chance), true),
        };
        let accept = ask::accept(self.kind, is_watch);
        Step::Ask(Ask { target, accept, is_watch, renew_credentials: self.renew_credentials })
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
            Body::Watch { lines, progressed, over, .. } => {
                lines.feed(bytes, |line| {
                    if over.is_some() {
                        return;
                    }
                    let (said, told) = match event::read(line, parser) {
                        Ok(read) => read,
                        // What it said is lost: it is told again from the last version on.
                        Err(why) => return *over = Some(Over::Error(format!("a line is no event ({why})"))),
                    };
                    if let Some(told) = told {
                        *version = told;
                        *progressed = true;
                        *refusals = 0;
                    }
                    match said {
                        Said::Put(object) => output.changes.push(Change::Put(object)),
                        Said::Deleted(object) => output.changes.push(Change::Deleted(object)),
                        Said::Bookmark => {}
                        Said::Unfit => output.skipped += 1,
                        Said::Expired => *over = Some(Over::Expired),
                        Said::Error(why) => *over = Some(Over::Error(why)),
                    }
                });
                output.skipped += lines.take_dropped();
                over.is_none()
            }
        }
    }

    /// The body has ended: by itself, or because of `cut`.
    pub fn ended(&mut self, cut: Option<&str>, now: Instant, chance: u64) {
        match std::mem::replace(&mut self.body, Body::None) {
            Body::None => {}
            Body::List(scanner) => self.list_ended(*scanner, cut, now, chance),
            Body::Watch { began, progressed, over, .. } => {
                let lived = now.saturating_duration_since(began);
                if lived >= STEADY || (progressed && lived >= SHORT) {
                    self.failures = 0;
                }
                self.output.restarts += 1;
                match over {
                    Some(Over::Expired) => self.expired(now, chance),
                    Some(Over::Error(why)) => self.watch_refused(&why, now, chance),
                    None if cut.is_some() || lived < SHORT => self.again(now, chance),
                    None => {}
                }
            }
        }
    }

    /// There was no answer.
    pub fn failed(&mut self, why: &str, now: Instant, chance: u64) {
        self.trouble(why, now, chance);
    }

    /// Whatever was under way is lost; the newest list is the beginning.
    pub fn start_over(&mut self, now: Instant, chance: u64) {
        self.body = Body::None;
        self.begin(Page::FirstOfNewest);
        self.failures = self.failures.saturating_add(1);
        self.wait = Some(now + backoff(self.failures, chance));
    }

    /// What has come of everything since this was last asked.
    pub fn take(&mut self) -> Output {
        std::mem::take(&mut self.output)
    }

    fn list_ended(&mut self, scanner: Scanner, cut: Option<&str>, now: Instant, chance: u64) {
        let refused = scanner.refused();
        let why = match (scanner.finish(), cut) {
            // A body that is whole is good, however its connection ended.
            (Ok(meta), _) => {
                self.output.skipped += refused;
                let last = match &self.goal {
                    Goal::List(Page::Next { token }) => Some(token.clone()),
                    _ => None,
                };
                match (meta.token.filter(|token| !token.is_empty()), meta.resource_version) {
                    (Some(token), _) if Some(&token) != last.as_ref() => {
                        self.of_earlier_pages = self.objects.len();
                        self.goal = Goal::List(Page::Next { token });
                        return;
                    }
                    (None, Some(version)) if !version.is_empty() => return self.listed(version),
                    (None, _) => "the list has no resourceVersion".to_owned(),
                    (Some(_), _) => {
                        // A page that leads to itself.
                        self.begin(Page::Whole);
                        "the list's pages have no end".to_owned()
                    }
                }
            }
            (Err(_), Some(cut)) => cut.to_owned(),
            (Err(broken), None) => format!("the list is no JSON from byte {} on", broken.offset),
        };
        self.objects.truncate(self.of_earlier_pages);
        self.trouble(&why, now, chance);
    }

    fn listed(&mut self, version: String) {
        self.version = version;
        self.of_earlier_pages = 0;
        self.was_listed = true;
        self.output.changes.push(Change::Listed(std::mem::take(&mut self.objects)));
        self.goal = Goal::Watch;
        self.given_up = false;
    }

    /// From the beginning of a list.
    fn begin(&mut self, page: Page) {
        self.objects = Vec::new();
        self.of_earlier_pages = 0;
        self.refusals = 0;
        self.goal = Goal::List(page);
    }

    /// Something that happens now and then: the first time at once, then after a wait.
    fn again(&mut self, now: Instant, chance: u64) {
        self.failures = self.failures.saturating_add(1);
        self.wait = (self.failures > 1).then(|| now + backoff(self.failures - 1, chance));
    }

    fn trouble(&mut self, why: &str, now: Instant, chance: u64) {
        self.failures = self.failures.saturating_add(1);
        self.wait = Some(now + backoff(self.failures, chance));
        if self.failures >= FAILURES_TOLD && !self.told_trouble {
            self.told_trouble = true;
            let (resource, path) = (self.kind.resource(), self.kind.path());
            self.note(
                Level::Warn,
                "topology",
                format!("{resource} ({path}) cannot be followed: {why}; what is known of them stays in use"),
            );
        }
    }

    fn note(&mut self, level: Level, about: &'static str, text: String) {
        self.output.notes.push(Note { level, about, text });
    }
}
