//! Do the new occurrences that a gateway gets of an event add up to its count, whatever fails in between?
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use super::no_duplicates::{Place, taken_and_silent};
use super::support;
use support::gateway::{Answer, TestGateway};
use support::host::{Build, Code};
use support::{chunk, event};

/// The id and the new occurrences of each record that was taken, in order.
fn taken(gateway: &TestGateway) -> Vec<(String, u64)> {
    let requests = gateway.requests();
    let records = requests.iter().filter(|request| request.accepted()).flat_map(|request| request.records());
    records
        .map(|record| {
            (record["id"].as_str().unwrap().to_owned(), record["new_occurrences"].as_u64().unwrap())
        })
        .collect()
}

/// The second version was counted from the first, which fails while the second waits for its place in a batch.
#[test]
fn what_was_counted_from_a_version_that_failed_is_counted_anew() {
    let gateway = TestGateway::start();
    let mut host = support::started(Build::V5_1_1, &gateway, &[("batch_events", "1")]);
    gateway.answer(Answer::status(503).header("Retry-After", "0"));
    let versions = chunk::of(&[event("u1", 1, 1), event("u1", 2, 3), event("u1", 3, 7)]);
    while host.deliver("a", "t", &versions) != Code::Ok {}
    let taken = taken(&gateway);
    assert_eq!(taken.iter().map(|(_, new)| new).sum::<u64>(), 7, "{taken:?}");
    host.quit();
}

/// The host dies with a version on its way. After that the source has nothing but the next one.
#[test]
fn a_version_in_doubt_is_not_counted_again() {
    for arrived in [true, false] {
        let (gateway, place) = (TestGateway::start(), Place::new());
        let mut host = place.host(&gateway, "no_duplicates", &[("timeout", "1h")]);
        assert_eq!(host.deliver("a", "t", &chunk::of(&[event("u1", 1, 2)])), Code::Ok);
        gateway.answer(if arrived { taken_and_silent() } else { Answer::hang() });
        host.flush("a", "t", &chunk::of(&[event("u1", 2, 5)]));
        gateway.wait_for_requests(2);
        host.kill();
        let mut host = place.host(&gateway, "no_duplicates", &[]);
        assert_eq!(host.deliver("a", "t", &chunk::of(&[event("u1", 3, 9)])), Code::Ok);
        let sum: u64 = taken(&gateway).iter().map(|(_, new)| new).sum();
        assert_eq!(sum, if arrived { 9 } else { 9 - 3 }, "never more than the count");
        // When the source still has it, its letter says what the sum may lack.
        assert_eq!(host.deliver("a", "t", &chunk::of(&[event("u1", 2, 5)])), Code::Ok);
        assert_eq!(place.letters(), [("u1.2".to_owned(), "ambiguous".to_owned())]);
        host.quit();
    }
}
