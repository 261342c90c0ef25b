//! Is a gateway that fails left in peace, and for how long?

use std::time::Duration;

use crate::support;
use event_gateway::clock;
use support::events;
use support::gateway::{Answer, TestGateway};
use support::host::{Build, Code, MiniHost};

fn started(gateway: &TestGateway) -> MiniHost {
    support::started(Build::V5_1_1, gateway, &[])
}

/// Delivers until it is OK; how long that took.
fn until_ok(host: &mut MiniHost) -> Duration {
    let start = clock::monotonic();
    while host.deliver("a", "t", &events(["u1"])) != Code::Ok {
        assert!(start.elapsed() < Duration::from_secs(20), "the gate never opened");
        std::thread::sleep(Duration::from_millis(20));
    }
    start.elapsed()
}

#[test]
fn retry_after_closes_the_gate_and_no_request_goes_out() {
    for (is_date, least) in [(false, 2_900), (true, 2_000)] {
        // A date has whole seconds: it names a moment up to one second sooner.
        let date = httpdate::fmt_http_date(clock::wall() + Duration::from_secs(3));
        let value = if is_date { &*date } else { "3" };
        let gateway = TestGateway::start();
        let mut host = started(&gateway);
        gateway.answer(Answer::status(503).header("Retry-After", value));
        assert_eq!(host.deliver("a", "t", &events(["u1"])), Code::Retry);
        assert_eq!(gateway.requests().len(), 1, "Retry-After ends the quick tries");
        for _ in 0..5 {
            assert_eq!(host.deliver("a", "t", &events(["u1"])), Code::Retry);
        }
        assert_eq!(gateway.requests().len(), 1, "the network was touched behind a closed gate");
        until_ok(&mut host);
        let requests = gateway.requests();
        let waited = requests[1].arrived - requests[0].arrived;
        assert!(waited >= Duration::from_millis(least), "{value}: {waited:?}");
        host.quit();
    }
}

#[test]
fn a_closed_gate_holds_back_neither_repetitions_nor_exclusions() {
    let gateway = TestGateway::start();
    let mut host = support::started(Build::V5_1_1, &gateway, &[("exclude_reasons", "Noise*")]);
    assert_eq!(host.deliver("a", "t", &events(["known"])), Code::Ok);
    gateway.answer(Answer::status(429).header("Retry-After", "60"));
    assert_eq!(host.deliver("a", "t", &events(["new"])), Code::Retry);
    assert_eq!(host.deliver("a", "t", &events(["known"])), Code::Ok);
    let mut noise = support::event("noise", 1, 1);
    noise["reason"] = "Noisy".into();
    assert_eq!(
        host.deliver("a", "t", &support::chunk::of(&[noise.clone()])),
        Code::Retry,
        "not excluded by Noise*"
    );
    noise["reason"] = "NoiseMade".into();
    assert_eq!(host.deliver("a", "t", &support::chunk::of(&[noise])), Code::Ok);
    host.quit();
}

#[test]
fn a_gateway_that_is_down_is_tried_again_within_seconds() {
    let gateway = TestGateway::start();
    let mut host = started(&gateway);
    gateway.stop();
    assert_eq!(host.deliver("a", "t", &events(["u1"])), Code::Retry);
    gateway.restart();
    let waited = until_ok(&mut host);
    assert!(waited < Duration::from_secs(6), "{waited:?}");
    assert_eq!(host.wait_log("the gateway takes records again, after ").level, 3);
    host.quit();
}

#[test]
fn a_hiccup_is_ridden_out_inside_one_flush() {
    let gateway = TestGateway::start();
    let mut host = started(&gateway);
    gateway.answer(Answer::status(502));
    gateway.answer(Answer::close_after_body());
    assert_eq!(host.deliver("a", "t", &events(["u1"])), Code::Ok);
    assert_eq!(gateway.requests().len(), 3);
    host.quit();
}
