//! A watch, and a script that plays the API server and the time to it.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use event_gateway::clock;
use event_gateway::pattern::Patterns;
use event_gateway::topology::kind::ObjectKind;
use event_gateway::topology::watch::{
    ApiRequest, ObjectChange, OtherKinds, RequestKind, Step, Watch, WatchStatus,
};
use serde_json::{Value, json};

pub const SECOND: Duration = Duration::from_secs(1);
/// The longest wait that chance can draw.
pub const LONGEST: u64 = u64::MAX;

/// A watch, and a time that only the script moves.
pub struct Script {
    pub watch: Watch,
    pub now: Instant,
}

impl Script {
    pub fn of(kind: ObjectKind) -> Self {
        Self { watch: Watch::new(kind, Patterns::default()), now: clock::monotonic() }
    }

    /// The next request, which comes without a wait.
    #[track_caller]
    pub fn ask(&mut self) -> ApiRequest {
        match self.watch.next(self.now, 0) {
            Step::Request(ask) => ask,
            Step::Wait { until, .. } => panic!("a wait of {:?}", until - self.now),
            Step::Turn => panic!("a turn"),
        }
    }

    /// Lets the wait go by that comes before the next request, and tells how long it was; a turn takes a second.
    pub fn waited(&mut self) -> Duration {
        let until = match self.watch.next(self.now, 0) {
            Step::Wait { until, .. } => until,
            Step::Turn => {
                self.watch.wake();
                self.now + SECOND
            }
            Step::Request(_) => self.now,
        };
        let wait = until - self.now;
        self.now = until;
        wait
    }

    /// Whether the next request waits for its turn among all kinds.
    pub fn waits_for_turn(&mut self) -> bool {
        self.watch.next(self.now, 0) == Step::Turn
    }

    /// Whether another kind that gets through would end the wait.
    pub fn wakes(&mut self) -> bool {
        !matches!(self.watch.next(self.now, 0), Step::Wait { wakes: false, .. })
    }

    /// Another kind was answered 200 just now, and is followed or not.
    pub fn another_is_served(&mut self, followed: bool) {
        self.now += Duration::from_millis(1);
        self.watch.compare(OtherKinds { served: Some(self.now), followed });
    }

    /// RequestKind the watch reports since the last time: `followed`, or the reason.
    pub fn following(&mut self) -> Option<String> {
        self.watch.take().following.map(|following| match following {
            WatchStatus::Followed => "followed".to_owned(),
            WatchStatus::Ended => "ended".to_owned(),
            WatchStatus::Lost { reason, is_refused: true, .. } => format!("{} for good", reason.name()),
            WatchStatus::Lost { reason, .. } => reason.name().to_owned(),
        })
    }

    pub fn refuse(&mut self, status: u16, retry_after: Option<u64>) {
        let retry_after = retry_after.map(Duration::from_secs);
        assert!(!self.watch.response(status, retry_after, self.now, LONGEST), "{status} has a body");
    }

    pub fn accept(&mut self) {
        assert!(self.watch.response(200, None, self.now, LONGEST));
    }

    pub fn answer(&mut self, body: &[u8], cut: Option<&str>) {
        self.accept();
        self.watch.body(body);
        self.watch.body_ended(cut, self.now, LONGEST);
    }

    /// A list in one page, after which the watch is asked for.
    pub fn list(&mut self, version: &str, names: &[&str]) -> ApiRequest {
        self.waited();
        self.answer(&list(version, None, names), None);
        self.ask()
    }

    /// A probe, whose list has this version.
    #[track_caller]
    pub fn probe(&mut self, version: &str) {
        assert_eq!(self.ask().target, PROBE);
        self.answer(&list(version, None, &["any"]), None);
    }

    pub fn changes(&mut self) -> Vec<String> {
        self.watch.take().changes.iter().map(shown).collect()
    }
}

pub fn shown(change: &ObjectChange) -> String {
    let name = |object: &Arc<event_gateway::topology::object::Object>| object.name.to_string();
    match change {
        ObjectChange::Listed(objects) => {
            format!("= {}", objects.iter().map(name).collect::<Vec<_>>().join(" "))
        }
        ObjectChange::Put(object) => format!("+ {}@{}", object.name, object.version),
        ObjectChange::Deleted(object) => format!("- {}", object.name),
        ObjectChange::GivenUp => "given up".to_owned(),
    }
}

pub fn pod(name: &str, version: &str) -> Value {
    json!({"metadata": {"name": name, "namespace": "shop", "uid": format!("u-{name}"), "resourceVersion": version}})
}

pub fn list(version: &str, token: Option<&str>, names: &[&str]) -> Vec<u8> {
    let items: Vec<_> = names.iter().map(|name| pod(name, version)).collect();
    let list = json!({"kind": "PodList", "items": items,
                      "metadata": {"resourceVersion": version, "continue": token}});
    serde_json::to_vec(&list).unwrap()
}

pub fn line(what: &str, object: &Value) -> Vec<u8> {
    let mut line = serde_json::to_vec(&json!({"type": what, "object": object})).unwrap();
    line.push(b'\n');
    line
}

pub fn bookmark(version: &str) -> Vec<u8> {
    line("BOOKMARK", &json!({"kind": "Pod", "metadata": {"resourceVersion": version}}))
}

pub fn status(code: u16, reason: &str) -> Value {
    json!({"kind": "Status", "status": "Failure", "code": code, "reason": reason, "message": "no"})
}

pub fn version_of(ask: &ApiRequest) -> &str {
    assert_eq!(ask.kind, RequestKind::Watch, "{ask:?}");
    ask.target.rsplit_once("&resourceVersion=").unwrap().1
}

pub const FROM_CACHE: &str = "/api/v1/pods?limit=500&resourceVersion=0";
pub const NEWEST: &str = "/api/v1/pods?limit=500";
pub const PROBE: &str = "/api/v1/pods?limit=1";
