//! Does the filter know the cluster: from the first record on, without ever waiting for it again, and on
//! the host's small stack?

use std::time::Duration;

use super::support;
use rmpv::Value as Packed;

use support::chunk;
use support::events;
use support::host::{Build, MiniHost, Outcome, Place};
use support::kube_api::{ALL, Delivery, KubeApi};
use support::recording::cluster_after;
use support::service_impact::{EACH, Image, filtering, left_of, loaded, set};

/// Out of the 24 KiB.
const MOST_BYTES: usize = 8 << 10;

/// The values of the members `impact`, those of the events in order.
fn impacts(mut chunk: &[u8]) -> Vec<Packed> {
    let mut impacts = Vec::new();
    while !chunk.is_empty() {
        let record = rmpv::decode::read_value(&mut chunk).expect("MessagePack");
        let body = record.as_array().and_then(|record| record.last()).and_then(Packed::as_map);
        let impact = body.and_then(|body| body.iter().find(|(key, _)| key.as_str() == Some("impact")));
        impacts.push(impact.map_or(Packed::Nil, |(_, value)| value.clone()));
    }
    impacts
}

fn correlation(impact: &Packed) -> &str {
    let impact = impact.as_map().expect("a map");
    let (_, value) = impact.iter().find(|(key, _)| key.as_str() == Some("correlation")).expect("a member");
    value.as_str().expect("a text")
}

fn matched(chunk: &[u8]) -> usize {
    impacts(chunk).iter().filter(|impact| correlation(impact) == "matched").count()
}

#[test]
fn the_first_record_already_has_its_impact() {
    let cluster = cluster_after(u64::MAX);
    let events = chunk::recording_events();
    for place in EACH {
        let (mut host, _image) = filtering(Build::V5_1_1, &[("kube_url", &cluster.url())]);
        let left = left_of(&mut host, &chunk::of(&events), place);
        let impacts = impacts(&left);
        assert_eq!(impacts.len(), events.len());
        assert!(impacts.iter().all(|impact| ["matched", "none", "unknown"].contains(&correlation(impact))));
        assert!(matched(&left) > 100, "only {} matched", matched(&left));
        host.exit("f");
        host.quit();
    }
}

#[test]
fn a_call_with_impacts_uses_little_of_the_hosts_stack() {
    let cluster = cluster_after(u64::MAX);
    let (mut host, _image) = filtering(Build::V4_2_2, &[("kube_url", &cluster.url())]);
    let mut deepest = 0;
    for events in [chunk::recording_events(), chunk::watch_events(), chunk::listed_events()] {
        for chunk in [chunk::of(&events), chunk::of(&events[..1])] {
            let used = host.filter("f", "t", &chunk, Place::Processor).stack_bytes.expect("measured");
            deepest = deepest.max(used);
        }
    }
    println!("{deepest} bytes of the host's stack");
    assert!(deepest <= MOST_BYTES, "{deepest} bytes of the host's stack");
    host.quit();
}

#[test]
fn a_cluster_that_does_not_answer_costs_the_start_its_wait_and_the_records_nothing() {
    let cluster = KubeApi::start();
    cluster.deliver(ALL, Delivery::Slow { bytes: 1, pause: Duration::from_secs(3_600) });
    let start = event_gateway::clock::monotonic();
    let (mut host, _image) =
        filtering(Build::V5_1_1, &[("kube_url", &cluster.url()), ("topology_wait", "300ms")]);
    assert!(start.elapsed() >= Duration::from_millis(300));
    let line = host.wait_log("the first look at the cluster was not complete in 300ms");
    assert_eq!(line.level, 2);
    let mut took = Vec::new();
    for number in 0..20 {
        let filtered = host.filter("f", "t", &events([number]), Place::Processor);
        let Outcome::Modified(left) = &filtered.outcome else { panic!("{filtered:?}") };
        assert_eq!(correlation(&impacts(left)[0]), "not_ready");
        took.push(filtered.took);
    }
    // A filter that waits does so each time; a machine is busy only now and then.
    assert!(took.iter().min().is_some_and(|least| *least < Duration::from_millis(100)), "{took:?}");
    // The answers come in an hour.
    host.exit("f");
    host.quit();
}

#[test]
fn off_adds_nothing_and_auto_is_off_outside_of_a_pod() {
    let cluster = cluster_after(u64::MAX);
    let off = [("correlate", "off"), ("kube_url", &*cluster.url())];
    for settings in [&off[..], &[("correlate", "auto")], &[]] {
        let (mut host, _image) = filtering(Build::V5_1_1, settings);
        assert_eq!(host.filter("f", "t", &events(["u1"]), Place::Pipeline).outcome, Outcome::NoTouch);
        host.quit();
    }
}

#[test]
fn max_services_labels_and_annotations_are_obeyed() {
    let cluster = cluster_after(u64::MAX);
    let chunk = chunk::of(&chunk::recording_events());
    let url = cluster.url();
    let all = [("kube_url", &*url), ("dedup", "off"), ("annotations", "*")];
    let few = [("kube_url", &*url), ("dedup", "off"), ("max_services", "1"), ("labels", "app")];
    let (mut host, _image) = filtering(Build::V5_1_1, &all);
    set(&mut host, "g", &few);
    assert_eq!(host.init_filter("g"), 0);
    let texts = |chunk: &[u8]| -> Vec<String> { impacts(chunk).iter().map(ToString::to_string).collect() };
    let written = texts(&left_of(&mut host, &chunk, Place::Pipeline));
    let Outcome::Modified(left) = host.filter("g", "t", &chunk, Place::Pipeline).outcome else {
        panic!("untouched")
    };
    let written_less = texts(&left);
    assert!(written.iter().any(|impact| impact.contains("pod-template-hash")));
    assert!(written_less.iter().all(|impact| !impact.contains("pod-template-hash")));
    assert!(written_less.iter().all(|impact| impact.matches("endpoints_ready").count() <= 1));
    host.quit();
}

#[test]
fn exit_and_reload_leave_no_thread_behind() {
    let cluster = cluster_after(u64::MAX);
    let image = Image::new();
    let mut host = MiniHost::start_empty(Build::V5_1_1, |_| {});
    host.load(&image.output());
    host.load_filter(&image.filter());
    let threads = host.threads();
    host.set_filter("f", "kube_url", cluster.url());
    let gateway = support::gateway::TestGateway::start();
    host.set("o", "endpoint", gateway.url());
    assert_eq!((host.init_filter("f"), host.init("o")), (0, 1));
    let running = host.threads();
    let chunk = chunk::of(&chunk::recording_events());
    for _ in 0..2 {
        assert!(matched(&left_of(&mut host, &chunk, Place::Pipeline)) > 100);
        assert!(host.reload().ok);
        assert_eq!(host.threads(), running);
    }
    host.exit("f");
    host.exit("o");
    assert_eq!(host.threads(), threads);
    host.quit();
}

#[test]
fn the_log_tells_the_settings_the_totals_and_what_the_end_says() {
    const INFO: u8 = 3;
    let cluster = cluster_after(u64::MAX);
    let folder = tempfile::tempdir().expect("a folder");
    let there = folder.path().join("there");
    std::fs::create_dir(&there).expect("a folder");
    let file = there.join("seen");
    let url = cluster.url();
    let settings = [("kube_url", &*url), ("state_file", file.to_str().expect("UTF-8"))];
    let (mut host, _image) = filtering(Build::V5_1_1, &settings);
    let start = host.wait_log("] processes events, Services from ");
    assert_eq!(start.level, INFO);
    for part in [&*url, "dedup=on", "keep_managed_fields=off", &format!("state_file={}", file.display())] {
        assert!(start.text.contains(part), "no {part} in {start:?}");
    }
    let chunk = chunk::of(&chunk::recording_events());
    let matched = impacts(&left_of(&mut host, &chunk, Place::Pipeline))
        .iter()
        .filter(|impact| correlation(impact) == "matched")
        .count();
    // The last save finds no folder.
    std::fs::remove_dir_all(&there).expect("removed");
    host.exit("f");
    let exit = host.wait_log(&format!("; {matched} name Services, "));
    assert_eq!(exit.level, INFO);
    assert!(exit.text.contains("saw 1061 events in 1061 records; ") && matched > 100, "{exit:?}");
    assert_eq!(host.wait_log("what is known of the cluster cannot be saved to").level, 2);
    host.quit();
}

#[test]
fn wrong_settings_are_all_reported_at_once() {
    let (mut host, _image) = loaded(Build::V5_1_1, |_| {});
    set(
        &mut host,
        "f",
        &[("correlate", "perhaps"), ("max_services", "0"), ("dedup", "x"), ("kube_url", "ftp://x")],
    );
    assert_ne!(host.pre_run_filter("f"), 0);
    assert_eq!(host.logs().len(), 4, "{:#?}", host.logs());
    host.quit();
}
