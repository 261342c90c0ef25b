//! Does a gateway that never answers leave the host its memory?

use std::time::Duration;

use super::support;
use support::gateway::{Answer, TestGateway};
use support::host::{Build, Code};
use support::{chunk, event, events, started, value};

const MIB: usize = 1 << 20;
/// `BOUNDS` of the worker.
const TAKEN_AT_MOST: usize = 64 * MIB;
const CHUNKS: usize = 120;
/// The other of the `BOUNDS`.
const JOBS_AT_MOST: usize = 256;

/// A chunk of about 1 MiB of events that nobody has seen.
fn megabyte(number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut each = 0;
    while bytes.len() < MIB {
        let mut event = event(&format!("{number}-{each}"), 1, 1);
        event["message"] = "x".repeat(4_000).into();
        bytes.extend(chunk::of(&[event]));
        each += 1;
    }
    bytes
}

#[test]
fn chunks_beyond_the_bound_go_back_at_once_and_the_rest_is_delivered_later() {
    let gateway = TestGateway::start();
    gateway.set_default(Answer::close_after_body().held());
    let mut host = started(Build::V5_1_1, &gateway, &[("timeout", "1h")]);
    let bare = host.rss_kib();

    let flushes: Vec<_> = (0..CHUNKS).map(|number| host.flush("a", "t", &megabyte(number))).collect();
    let full = host.metrics_when(|metrics| value(metrics, "refused_chunks_total") >= 50.0);
    let held = value(&full, "job_bytes_in_flight");
    assert!(held <= TAKEN_AT_MOST as f64, "{held} bytes are held");
    assert!(held >= (TAKEN_AT_MOST - 2 * MIB) as f64, "room is left: {held} bytes are held");
    // The mini host holds what the plugin has taken as well, as Fluent Bit does.
    let grown_bytes = (host.rss_kib() - bare) * 1_024;
    assert!(grown_bytes < 2 * TAKEN_AT_MOST + 48 * MIB, "{} MiB more", grown_bytes / MIB);

    // Nothing is dropped: what was refused, and what waited in vain, is the host's to bring again.
    gateway.set_default(Answer::ok());
    gateway.release();
    assert!(flushes.into_iter().all(|flush| host.wait(flush) != Code::Error));
    // The endpoint opens again some seconds after a failure.
    host.deliver_at_last("a", "t", &megabyte(0));
    assert!(gateway.accepted_ids().contains(&"0-0.1".to_owned()));
    host.quit();
}

#[test]
fn flushes_beyond_the_bound_are_answered_at_once_while_the_others_wait() {
    let gateway = TestGateway::start();
    gateway.set_default(Answer::hang());
    let mut host = started(Build::V5_1_1, &gateway, &[("timeout", "1h")]);
    let taken: Vec<_> = (0..JOBS_AT_MOST).map(|n| host.flush("a", "t", &events([n]))).collect();
    gateway.wait_for_requests(1);
    for n in 0..50 {
        assert_eq!(host.deliver("a", "t", &events([format!("beyond {n}")])), Code::Retry);
    }
    // While they wait, which they will for an hour, the engine goes on.
    host.wait_for_beats(10);
    for flush in &taken {
        assert_eq!(host.wait_within(*flush, Duration::ZERO), None, "one that was taken is answered");
    }
    let metrics = host.metrics_when(|metrics| value(metrics, "refused_chunks_total") == 50.0);
    assert_eq!(value(&metrics, "jobs_in_flight"), JOBS_AT_MOST as f64);
    host.exit("a");
    assert!(taken.into_iter().all(|flush| host.wait(flush) == Code::Abandoned));
    // All of it comes again.
    gateway.set_default(Answer::ok());
    assert_eq!(host.init("a"), 1);
    assert_eq!(host.deliver("a", "t", &events(0..JOBS_AT_MOST)), Code::Ok);
    assert_eq!(gateway.accepted_ids().len(), JOBS_AT_MOST);
    host.quit();
}
