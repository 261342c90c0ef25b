//! With `guarantee no_duplicates`: does the gateway get nothing twice, whatever happens, and is nothing lost
//! without a trace?
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;
use std::thread;
use std::time::Duration;

use super::support;
use serde_json::Value;

use support::gateway::{Answer, TestGateway};
use support::host::{Build, Code, MiniHost};
use support::{chunk, event, events, value};

/// For a gateway that answers, however slowly.
const PATIENT: &str = "5m";
/// For one that never does. A request that had not even gone out by then would be another case.
pub const SOON: &str = "5s";

/// The files of one instance over its lives.
pub struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    pub fn new() -> Place {
        Place { folder: tempfile::tempdir().unwrap() }
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn host(&self, gateway: &TestGateway, guarantee: &str, more: &[(&str, &str)]) -> MiniHost {
        let (ledger, letters) = (self.file("ledger"), self.file("letters.ndjson"));
        let keys = [
            ("guarantee", guarantee),
            ("state_file", ledger.to_str().unwrap()),
            ("dead_letter_file", letters.to_str().unwrap()),
            ("timeout", PATIENT),
        ];
        let mut host = MiniHost::start_with(Build::V5_1_1, ignoring_sigxfsz);
        host.set("a", "endpoint", gateway.url());
        for (key, value) in keys.iter().chain(more) {
            host.set("a", key, value);
        }
        assert_eq!(host.init("a"), 1);
        host
    }

    /// Ids and reasons.
    pub fn letters(&self) -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let letters = fs::read_to_string(self.file("letters.ndjson")).unwrap_or_default();
        let letters = letters.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        letters.map(|letter| (text(&letter["id"]), text(&letter["reason"]))).collect()
    }
}

pub fn doubted(ids: &[&str]) -> Vec<(String, String)> {
    ids.iter().map(|id| ((*id).to_owned(), "ambiguous".to_owned())).collect()
}

/// Takes the batch, begins to say so, and never ends.
pub fn taken_and_silent() -> Answer {
    Answer::ok().drip(Duration::from_secs(3_600))
}

/// Answers after which nobody knows whether the batch was taken, each with whether this gateway did, and how long to
/// wait for it.
fn ambiguous() -> Vec<(Answer, &'static str)> {
    let half = || Answer::raw(b"HTTP/1.1 200 OK\r\nContent-Le".to_vec());
    let mut answers = vec![
        Answer::close_after_body().accepting(true),
        Answer::close_after_body(),
        half(),
        half().accepting(true),
        Answer::raw(b"\x00\x01 what\r\n\r\n".to_vec()).accepting(true),
        Answer::status(303).header("Location", "/elsewhere").accepting(true),
    ];
    for status in [408, 500, 502, 504, 507, 599, 700] {
        answers.push(Answer::status(status));
        answers.push(Answer::status(status).accepting(true));
    }
    let silent = [taken_and_silent(), Answer::hang()].map(|answer| (answer, SOON));
    answers.into_iter().map(|answer| (answer, PATIENT)).chain(silent).collect()
}

/// They wait more than they work.
fn at_once<T: Send + 'static>(answers: Vec<T>, check: fn(T)) {
    thread::scope(|scope| {
        for answer in answers {
            scope.spawn(move || check(answer));
        }
    });
}

#[test]
fn an_ambiguous_batch_is_dead_lettered_and_never_sent_again() {
    at_once(ambiguous(), |(answer, timeout)| {
        let (gateway, place) = (TestGateway::start(), Place::new());
        let mut host = place.host(&gateway, "no_duplicates", &[("timeout", timeout)]);
        gateway.answer(answer.clone());
        assert_eq!(host.deliver("a", "t", &events(["u1", "u2"])), Code::Ok, "{answer:?}");
        assert_eq!(gateway.wait_for_requests(1).len(), 1, "{answer:?}");
        assert_eq!(place.letters(), doubted(&["u1.1", "u2.1"]), "{answer:?}");
        host.wait_log("whether it took the records is open");
        let metrics = host.metrics_when(|metrics| value(metrics, "ambiguous_records_total") == 2.0);
        assert_eq!(value(&metrics, "dead_lettered_records_total"), 2.0);
        // Settled: neither this life nor the next sends it.
        for _ in 0..2 {
            assert_eq!(host.deliver("a", "t", &events(["u1", "u2"])), Code::Ok, "{answer:?}");
            host.quit();
            host = place.host(&gateway, "no_duplicates", &[]);
        }
        assert_eq!((gateway.requests().len(), place.letters().len()), (1, 2), "{answer:?}");
        // Its occurrences may have been delivered: the next version does not count them again.
        assert_eq!(host.deliver("a", "t", &chunk::of(&[event("u1", 2, 5)])), Code::Ok);
        let last = gateway.requests().last().unwrap().records();
        assert_eq!(last[0]["new_occurrences"], 4, "{answer:?}");
        host.quit();
    });
}

#[test]
fn what_was_certainly_not_taken_waits_and_is_delivered_once() {
    let answers = [425, 429, 503, 401, 403, 404, 405, 301, 302, 307, 308].map(Answer::status);
    at_once(answers.into(), |answer| {
        let (gateway, place) = (TestGateway::start(), Place::new());
        let mut host = place.host(&gateway, "no_duplicates", &[]);
        gateway.set_default(answer.clone().header("Retry-After", "0"));
        assert_eq!(host.deliver("a", "t", &events(["u1"])), Code::Retry, "{answer:?}");
        host.quit();
        gateway.set_default(Answer::ok());
        let mut host = place.host(&gateway, "no_duplicates", &[]);
        assert_eq!(host.deliver("a", "t", &events(["u1"])), Code::Ok, "{answer:?}");
        assert_eq!(gateway.accepted_ids(), ["u1.1"]);
        assert!(place.letters().is_empty(), "{answer:?}");
        host.quit();
    });
}

#[test]
fn a_gateway_that_cannot_be_reached_has_taken_nothing() {
    let (gateway, place) = (TestGateway::start(), Place::new());
    let mut host = place.host(&gateway, "no_duplicates", &[]);
    gateway.stop();
    assert_eq!(host.deliver("a", "t", &events(["u1"])), Code::Retry);
    // TLS where there is none: the handshake fails before the request.
    gateway.restart();
    let tls = gateway.url().replace("http:", "https:");
    host.set("b", "endpoint", tls).set("b", "guarantee", "no_duplicates");
    host.set("b", "state_file", place.file("other").to_str().unwrap());
    host.set("b", "dead_letter_file", place.file("others").to_str().unwrap());
    assert!(host.init("b") > 0);
    assert_eq!(host.deliver("b", "t", &events(["u2"])), Code::Retry);
    host.quit();
    let mut host = place.host(&gateway, "no_duplicates", &[]);
    assert_eq!(host.deliver("a", "t", &events(["u1"])), Code::Ok);
    assert_eq!(gateway.accepted_ids(), ["u1.1"]);
    assert!(place.letters().is_empty());
    host.quit();
}

#[test]
fn a_hiccup_that_is_certain_is_ridden_out_inside_one_flush() {
    let (gateway, place) = (TestGateway::start(), Place::new());
    let mut host = place.host(&gateway, "no_duplicates", &[]);
    // Its time is short, and a machine may be too busy for it, but not each time.
    let is_ridden_out = (0..20).any(|number| {
        gateway.answer(Answer::status(503));
        gateway.answer(Answer::status(429));
        let asked = gateway.requests().len();
        let retries = host.deliver_at_last("a", "t", &events([number]));
        assert_eq!(gateway.requests().len(), asked + 3);
        retries == 0
    });
    assert!(is_ridden_out);
    host.quit();
}

#[test]
fn a_kill_with_a_request_on_its_way_leaves_it_in_doubt() {
    for answer in [taken_and_silent(), Answer::hang()] {
        let (gateway, place) = (TestGateway::start(), Place::new());
        let mut host = place.host(&gateway, "no_duplicates", &[("timeout", "1h")]);
        assert_eq!(host.deliver("a", "t", &events(["before"])), Code::Ok);
        gateway.answer(answer.clone());
        host.flush("a", "t", &events(["u1", "u2"]));
        gateway.wait_for_requests(2);
        host.kill();
        let mut host = place.host(&gateway, "no_duplicates", &[]);
        assert_eq!(host.deliver("a", "t", &events(["before", "u1", "u2", "after"])), Code::Ok, "{answer:?}");
        assert_eq!(place.letters(), doubted(&["u1.1", "u2.1"]), "{answer:?}");
        let requests = gateway.requests();
        let ids: Vec<_> = requests.iter().flat_map(|request| request.ids()).collect();
        assert_eq!(ids, ["before.1", "u1.1", "u2.1", "after.1"], "{answer:?}");
        host.kill();
        let mut host = place.host(&gateway, "no_duplicates", &[]);
        assert_eq!(host.deliver("a", "t", &events(["u1", "u2"])), Code::Ok);
        assert_eq!((gateway.requests().len(), place.letters().len()), (3, 2), "settled by then");
        host.quit();
    }
}

#[test]
fn a_kill_after_the_acknowledgement_leaves_nothing_in_doubt() {
    let (gateway, place) = (TestGateway::start(), Place::new());
    for _ in 0..3 {
        let mut host = place.host(&gateway, "no_duplicates", &[]);
        assert_eq!(host.deliver("a", "t", &events(["u1"])), Code::Ok);
        host.kill();
    }
    assert_eq!(gateway.accepted_ids(), ["u1.1"]);
    assert!(place.letters().is_empty());
}

#[test]
fn a_stop_dead_letters_the_request_that_it_cuts_off() {
    let (gateway, place) = (TestGateway::start(), Place::new());
    let mut host = place.host(&gateway, "no_duplicates", &[("timeout", "1h")]);
    gateway.answer(taken_and_silent());
    host.flush("a", "t", &events(["u1"]));
    gateway.wait_for_requests(1);
    host.quit();
    assert_eq!(place.letters(), doubted(&["u1.1"]));
    let mut host = place.host(&gateway, "no_duplicates", &[]);
    assert_eq!(host.deliver("a", "t", &events(["u1"])), Code::Ok);
    assert_eq!(gateway.requests().len(), 1);
    host.quit();
}

#[test]
fn what_finds_no_place_among_the_dead_letters_waits_and_is_not_sent() {
    let (gateway, place) = (TestGateway::start(), Place::new());
    let mut host = place.host(&gateway, "no_duplicates", &[("dead_letter_max_bytes", "1K")]);
    gateway.answer(Answer::close_after_body().accepting(true));
    let all = events(["u1", "u2", "u3"]);
    assert_eq!(host.deliver("a", "t", &all), Code::Retry);
    assert_eq!(host.deliver("a", "t", &all), Code::Retry);
    host.kill();
    let mut host = place.host(&gateway, "no_duplicates", &[("dead_letter_max_bytes", "1K")]);
    assert_eq!(host.deliver("a", "t", &all), Code::Retry);
    let first = place.letters();
    assert_eq!(first, doubted(&["u1.1"]));
    // A person takes the file away, and once more.
    for waiting in ["u2.1", "u3.1"] {
        fs::rename(place.file("letters.ndjson"), place.file(waiting)).unwrap();
        host.deliver("a", "t", &all);
        assert_eq!(place.letters(), doubted(&[waiting]));
    }
    assert_eq!(host.deliver("a", "t", &all), Code::Ok);
    assert_eq!(gateway.requests().len(), 1);
    host.quit();
}

#[test]
fn nothing_is_sent_that_could_not_be_written_down() {
    let (gateway, place) = (TestGateway::start(), Place::new());
    let mut host = place.host(&gateway, "no_duplicates", &[]);
    limit_file_bytes(host.pid(), 0);
    assert_eq!(host.deliver("a", "t", &events(["u1"])), Code::Retry);
    let line = host.wait_log("nothing is sent that is not written down first");
    assert_eq!(line.level, 1);
    assert!(line.text.contains("state_file"), "{}", line.text);
    assert_eq!(gateway.requests().len(), 0);
    limit_file_bytes(host.pid(), libc::RLIM_INFINITY);
    host.deliver_at_last("a", "t", &events(["u1"]));
    assert_eq!(gateway.accepted_ids(), ["u1.1"]);
    host.quit();
}

/// What a full disk is, for one process: writes beyond the limit fail with EFBIG.
#[allow(unsafe_code)]
fn limit_file_bytes(pid: u32, bytes: u64) {
    let limit = libc::rlimit { rlim_cur: bytes, rlim_max: libc::RLIM_INFINITY };
    // SAFETY: prlimit(2) reads one struct, which lives across the call.
    let set = unsafe {
        libc::prlimit(i32::try_from(pid).unwrap(), libc::RLIMIT_FSIZE, &raw const limit, std::ptr::null_mut())
    };
    assert_eq!(set, 0, "prlimit: {}", std::io::Error::last_os_error());
}

/// Otherwise the first such write would end the host.
#[allow(unsafe_code)]
fn ignoring_sigxfsz(command: &mut Command) {
    // SAFETY: signal(2) may be called between fork and exec, and what is ignored stays so.
    unsafe {
        command.pre_exec(|| {
            libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
            Ok(())
        });
    }
}

#[test]
fn a_rejected_batch_is_halved_and_nothing_of_it_is_in_doubt() {
    let (gateway, place) = (TestGateway::start(), Place::new());
    gateway.respond_with(|request| {
        let is_bad = request.ids().iter().any(|id| id == "u2.1");
        Answer::status(if is_bad { 422 } else { 200 })
    });
    let mut host = place.host(&gateway, "no_duplicates", &[]);
    assert_eq!(host.deliver("a", "t", &events(["u1", "u2", "u3", "u4"])), Code::Ok);
    assert_eq!(gateway.accepted_ids(), ["u1.1", "u3.1", "u4.1"]);
    assert_eq!(place.letters(), [("u2.1".to_owned(), "rejected by the gateway".to_owned())]);
    host.kill();
    let mut host = place.host(&gateway, "no_duplicates", &[]);
    assert_eq!(host.deliver("a", "t", &events(["u1", "u2", "u3", "u4"])), Code::Ok);
    assert_eq!((gateway.accepted_ids().len(), place.letters().len()), (3, 1));
    host.quit();
}

#[test]
fn a_large_body_is_sent_only_when_the_gateway_wants_it() {
    let (gateway, place) = (TestGateway::start(), Place::new());
    let mut host = place.host(&gateway, "no_duplicates", &[("compress", "none")]);
    let mut large = event("large", 1, 1);
    large["message"] = "x".repeat(20_000).into();
    assert_eq!(host.deliver("a", "t", &chunk::of(&[large])), Code::Ok);
    assert_eq!(host.deliver("a", "t", &events(["small"])), Code::Ok);
    let asked: Vec<_> =
        gateway.requests().iter().map(|request| request.header("expect").map(str::to_owned)).collect();
    assert_eq!(asked, [Some("100-continue".to_owned()), None]);
    host.quit();
}
