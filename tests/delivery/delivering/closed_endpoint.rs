//! Is a gateway that fails left in peace, and for how long?

use std::time::Duration;

use super::support;
use event_gateway::clock;
use support::events;
use support::gateway::{Answer, TestGateway};
use support::host::{Build, Code, MiniHost};

fn started(gateway: &TestGateway) -> MiniHost {
    support::started(Build::V5_1_1, gateway, &[])
}

#[test]
fn retry_after_closes_the_endpoint_and_no_request_is_sent() {
    for is_date in [false, true] {
        let gateway = TestGateway::start();
        gateway.respond_with(move |request| {
            // A date has whole seconds: it names a moment up to one second sooner.
            let date = httpdate::fmt_http_date(clock::wall() + Duration::from_secs(6));
            match request.number {
                1 => Answer::status(503).header("Retry-After", if is_date { &date } else { "5" }),
                _ => Answer::ok(),
            }
        });
        let mut host = started(&gateway);
        assert_eq!(host.deliver("a", "t", &events(["u1"])), Code::Retry);
        // However often it comes, and that is soon: the first request after that is the one that is taken.
        for _ in 0..5 {
            host.deliver("a", "t", &events(["u1"]));
        }
        host.deliver_at_last("a", "t", &events(["u1"]));
        let requests = gateway.requests();
        let waited = requests[1].arrived - requests[0].arrived;
        assert!(waited >= Duration::from_millis(4_900), "a date: {is_date}, and {waited:?}");
        assert_eq!(requests.len(), 2);
        host.quit();
    }
}

#[test]
fn a_closed_endpoint_holds_back_neither_repetitions_nor_exclusions() {
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
    let began = clock::monotonic();
    let retries = host.deliver_at_last("a", "t", &events(["u1"]));
    // The endpoint closes for minutes only if the response asked for that.
    assert!(began.elapsed() < Duration::from_secs(60), "{retries} retries");
    assert_eq!(host.wait_log("the gateway takes records again, after ").level, 3);
    host.quit();
}

#[test]
fn a_hiccup_is_ridden_out_inside_one_flush() {
    let gateway = TestGateway::start();
    let mut host = started(&gateway);
    // Its time is short, and a machine may be too busy for it, but not each time.
    let is_ridden_out = (0..20).any(|number| {
        gateway.answer(Answer::status(502));
        gateway.answer(Answer::close_after_body());
        let asked = gateway.requests().len();
        let retries = host.deliver_at_last("a", "t", &events([number]));
        assert_eq!(gateway.requests().len(), asked + 3);
        retries == 0
    });
    assert!(is_ridden_out);
    host.quit();
}
