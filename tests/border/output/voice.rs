//! Do logs and metrics reach the host on its own thread, and nothing else its descriptors?

use super::support;
use support::gateway::{Answer, TestGateway};
use support::host::{Build, Code, LogLine, MiniHost, Thread};
use support::kube_api::KubeApi;
use support::{events, started, value};

use event_gateway::clock;
use event_gateway::metrics::{Described, MetricType, Metrics};

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
    host.wait_log("a record of tag t could not be read");
    let metrics = host.metrics_when(|metrics| value(metrics, "skipped_records_total") > 0.0);
    // The host reports a metric call from any other thread as a violation, and so does it a help text
    // that is empty or a label set that is new after Init.
    let published = metrics.keys().filter(|name| name.starts_with("event_gateway_")).count();
    // A histogram is a count, a sum, and a bucket more than it has bounds.
    let series = |described: &Described| match described.metric_type {
        MetricType::Histogram => described.bounds.len() + 3,
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
fn a_storm_of_one_kind_is_summed_up_at_the_exit_at_the_latest() {
    let gateway = TestGateway::start();
    let mut host = started(Build::V5_1_1, &gateway, &[]);
    let began = clock::monotonic();
    for _ in 0..200 {
        assert_eq!(host.deliver("a", "t", &[0xc1]), Code::Ok);
    }
    host.exit("a");
    let lines = host.logs().iter().filter(|line| line.text.contains("could not be read")).count();
    // Five in any ten seconds, and those that waited for the exit.
    let windows = usize::try_from(began.elapsed().as_secs() / 10).expect("a few");
    assert!((1..=10 + 5 * windows).contains(&lines), "{lines} lines");
    let summed: usize = host.logs().iter().filter_map(left_out).sum();
    assert_eq!(lines + summed, 200, "{:#?}", host.logs());
    host.quit();
}

/// How many lines this one says were left out.
fn left_out(line: &LogLine) -> Option<usize> {
    let (head, kind) = line.text.split_once(" more lines of this kind were left out: ")?;
    assert_eq!((kind, line.level), ("record skipped", 1));
    head.rsplit(' ').next()?.parse().ok()
}

#[test]
fn one_line_at_the_start_and_one_at_the_exit_tell_settings_and_totals() {
    const INFO: u8 = 3;
    let gateway = TestGateway::start();
    let settings = [("headers", "X-Key: S3CR3T"), ("batch_events", "7")];
    let mut host = started(Build::V5_1_1, &gateway, &settings);
    let start = host.wait_log("] delivers to ");
    assert_eq!(start.level, INFO);
    for part in
        [&*gateway.url(), "no Services because correlate is off", "batch_events=7", "headers=\"X-Key: …\""]
    {
        assert!(start.text.contains(part), "no {part} in {start:?}");
    }
    assert_eq!(host.deliver("a", "t", &events(["u1", "u1", "u2"])), Code::Ok);
    host.exit("a");
    let exit = host.wait_log("] delivered ");
    assert_eq!(exit.level, INFO);
    let totals = "] delivered 2 of 3 records in 1 batches; 1 duplicates, 0 suppressed, ";
    assert!(exit.text.contains(totals) && exit.text.contains("holds 2 versions (ran for "), "{exit:?}");
    assert!(host.logs().iter().all(|line| !line.text.contains("S3CR3T")), "{:#?}", host.logs());
    // A healthy output says nothing in between.
    assert_eq!(host.logs().iter().filter(|line| line.level == INFO).count(), 2, "{:#?}", host.logs());
    host.quit();
}

#[test]
fn what_the_end_of_the_cluster_says_is_logged() {
    let (gateway, folder) = (TestGateway::start(), tempfile::tempdir().expect("a folder"));
    let (api, there) = (KubeApi::start(), folder.path().join("there"));
    std::fs::create_dir(&there).expect("a folder");
    let ledger = there.join("ledger");
    let settings = [("kube_url", &*api.url()), ("state_file", ledger.to_str().expect("UTF-8"))];
    let mut host = started(Build::V5_1_1, &gateway, &settings);
    host.metrics_when(|metrics| value(metrics, "topology_ready") > 0.0);
    // The last save finds no folder.
    std::fs::remove_dir_all(&there).expect("removed");
    host.exit("a");
    assert_eq!(host.wait_log("what is known of the cluster cannot be saved to").level, 2);
    host.quit();
}
