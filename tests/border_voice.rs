//! Do logs and metrics reach the host on its own thread, and nothing else its descriptors?

mod support;

use support::gateway::{Answer, TestGateway};
use support::host::{Build, Code, MiniHost, Thread};
use support::{events, started, value};

use event_gateway::metrics::{Described, Kind, Metrics};

#[test]
fn logs_and_metrics_come_from_the_hosts_own_thread() {
    let gateway = TestGateway::start();
    let mut host = MiniHost::start(Build::V4_2_2);
    host.set("a", "endpoint", gateway.url());
    host.log_level("a", 4);
    host.init("a");
    gateway.answer(Answer::status(401));
    assert_eq!(host.deliver("a", "t", &events(["u1"])), Code::Retry);
    host.wait_log("401");
    assert_eq!(host.deliver("a", "t", b"\xc1 no msgpack"), Code::Ok);
    host.wait_log("a record of tag t was skipped");
    let metrics = host.metrics_when(|metrics| value(metrics, "skipped_records_total") > 0.0);
    // The host reports a metric call from any other thread as a violation, and so does it a help text
    // that is empty or a label set that is new after Init.
    let published = metrics.keys().filter(|name| name.starts_with("event_gateway_")).count();
    // A histogram is a count, a sum, and a bucket more than it has bounds.
    let series = |described: &Described| match described.kind {
        Kind::Histogram => described.bounds.len() + 3,
        _ => described.label_values.len().max(1),
    };
    assert_eq!(published, Metrics::DESCRIBED.iter().map(series).sum::<usize>(), "{metrics:#?}");
    host.exit("a");
    host.wait_log("delivered 0 of");
    for line in host.logs() {
        assert_eq!(line.thread, Thread::Engine, "{line:?}");
        assert!(line.text.starts_with("[output:event_gateway:"), "{line:?}");
    }
    assert_eq!(host.stderr(), [""; 0]);
    host.quit();
}

#[test]
fn the_instances_log_level_is_obeyed() {
    let gateway = TestGateway::start();
    let mut host = MiniHost::start(Build::V5_1_1);
    host.set("a", "endpoint", gateway.url());
    host.log_level("a", 1);
    host.init("a");
    gateway.set_default(Answer::status(503));
    assert_eq!(host.deliver("a", "t", &events(["u1"])), Code::Retry);
    host.exit("a");
    assert_eq!(host.logs(), []);
    host.quit();
}

#[test]
fn a_storm_of_one_kind_is_summed_up() {
    let gateway = TestGateway::start();
    let mut host = started(Build::V5_1_1, &gateway, &[]);
    for _ in 0..200 {
        assert_eq!(host.deliver("a", "t", &[0xc1]), Code::Ok);
    }
    host.exit("a");
    let lines = host.logs().iter().filter(|line| line.text.contains("was skipped")).count();
    assert!((1..=10).contains(&lines), "{lines} lines");
    host.quit();
}
