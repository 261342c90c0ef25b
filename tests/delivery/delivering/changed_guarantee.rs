//! When `guarantee` changes with a request in flight, does each run keep its own promise?
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use super::no_duplicates::{Place, SOON, doubted, taken_and_silent};
use super::support;
use support::events;
use support::gateway::{Answer, TestGateway};
use support::host::Code;

/// How a life ends that has a request without an answer.
#[derive(Clone, Copy, Debug)]
enum End {
    Kill,
    Stop,
}

/// A life under this guarantee, of which `u1` has gone out and has no answer.
fn left_without_an_answer(place: &Place, gateway: &TestGateway, guarantee: &str, end: End) {
    let timeout = if matches!(end, End::Kill) { "1h" } else { SOON };
    let mut host = place.host(gateway, guarantee, &[("timeout", timeout)]);
    gateway.set_default(taken_and_silent());
    match end {
        End::Kill => {
            host.flush("a", "t", &events(["u1"]));
            gateway.wait_for_requests(1);
            host.kill();
        }
        End::Stop => {
            assert_eq!(host.deliver("a", "t", &events(["u1"])), Code::Retry);
            host.exit("a");
            host.quit();
        }
    }
    gateway.set_default(Answer::ok());
}

#[test]
fn whoever_goes_back_to_no_event_loss_gets_what_was_in_doubt() {
    let (gateway, place) = (TestGateway::start(), Place::new());
    left_without_an_answer(&place, &gateway, "no_duplicates", End::Kill);
    let mut host = place.host(&gateway, "no_event_loss", &[]);
    assert_eq!(host.deliver("a", "t", &events(["u1"])), Code::Ok);
    assert_eq!(gateway.accepted_ids(), ["u1.1", "u1.1"]);
    assert!(place.letters().is_empty());
    host.quit();
}

#[test]
fn whoever_goes_on_to_no_duplicates_gets_nothing_twice() {
    for (end, moves) in [(End::Kill, false), (End::Stop, false), (End::Kill, true)] {
        let (gateway, other, place) = (TestGateway::start(), TestGateway::start(), Place::new());
        left_without_an_answer(&place, &gateway, "no_event_loss", end);
        let asked = gateway.requests().len();
        // Another gateway may feed the same people.
        let now = if moves { &other } else { &gateway };
        let mut host = place.host(now, "no_duplicates", &[]);
        assert_eq!(host.deliver("a", "t", &events(["u1", "x"])), Code::Ok);
        assert_eq!(place.letters(), doubted(&["u1.1"]), "{end:?}, {moves}");
        host.kill();
        let mut host = place.host(now, "no_duplicates", &[]);
        assert_eq!(host.deliver("a", "t", &events(["u1", "x"])), Code::Ok);
        assert_eq!(place.letters(), doubted(&["u1.1"]), "once dead-lettered it is settled");
        let sent: Vec<_> = now.requests()[if moves { 0 } else { asked }..].to_vec();
        assert_eq!(sent.iter().flat_map(|request| request.ids().to_vec()).collect::<Vec<_>>(), ["x.1"]);
        host.quit();
    }
}

#[test]
fn a_request_that_was_dead_lettered_is_not_sent_when_the_guarantee_changes_back() {
    let (gateway, place) = (TestGateway::start(), Place::new());
    left_without_an_answer(&place, &gateway, "no_event_loss", End::Kill);
    place.host(&gateway, "no_duplicates", &[]).kill();
    // Nothing is known of it but that intent: it comes again, in whatever company.
    let mut host = place.host(&gateway, "no_event_loss", &[]);
    assert_eq!(host.deliver("a", "t", &events(["x", "u1"])), Code::Ok);
    assert_eq!(gateway.requests().last().unwrap().ids(), ["x.1", "u1.1"]);
    host.quit();
}
