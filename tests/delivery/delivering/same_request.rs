//! Is a request without a clear answer sent again just as it was, so that a gateway that looks at
//! `Idempotency-Key` takes it once, whatever else has come in between?
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::support;
use support::gateway::{Answer, Request, TestGateway};
use support::host::{Build, Code, MiniHost};
use support::{events, started, value};

pub(super) fn state() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let ledger = folder.path().join("ledger");
    (folder, ledger)
}

pub(super) fn host(gateway: &TestGateway, ledger: &Path, more: &[(&str, &str)]) -> MiniHost {
    started(Build::V5_1_1, gateway, &[more, &[("state_file", ledger.to_str().unwrap())]].concat())
}

/// Takes the batch, begins to say so, and never ends.
fn taken_and_silent() -> Answer {
    Answer::ok().drip(Duration::from_secs(3_600))
}

fn key(request: &Request) -> &str {
    request.header("idempotency-key").unwrap()
}

fn same(first: &Arc<Request>, second: &Arc<Request>) {
    assert_eq!((first.ids(), key(first)), (second.ids(), key(second)));
    assert_eq!(first.body, second.body);
    for header in ["content-type", "content-encoding", "content-length"] {
        assert_eq!(first.header(header), second.header(header), "{header}");
    }
}

fn until_ok(host: &mut MiniHost, data: &[u8]) {
    host.deliver_at_last("a", "t", data);
}

#[test]
fn after_a_kill_the_request_on_its_way_goes_out_first_and_as_it_was() {
    for format in ["native", "cloudevents", "cloudevents_batch", "raw"] {
        for compress in ["gzip", "none"] {
            let (gateway, (_folder, ledger)) = (TestGateway::start(), state());
            let more = [("format", format), ("compress", compress), ("timeout", "1h")];
            let mut first = started(
                Build::V5_1_1,
                &gateway,
                &[&more[..], &[("state_file", ledger.to_str().unwrap())]].concat(),
            );
            assert_eq!(first.deliver("a", "t", &events(["settled"])), Code::Ok);
            gateway.answer(taken_and_silent());
            first.flush("a", "t", &events(["u1", "u2"]));
            gateway.wait_for_requests(2);
            first.kill();

            let mut second = host(&gateway, &ledger, &more[..2]);
            // Other records come before them, between them and after them.
            assert_eq!(second.deliver("a", "t", &events(["x", "u1", "y", "u2", "z", "settled"])), Code::Ok);
            let requests = gateway.requests();
            same(&requests[1], &requests[2]);
            let ids: Vec<_> = requests[2..].iter().flat_map(|request| request.ids().to_vec()).collect();
            let wanted: &[&str] = match format {
                // One event a request, so that it is the first alone.
                "cloudevents" => &["u1.1", "x.1", "y.1", "u2.1", "z.1"],
                _ => &["u1.1", "u2.1", "x.1", "y.1", "z.1"],
            };
            assert_eq!(ids, wanted, "{format} {compress}");
            let metrics = second.metrics_when(|metrics| value(metrics, "delivered_records_total") == 5.0);
            assert_eq!(value(&metrics, "records_total"), 6.0);
            second.kill();

            let asked = gateway.requests().len();
            let mut third = host(&gateway, &ledger, &more[..2]);
            assert_eq!(third.deliver("a", "t", &events(["x", "u1", "y", "u2", "z", "settled"])), Code::Ok);
            assert_eq!(gateway.requests().len(), asked, "settled is settled");
            third.quit();
        }
    }
}

#[test]
fn within_a_run_the_same_request_is_sent_first_with_or_without_a_file() {
    for has_file in [true, false] {
        let (gateway, (_folder, ledger)) = (TestGateway::start(), state());
        let mut host =
            if has_file { host(&gateway, &ledger, &[]) } else { started(Build::V5_1_1, &gateway, &[]) };
        // The batch is taken once, and the word of it is lost each time.
        for taken in [true, false, false] {
            gateway.answer(Answer::close_after_body().accepting(taken));
        }
        assert_eq!(host.deliver("a", "t", &events(["u1"])), Code::Retry);
        gateway.stop();
        assert_eq!(host.deliver("a", "t", &events(["u1", "x"])), Code::Retry);
        gateway.restart();
        until_ok(&mut host, &events(["x", "u1"]));
        let requests = gateway.requests();
        requests[1..4].iter().for_each(|request| same(&requests[0], request));
        assert_eq!(requests[4].ids(), ["x.1"]);
        assert_eq!(requests.len(), 5, "with {has_file}");
        host.quit();
    }
}

#[test]
fn what_was_certainly_not_taken_is_no_reason_to_send_it_alone() {
    let (gateway, (_folder, ledger)) = (TestGateway::start(), state());
    let mut first = host(&gateway, &ledger, &[]);
    gateway.set_default(Answer::status(503).header("Retry-After", "0"));
    assert_eq!(first.deliver("a", "t", &events(["u1"])), Code::Retry);
    first.kill();
    gateway.set_default(Answer::ok());
    let mut second = host(&gateway, &ledger, &[]);
    assert_eq!(second.deliver("a", "t", &events(["x", "u1"])), Code::Ok);
    assert_eq!(gateway.requests().last().unwrap().ids(), ["x.1", "u1.1"]);
    second.quit();
}

#[test]
fn a_request_that_kills_the_gateway_does_not_block_the_others_indefinitely() {
    let (gateway, (_folder, ledger)) = (TestGateway::start(), state());
    gateway.respond_with(|request| {
        let is_poison = request.ids().iter().any(|id| id == "poison.1");
        if is_poison { Answer::close_after_body() } else { Answer::ok() }
    });
    let mut host = host(&gateway, &ledger, &[]);
    assert_eq!(host.deliver("a", "t", &events(["poison"])), Code::Retry);
    until_ok(&mut host, &events(["u1", "u2"]));
    assert_eq!(gateway.accepted_ids(), ["u1.1", "u2.1"]);
    host.quit();
}

fn not_held_up_by_a_lock(status: u16) {
    let gateway = TestGateway::start();
    let locked = std::sync::Mutex::new(None);
    gateway.respond_with(move |request| match &mut *locked.lock().unwrap() {
        Some(locked) if *locked == key(request) => Answer::status(status),
        Some(_) => Answer::ok(),
        locked => {
            // It dies over the batch, and its lock outlives it.
            *locked = Some(key(request).to_owned());
            Answer::close_after_body()
        }
    });
    let mut host = started(Build::V5_1_1, &gateway, &[]);
    assert_eq!(host.deliver("a", "t", &events(["u1"])), Code::Retry);
    until_ok(&mut host, &events(["x", "u1"]));
    assert_eq!(gateway.accepted_ids(), ["x.1", "u1.1"]);
    host.quit();
}

#[test]
fn a_gateway_that_holds_a_key_in_conflict_does_not_hold_up_the_others() {
    not_held_up_by_a_lock(409);
}

#[test]
fn a_gateway_that_holds_a_key_locked_does_not_hold_up_the_others() {
    not_held_up_by_a_lock(423);
}

/// Credentials that have run out, say: to give the request up would make it another one, and help nobody.
#[test]
fn what_the_settings_are_to_blame_for_does_not_end_it() {
    let gateway = TestGateway::start();
    gateway.answer(Answer::close_after_body());
    gateway.set_default(Answer::status(403));
    let mut host = started(Build::V5_1_1, &gateway, &[]);
    while gateway.requests().len() < 7 {
        assert_eq!(host.deliver("a", "t", &events(["u1"])), Code::Retry);
    }
    gateway.set_default(Answer::ok());
    until_ok(&mut host, &events(["x", "u1"]));
    let requests = gateway.requests();
    requests[..requests.len() - 1].iter().for_each(|request| same(&requests[0], request));
    assert_eq!(requests.last().unwrap().ids(), ["x.1"]);
    host.quit();
}

/// What is sent after a request had no answer, and then so many rounds panicked.
fn after_panics(rounds: usize) -> Vec<Arc<Request>> {
    let (gateway, folder) = (TestGateway::start(), tempfile::tempdir().unwrap());
    let asked = folder.path().join("panics");
    let mut host = MiniHost::start_with(Build::V5_1_1, |command| {
        command.env("EVENT_GATEWAY_PANIC", &asked);
    });
    host.set("a", "endpoint", gateway.url());
    assert_eq!(host.init("a"), 1);
    for taken in [true, false, false] {
        gateway.answer(Answer::close_after_body().accepting(taken));
    }
    assert_eq!(host.deliver("a", "t", &events(["u1"])), Code::Retry);
    gateway.stop();
    fs::write(&asked, "round").unwrap();
    for _ in 0..rounds {
        assert_eq!(host.deliver("a", "t", &events(["x"])), Code::Retry);
    }
    fs::remove_file(&asked).unwrap();
    gateway.restart();
    until_ok(&mut host, &events(["x", "u1"]));
    host.quit();
    gateway.requests()
}

#[test]
fn a_round_that_panics_does_not_forget_it() {
    let requests = after_panics(1);
    requests[1..4].iter().for_each(|request| same(&requests[0], request));
    assert_eq!((requests[4].ids(), requests.len()), (&["x.1".to_owned()][..], 5));
}

/// It may be the very request that they panic over.
#[test]
fn a_round_that_panics_again_and_again_gives_it_up() {
    let requests = after_panics(3);
    assert_eq!((requests[3].ids(), requests.len()), (&["x.1".to_owned(), "u1.1".to_owned()][..], 4));
}

#[test]
fn a_request_that_is_rejected_when_it_comes_again_is_taken_apart() {
    let (gateway, (_folder, ledger)) = (TestGateway::start(), state());
    let mut first = host(&gateway, &ledger, &[("timeout", "2s")]);
    gateway.set_default(Answer::hang());
    assert_eq!(first.deliver("a", "t", &events(["u1", "u2"])), Code::Retry);
    first.kill();
    gateway.respond_with(|request| Answer::status(if request.ids().len() > 1 { 413 } else { 200 }));
    let mut second = host(&gateway, &ledger, &[]);
    assert_eq!(second.deliver("a", "t", &events(["u1", "u2"])), Code::Ok);
    assert_eq!(gateway.accepted_ids(), ["u1.1", "u2.1"]);
    second.quit();
}

/// Leaves a request without an answer, changes something, and says what comes first then.
pub(super) fn first_after(change: impl FnOnce(&Path), more: &[(&str, &str)]) -> Vec<String> {
    let (gateway, (_folder, ledger)) = (TestGateway::start(), state());
    let mut first = host(&gateway, &ledger, &[]);
    gateway.set_default(Answer::close_after_body());
    assert_eq!(first.deliver("a", "t", &events(["u1"])), Code::Retry);
    first.kill();
    let asked = gateway.requests().len();
    gateway.set_default(Answer::ok());
    let mut kept = ledger.as_os_str().to_owned();
    kept.push(".in-flight");
    change(Path::new(&kept));
    let mut second = host(&gateway, &ledger, more);
    assert_eq!(second.deliver("a", "t", &events(["x", "u1"])), Code::Ok);
    let ids = gateway.requests()[asked].ids().to_vec();
    let all = gateway.accepted_ids();
    assert_eq!((all.len(), all.contains(&"u1.1".to_owned())), (2, true), "{all:?}");
    second.quit();
    ids
}

#[test]
fn what_is_of_no_use_any_more_is_not_sent() {
    assert_eq!(first_after(|_| {}, &[]), ["u1.1"]);
    assert_eq!(first_after(|_| {}, &[("format", "raw")]), ["x.1", "u1.1"], "another format");
    let damaged = |kept: &Path| {
        let mut bytes = fs::read(kept).unwrap();
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        fs::write(kept, bytes).unwrap();
    };
    assert_eq!(first_after(damaged, &[]), ["x.1", "u1.1"], "damaged");
    assert_eq!(first_after(|kept| fs::remove_file(kept).unwrap(), &[]), ["x.1", "u1.1"], "lost");
}

#[test]
fn a_file_that_cannot_be_written_stops_nothing() {
    let (gateway, (_folder, ledger)) = (TestGateway::start(), state());
    let mut kept = ledger.as_os_str().to_owned();
    kept.push(".in-flight");
    fs::create_dir(&kept).unwrap();
    let mut host = host(&gateway, &ledger, &[]);
    assert_eq!(host.deliver("a", "t", &events(["u1"])), Code::Ok);
    assert_eq!(host.wait_log("is sent again under another Idempotency-Key").level, 1);
    assert_eq!(gateway.accepted_ids(), ["u1.1"]);
    host.quit();
}

#[test]
fn a_file_that_was_removed_is_made_again() {
    let (gateway, (_folder, ledger)) = (TestGateway::start(), state());
    let mut first = host(&gateway, &ledger, &[("timeout", "1h")]);
    assert_eq!(first.deliver("a", "t", &events(["settled"])), Code::Ok);
    fs::remove_file(ledger.with_extension("in-flight")).unwrap();
    gateway.answer(taken_and_silent());
    first.flush("a", "t", &events(["u1"]));
    gateway.wait_for_requests(2);
    first.kill();
    let mut second = host(&gateway, &ledger, &[]);
    assert_eq!(second.deliver("a", "t", &events(["x", "u1"])), Code::Ok);
    let requests = gateway.requests();
    same(&requests[1], &requests[2]);
    second.quit();
}

/// Also one that an earlier life has begun: whoever comes back to it after weeks, with a ledger that has forgotten
/// the records, must not send it again.
#[test]
fn what_is_settled_is_marked_as_that() {
    let (gateway, (_folder, ledger)) = (TestGateway::start(), state());
    let mut first = host(&gateway, &ledger, &[]);
    gateway.set_default(Answer::close_after_body());
    assert_eq!(first.deliver("a", "t", &events(["u1"])), Code::Retry);
    first.kill();
    gateway.set_default(Answer::ok());
    let mut second = host(&gateway, &ledger, &[]);
    assert_eq!(second.deliver("a", "t", &events(["u1"])), Code::Ok);
    assert_eq!(fs::read(ledger.with_extension("in-flight")).unwrap()[..24], [0; 24]);
    second.quit();
}

#[test]
fn a_pipe_in_its_place_holds_nobody_up() {
    let (gateway, (_folder, ledger)) = (TestGateway::start(), state());
    let pipe = ledger.with_extension("in-flight");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let mut host = host(&gateway, &ledger, &[]);
    assert_eq!(host.deliver("a", "t", &events(["u1"])), Code::Ok);
    assert_eq!(host.wait_log("is sent again under another Idempotency-Key").level, 1);
    host.quit();
}

#[test]
fn the_file_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let (gateway, (folder, ledger)) = (TestGateway::start(), state());
    let mut host = host(&gateway, &ledger, &[]);
    assert_eq!(host.deliver("a", "t", &events(["u1"])), Code::Ok);
    let mode = fs::metadata(folder.path().join("ledger.in-flight")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    host.quit();
}
