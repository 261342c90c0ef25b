//! Does the host live through a panic at every place where one could cross the border?

use std::fs;
use std::path::Path;

use super::support;
use support::gateway::TestGateway;
use support::host::{Build, Code, MiniHost};
use support::{events, value};

/// A host whose plugin panics wherever the file says. `RUST_BACKTRACE` makes the default panic hook print
/// a backtrace, which needs more stack than a coroutine has.
fn tripping(wire: &Path) -> MiniHost {
    MiniHost::start_with(Build::V4_2_2, |command| {
        command.env("RUST_BACKTRACE", "1").env("EVENT_GATEWAY_PANIC", wire);
    })
}

/// The places that have panicked so far.
fn hits(wire: &Path) -> String {
    fs::read_to_string(wire.with_extension("hits")).unwrap_or_default()
}

#[test]
fn a_panic_loses_nothing_and_kills_nobody() {
    let gateway = TestGateway::start();
    let folder = tempfile::tempdir().expect("a folder");
    let wire = folder.path().join("wire");
    let mut host = tripping(&wire);
    host.set("a", "endpoint", gateway.url());
    fs::write(&wire, "init").expect("written");
    assert!(host.init("a") <= 0, "a panic in Init refuses the instance");
    fs::remove_file(&wire).expect("removed");
    assert_eq!(host.init("a"), 1);

    for place in ["flush", "round", "deliver"] {
        fs::write(&wire, place).expect("written");
        for _ in 0..3 {
            assert_eq!(host.deliver("a", "t", &events([place])), Code::Retry, "{place}");
        }
        fs::remove_file(&wire).expect("removed");
        assert_eq!(host.deliver("a", "t", &events([place])), Code::Ok, "{place}");
    }
    let round = "a round of deliveries panicked";
    for (what, place) in [("taking a chunk panicked", "flush"), (round, "round"), (round, "deliver")] {
        let line = host.wait_log(&format!("a test asked for a panic in {place}"));
        assert!(line.text.contains(what) && line.level == 1, "{line:?}");
    }
    let metrics = host.metrics_when(|metrics| value(metrics, "panicked_rounds_total") >= 6.0);
    assert_eq!(value(&metrics, "delivering"), 1.0);

    // A waker that panics resumes nobody; then the timer does, and without it the waker does.
    for (requests, place) in (4..).zip(["woken", "tick", "publish", "log", "idle"]) {
        fs::write(&wire, place).expect("written");
        assert_eq!(host.deliver("a", "t", &events([place])), Code::Ok, "{place}");
        gateway.wait_for_requests(requests);
        while !hits(&wire).contains(place) {
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        fs::remove_file(&wire).expect("removed");
    }
    // The next two of this kind are too many for ten seconds.
    for (what, place) in [("the engine's waker panicked", "woken"), ("the engine's timer panicked", "tick")] {
        let line = host.wait_log(&format!("a test asked for a panic in {place}"));
        assert!(line.text.contains(what) && line.level == 1, "{line:?}");
    }

    // A panic in ExitCtx itself, and one of the thread that it waits for.
    for place in ["exit", "finish"] {
        fs::write(&wire, place).expect("written");
        host.exit("a");
        assert!(hits(&wire).ends_with(&format!("{place}\n")));
        fs::remove_file(&wire).expect("removed");
        assert_eq!(host.init("a"), 1);
    }
    assert_eq!(
        gateway.accepted_ids(),
        ["flush.1", "round.1", "deliver.1", "woken.1", "tick.1", "publish.1", "log.1", "idle.1"]
    );
    assert_eq!(host.stderr(), [""; 0], "nothing goes to the host's descriptors");
    host.quit();
}

#[test]
fn a_panic_in_register_refuses_the_plugin() {
    let folder = tempfile::tempdir().expect("a folder");
    let wire = folder.path().join("wire");
    fs::write(&wire, "register").expect("written");
    let mut host = MiniHost::start_empty(Build::V4_2_2, |command| {
        command.env("EVENT_GATEWAY_PANIC", &wire);
    });
    let reply = host.command(format!("load {}", MiniHost::plugin_path().display()));
    assert!(reply.starts_with("error load"), "{reply}");
    // The host frees the definition of a refused plugin without a look at it.
    host.expect_violation("def left unset");
}

#[test]
fn a_thread_that_is_gone_keeps_nobody_waiting_and_says_so() {
    let gateway = TestGateway::start();
    let folder = tempfile::tempdir().expect("a folder");
    let wire = folder.path().join("wire");
    let mut host = tripping(&wire);
    host.set("a", "endpoint", gateway.url());
    host.init("a");
    fs::write(&wire, "thread").expect("written");
    assert_eq!(host.deliver("a", "t", &events(["u1"])), Code::Retry);
    fs::remove_file(&wire).expect("removed");
    for _ in 0..3 {
        assert_eq!(host.deliver("a", "t", &events(["u1"])), Code::Retry, "nobody is there to answer");
    }
    assert_eq!(host.wait_log("the delivering thread ended by a panic").level, 1);
    host.metrics_when(|metrics| value(metrics, "delivering") == 0.0);
    host.exit("a");
    assert_eq!(host.init("a"), 1);
    assert_eq!(host.deliver("a", "t", &events(["u1"])), Code::Ok);
    host.quit();
}
