//! Does the filter work in a real Fluent Bit: in the pipeline before other outputs, as a processor on the
//! coroutine of `kubernetes_events`, over restarts and hot reloads?

use std::fs;
use std::path::Path;
use std::thread;
use std::time::Duration;

use crate::{real, support};
use event_gateway::clock;
use serde_json::{Value, json};

use real::{BOUND, on_every_host, stop};
use support::chunk;
use support::event;
use support::fluent_bit::{Config, FluentBit, Running};
use support::gateway::TestGateway;
use support::host::MiniHost;
use support::kube_api::KubeApi;
use support::recording::cluster_after;

/// Loads the image as the filter; inputs, filters and outputs are to follow.
fn config(folder: &Path) -> Config {
    Config::new(folder).filter_plugin(&MiniHost::plugin_path())
}

/// The events of the recorded list, which the API server shows with all their `managedFields`.
fn listed() -> Vec<Value> {
    let mut events = chunk::listed_events();
    for event in &mut events {
        event["metadata"]["managedFields"] = json!([{"manager": "kubelet", "fieldsV1": {"f:count": {}}}]);
    }
    events
}

/// What the output `file` has written so far.
fn written(folder: &Path) -> Vec<Value> {
    let text = fs::read_to_string(folder.join("out")).unwrap_or_default();
    // The last line may be half there.
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

fn wait_for(host: &mut Running, folder: &Path, lines: usize) -> Vec<Value> {
    let start = clock::monotonic();
    loop {
        let there = written(folder);
        if there.len() >= lines {
            return there;
        }
        assert_eq!(host.exit_status(), None, "it has ended:\n{}", host.log());
        assert!(start.elapsed() < BOUND, "{} of {lines} records; the log:\n{}", there.len(), host.log());
        thread::sleep(Duration::from_millis(20));
    }
}

fn id(event: &Value) -> String {
    chunk::event_id(event)
}

/// Each of these events is there once, whole but for `managedFields`.
fn assert_once(there: &[Value], wanted: &[Value]) {
    let sorted = |events: &[Value]| {
        let mut events: Vec<Value> = events.to_vec();
        for event in &mut events {
            event["metadata"].as_object_mut().expect("metadata").remove("managedFields");
            // From a watch, not from a list.
            event.as_object_mut().expect("an event").remove("kind");
            event.as_object_mut().expect("an event").remove("apiVersion");
        }
        events.sort_by_key(id);
        events
    };
    assert!(there.iter().all(|event| event["metadata"].get("managedFields").is_none()));
    assert_eq!(sorted(there), sorted(wanted));
}

fn end(mut host: Running) -> String {
    host.sigterm();
    let status = host.wait_for_exit(BOUND);
    let log = host.log();
    assert!(status.success(), "{status}; its log:\n{log}");
    log
}

/// The filter as a processor of the input, on a coroutine of 24 KiB whatever the release's default is.
fn as_processor(folder: &Path, api: &KubeApi, settings: &[(&str, &str)]) -> String {
    // Writes the files that the configuration refers to.
    config(folder).kubernetes_events(&api.url());
    let here = folder.display();
    let settings: String =
        settings.iter().map(|(key, value)| format!("            {key}: \"{value}\"\n")).collect();
    format!(
        "service:
  flush: 0.2
  grace: 2
  log_level: info
  coro_stack_size: 24576
  plugins_file: {here}/plugins.conf
pipeline:
  inputs:
    - name: kubernetes_events
      tag: kube_events
      kube_url: {url}
      kube_token_file: {here}/token
      kube_retention_time: 3650d
      interval_sec: 0
      interval_nsec: 200000000
      processors:
        logs:
          - name: service_impact
{settings}  outputs:
    - name: file
      match: '*'
      path: {here}
      file: out
      format: plain
",
        url = api.url()
    )
}

#[test]
fn in_the_pipeline_every_event_goes_on_once() {
    on_every_host(|fluent_bit, folder| {
        let events = listed();
        let api = KubeApi::holding(events.clone());
        // Every line of the file is a repetition of what the API server shows, or the other way round.
        let lines: String = events.iter().map(|event| format!("{event}\n")).collect();
        fs::write(folder.join("again.ndjson"), lines).expect("a file");
        let text = config(folder)
            .kubernetes_events(&api.url())
            .tail(&folder.join("again.ndjson"))
            .filter("service_impact", &[])
            .file_output()
            .text();
        let mut host = fluent_bit.start(&text, folder);
        wait_for(&mut host, folder, events.len());
        let log = end(host);
        assert_once(&written(folder), &events);
        let said = log.lines().find(|line| line.contains("[filter:service_impact:service_impact.0] saw "));
        assert!(said.is_some_and(|line| line.contains("duplicates dropped")), "{log}");
    });
}

#[test]
fn as_a_processor_it_keeps_to_a_coroutine_of_24_kib() {
    on_every_host(|fluent_bit, folder| {
        let events = listed();
        let api = KubeApi::holding(events.clone());
        let text = as_processor(folder, &api, &[]);
        let mut host = fluent_bit.start_yaml(&text, folder);
        wait_for(&mut host, folder, events.len());
        let mut wanted = events;
        if fluent_bit.watches_events() {
            for n in 0..20 {
                let update = event("later", 1_000_000 + n, n + 1);
                wanted.push(api.modify(update));
            }
            wait_for(&mut host, folder, wanted.len());
        }
        end(host);
        assert_once(&written(folder), &wanted);
    });
}

#[test]
fn each_event_tells_what_it_touches() {
    on_every_host(|fluent_bit, folder| {
        let mut events: Vec<Value> = Vec::new();
        for event in chunk::recording_events() {
            // The API server of the test shows the newest version of each.
            events.retain(|known| known["metadata"]["uid"] != event["metadata"]["uid"]);
            events.push(event);
        }
        let (api, cluster) = (KubeApi::holding(events.clone()), cluster_after(u64::MAX));
        let text = as_processor(folder, &api, &[("kube_url", &cluster.url())]);
        let mut host = fluent_bit.start_yaml(&text, folder);
        let there = wait_for(&mut host, folder, events.len());
        let with = |correlation: &str| {
            there.iter().filter(|event| event["impact"]["correlation"] == correlation).count()
        };
        assert!(with("matched") > 50, "{} matched", with("matched"));
        // Many are about objects that were gone when the cluster was listed.
        let (known, unknown) = (with("matched") + with("none"), with("unknown"));
        assert_eq!(known + unknown, there.len(), "one went before the first look");
        end(host);
    });
}

#[test]
fn with_a_state_file_a_restart_brings_nothing_twice() {
    on_every_host(|fluent_bit, folder| {
        let events = listed();
        let api = KubeApi::holding(events.clone());
        let file = folder.join("seen").to_string_lossy().into_owned();
        for (settings, times) in [(&[("state_file", &*file), ("alias", "kept")][..], 1), (&[], 2)] {
            let _ = fs::remove_file(folder.join("out"));
            let text = as_processor(folder, &api, settings);
            let mut host = fluent_bit.start_yaml(&text, folder);
            wait_for(&mut host, folder, events.len());
            end(host);
            assert_once(&written(folder), &events);

            let mut host = fluent_bit.start_yaml(&text, folder);
            wait_for(&mut host, folder, times * events.len());
            if times == 1 {
                // What must not come has some time to come.
                thread::sleep(Duration::from_millis(1_500));
            }
            let log = end(host);
            assert_eq!(written(folder).len(), times * events.len(), "{log}");
            assert_eq!(log.contains("service_impact:kept] saw"), times == 1, "{log}");
        }
    });
}

#[test]
fn filter_and_output_share_an_image_and_survive_hot_reloads() {
    on_every_host(|fluent_bit: &FluentBit, folder| {
        let gateway = TestGateway::start();
        let events = folder.join("events.ndjson");
        fs::write(&events, "").expect("a file");
        let text = config(folder)
            .output_plugin(&MiniHost::plugin_path())
            .hot_reload()
            .tail(&events)
            .filter("service_impact", &[("dedup", "off")])
            .event_gateway(&[("endpoint", &gateway.url())])
            .text();
        let mut host = fluent_bit.start(&text, folder);
        host.wait_for_log("] delivers to ", BOUND);
        for round in 1..=3 {
            host.reload(BOUND);
            host.wait_for_log_times("] delivers to ", round + 1, BOUND);
        }
        fs::write(&events, format!("{}\n", event("u1", 1, 1))).expect("written");
        gateway.wait_for_requests(1);
        assert_eq!(stop(host).delivered, 1);
        assert_eq!(gateway.accepted_ids(), ["u1.1"]);
    });
}

#[test]
fn wrong_settings_end_the_start_with_every_error() {
    on_every_host(|fluent_bit, folder| {
        let text = config(folder)
            .section("INPUT", &[("name", "dummy"), ("samples", "0")])
            .filter("service_impact", &[("dedup", "perhaps"), ("ledger_ttl", "soon")])
            .file_output()
            .text();
        let mut host = fluent_bit.start(&text, folder);
        let status = host.wait_for_exit(BOUND);
        let log = host.log();
        assert!(status.code().is_some_and(|code| code != 0), "{status}, which is no orderly refusal:\n{log}");
        for error in ["dedup: \"perhaps\" is not a switch", "ledger_ttl: \"soon\" is not a time"] {
            assert!(log.contains(error), "no {error:?} in the log:\n{log}");
        }
    });
}
