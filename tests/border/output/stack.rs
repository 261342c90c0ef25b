//! Does everything that runs on the host's stack fit a coroutine of 24 KiB, with room to spare?
//!
//! A release image can be measured, too: EVENT_GATEWAY_SO names it.

use std::time::Duration;

use super::support;
use support::gateway::{Answer, TestGateway};
use support::host::{Build, Code};
use support::{chunk, events, started};

/// The promise; the stack has 24 KiB, and the host's own frames are on it, too.
const MOST_BYTES: usize = 8 << 10;

#[test]
fn a_flush_uses_little_of_the_hosts_stack() {
    let gateway = TestGateway::start();
    let mut host = started(Build::V4_2_2, &gateway, &[]);
    let recording = chunk::of(&chunk::recording_events());
    let bomb = [vec![0x91; 100_000], vec![0xc0]].concat();
    let liar = [0xdf, 0xff, 0xff, 0xff, 0xff].to_vec();
    for data in [&recording, &bomb, &liar, &events(["u1"])].into_iter().chain(&chunk::greedy()) {
        assert_eq!(host.deliver("a", "t", data), Code::Ok);
    }
    let null = host.flush_null("a", "t");
    assert_eq!(host.wait(null), Code::Ok);
    gateway.answer(Answer::ok().delay_before(Duration::from_millis(300)));
    assert_eq!(host.deliver("a", "a".repeat(60_000), &events(["u2"])), Code::Ok);
    gateway.set_default(Answer::status(503));
    assert_eq!(host.deliver("a", "t", &events(["u3"])), Code::Retry);
    // One that the host gives up.
    gateway.set_default(Answer::hang());
    host.exit("a");
    assert_eq!(host.init("a"), 1);
    let before = gateway.requests().len();
    let given_up = host.flush("a", "t", &recording);
    gateway.wait_for_requests(before + 1);
    host.exit("a");
    assert_eq!(host.wait(given_up), Code::Abandoned);
    let used = host.highwater();
    println!("a flush uses {used} bytes");
    assert!(used <= MOST_BYTES, "{used} bytes of the host's stack");
    host.quit();
}

#[test]
fn an_allocator_that_aligns_to_eight_is_enough() {
    // The whole journey, with hash maps, TLS roots and compression, on malloc as the images have it.
    let gateway = TestGateway::start();
    let folder = tempfile::tempdir().expect("a folder");
    let ledger = folder.path().join("ledger");
    let mut host = started(Build::ALIGN8, &gateway, &[("state_file", ledger.to_str().expect("UTF-8"))]);
    let events = chunk::watch_events();
    assert_eq!(host.deliver("a", "t", &chunk::of(&events)), Code::Ok);
    assert_eq!(gateway.accepted_ids().len(), events.len());
    host.quit();
}
