//! What does a host do whose state_file is there and cannot be read at the start?
//!
//! In the mini host, with output and filter. It starts and says so; with `guarantee no_duplicates` nothing goes out.
//! As soon as the file can be read everything in it is known again, without a restart and after the next.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test may fail, and waits for the plugin"
)]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use super::{held, support};
use support::gateway::{Answer, TestGateway};
use support::host::{Build, Code, MiniHost, Outcome, Place};
use support::service_impact::filtering;
use support::{chunk, event, events};

/// Longer than a file is left alone that failed.
const PAUSE: Duration = Duration::from_millis(6_100);

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

    /// A link to itself: neither to be read nor missing, and that for root, too.
    fn hide(&self) {
        fs::rename(self.file("ledger"), self.file("away")).unwrap();
        symlink("ledger", self.file("ledger")).unwrap();
    }

    fn give_back(&self) {
        fs::rename(self.file("away"), self.file("ledger")).unwrap();
    }

    fn host(&self, gateway: &TestGateway, guarantee: &str) -> MiniHost {
        let mut host = MiniHost::start(Build::V5_1_1);
        host.set("a", "endpoint", gateway.url()).set("a", "guarantee", guarantee).set("a", "timeout", "60s");
        for (key, name) in [("state_file", "ledger"), ("dead_letter_file", "letters")] {
            host.set("a", key, self.file(name).to_str().unwrap());
        }
        assert_eq!(host.init("a"), 1, "the disk is no reason not to start");
        host
    }
}

#[test]
fn nothing_that_the_unread_state_holds_is_sent_twice() {
    let (gateway, state) = (TestGateway::start(), State::new());
    let mut host = state.host(&gateway, "no_duplicates");
    assert_eq!(host.deliver("a", "t", &events(["u0", "u1"])), Code::Ok);
    gateway.answer(Answer::hang());
    host.flush("a", "t", &events(["doubt"]));
    gateway.wait_for_requests(2);
    host.kill();
    state.hide();
    let mut host = state.host(&gateway, "no_duplicates");
    let logged = host.wait_log("nor can it be read; until it is back, nothing is sent; look at the disk");
    assert!(logged.level == 1 && logged.text.contains("state_file: "), "{logged:?}");
    let all = events(["u0", "u1", "doubt", "u2"]);
    assert_eq!(host.deliver("a", "t", &all), Code::Retry);
    host.wait_log("could not be read at the start, nor since; with guarantee no_duplicates nothing is sent");
    assert_eq!(gateway.requests().len(), 2);
    state.give_back();
    thread::sleep(PAUSE);
    for _ in 0..2 {
        assert_eq!(host.deliver("a", "t", &all), Code::Ok);
        assert_eq!(gateway.accepted_ids(), ["u0.1", "u1.1", "u2.1"]);
        assert_eq!(gateway.requests().len(), 3);
        let letters = fs::read_to_string(state.file("letters")).unwrap();
        assert!(letters.lines().count() == 1 && letters.contains("doubt.1"), "{letters}");
        host.kill();
        host = state.host(&gateway, "no_duplicates");
    }
    host.quit();
}

#[test]
fn events_of_the_unread_state_are_repeated_only_until_it_can_be_read() {
    let (gateway, state) = (TestGateway::start(), State::new());
    let mut host = state.host(&gateway, "no_event_loss");
    assert_eq!(host.deliver("a", "t", &events(["u0", "u1"])), Code::Ok);
    // A kill might leave the request in flight, which would come again.
    host.quit();
    state.hide();
    let mut host = state.host(&gateway, "no_event_loss");
    host.wait_log("nor can it be read; until it is back, what was delivered may be delivered again");
    assert_eq!(host.deliver("a", "t", &events(["u0", "u2"])), Code::Ok, "deliveries go on");
    state.give_back();
    thread::sleep(PAUSE);
    for _ in 0..2 {
        assert_eq!(host.deliver("a", "t", &events(["u0", "u1", "u2", "u3"])), Code::Ok);
        assert_eq!(gateway.accepted_ids(), ["u0.1", "u1.1", "u0.1", "u2.1", "u3.1"]);
        host.kill();
        host = state.host(&gateway, "no_event_loss");
    }
    host.quit();
}

#[test]
fn the_filter_reads_later_what_it_had_seen() {
    let state = State::new();
    let file = state.file("ledger");
    let start = || filtering(Build::V5_1_1, &[("state_file", file.to_str().unwrap())]);
    let goes_through = |host: &mut MiniHost, number: u64| {
        let one = chunk::of(&[event(&format!("u{number}"), 1, 1)]);
        let outcome = host.filter("f", "t", &one, Place::Processor).outcome;
        !matches!(outcome, Outcome::Modified(bytes) if bytes.is_empty())
    };
    let (mut host, _image) = start();
    assert!((0..20).all(|number| goes_through(&mut host, number)));
    // At the exit a slow disk gets a few seconds, and no more.
    held::wait_for(&file, 20);
    host.quit();
    state.hide();
    let (mut host, _image) = start();
    assert!(goes_through(&mut host, 20) && goes_through(&mut host, 0));
    // A filter speaks when it is called.
    let known = chunk::of(&[event("u20", 1, 1)]);
    host.filter_until_log("f", &known, "nor can it be read; until it is back, events may go through again");
    assert!(goes_through(&mut host, 21));
    state.give_back();
    thread::sleep(PAUSE);
    // A new event wakes the thread that reads, and what it has read is there with the next.
    assert!(goes_through(&mut host, 22));
    // One that goes through is known from then on: so each look asks for another, and after a longer pause.
    let is_known_again = (1..13).any(|number| {
        thread::sleep(Duration::from_millis(50 << number));
        !goes_through(&mut host, number)
    });
    assert!(
        is_known_again && !(0..23).any(|number| goes_through(&mut host, number)),
        "what it saw is known again"
    );
    assert!(goes_through(&mut host, 23));
    held::wait_for(&file, 24);
    host.quit();
    let (mut host, _image) = start();
    assert!(!(0..24).any(|number| goes_through(&mut host, number)), "a restart lets nothing through again");
    host.quit();
}
