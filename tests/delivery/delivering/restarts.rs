//! Does the ledger survive what happens to hosts, and its file what happens to files?

use std::fs;
use std::path::Path;

use super::{mark, support};
use support::gateway::{Answer, TestGateway};
use support::host::{Build, Code, MiniHost};
use support::{chunk, event, events};

fn started(gateway: &TestGateway, state: &Path) -> MiniHost {
    support::started(Build::V5_1_1, gateway, &[("state_file", state.to_str().expect("UTF-8"))])
}

#[test]
fn what_was_delivered_stays_delivered() {
    let gateway = TestGateway::start();
    let folder = tempfile::tempdir().expect("a folder");
    let state = folder.path().join("ledger");
    let recording = chunk::of(&chunk::recording_events());
    for pass in 0..4 {
        let mut host = started(&gateway, &state);
        assert_eq!(host.deliver("a", "t", &recording), Code::Ok);
        if pass % 2 == 0 { host.kill() } else { host.quit() }
    }
    let wanted: Vec<_> = chunk::recording_events().iter().map(chunk::event_id).collect();
    assert_eq!(gateway.accepted_ids(), wanted);
}

#[test]
fn new_occurrences_count_on_over_a_restart() {
    let gateway = TestGateway::start();
    let folder = tempfile::tempdir().expect("a folder");
    let state = folder.path().join("ledger");
    for (version, count) in [(1, 3), (2, 10), (5, 10), (4, 9), (2, 10), (4, 9)] {
        let mut host = started(&gateway, &state);
        assert_eq!(host.deliver("a", "t", &chunk::of(&[event("u", version, count)])), Code::Ok);
        host.kill();
    }
    let seen: Vec<_> = gateway
        .accepted_records()
        .iter()
        .map(|record| {
            (
                record["id"].as_str().expect("id").to_owned(),
                record["new_occurrences"].as_u64(),
                record["count"].as_u64(),
            )
        })
        .collect();
    // Version 4 comes late: it was never delivered, so it is, and its occurrences were counted with 5.
    assert_eq!(
        seen,
        [
            ("u.1".to_owned(), Some(3), Some(3)),
            ("u.2".to_owned(), Some(7), Some(10)),
            ("u.5".to_owned(), Some(0), Some(10)),
            ("u.4".to_owned(), Some(0), Some(9))
        ]
    );
}

#[test]
fn a_version_that_was_overtaken_while_it_waited_is_still_delivered() {
    let gateway = TestGateway::start();
    let folder = tempfile::tempdir().expect("a folder");
    let mut host = started(&gateway, &folder.path().join("ledger"));
    gateway.answer(Answer::status(503).header("Retry-After", "0"));
    let (old, new) = (chunk::of(&[event("u", 1, 1)]), chunk::of(&[event("u", 2, 2)]));
    assert_eq!(host.deliver("a", "t", &old), Code::Retry);
    assert_eq!(host.deliver("a", "t", &new), Code::Ok);
    assert_eq!(host.deliver("a", "t", &old), Code::Ok);
    assert_eq!(host.deliver("a", "t", &old), Code::Ok);
    assert_eq!(gateway.accepted_ids(), ["u.2", "u.1"]);
    let new_occurrences: Vec<_> =
        gateway.accepted_records().iter().map(|record| record["new_occurrences"].as_u64()).collect();
    assert_eq!(new_occurrences, [Some(2), Some(0)]);
    host.quit();
}

#[test]
fn without_a_state_file_a_restart_forgets_and_says_so_at_start() {
    let gateway = TestGateway::start();
    let mut host = MiniHost::start(Build::V5_1_1);
    host.set("a", "endpoint", gateway.url());
    for _ in 0..2 {
        host.init("a");
        assert_eq!(host.deliver("a", "t", &events(["u1"])), Code::Ok);
        host.exit("a");
    }
    assert_eq!(gateway.accepted_ids(), ["u1.1", "u1.1"]);
    let warnings = host
        .logs()
        .iter()
        .filter(|line| line.level == 2 && line.text.contains("state_file is not set"))
        .count();
    assert_eq!(warnings, 2);
    host.quit();
}

#[test]
fn two_instances_on_one_file_are_refused_with_its_name() {
    let gateway = TestGateway::start();
    let folder = tempfile::tempdir().expect("a folder");
    let state = folder.path().join("ledger");
    let mut host = started(&gateway, &state);
    host.set("b", "endpoint", gateway.url());
    host.set("b", "state_file", state.to_str().expect("UTF-8"));
    assert!(host.init("b") <= 0);
    let line = host.wait_log("state_file: ");
    assert!(line.level == 1 && line.text.contains("in use by another instance"), "{line:?}");
    let mut stranger = MiniHost::start(Build::V4_2_2);
    stranger.set("a", "endpoint", gateway.url());
    stranger.set("a", "state_file", state.to_str().expect("UTF-8"));
    assert!(stranger.init("a") <= 0);
    assert_eq!(host.deliver("a", "t", &events(["u1"])), Code::Ok, "the first is not disturbed");
    host.quit();
}

#[test]
fn a_damaged_file_is_moved_aside_and_work_goes_on() {
    let gateway = TestGateway::start();
    let folder = tempfile::tempdir().expect("a folder");
    let state = folder.path().join("ledger");
    let mut host = started(&gateway, &state);
    assert_eq!(host.deliver("a", "t", &events(["u1"])), Code::Ok);
    host.quit();
    let mut bytes = fs::read(&state).expect("the ledger");
    let middle = bytes.len() / 2;
    bytes.truncate(middle);
    bytes[..64].fill(0x5a);
    fs::write(&state, &bytes).expect("damaged");
    let mut host = started(&gateway, &state);
    let line = host.wait_log("was moved to");
    assert_eq!(line.level, 1);
    assert_eq!(host.deliver("a", "t", &events(["u1"])), Code::Ok);
    let kept = fs::read_dir(folder.path())
        .expect("a folder")
        .filter_map(Result::ok)
        .find(|entry| entry.file_name().to_string_lossy().starts_with("ledger.damaged-"));
    assert_eq!(fs::read(kept.expect("the damaged file").path()).expect("its bytes"), bytes);
    host.quit();
    let mut host = started(&gateway, &state);
    assert_eq!(host.deliver("a", "t", &events(["u1"])), Code::Ok);
    assert_eq!(gateway.accepted_ids(), ["u1.1", "u1.1"], "once before and once after the damage");
    host.quit();
}

#[test]
fn a_file_of_a_newer_version_is_moved_aside_and_can_be_put_back() {
    let gateway = TestGateway::start();
    let folder = tempfile::tempdir().expect("a folder");
    let state = folder.path().join("ledger");
    let mut host = started(&gateway, &state);
    assert_eq!(host.deliver("a", "t", &events(["u1"])), Code::Ok);
    host.quit();
    let rules = mark::rules(&state).expect("a mark");
    mark::set_rules(&state, rules + 1);
    let mut host = started(&gateway, &state);
    let line = host.wait_log("was moved to");
    assert_eq!(line.level, 1);
    let said = format!(
        "state_file was written by a newer version of this plugin (identity rules {}; this version knows {rules}) and was \
         moved to {}.newer-",
        rules + 1,
        state.display()
    );
    assert!(line.text.contains(&said), "{}", line.text);
    assert!(line.text.ends_with("put it back when the newer version runs again"), "{}", line.text);
    assert_eq!(host.deliver("a", "t", &events(["u1", "u2"])), Code::Ok);
    assert_eq!(gateway.accepted_ids(), ["u1.1", "u1.1", "u2.1"], "what it knew is not known here");
    host.quit();
    let mut names = fs::read_dir(folder.path()).expect("a folder").filter_map(Result::ok);
    let aside = names.find(|entry| entry.file_name().to_string_lossy().starts_with("ledger.newer-"));
    // The newer version is back.
    let aside = aside.expect("the newer file").path();
    mark::set_rules(&aside, rules);
    fs::rename(aside, &state).expect("put back");
    let mut host = started(&gateway, &state);
    assert_eq!(host.deliver("a", "t", &events(["u1"])), Code::Ok);
    assert_eq!(gateway.accepted_ids().len(), 3);
    host.quit();
}
