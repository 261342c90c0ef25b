//! Is a chunk OK exactly when the gateway has acknowledged it, and is the ledger as far as that?

use std::time::Duration;

use super::support;
use support::gateway::{Answer, TestGateway};
use support::host::{Build, Code, MiniHost};
use support::{events, value};

fn started(gateway: &TestGateway) -> MiniHost {
    support::started(Build::V5_1_1, gateway, &[])
}

/// Everything that is no acknowledgement and may pass.
fn failures() -> Vec<(&'static str, Answer)> {
    let mut failures: Vec<_> =
        [401, 403, 404, 405, 408, 425, 429, 500, 502, 503, 504, 301, 307, 402, 409, 410]
            .map(|status| ("status", Answer::status(status)))
            .into();
    failures.push(("lost acknowledgement", Answer::close_after_body()));
    failures.push(("closed at once", Answer::close_before_body()));
    failures.push(("hang", Answer::hang()));
    failures.push(("garbage", Answer::raw(b"\x00\x01 what\r\n\r\n".to_vec())));
    failures.push(("half an answer", Answer::raw(b"HTTP/1.1 200 OK\r\nContent-Le".to_vec())));
    failures
}

#[test]
fn whatever_is_no_acknowledgement_brings_the_chunk_back_and_then_it_is_delivered() {
    for (what, answer) in failures() {
        let gateway = TestGateway::start();
        let timeout = if what == "hang" { "1s" } else { "5m" };
        let mut host = support::started(Build::V5_1_1, &gateway, &[("timeout", timeout)]);
        gateway.set_default(answer.clone());
        assert_eq!(host.deliver("a", "t", &events(["u1", "u2"])), Code::Retry, "{what} {answer:?}");
        gateway.set_default(Answer::ok());
        host.exit("a");
        host.set("a", "timeout", "5m");
        host.init("a");
        assert_eq!(host.deliver("a", "t", &events(["u1", "u2"])), Code::Ok, "{what} {answer:?}");
        assert_eq!(gateway.accepted_ids(), ["u1.1", "u2.1"], "{what} {answer:?}");
        host.quit();
    }
}

#[test]
fn every_2xx_status_is_an_acknowledgement() {
    for status in [200, 201, 202, 204, 299] {
        let gateway = TestGateway::start();
        let mut host = started(&gateway);
        gateway.set_default(Answer::status(status));
        assert_eq!(host.deliver("a", "t", &events(["u1"])), Code::Ok, "{status}");
        host.quit();
    }
}

#[test]
fn a_version_enters_the_ledger_only_after_its_acknowledgement() {
    let gateway = TestGateway::start();
    let mut host = started(&gateway);
    gateway.set_default(Answer::status(503).header("Retry-After", "0"));
    for _ in 0..3 {
        assert_eq!(host.deliver("a", "t", &events(["u1"])), Code::Retry);
    }
    let metrics = host.metrics_when(|metrics| value(metrics, "requests_total") >= 1.0);
    assert_eq!(value(&metrics, "ledger_entries"), 0.0);
    assert_eq!(value(&metrics, "delivered_records_total"), 0.0);
    host.quit();
}

#[test]
fn a_repeated_batch_has_the_same_key_and_ids() {
    let gateway = TestGateway::start();
    let mut host = started(&gateway);
    // The gateway takes the batch, its answer is lost: the plugin must send it again.
    gateway.answer(Answer::close_after_body().accepting(true));
    host.deliver_at_last("a", "t", &events(["u1", "u2"]));
    let requests = gateway.requests();
    assert_eq!(requests.len(), 2);
    assert_eq!(requests[0].ids(), requests[1].ids());
    let key = requests[0].header("idempotency-key").expect("a key");
    assert_eq!(Some(key), requests[1].header("idempotency-key"));
    assert_eq!(host.deliver("a", "t", &events(["u3"])), Code::Ok);
    assert_ne!(Some(key), gateway.requests()[2].header("idempotency-key"));
    host.quit();
}

#[test]
fn a_request_says_what_it_is() {
    for (format, content_type) in [
        ("native", "application/x-ndjson"),
        ("raw", "application/x-ndjson"),
        ("cloudevents", "application/cloudevents+json; charset=UTF-8"),
        ("cloudevents_batch", "application/cloudevents-batch+json; charset=UTF-8"),
    ] {
        let gateway = TestGateway::start();
        let mut host = MiniHost::start(Build::V5_1_1);
        host.set("a", "endpoint", format!("{}?key=1", gateway.url()));
        host.set("a", "format", format);
        host.set("a", "cluster_name", "prod/eu");
        host.set("a", "headers", "X-Team: shop, X-Env: prod");
        host.init("a");
        assert_eq!(host.deliver("a", "t", &events(["u1", "u2"])), Code::Ok);
        assert_eq!(gateway.accepted_ids(), ["u1.1", "u2.1"], "{format}");
        let requests = gateway.requests();
        assert_eq!(requests.len(), if format == "cloudevents" { 2 } else { 1 });
        let request = &requests[0];
        assert_eq!((&*request.method, &*request.path), ("POST", "/events?key=1"));
        let agent = format!("fluent-bit-event-gateway/{}", env!("CARGO_PKG_VERSION"));
        for (name, wanted) in [
            ("content-type", content_type),
            ("content-encoding", "gzip"),
            ("user-agent", &agent),
            ("x-team", "shop"),
            ("x-env", "prod"),
        ] {
            assert_eq!(request.header(name), Some(wanted), "{format} {name}");
        }
        host.quit();
    }
}

#[test]
fn a_slow_answer_is_waited_for_until_the_timeout() {
    let gateway = TestGateway::start();
    let mut host = started(&gateway);
    gateway.answer(Answer::ok().delay_before(Duration::from_millis(600)));
    assert_eq!(host.deliver("a", "t", &events(["u1"])), Code::Ok);
    assert_eq!(gateway.requests().len(), 1);
    host.quit();
}
