//! Does a wall clock that jumps by a day, there and back, lose or repeat anything?
//!
//! The mini host answers the plugin's questions for the date; clocks for spans go on as they are.

use std::time::Duration;

use super::support;
use event_gateway::clock;
use support::gateway::{Answer, TestGateway};
use support::host::{Build, Code, Outcome, Place};
use support::service_impact::filtering;
use support::{events, started, value};

const DAY: i64 = 86_400;

#[test]
fn the_host_can_set_the_plugins_clock() {
    let gateway = TestGateway::start();
    let mut host = started(Build::V5_1_1, &gateway, &[]);
    for ahead in [DAY, -DAY, 0] {
        host.clock_ahead(ahead);
        assert_eq!(host.deliver("a", "t", &events([ahead])), Code::Ok);
        let real = i64::try_from(clock::unix_seconds(clock::wall())).expect("a date");
        let metrics = host.metrics_when(|metrics| {
            let reported = value(metrics, "last_acknowledgement_timestamp_seconds");
            (reported - (real + ahead) as f64).abs() < 60.0
        });
        assert_eq!(value(&metrics, "delivered_records_total"), gateway.accepted_ids().len() as f64);
    }
    host.quit();
}

#[test]
fn what_was_delivered_before_a_jump_is_not_delivered_again() {
    let folder = tempfile::tempdir().expect("a folder");
    for (number, jumps) in [[DAY, 0], [-DAY, 0], [DAY, DAY], [-DAY, -DAY], [DAY, -DAY]].iter().enumerate() {
        let gateway = TestGateway::start();
        let ledger = folder.path().join(number.to_string());
        let ledger = ledger.to_str().expect("UTF-8");
        // Shorter than a day, as by default.
        let settings = [("state_file", ledger), ("ledger_ttl", "3h")];
        let mut host = started(Build::V5_1_1, &gateway, &settings);
        let all: Vec<String> = (0..3).map(|n| format!("{number}-{n}")).collect();
        assert_eq!(host.deliver("a", "t", &events(&all[..1])), Code::Ok);
        for (after, ahead) in jumps.iter().enumerate() {
            // A round that meets a known event only, then one with a new one.
            host.clock_ahead(*ahead);
            for known in [after + 1, after + 2] {
                assert_eq!(host.deliver("a", "t", &events(&all[..known])), Code::Ok);
            }
        }
        // The source is read again, after a start with the last time.
        for _ in 0..2 {
            assert_eq!(host.deliver("a", "t", &events(&all)), Code::Ok);
            assert!(host.reload().ok);
        }
        let ids: Vec<_> = all.iter().map(|uid| format!("{uid}.1")).collect();
        assert_eq!(gateway.accepted_ids(), ids, "jumps by {jumps:?}");
        host.quit();
    }
}

#[test]
fn chunks_in_flight_at_a_jump_are_answered_and_delivered_once() {
    let gateway = TestGateway::start();
    let folder = tempfile::tempdir().expect("a folder");
    let ledger = folder.path().join("ledger");
    let mut host = started(Build::V5_1_1, &gateway, &[("state_file", ledger.to_str().expect("UTF-8"))]);
    let mut all = Vec::new();
    for (number, ahead) in [DAY, 0, -DAY, 0].into_iter().enumerate() {
        gateway.answer(Answer::ok().held());
        let requests = gateway.requests().len();
        let chunks: Vec<_> = (0..3).map(|n| format!("{number}-{n}")).collect();
        let flushes: Vec<_> = chunks.iter().map(|uid| host.flush("a", "t", &events([uid]))).collect();
        gateway.wait_for_requests(requests + 1);
        host.clock_ahead(ahead);
        gateway.release();
        for flush in flushes {
            assert_eq!(host.wait(flush), Code::Ok);
        }
        all.extend(chunks);
        assert_eq!(host.deliver("a", "t", &events(&all)), Code::Ok);
    }
    let mut ids = gateway.accepted_ids();
    ids.sort();
    assert_eq!(ids, all.iter().map(|uid| format!("{uid}.1")).collect::<Vec<_>>());
    host.quit();
}

#[test]
fn a_closed_endpoint_opens_when_it_was_to_whatever_the_date_says() {
    for ahead in [DAY, -DAY] {
        let gateway = TestGateway::start();
        let mut host = started(Build::V5_1_1, &gateway, &[]);
        gateway.answer(Answer::status(503).header("Retry-After", "2"));
        assert_eq!(host.deliver("a", "t", &events(["u1"])), Code::Retry);
        host.clock_ahead(ahead);
        host.deliver_at_last("a", "t", &events(["u1"]));
        let requests = gateway.requests();
        let waited = requests[1].arrived - requests[0].arrived;
        assert!(waited >= Duration::from_millis(1_900), "{ahead}: {waited:?}");
        let line = host.wait_log("the gateway takes records again, after ").text;
        if ahead < 0 {
            assert!(line.contains("after 0 s"), "{line}");
        }
        host.quit();
    }
}

#[test]
fn the_filter_lets_nothing_through_again_after_a_jump() {
    for jumps in [[DAY, 0], [-DAY, 0], [DAY, -DAY]] {
        let (mut host, _image) = filtering(Build::V5_1_1, &[("ledger_ttl", "3h")]);
        let chunk = events(["u1"]);
        assert_eq!(host.filter("f", "t", &chunk, Place::Pipeline).outcome, Outcome::NoTouch);
        for ahead in jumps {
            host.clock_ahead(ahead);
            let again = host.filter("f", "t", &chunk, Place::Pipeline).outcome;
            assert_eq!(again, Outcome::Modified(Vec::new()), "jumps by {jumps:?}");
        }
        host.quit();
    }
}
