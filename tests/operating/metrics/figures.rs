//! Do the figures say what happened: why requests failed, whether the endpoint is open, what waits, what the ledger wrote?
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "a test may fail, and reads the clock")]

use std::time::Duration;

use super::{posting, support};
use event_gateway::clock;
use event_gateway::metrics::FailureClass;
use posting::{Client, open};
use support::gateway::{Answer, Certificates, TestGateway};
use support::host::{Build, Code, MiniHost, files_of_at_most};
use support::{events, started, value};

fn now_seconds() -> f64 {
    clock::unix_seconds(clock::wall()) as f64
}

/// All tries of this client failed of this, and each took some time.
#[track_caller]
fn failed_of(client: &Client, class: FailureClass) {
    let (failures, requests) = (&client.metrics.request_retries_total, &client.metrics.requests_total);
    assert!(requests.get() > 0, "no request was made");
    let counts = FailureClass::ALL.map(|class| (class.name(), failures.of(class)));
    assert_eq!(failures.of(class), requests.get(), "{counts:?}");
    assert_eq!(client.metrics.request_duration_seconds.snapshot().count(), requests.get());
}

#[test]
fn an_answers_class_is_counted() {
    for (status, class) in [
        (302, FailureClass::Http3xx),
        (401, FailureClass::HttpAuth),
        (403, FailureClass::HttpAuth),
        (404, FailureClass::Http4xx),
        (408, FailureClass::Http4xx),
        (429, FailureClass::Http429),
        (500, FailureClass::Http5xx),
        (503, FailureClass::Http5xx),
    ] {
        let gateway = TestGateway::start();
        gateway.set_default(Answer::status(status));
        let mut client = open(&gateway.url(), &[]);
        client.post();
        failed_of(&client, class);
    }
    // What settles a batch is no retry.
    for status in [200, 204, 400, 413, 422] {
        let gateway = TestGateway::start();
        gateway.set_default(Answer::status(status));
        let mut client = open(&gateway.url(), &[]);
        client.post();
        assert_eq!(client.metrics.request_retries_total.get(), 0, "{status}");
        assert_eq!(client.metrics.request_duration_seconds.snapshot().count(), 1);
    }
}

#[test]
fn what_a_request_died_of_is_counted() {
    let gateway = TestGateway::start();
    let mut client = open(&gateway.url(), &[("timeout", "100ms")]);
    gateway.set_default(Answer::hang());
    client.post();
    failed_of(&client, FailureClass::Timeout);

    let mut client = open(&gateway.url(), &[]);
    gateway.set_default(Answer::close_after_body());
    client.post();
    failed_of(&client, FailureClass::Cut);

    let mut client = open(&gateway.url(), &[]);
    gateway.set_default(Answer::raw("SSH-2.0-OpenSSH_9.6\r\n\r\n"));
    client.post();
    failed_of(&client, FailureClass::Protocol);

    let url = gateway.url();
    gateway.stop();
    let mut client = open(&url, &[]);
    client.post();
    failed_of(&client, FailureClass::Connect);

    let mut client = open("http://no-such-host.invalid/events", &[]);
    client.post();
    failed_of(&client, FailureClass::Connect);
}

#[test]
fn tls_that_fails_is_counted() {
    let gateway = TestGateway::tls(Certificates::new().server());
    let other = Certificates::new();
    let mut client = open(&gateway.url(), &[("ca_file", other.file("ca.pem").to_str().unwrap())]);
    client.post();
    failed_of(&client, FailureClass::Tls);

    let certificates = Certificates::for_names(&["other.example"]);
    let gateway = TestGateway::tls(certificates.server());
    let mut client = open(&gateway.url(), &[("ca_file", certificates.file("ca.pem").to_str().unwrap())]);
    client.post();
    failed_of(&client, FailureClass::Tls);
}

#[test]
fn the_gate_is_shown_open_again_without_being_asked() {
    let gateway = TestGateway::start();
    let mut host = started(Build::V5_1_1, &gateway, &[]);
    gateway.set_default(Answer::status(503).header("Retry-After", "3"));
    let before = now_seconds();
    assert_eq!(host.deliver("a", "t", &events(["u1"])), Code::Retry);
    let metrics = host.metrics_when(|metrics| value(metrics, "endpoint_open") == 0.0);
    let (until, since) = (
        value(&metrics, "endpoint_closed_until_timestamp_seconds"),
        value(&metrics, "endpoint_failing_since_timestamp_seconds"),
    );
    assert!((before + 3.0..=before + 6.0).contains(&until), "{until}, {before}");
    assert!((before..=before + 2.0).contains(&since), "{since}, {before}");
    assert!((before..=before + 5.0).contains(&value(&metrics, "published_timestamp_seconds")));
    // Nobody brings a chunk, and yet it is counted.
    let metrics = host.metrics_when(|metrics| value(metrics, "endpoint_open") == 1.0);
    assert!(now_seconds() >= until, "open too early");
    assert_eq!(
        value(&metrics, "endpoint_failing_since_timestamp_seconds"),
        since,
        "it fails until a success"
    );

    gateway.set_default(Answer::ok());
    assert_eq!(host.deliver("a", "t", &events(["u1"])), Code::Ok);
    let metrics =
        host.metrics_when(|metrics| value(metrics, "endpoint_failing_since_timestamp_seconds") == 0.0);
    assert_eq!(value(&metrics, "endpoint_closed_until_timestamp_seconds"), 0.0);
    host.quit();
}

#[test]
fn the_oldest_job_is_shown_while_it_waits() {
    let gateway = TestGateway::start();
    let mut host = started(Build::V5_1_1, &gateway, &[]);
    let page = host.metrics();
    assert_eq!(value(&page, "oldest_job_timestamp_seconds"), 0.0);
    gateway.answer(Answer::ok().delay_before(Duration::from_millis(3_500)));
    let before = now_seconds();
    let first = host.flush("a", "t", &events(["u1"]));
    gateway.wait_for_requests(1);
    std::thread::sleep(Duration::from_millis(1_100));
    // A younger one that waits behind it.
    let second = host.flush("a", "t", &events(["u2"]));
    let metrics = host.metrics_when(|metrics| value(metrics, "jobs_in_flight") == 2.0);
    let oldest = value(&metrics, "oldest_job_timestamp_seconds");
    assert!((before..=before + 1.0).contains(&oldest), "{oldest}, {before}");
    assert_eq!((host.wait(first), host.wait(second)), (Code::Ok, Code::Ok));
    let metrics = host.metrics_when(|metrics| value(metrics, "jobs_in_flight") == 0.0);
    assert_eq!(value(&metrics, "oldest_job_timestamp_seconds"), 0.0);
    host.quit();
}

#[test]
fn an_event_without_a_time_is_delivered_and_not_timed() {
    let gateway = TestGateway::start();
    let mut host = started(Build::V5_1_1, &gateway, &[]);
    let mut timeless = support::event("u1", 1, 1);
    for key in ["firstTimestamp", "lastTimestamp"] {
        timeless[key] = "yesterday".into();
    }
    timeless["metadata"]["creationTimestamp"] = serde_json::Value::Null;
    // A clock that goes ahead of ours, by an hour.
    let mut early = support::event("u2", 1, 1);
    let ahead = clock::unix_seconds(clock::wall()) + 3_600;
    early["lastTimestamp"] = event_gateway::time::Stamp::from_unix_seconds(ahead).unwrap().to_string().into();
    assert_eq!(host.deliver("a", "t", &support::chunk::of(&[timeless, early])), Code::Ok);
    let metrics = host.metrics_when(|metrics| value(metrics, "delivered_records_total") == 2.0);
    assert_eq!(value(&metrics, "event_to_acknowledgement_seconds_count"), 1.0);
    assert_eq!(value(&metrics, "event_to_acknowledgement_seconds_sum"), 0.0);
    host.quit();
}

#[test]
fn what_the_ledger_and_the_dead_letters_write_is_counted() {
    let gateway = TestGateway::start();
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let dead_letters = at("dead.ndjson");
    let mut host = started(
        Build::V5_1_1,
        &gateway,
        &[
            ("state_file", &at("ledger")),
            ("dead_letter_file", &dead_letters),
            ("dead_letter_max_bytes", "1K"),
        ],
    );
    assert_eq!(host.deliver("a", "t", &events(["u1", "u2"])), Code::Ok);
    gateway.set_default(Answer::status(422));
    assert_eq!(host.deliver("a", "t", &events(["u3"])), Code::Ok);
    let metrics = host.metrics_when(|metrics| value(metrics, "dead_lettered_records_total") == 1.0);
    assert_eq!(value(&metrics, "ledger_commits_total"), 2.0, "a batch and a letter");
    assert_eq!(value(&metrics, "dead_letter_failures_total"), 0.0);
    // The file is full now, or after one more.
    host.deliver("a", "t", &events(["u4"]));
    assert_eq!(host.deliver("a", "t", &events(["u5"])), Code::Retry);
    let metrics = host.metrics_when(|metrics| value(metrics, "dead_letter_failures_total") >= 1.0);
    assert_eq!(value(&metrics, "ledger_failed_writes_total"), 0.0);
    host.quit();
}

#[test]
fn a_ledger_that_cannot_be_written_is_counted() {
    let gateway = TestGateway::start();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ledger");
    let settings = [("state_file", file.to_str().unwrap())];
    let mut host = started(Build::V5_1_1, &gateway, &settings);
    assert_eq!(host.deliver("a", "t", &events(["u1"])), Code::Ok);
    host.metrics_when(|metrics| value(metrics, "ledger_commits_total") == 1.0);
    host.quit();

    // A full disk, as far as a process can tell: nothing may be written beyond the first page.
    let mut host = MiniHost::start_with(Build::V5_1_1, files_of_at_most(4_096));
    host.set("a", "endpoint", gateway.url());
    host.set("a", settings[0].0, settings[0].1);
    assert_eq!(host.init("a"), 1);
    assert_eq!(host.deliver("a", "t", &events(["u2"])), Code::Ok, "the gateway has it");
    let metrics = host.metrics_when(|metrics| value(metrics, "ledger_failed_writes_total") >= 1.0);
    assert_eq!(value(&metrics, "ledger_commits_total"), 1.0);
    host.quit();
}
