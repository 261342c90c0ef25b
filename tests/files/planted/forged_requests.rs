//! Is a saved request sent only if this plugin wrote it, for this endpoint, with this ledger?
//!
//! An attacker who writes into the folder of the state can put a request there. It would be sent with our credentials.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::support::gateway::{Answer, TestGateway};
use super::support::host::{Build, Code, MiniHost};
use super::support::{PATIENT, events};

struct State {
    folder: tempfile::TempDir,
}

impl State {
    fn new() -> State {
        State { folder: tempfile::tempdir().unwrap() }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn host(&self, url: &str, more: &[(&str, &str)]) -> MiniHost {
        let mut host = MiniHost::start(Build::V5_1_1);
        let ledger = self.file("ledger");
        host.set("a", "endpoint", url).set("a", "state_file", ledger.to_str().unwrap());
        for (key, value) in PATIENT.iter().chain(more) {
            host.set("a", key, value);
        }
        assert_eq!(host.init("a"), 1);
        host
    }

    fn secret(&self, name: &str) -> String {
        let path = self.file(name);
        fs::write(&path, "sesame").unwrap();
        path.to_str().unwrap().to_owned()
    }
}

/// A state in which a host was killed with a request for this record on its way.
fn left(url: &str, gateway: &TestGateway, uid: &str, more: &[(&str, &str)]) -> State {
    let state = State::new();
    let mut host = state.host(url, more);
    gateway.set_default(Answer::close_after_body());
    assert_eq!(host.deliver("a", "t", &events([uid])), Code::Retry);
    host.kill();
    gateway.set_default(Answer::ok());
    state
}

/// What goes out first, after a start with these settings; and what the line says.
fn first(state: &State, gateway: &TestGateway, url: &str, more: &[(&str, &str)], says: &str) -> Vec<String> {
    let asked = gateway.requests().len();
    let mut host = state.host(url, more);
    assert_eq!(host.deliver("a", "t", &events(["x"])), Code::Ok);
    let ids = gateway.requests()[asked].ids().to_vec();
    let line = host.logs().into_iter().find(|line| line.text.contains("is not sent"));
    match line {
        Some(line) => assert!(!says.is_empty() && line.text.contains(says), "{line:?}"),
        None => assert_eq!(says, "", "there is no line"),
    }
    host.quit();
    ids
}

#[test]
fn a_request_of_ours_is_sent() {
    let gateway = TestGateway::start();
    let state = left(&gateway.url(), &gateway, "u1", &[]);
    assert_eq!(first(&state, &gateway, &gateway.url(), &[], ""), ["u1.1"]);
}

/// Made by a plugin whose ledger is another: the best that a forger can do.
#[test]
fn a_request_that_somebody_else_made_is_not_sent() {
    let gateway = TestGateway::start();
    let theirs = left(&gateway.url(), &gateway, "forged", &[]);
    for has_ledger in [true, false] {
        let ours = State::new();
        if has_ledger {
            ours.host(&gateway.url(), &[]).quit();
        }
        fs::copy(theirs.file("ledger.in-flight"), ours.file("ledger.in-flight")).unwrap();
        let says = "does not fit the key in state_file";
        assert_eq!(first(&ours, &gateway, &gateway.url(), &[], says), ["x.1"]);
    }
}

#[test]
fn where_nothing_may_arrive_twice_its_records_are_in_doubt() {
    let gateway = TestGateway::start();
    let theirs = left(&gateway.url(), &gateway, "doubted", &[]);
    let ours = State::new();
    let letters = ours.file("letters");
    let careful = [("guarantee", "no_duplicates"), ("dead_letter_file", letters.to_str().unwrap())];
    fs::copy(theirs.file("ledger.in-flight"), ours.file("ledger.in-flight")).unwrap();
    let asked = gateway.requests().len();
    let mut host = ours.host(&gateway.url(), &careful);
    let line = host.wait_log("does not fit the key in state_file");
    assert!(line.level == 1 && line.text.contains("put into dead_letter_file"), "{line:?}");
    assert_eq!(host.deliver("a", "t", &events(["doubted", "x"])), Code::Ok);
    assert!(gateway.requests()[asked..].iter().all(|request| request.ids() == ["x.1"]));
    assert!(fs::read_to_string(&letters).unwrap().contains("ambiguous"));
    host.quit();
}

/// Keys and values.
type Set = Vec<(&'static str, String)>;

/// Nobody gets the records of another endpoint, nor sees them under other credentials.
#[test]
fn a_request_for_somebody_else_is_not_sent() {
    let gateway = TestGateway::start();
    let url = gateway.url();
    let paths = State::new();
    let (one, other) = (paths.secret("one"), paths.secret("other"));
    let token = |path: &str| vec![("bearer_token_file", path.to_owned())];
    let user = |user: &str| vec![("basic_user", user.to_owned()), ("basic_password_file", one.clone())];
    let header = |value: &str| vec![("headers", format!("X-Scope-OrgID: {value}"))];
    let format = |word: &str| vec![("format", word.to_owned())];
    let cases: [(Set, Set, &str); 8] = [
        (vec![], vec![], "/other"),
        (vec![], vec![], "?tenant=other"),
        (vec![], token(&one), ""),
        (token(&one), token(&other), ""),
        (user("a"), user("b"), ""),
        (token(&one), user("a"), ""),
        (header("a"), header("b"), ""),
        (format("native"), format("raw"), ""),
    ];
    for (before, after, path) in cases {
        let state = left(&url, &gateway, "u1", &refs(&before));
        let says = "for another endpoint, format, tenant, credentials, selection or redaction";
        let elsewhere = format!("{url}{path}");
        assert_eq!(
            first(&state, &gateway, &elsewhere, &refs(&after), says),
            ["x.1"],
            "{before:?} {after:?} {path}"
        );
    }
}

fn refs<'a>(settings: &'a [(&'a str, String)]) -> Vec<(&'a str, &'a str)> {
    settings.iter().map(|(key, value)| (*key, &**value)).collect()
}

/// Another port, say: the same name, and somebody else behind it.
#[test]
fn a_request_for_another_host_is_not_sent() {
    let (gateway, other) = (TestGateway::start(), TestGateway::start());
    let state = left(&gateway.url(), &gateway, "u1", &[]);
    let says = "for another endpoint, format, tenant, credentials, selection or redaction";
    assert_eq!(first(&state, &other, &other.url(), &[], says), ["x.1"]);
}

/// The pod's name in a header is another after each restart.
#[test]
fn another_header_is_no_other_endpoint() {
    let gateway = TestGateway::start();
    let state = left(&gateway.url(), &gateway, "u1", &[("headers", "X-Pod: a")]);
    assert_eq!(first(&state, &gateway, &gateway.url(), &[("headers", "X-Pod: b")], ""), ["u1.1"]);
}

/// A secret is exchanged while a request waits, and is not what it was made for.
#[test]
fn another_secret_in_the_same_file_is_no_other_endpoint() {
    let gateway = TestGateway::start();
    let paths = State::new();
    let token = paths.secret("token");
    let more = [("bearer_token_file", &*token)];
    let state = left(&gateway.url(), &gateway, "u1", &more);
    fs::write(&token, "renewed").unwrap();
    assert_eq!(first(&state, &gateway, &gateway.url(), &more, ""), ["u1.1"]);
}

/// The key goes with the contents of a ledger, into each file that takes its place.
#[test]
fn a_ledger_that_is_made_anew_keeps_its_key() {
    let gateway = TestGateway::start();
    let state = State::new();
    let mut host = state.host(&gateway.url(), &[]);
    assert_eq!(host.deliver("a", "t", &events(["u1"])), Code::Ok);
    fs::remove_file(state.file("ledger")).unwrap();
    for uid in ["u2", "u3"] {
        assert_eq!(host.deliver("a", "t", &events([uid])), Code::Ok);
    }
    assert!(state.file("ledger").exists());
    gateway.set_default(Answer::close_after_body());
    assert_eq!(host.deliver("a", "t", &events(["u4"])), Code::Retry);
    host.kill();
    gateway.set_default(Answer::ok());
    assert_eq!(first(&state, &gateway, &gateway.url(), &[], ""), ["u4.1"]);
}

/// An attacker who reads the folder may keep a request of ours, which fits, and put it back later.
#[test]
fn a_request_that_was_answered_is_not_sent_again_when_somebody_puts_it_back() {
    for (ttl, says) in [("1h", ""), ("1s", "older than ledger_ttl")] {
        let gateway = TestGateway::start();
        let more = [("ledger_ttl", ttl)];
        let state = left(&gateway.url(), &gateway, "u1", &more);
        let copy = fs::read(state.file("ledger.in-flight")).unwrap();
        let mut host = state.host(&gateway.url(), &more);
        // The ledger's time goes on with what is committed.
        for uid in ["u2", "u3"] {
            assert_eq!(host.deliver("a", "t", &events([uid])), Code::Ok);
            std::thread::sleep(Duration::from_millis(2_100));
        }
        assert_eq!(host.deliver("a", "t", &events(["u4"])), Code::Ok);
        host.quit();
        fs::write(state.file("ledger.in-flight"), copy).unwrap();
        assert_eq!(first(&state, &gateway, &gateway.url(), &more, says), ["x.1"], "{ttl}");
    }
}

/// Somebody has set `redact` because of what is in it.
#[test]
fn a_request_with_what_must_not_leave_any_more_is_not_sent() {
    let gateway = TestGateway::start();
    for changed in [("redact", "message"), ("exclude_namespaces", "shop"), ("audit_bodies", "on")] {
        let state = left(&gateway.url(), &gateway, "u1", &[]);
        let asked = gateway.requests().len();
        let mut host = state.host(&gateway.url(), &[changed]);
        host.wait_log("selection or redaction than are set now");
        host.quit();
        assert_eq!(gateway.requests().len(), asked, "{changed:?}");
    }
}

/// A copy by a person and what a crash cut are no requests, and no line reports them.
#[test]
fn what_is_not_whole_is_nothing() {
    let gateway = TestGateway::start();
    let state = left(&gateway.url(), &gateway, "u1", &[]);
    let path: &Path = &state.file("ledger.in-flight");
    let bytes = fs::read(path).unwrap();
    fs::write(path, &bytes[..bytes.len() - 1]).unwrap();
    assert_eq!(first(&state, &gateway, &gateway.url(), &[], ""), ["x.1"]);
}
