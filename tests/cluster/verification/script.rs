//! The watch of events, and a script that plays the API server and the time to it.

use std::time::{Duration, Instant};

use event_gateway::clock;
use event_gateway::topology::watch::{ApiRequest, WatchStatus};
use event_gateway::verification::change::{Change, event};
use event_gateway::verification::watch::{Output, Step, Watch};
use serde_json::{Value, json};

pub const SECOND: Duration = Duration::from_secs(1);
pub const NEWEST: &str = "/api/v1/events?limit=500";
pub const WHOLE: &str = "/api/v1/events";
pub const PROBE: &str = "/api/v1/events?limit=1";
/// The longest wait that chance can draw.
const LONGEST: u64 = u64::MAX;

pub struct Script {
    pub watch: Watch,
    pub now: Instant,
}

impl Script {
    pub fn new() -> Self {
        Self { watch: Watch::new(None), now: clock::monotonic() }
    }

    /// One that was given a list at this version, without events, and then asked for the watch.
    pub fn watching(version: &str) -> Self {
        let mut script = Self::new();
        script.answer(&list(version, None, &[]), None);
        script.accept();
        script.output();
        script
    }

    /// The next request, which comes without a wait.
    #[track_caller]
    pub fn ask(&mut self) -> ApiRequest {
        match self.watch.next(self.now, 0) {
            Step::Request(ask) => ask,
            Step::Wait(until) => panic!("a wait of {:?}", until - self.now),
        }
    }

    /// Lets the wait go by that comes before the next request, and says how long it was.
    pub fn waited(&mut self) -> Duration {
        let until = match self.watch.next(self.now, 0) {
            Step::Wait(until) => until,
            Step::Request(_) => self.now,
        };
        let wait = until - self.now;
        self.now = until;
        wait
    }

    pub fn accept(&mut self) {
        self.ask();
        assert!(self.watch.response(200, None, self.now, LONGEST));
    }

    pub fn refuse(&mut self, status: u16, retry_after: Option<u64>) {
        let retry_after = retry_after.map(Duration::from_secs);
        assert!(!self.watch.response(status, retry_after, self.now, LONGEST), "{status} has a body");
    }

    pub fn answer(&mut self, body: &[u8], cut: Option<&str>) {
        self.accept();
        self.rest(body, cut);
    }

    /// The rest of a body, and its end.
    pub fn rest(&mut self, body: &[u8], cut: Option<&str>) {
        self.watch.body(body);
        self.watch.body_ended(cut, self.now, LONGEST);
    }

    pub fn silent(&mut self) {
        self.now += 30 * SECOND;
        self.watch.fell_silent(self.now, LONGEST);
    }

    pub fn no_response(&mut self) {
        self.watch.no_response("no", self.now, LONGEST);
    }

    pub fn output(&mut self) -> Output {
        self.watch.take()
    }

    /// What was shown: `[7`, `a@7`, `]7`, `-a`, `..7`, `=7`.
    pub fn shown(&mut self) -> String {
        let changes = self.output().changes;
        changes.iter().map(shown).collect::<Vec<_>>().join(" ")
    }

    /// The last status: `followed`, `ended`, or the reason.
    pub fn status(&mut self) -> String {
        match self.output().status {
            None => String::new(),
            Some(WatchStatus::Followed) => "followed".to_owned(),
            Some(WatchStatus::Ended) => "ended".to_owned(),
            Some(WatchStatus::Lost { reason, .. }) => reason.name().to_owned(),
        }
    }
}

fn shown(change: &Change) -> String {
    match change {
        Change::ListBegins(version) => format!("[{version}"),
        Change::ListEnds(version) => format!("]{version}"),
        Change::Seen { event, version } => format!("{}@{version}", name(*event)),
        Change::Deleted(event) => format!("-{}", name(*event)),
        Change::Through(version) => format!("..{version}"),
        Change::Confirmed(version) => format!("={version}"),
    }
}

/// The name of an event of this script, by its hash.
fn name(hash: u128) -> String {
    let names = ["a", "b", "c", "d"].into_iter().find(|name| event(name) == hash);
    names.map_or_else(|| format!("{hash:x}"), str::to_owned)
}

/// The metadata of an event, with the managed fields that most of it consists of.
pub fn object(uid: &str, version: &str) -> Value {
    json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": {
        "name": format!("{uid}.18e9"), "namespace": "shop", "uid": uid, "resourceVersion": version,
        "creationTimestamp": "2026-11-20T23:28:38Z", "managedFields": [{"manager": "kubelet", "operation": "Update",
        "fieldsV1": {"f:count": {}, "f:message \"}\\": {}, "f:source": {"f:component": {}}}}]}})
}

pub fn list(version: &str, token: Option<&str>, events: &[(&str, &str)]) -> Vec<u8> {
    let items: Vec<_> = events.iter().map(|(uid, version)| object(uid, version)).collect();
    let list = json!({"kind": "PartialObjectMetadataList", "metadata": {"resourceVersion": version,
                      "continue": token}, "items": items});
    // serde_json sorts the names, so `items` comes before `metadata` unless they are put together by hand.
    let (metadata, items) = (&list["metadata"], &list["items"]);
    format!("{{\"kind\":\"PartialObjectMetadataList\",\"metadata\":{metadata},\"items\":{items}}}\n")
        .into_bytes()
}

/// The same with the version behind the items.
pub fn list_with_its_head_behind(version: &str, events: &[(&str, &str)]) -> Vec<u8> {
    let items: Vec<_> = events.iter().map(|(uid, version)| object(uid, version)).collect();
    serde_json::to_vec(&json!({"items": items, "metadata": {"resourceVersion": version}})).unwrap()
}

pub fn line(what: &str, uid: &str, version: &str) -> Vec<u8> {
    let object = object(uid, version);
    format!("{{\"type\":\"{what}\",\"object\":{object}}}\n").into_bytes()
}

pub fn error(code: u16, reason: &str) -> Vec<u8> {
    let status =
        json!({"kind": "Status", "status": "Failure", "code": code, "reason": reason, "message": "no"});
    format!("{{\"type\":\"ERROR\",\"object\":{status}}}\n").into_bytes()
}

/// From where a watch resumes.
#[track_caller]
pub fn version_of(ask: &ApiRequest) -> &str {
    ask.target.rsplit_once("&resourceVersion=").unwrap_or_else(|| panic!("{ask:?}")).1
}
