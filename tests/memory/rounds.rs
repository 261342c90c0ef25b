//! Does a round in steady state ask for memory per event?
//!
//! What a request costs (its headers, buffers that double) is a constant; twice the events may add a doubling of
//! each buffer and no more. What the gateway's thread asks for does not count.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use crate::allocations;
use testkit as support;
use testkit::posting;

use std::hint::black_box;
use std::ops::Range;
use std::sync::Arc;

use allocations::{Allocations, during};
use event_gateway::job::{HostResult, Job, reply};
use event_gateway::pipeline::Pipeline;
use support::gateway::TestGateway;

const EVENTS: usize = 400;
/// Doublings of the buffers of a round, and one that is by chance larger than the last.
const DOUBLINGS: u64 = 12;

#[test]
fn twice_the_new_events_ask_no_more_often() {
    for format in ["native", "raw", "cloudevents_batch"] {
        let gateway = TestGateway::start();
        let mut pipeline = pipeline(&gateway, format);
        // Until tables and kept buffers have their size, and the ledger is full.
        for number in 0..8 {
            round(&mut pipeline, number * 2 * EVENTS..(number + 1) * 2 * EVENTS);
        }
        let once = round(&mut pipeline, 20 * EVENTS..21 * EVENTS);
        let twice = round(&mut pipeline, 30 * EVENTS..32 * EVENTS);
        assert!(twice.calls <= once.calls + DOUBLINGS, "{format}: {once:?}, with twice the events {twice:?}");
        assert_eq!(gateway.requests().len(), 10, "each round is one request");
    }
}

#[test]
fn twice_the_repetitions_ask_for_nothing() {
    let gateway = TestGateway::start();
    let mut pipeline = pipeline(&gateway, "native");
    round(&mut pipeline, 0..2 * EVENTS);
    let once = round(&mut pipeline, 0..EVENTS);
    let twice = round(&mut pipeline, 0..2 * EVENTS);
    assert_eq!(once, twice);
    assert_eq!(gateway.requests().len(), 1);
}

/// A check that cannot fail checks nothing.
#[test]
fn an_allocation_counts() {
    let counted = during(|| drop(black_box(vec![Vec::<u8>::with_capacity(100), Vec::with_capacity(200)])));
    assert_eq!((counted.calls, counted.bytes), (3, 300 + 2 * size_of::<Vec<u8>>() as u64));
}

fn pipeline(gateway: &TestGateway, format: &str) -> Pipeline {
    let settings = [
        ("correlate", "off"),
        ("format", format),
        ("ledger_max_entries", "2000"),
        ("batch_events", "1000"),
        ("batch_bytes", "4M"),
    ];
    let settings = posting::settings(&gateway.url(), &settings);
    Pipeline::open(&settings, &Arc::default(), &Arc::default(), || ()).unwrap()
}

/// One chunk with these events, and what this thread asked for meanwhile.
fn round(pipeline: &mut Pipeline, numbers: Range<usize>) -> Allocations {
    let data = support::events(numbers.map(|number| format!("uid-{number:05}")));
    let (reply, pending) = reply(Arc::new(|| ()));
    let jobs = vec![Job { tag: "kube.events".to_owned(), data, reply }];
    let counted = during(|| pipeline.round(jobs));
    assert_eq!(pending.poll(), Some(HostResult::Ok));
    counted
}
