//! Does the page of metrics hold all we publish, whole, on every release, as a strict Prometheus parser reads it?

use std::collections::BTreeSet;

use super::{page, support};
use event_gateway::metrics::FailureClass;
use page::Page;
use support::chunk;
use support::gateway::{Answer, TestGateway};
use support::host::{Build, Code, MiniHost};
use support::{event, value};

/// Before and after 4.2.2, with which hosts began to copy histograms whole, and one that tells no version.
const BUILDS: [(Build, bool); 6] = [
    (Build::plain("3.2.10"), false),
    (Build::plain("4.2.1"), false),
    (Build::UNNAMED, false),
    (Build::V4_2_2, true),
    (Build::V5_0_0, true),
    (Build::V5_1_1, true),
];

/// A host with an instance whose gateway takes everything and one whose gateway is down.
fn with_two(build: Build, good: &TestGateway, bad: &TestGateway) -> MiniHost {
    let mut host = MiniHost::start(build);
    for (instance, alias, gateway) in [("a", "good", good), ("b", "bad \"one\"", bad)] {
        host.set(instance, "alias", alias);
        host.set(instance, "endpoint", gateway.url());
        assert_eq!(host.init(instance), 1);
    }
    host
}

/// An event that happened so many seconds ago.
fn aged(uid: &str, seconds: u64) -> serde_json::Value {
    let now = event_gateway::clock::unix_seconds(event_gateway::clock::wall());
    let at = event_gateway::time::Stamp::from_unix_seconds(now - seconds).expect("a time").to_string();
    let mut event = event(uid, 1, 1);
    event["lastTimestamp"] = at.into();
    event
}

#[test]
fn every_metric_is_there_from_the_start_and_right_later() {
    for (build, whole) in BUILDS {
        let (good, bad) = (TestGateway::start(), TestGateway::start());
        bad.set_default(Answer::status(503).header("Retry-After", "60"));
        let mut host = with_two(build, &good, &bad);
        let page = Page::parse(&host.exposition());
        for instance in ["good", "bad \"one\""] {
            page.assert_complete(instance, whole);
            assert_eq!(page.of(instance, "request_duration_seconds_count"), 0.0);
            assert_eq!(page.of(instance, "endpoint_open"), 1.0);
        }

        let events = chunk::of(&[aged("u1", 0), aged("u2", 25), aged("u3", 5_000)]);
        assert_eq!(host.deliver("a", "t", &events), Code::Ok);
        assert_eq!(host.deliver("b", "t", &events), Code::Retry);
        host.metrics_when(|metrics| value(metrics, "requests_total") >= 2.0);
        let page = Page::parse(&host.exposition());
        for instance in ["good", "bad \"one\""] {
            page.assert_complete(instance, whole);
            assert_eq!(page.of(instance, "request_duration_seconds_count"), 1.0);
        }
        assert_eq!(page.of("good", "event_to_acknowledgement_seconds_count"), 3.0);
        let sum = page.of("good", "event_to_acknowledgement_seconds_sum");
        assert!((5_025.0..5_055.0).contains(&sum), "{sum}");
        assert_eq!(page.of("bad \"one\"", "event_to_acknowledgement_seconds_count"), 0.0);
        assert_eq!(page.of("bad \"one\"", "endpoint_open"), 0.0);
        assert_eq!(page.retries("bad \"one\"", FailureClass::Http5xx), 1.0);
        assert_eq!(page.retries("good", FailureClass::Http5xx), 0.0);
        host.quit();
    }
}

/// A release of before 3.1.8 prints a head for each instance, which is no Prometheus text.
#[test]
fn one_instance_of_the_oldest_release_is_read_too() {
    let gateway = TestGateway::start();
    let mut host = support::started(Build::V2_2_3, &gateway, &[("alias", "good")]);
    assert_eq!(host.deliver("a", "t", &chunk::of(&[aged("u1", 0)])), Code::Ok);
    host.metrics_when(|metrics| value(metrics, "delivered_records_total") >= 1.0);
    let page = Page::parse(&host.exposition());
    page.assert_complete("good", false);
    assert_eq!(page.of("good", "event_to_acknowledgement_seconds_count"), 1.0);
    host.quit();
}

/// A bound is a label's value: with two texts for one bound an upgrade would begin new series.
#[test]
fn bounds_are_written_alike_by_all_releases() {
    let gateway = TestGateway::start();
    let bounds = |build| {
        let mut host = support::started(build, &gateway, &[]);
        let page = host.exposition();
        host.quit();
        let bound = |line: &str| {
            let (name, rest) = line.split_once('{')?;
            let le = rest.split("le=\"").nth(1)?.split('"').next()?;
            Some((name.to_owned(), le.to_owned()))
        };
        page.lines().filter_map(bound).collect::<BTreeSet<_>>()
    };
    let whole = bounds(Build::V5_1_1);
    assert!(whole.len() > 20, "{whole:?}");
    assert_eq!(bounds(Build::plain("4.2.1")), whole);
}
