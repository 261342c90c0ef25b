//! Does a flush that waits leave the engine alone?

use std::time::Duration;

use super::support;
use support::gateway::{Answer, TestGateway};
use support::host::{Build, Code, MiniHost};
use support::{events, value};

/// With an hour for each request: whoever waited for one that hangs would still wait when the test gives up.
fn started(build: Build, gateway: &TestGateway, workers: usize) -> MiniHost {
    let mut host = MiniHost::start(build);
    host.workers(workers);
    host.set("a", "endpoint", gateway.url()).set("a", "timeout", "1h");
    assert_eq!(host.init("a"), 1);
    host
}

#[test]
fn a_hanging_gateway_does_not_stop_the_engine() {
    for build in [Build::V4_2_2, Build::V5_1_1] {
        let gateway = TestGateway::start();
        let mut host = started(build, &gateway, 0);
        gateway.answer(Answer::ok().held());
        let ids: Vec<_> = (0..6).map(|n| host.flush("a", "t", &events([format!("u{n}")]))).collect();
        gateway.wait_for_requests(1);
        // The gateway answers when the engine has beaten, and not before: one that waited would never beat.
        host.wait_for_beats(100);
        for id in &ids {
            assert_eq!(host.wait_within(*id, Duration::ZERO), None, "{build:?}");
        }
        gateway.release();
        for id in ids {
            assert_eq!(host.wait(id), Code::Ok);
        }
        host.quit();
    }
}

#[test]
fn many_flushes_wait_at_once_and_each_gets_its_own_answer() {
    let gateway = TestGateway::start();
    let mut host = started(Build::V5_1_1, &gateway, 0);
    gateway.answer(Answer::ok().held());
    let chunks: Vec<_> = (0..200).map(|n| host.flush("a", "t", &events([format!("u{n}")]))).collect();
    gateway.wait_for_requests(1);
    host.metrics_when(|metrics| value(metrics, "jobs_in_flight") == 200.0);
    gateway.release();
    for id in chunks {
        assert_eq!(host.wait(id), Code::Ok);
    }
    let mut ids = gateway.accepted_ids();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 200);
    // All that waited while the first request was out went together.
    assert!(gateway.requests().len() <= 2, "{} requests", gateway.requests().len());
    host.quit();
}

#[test]
fn with_workers_a_flush_blocks_its_thread_and_is_logged_once() {
    for workers in [1, 2, 4] {
        let gateway = TestGateway::start();
        let mut host = started(Build::V4_2_2, &gateway, workers);
        for n in 0..10 {
            assert_eq!(host.deliver("a", "t", &events([n])), Code::Ok);
        }
        host.wait_log("leave workers unset");
        let warnings = host.logs().iter().filter(|line| line.text.contains("workers is set")).count();
        assert_eq!(warnings, 1);
        assert_eq!(gateway.accepted_ids().len(), 10);
        assert!(host.reload().ok);
        assert_eq!(host.deliver("a", "t", &events(["again"])), Code::Ok);
        host.quit();
    }
}

#[test]
fn with_workers_an_exit_waits_for_the_flushes_which_end_by_the_timeout() {
    for workers in [1, 4] {
        let gateway = TestGateway::start();
        gateway.set_default(Answer::hang());
        let mut host = MiniHost::start(Build::V5_1_1);
        host.workers(workers);
        host.set("a", "endpoint", gateway.url()).set("a", "timeout", "1s");
        assert_eq!(host.init("a"), 1);
        let ids: Vec<_> = (0..6).map(|n| host.flush("a", "t", &events([n]))).collect();
        gateway.wait_for_requests(1);
        host.exit("a");
        for id in ids {
            assert_eq!(host.wait(id), Code::Retry, "{workers} workers");
        }
        gateway.set_default(Answer::ok());
        host.set("a", "timeout", "5m");
        assert_eq!(host.init("a"), 1);
        assert_eq!(host.deliver("a", "t", &events(0..6)), Code::Ok);
        assert_eq!(gateway.accepted_ids().len(), 6, "all of it, once");
        host.quit();
    }
}

#[test]
fn a_host_without_coroutines_is_served_by_blocking() {
    let gateway = TestGateway::start();
    let mut host = started(Build::NO_COROUTINES, &gateway, 0);
    host.wait_log("will block the host's engine");
    assert_eq!(host.deliver("a", "t", &events(["u1"])), Code::Ok);
    host.quit();
}

#[test]
fn flushes_given_up_at_exit_are_never_resumed() {
    let gateway = TestGateway::start();
    let mut host = started(Build::V5_1_1, &gateway, 0);
    gateway.set_default(Answer::hang());
    let ids: Vec<_> = (0..5).map(|n| host.flush("a", "t", &events([n]))).collect();
    gateway.wait_for_requests(1);
    // Nobody waits for the answer, which never comes.
    host.exit("a");
    for id in ids {
        assert_eq!(host.wait(id), Code::Abandoned);
    }
    host.quit();
}
