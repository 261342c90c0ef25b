//! Does list and watch follow a kind as client-go's reflector does, whatever the API server answers?
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use event_gateway::clock;
use event_gateway::journal::Level;
use event_gateway::pattern::Patterns;
use event_gateway::topology::kind::Kind;
use event_gateway::topology::watch::{Ask, Change, Output, Step, Watch};
use proptest::prelude::*;
use serde_json::{Value, json};

const SECOND: Duration = Duration::from_secs(1);
/// The longest wait that chance can draw.
const LONGEST: u64 = u64::MAX;

/// A watch, and a time that only the script moves.
struct Script {
    watch: Watch,
    now: Instant,
}

impl Script {
    fn of(kind: Kind) -> Self {
        Self { watch: Watch::new(kind, Patterns::default()), now: clock::monotonic() }
    }

    /// The next request, which comes without a wait.
    #[track_caller]
    fn ask(&mut self) -> Ask {
        match self.watch.next(self.now, 0) {
            Step::Ask(ask) => ask,
            Step::Wait(until) => panic!("a wait of {:?}", until - self.now),
        }
    }

    /// Lets the wait go by that comes before the next request, and tells how long it was.
    fn waited(&mut self) -> Duration {
        let Step::Wait(until) = self.watch.next(self.now, 0) else { return Duration::ZERO };
        let wait = until - self.now;
        self.now = until;
        wait
    }

    fn refuse(&mut self, status: u16, retry_after: Option<u64>) {
        let retry_after = retry_after.map(Duration::from_secs);
        assert!(!self.watch.answered(status, retry_after, self.now, LONGEST), "{status} has a body");
    }

    fn accept(&mut self) {
        assert!(self.watch.answered(200, None, self.now, LONGEST));
    }

    fn answer(&mut self, body: &[u8], cut: Option<&str>) {
        self.accept();
        self.watch.body(body);
        self.watch.ended(cut, self.now, LONGEST);
    }

    /// A list in one page, after which the watch is asked for.
    fn list(&mut self, version: &str, names: &[&str]) -> Ask {
        self.waited();
        self.answer(&list(version, None, names), None);
        self.ask()
    }

    fn changes(&mut self) -> Vec<String> {
        self.watch.take().changes.iter().map(shown).collect()
    }
}

fn shown(change: &Change) -> String {
    let name = |object: &Arc<event_gateway::topology::object::Object>| object.name.to_string();
    match change {
        Change::Listed(objects) => {
            format!("= {}", objects.iter().map(name).collect::<Vec<_>>().join(" "))
        }
        Change::Put(object) => format!("+ {}@{}", object.name, object.version),
        Change::Deleted(object) => format!("- {}", object.name),
        Change::GivenUp => "given up".to_owned(),
    }
}

fn pod(name: &str, version: &str) -> Value {
    json!({"metadata": {"name": name, "namespace": "shop", "uid": format!("u-{name}"), "resourceVersion": version}})
}

fn list(version: &str, token: Option<&str>, names: &[&str]) -> Vec<u8> {
    let items: Vec<_> = names.iter().map(|name| pod(name, version)).collect();
    let list = json!({"kind": "PodList", "items": items,
                      "metadata": {"resourceVersion": version, "continue": token}});
    serde_json::to_vec(&list).unwrap()
}

fn line(what: &str, object: &Value) -> Vec<u8> {
    let mut line = serde_json::to_vec(&json!({"type": what, "object": object})).unwrap();
    line.push(b'\n');
    line
}

fn bookmark(version: &str) -> Vec<u8> {
    line("BOOKMARK", &json!({"kind": "Pod", "metadata": {"resourceVersion": version}}))
}

fn status(code: u16, reason: &str) -> Value {
    json!({"kind": "Status", "status": "Failure", "code": code, "reason": reason, "message": "no"})
}

fn version_of(ask: &Ask) -> &str {
    assert!(ask.is_watch, "{ask:?}");
    ask.target.rsplit_once("&resourceVersion=").unwrap().1
}

const FROM_CACHE: &str = "/api/v1/pods?limit=500&resourceVersion=0";
const NEWEST: &str = "/api/v1/pods?limit=500";

#[test]
fn a_list_comes_in_pages_and_is_handed_over_whole() {
    let mut script = Script::of(Kind::Pod);
    assert_eq!(script.ask().target, FROM_CACHE);
    script.answer(&list("7", Some("t=1"), &["a", "b"]), None);
    assert_eq!(script.changes(), [""; 0]);
    assert_eq!(script.ask().target, "/api/v1/pods?limit=500&continue=t%3D1");
    // A page that breaks off is asked for again, and its half is not kept.
    script.answer(&list("7", Some("t2"), &["c", "d"])[..120], Some("cut"));
    assert!(script.waited() > Duration::ZERO);
    assert_eq!(script.ask().target, "/api/v1/pods?limit=500&continue=t%3D1");
    script.answer(&list("7", Some("t2"), &["c"]), None);
    script.answer(&list("7", None, &["d"]), None);
    assert_eq!(script.changes(), ["= a b c d"]);
    let ask = script.ask();
    assert_eq!(
        ask.target,
        "/api/v1/pods?watch=1&allowWatchBookmarks=true&timeoutSeconds=290&resourceVersion=7"
    );
    assert_eq!(ask.accept, "application/json");
}

#[test]
fn a_kind_of_which_the_metadata_is_enough_says_so() {
    let mut script = Script::of(Kind::ReplicaSet);
    assert!(
        script.ask().accept.starts_with("application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1")
    );
    assert!(script.list("7", &["a"]).accept.starts_with("application/json;as=PartialObjectMetadata;g="));
}

#[test]
fn a_watch_tells_changes_and_goes_on_from_the_last_version() {
    let mut script = Script::of(Kind::Pod);
    assert_eq!(version_of(&script.list("7", &["a"])), "7");
    script.accept();
    let lines =
        [line("ADDED", &pod("b", "8")), line("MODIFIED", &pod("a", "9")), line("DELETED", &pod("b", "10"))];
    assert!(script.watch.body(&lines.concat()));
    assert_eq!(script.changes(), ["= a", "+ b@8", "+ a@9", "- b"]);
    assert!(script.watch.body(&bookmark("40")));
    // The beginning of a line whose rest never comes.
    assert!(script.watch.body(&line("MODIFIED", &pod("a", "41"))[..30]));
    script.now += 300 * SECOND;
    script.watch.ended(None, script.now, LONGEST);
    assert_eq!(version_of(&script.ask()), "40");
    script.accept();
    script.now += 2 * SECOND;
    script.watch.ended(Some("cut"), script.now, LONGEST);
    assert_eq!(version_of(&script.ask()), "40", "the first cut after a good watch costs no wait");
    assert_eq!(script.watch.take().restarts, 2);
}

#[test]
fn an_old_version_leads_to_the_newest_list() {
    for as_status in [true, false] {
        let mut script = Script::of(Kind::Pod);
        script.list("7", &["a"]);
        if as_status {
            script.refuse(410, None);
        } else {
            script.accept();
            let event = line("ERROR", &status(410, "Expired"));
            assert!(!script.watch.body(&[event, line("ADDED", &pod("x", "9"))].concat()));
            script.watch.ended(None, script.now, LONGEST);
        }
        assert_eq!(script.ask().target, NEWEST, "at once");
        script.list("90", &["b"]);
        assert_eq!(script.changes(), ["= a", "= b"], "nothing of what followed the error");
        // And if that goes on, not without waits.
        for _ in 0..4 {
            script.refuse(410, None);
            assert!(script.waited() > SECOND / 2);
            script.list("91", &["b"]);
        }
    }
}

#[test]
fn a_token_that_ran_out_leads_to_a_list_in_one_piece() {
    let mut script = Script::of(Kind::Pod);
    script.answer(&list("7", Some("t"), &["a", "b"]), None);
    script.refuse(410, None);
    assert_eq!(script.ask().target, "/api/v1/pods");
    script.list("9", &["a"]);
    assert_eq!(script.changes(), ["= a"]);
    // A page that is refused for another reason begins the list anew; one that leads to itself, too.
    let mut script = Script::of(Kind::Pod);
    script.answer(&list("7", Some("t"), &["a"]), None);
    script.refuse(400, None);
    script.waited();
    assert_eq!(script.ask().target, NEWEST);
    script.answer(&list("7", Some("t"), &["a"]), None);
    script.answer(&list("7", Some("t"), &["b"]), None);
    script.waited();
    assert_eq!(script.ask().target, "/api/v1/pods");
    script.list("8", &["c"]);
    assert_eq!(script.changes(), ["= c"]);
}

#[test]
fn unauthorized_is_tried_at_once_with_the_token_read_again() {
    let mut script = Script::of(Kind::Pod);
    assert!(!script.ask().renew_credentials);
    script.refuse(401, None);
    assert!(script.ask().renew_credentials, "at once");
    for _ in 0..3 {
        script.refuse(401, None);
        assert!(script.waited() > SECOND / 2);
        assert!(script.ask().renew_credentials);
    }
    script.list("7", &["a"]);
    assert!(!script.ask().renew_credentials);
    script.refuse(401, None);
    assert!(script.ask().renew_credentials, "a watch as well");
    assert_eq!(script.changes(), ["= a"]);
}

#[test]
fn what_is_forbidden_or_missing_is_given_up_with_one_line_and_taken_up_when_it_works() {
    for code in [403, 404] {
        let mut script = Script::of(Kind::Ingress);
        // Soon at first: a role may be bound after its pod has started.
        for seconds in [5, 10, 20, 40, 80, 160, 300, 300] {
            script.ask();
            script.refuse(code, None);
            let wait = script.waited();
            assert!((seconds * SECOND..seconds * SECOND * 11 / 10).contains(&wait), "{wait:?}");
        }
        let Output { changes, notes, .. } = script.watch.take();
        assert_eq!(changes, [Change::GivenUp]);
        assert_eq!(notes.len(), 1, "{notes:?}");
        assert_eq!(notes[0].level, Level::Warn);
        assert!(
            notes[0].text.contains("ingresses") && notes[0].text.contains(&code.to_string()),
            "{notes:?}"
        );
        script.list("7", &["a"]);
        script.accept();
        let Output { changes, notes, .. } = script.watch.take();
        assert_eq!(changes.iter().map(shown).collect::<Vec<_>>(), ["= a"]);
        assert_eq!(notes.iter().map(|note| note.level).collect::<Vec<_>>(), [Level::Info]);
    }
}

/// An API server that has just started forbids everything until it knows the roles.
#[test]
fn what_was_listed_stays_when_it_is_forbidden_later() {
    let mut script = Script::of(Kind::Pod);
    script.list("7", &["a"]);
    script.refuse(403, None);
    script.waited();
    script.ask();
    script.refuse(403, None);
    assert!(script.waited() < 12 * SECOND);
    assert_eq!(script.changes(), ["= a"], "and nothing is given up");
}

#[test]
fn what_may_be_listed_but_not_watched_is_listed_now_and_then() {
    let mut script = Script::of(Kind::Pod);
    for _ in 0..3 {
        script.list("7", &["a"]);
        script.refuse(403, None);
        assert!(script.waited() >= 5 * SECOND);
        assert_eq!(script.ask().target, NEWEST);
    }
    let Output { changes, notes, .. } = script.watch.take();
    assert_eq!(changes.iter().map(shown).collect::<Vec<_>>(), ["= a"; 3]);
    assert_eq!(notes.len(), 1, "{notes:?}");
}

#[test]
fn the_servers_own_wish_counts() {
    let mut script = Script::of(Kind::Pod);
    for (code, seconds) in [(429, 3), (503, 120)] {
        script.refuse(code, Some(seconds));
        assert_eq!(script.waited().as_secs(), seconds);
        script.refuse(code, Some(0));
        assert!(script.waited() > SECOND, "no wish, and the second failure and more");
    }
}

#[test]
fn waits_grow_and_are_told_once() {
    let mut script = Script::of(Kind::Pod);
    let mut waits = Vec::new();
    for _ in 0..8 {
        script.watch.failed("no route", script.now, LONGEST);
        waits.push(script.waited().as_millis());
    }
    assert_eq!(waits, [799, 1_599, 3_199, 6_399, 12_799, 25_599, 29_999, 29_999]);
    let notes = script.watch.take().notes;
    assert_eq!(notes.len(), 1);
    assert!(notes[0].text.contains("no route") && notes[0].level == Level::Warn, "{notes:?}");
    script.list("7", &["a"]);
    script.accept();
    assert_eq!(script.watch.take().notes[0].level, Level::Info);
    // After a good watch they begin anew.
    script.now += 60 * SECOND;
    script.watch.ended(None, script.now, LONGEST);
    script.watch.failed("no route", script.now, LONGEST);
    assert_eq!(script.waited().as_millis(), 799);
}

#[test]
fn a_watch_that_ends_at_once_does_not_spin() {
    let mut script = Script::of(Kind::Pod);
    script.list("7", &["a"]);
    let mut waited = Duration::ZERO;
    for n in 0..20 {
        script.answer(&bookmark(&format!("{}", 8 + n)), None);
        waited += script.waited();
    }
    assert!(waited > 300 * SECOND, "{waited:?}");
    assert_eq!(version_of(&script.ask()), "27");
}

#[test]
fn a_watch_that_is_refused_again_and_again_is_listed_anew() {
    // As after etcd was restored from a backup: our version lies in the future.
    for as_status in [true, false] {
        let mut script = Script::of(Kind::Pod);
        script.list("700", &["a"]);
        for _ in 0..3 {
            assert_eq!(version_of(&script.ask()), "700");
            if as_status {
                script.refuse(504, None);
            } else {
                script.answer(&line("ERROR", &status(500, "InternalError")), None);
            }
            assert!(script.waited() > Duration::ZERO);
        }
        assert_eq!(script.ask().target, NEWEST);
    }
    // A line that is no event costs the watch, not the state.
    let mut script = Script::of(Kind::Pod);
    script.list("7", &["a"]);
    script.accept();
    assert!(!script.watch.body(b"{\"type\":\"ADDED\",\"object\":{\n"));
    script.watch.ended(None, script.now, LONGEST);
    script.waited();
    assert_eq!(version_of(&script.ask()), "7");
}

#[test]
fn absurd_objects_are_left_out_and_counted() {
    let deep = |levels: usize| {
        serde_json::from_str::<Value>(&format!("{}{}", "[".repeat(levels), "]".repeat(levels))).unwrap()
    };
    let mut odd = pod("deep", "3");
    odd["status"] = json!({"x": deep(62)});
    let items = [
        json!(null),
        json!(7),
        json!({}),
        json!({"metadata": null}),
        json!({"metadata": {"uid": "u", "name": ""}}),
        json!({"metadata": {"uid": 7, "name": "x"}}),
        odd.clone(),
        pod("good", "5"),
    ];
    let mut script = Script::of(Kind::Pod);
    let body = json!({"items": items, "metadata": {"resourceVersion": "7"}});
    script.answer(&serde_json::to_vec(&body).unwrap(), None);
    let mut lines: Vec<u8> = items.iter().flat_map(|item| line("ADDED", item)).collect();
    lines.extend(line("UNHEARD OF", &pod("x", "8")));
    lines.extend(line("MODIFIED", &json!({"metadata": {"resourceVersion": "9"}})));
    odd["status"] = json!({"x": deep(63)});
    lines.extend(line("ADDED", &odd));
    script.accept();
    assert!(script.watch.body(&lines));
    script.now += 60 * SECOND;
    script.watch.ended(None, script.now, LONGEST);
    let Output { changes, skipped, .. } = script.watch.take();
    let changes: Vec<_> = changes.iter().map(shown).collect();
    assert_eq!(changes, ["= deep good", "+ deep@3", "+ good@5"]);
    assert_eq!(skipped, 6 + 6 + 3);
    assert_eq!(version_of(&script.ask()), "9", "what is of no use was told all the same");
}

#[test]
fn lists_without_a_version_or_an_end_are_not_taken() {
    for (body, why) in [
        (json!({"items": []}).to_string(), "no resourceVersion"),
        (
            json!({"items": [pod("a", "1")], "metadata": {"resourceVersion": ""}}).to_string(),
            "no resourceVersion",
        ),
        ("{\"items\":[{]}".to_owned(), "byte 11"),
        ("<html>".to_owned(), "byte 0"),
        (String::new(), "byte 0"),
    ] {
        let mut script = Script::of(Kind::Pod);
        for _ in 0..3 {
            script.answer(body.as_bytes(), None);
            assert!(script.waited() > Duration::ZERO);
            assert_eq!(script.ask().target, FROM_CACHE);
        }
        let Output { changes, notes, .. } = script.watch.take();
        assert_eq!(changes, []);
        assert!(notes[0].text.contains(why), "{notes:?}");
    }
}

#[test]
fn a_new_start_lists_the_newest() {
    let mut script = Script::of(Kind::Pod);
    script.answer(&list("7", Some("t"), &["a"]), None);
    script.watch.start_over(script.now, LONGEST);
    assert!(script.waited() > Duration::ZERO);
    assert_eq!(script.ask().target, NEWEST);
    script.list("8", &["b"]);
    assert_eq!(script.changes(), ["= b"]);
}

/// A list and a watch, their bytes in pieces; what came of it, as text.
fn played(list_body: &[u8], watch_body: &[u8], mut cut: impl FnMut(usize) -> usize) -> String {
    let mut script = Script::of(Kind::Pod);
    let mut feed = |script: &mut Script, mut body: &[u8]| {
        script.accept();
        while !body.is_empty() {
            let (piece, rest) = body.split_at(cut(body.len()).clamp(1, body.len()));
            if !script.watch.body(piece) {
                break;
            }
            body = rest;
        }
        script.watch.ended(None, script.now, LONGEST);
    };
    feed(&mut script, list_body);
    let waited = script.waited();
    feed(&mut script, watch_body);
    let waited = (waited, script.waited());
    let Output { changes, notes, skipped, restarts } = script.watch.take();
    let changes: Vec<_> = changes.iter().map(shown).collect();
    format!("{changes:?} {notes:?} {skipped} {restarts} {waited:?} {:?}", script.ask())
}

fn transcript() -> (Vec<u8>, Vec<u8>) {
    let lines = [
        line("ADDED", &pod("c", "8")),
        b"\r\n\n".to_vec(),
        line("MODIFIED", &pod("ä\"}", "9")),
        bookmark("12"),
        line("DELETED", &pod("c", "13")),
        line("MODIFIED", &json!({"metadata": {"resourceVersion": "14"}})),
        line("ERROR", &status(500, "InternalError")),
    ];
    (list("7", None, &["a", "b"]), lines.concat())
}

fn cases() -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES").map_or(300, |cases| cases.parse().unwrap());
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn no_cut_changes_anything(
        sizes in proptest::collection::vec(1usize..90, 1..20),
        changes in proptest::collection::vec((any::<bool>(), any::<prop::sample::Index>(), any::<u8>()), 0..3),
    ) {
        let (mut list, mut watch) = transcript();
        for (of_list, at, byte) in changes {
            let body = if of_list { &mut list } else { &mut watch };
            let at = at.index(body.len());
            body[at] = byte;
        }
        let whole = played(&list, &watch, |len| len);
        let mut sizes = sizes.iter().cycle();
        prop_assert_eq!(&played(&list, &watch, |_| *sizes.next().unwrap()), &whole);
        prop_assert_eq!(&played(&list, &watch, |_| 1), &whole);
    }
}

#[test]
fn no_mutation_makes_it_panic_or_forget_what_to_do() {
    let mutations = std::env::var("MUTATIONS").map_or(20_000, |count| count.parse().unwrap());
    let (list, watch) = transcript();
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut draw = move |below: usize| {
        // xorshift64: repeatable, and good enough to hit every place.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % below.max(1) as u64).unwrap()
    };
    for _ in 0..mutations {
        let (mut list, mut watch) = (list.clone(), watch.clone());
        for _ in 0..=draw(4) {
            let body = if draw(2) == 0 { &mut list } else { &mut watch };
            let at = draw(body.len());
            match draw(5) {
                0 => body[at] = b"{}[]\",:\\\n0n\xff"[draw(12)],
                1 => body[at] ^= 1 << draw(8),
                2 => body.truncate(at),
                3 => drop(body.remove(at)),
                _ => {
                    let (from, len) = (draw(body.len()), draw(60));
                    let piece = body[from..(from + len).min(body.len())].to_vec();
                    body.splice(at..at, piece);
                }
            }
            if body.is_empty() {
                body.push(b'{');
            }
        }
        played(&list, &watch, |len| len);
    }
}
