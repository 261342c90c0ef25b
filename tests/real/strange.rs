//! Does a real Fluent Bit deliver what others reported: Flux's events, records in wrappers, records to which filters
//! appended keys?

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::{real, support};
use real::{config, free_port, on_every_host, state_file, stop, to_gateway};
use serde_json::{Value, json};
use support::found::found;
use support::gateway::TestGateway;

/// Posts a document to `in_http`, once that listens.
fn post(port: &str, document: &Value) {
    let send = || {
        let request = ureq::post(format!("http://127.0.0.1:{port}/")).content_type("application/json");
        request.send(document.to_string()).ok()
    };
    let answer = (0..200).find_map(|_| {
        let answer = send();
        if answer.is_none() {
            std::thread::sleep(Duration::from_millis(50));
        }
        answer
    });
    assert_eq!(answer.expect("an answer").status(), 201);
}

#[test]
fn flux_events_arrive_each_once_over_a_restart() {
    on_every_host(|fluent_bit, folder| {
        let gateway = TestGateway::start();
        let (url, ledger, port) = (gateway.url(), state_file(folder), free_port().to_string());
        let input = [("name", "http"), ("listen", "127.0.0.1"), ("port", &*port), ("tag", "flux")];
        let config = config(folder).section("INPUT", &input).event_gateway(&to_gateway(&url, &ledger)).text();
        let events = found("01-flux-notification-events.json");
        for life in 0..2 {
            let host = fluent_bit.start(&config, folder);
            // Its own, so that it is known when all before it were read.
            let mut last = events[0].clone();
            last["message"] = format!("of life {life}").into();
            events.iter().chain([&last]).for_each(|event| post(&port, event));
            gateway.wait_for_ids(events.len() + 1 + life);
            stop(host);
        }
        let records = gateway.accepted_records();
        let ids: BTreeSet<_> = records.iter().map(|record| record["id"].to_string()).collect();
        assert_eq!((records.len(), ids.len()), (events.len() + 2, events.len() + 2));
        let errors = records.iter().filter(|record| record["severity"] == "error").count();
        assert_eq!(errors, 4);
    });
}

/// As by tail with a parser for JSON and without one, and as posted.
#[test]
fn what_comes_in_a_wrapper_arrives_as_what_it_is() {
    on_every_host(|fluent_bit, folder| {
        let gateway = TestGateway::start();
        let (url, port) = (gateway.url(), free_port().to_string());
        let log = folder.join("wrapped.log");
        let mut wrapped = found("15-wrappers-not-seen.json");
        // Each is distinguished by a version of its own.
        for (number, line) in wrapped.iter_mut().enumerate() {
            let text = line.to_string().replace("1240", &format!("{number}"));
            *line = serde_json::from_str(&text.replace("aaaaaaaa", &format!("{number:08}"))).expect("JSON");
        }
        let text: String = wrapped.iter().map(|line| format!("{line}\n")).collect();
        fs::write(&log, text).expect("a log");
        let input = [("name", "http"), ("listen", "127.0.0.1"), ("port", &*port), ("tag", "posted")];
        let config = config(folder)
            .section("INPUT", &input)
            .tail(&log)
            .event_gateway(&[("endpoint", &url), ("state_file", &state_file(folder))])
            .text();
        let host = fluent_bit.start(&config, folder);
        gateway.wait_for_ids(wrapped.len());
        wrapped.iter().for_each(|line| post(&port, line));
        let mut last = found("01-flux-notification-events.json").swap_remove(0);
        last["message"] = "the last".into();
        post(&port, &last);
        gateway.wait_for_ids(wrapped.len() + 1);
        let count = stop(host);
        assert_eq!(count.duplicates, wrapped.len() as u64, "{count:?}: posted, they are the same");
        let kinds: Vec<_> = gateway.accepted_records().iter().map(|record| record["kind"].clone()).collect();
        assert!(
            kinds.iter().all(|kind| kind == "kubernetes.event" || kind == "kubernetes.audit"),
            "{kinds:?}"
        );
    });
}

#[test]
fn what_filters_append_makes_no_key_twice_and_nothing_new() {
    on_every_host(|fluent_bit, folder: &Path| {
        let gateway = TestGateway::start();
        let (url, port) = (gateway.url(), free_port().to_string());
        let input = [("name", "http"), ("listen", "127.0.0.1"), ("port", &*port), ("tag", "filtered")];
        let appended = [
            ("name", "record_modifier"),
            ("match", "*"),
            ("record", "time 2026-11-21T00:00:00Z"),
            ("record", "hostname node-a"),
        ];
        let settings = [
            ("endpoint", &*url),
            ("state_file", &state_file(folder)),
            ("format", "raw"),
            ("compress", "none"),
        ];
        let config = config(folder)
            .section("INPUT", &input)
            .section("FILTER", &appended)
            .event_gateway(&settings)
            .text();
        let host = fluent_bit.start(&config, folder);
        let flux = found("01-flux-notification-events.json");
        post(&port, &json!({"app": "billing", "time": "2026-11-20T23:00:00Z"}));
        flux.iter().chain(&flux).for_each(|event| post(&port, event));
        gateway.wait_for_ids(1 + flux.len());
        post(&port, &json!({"app": "last"}));
        gateway.wait_for_ids(2 + flux.len());
        stop(host);
        let text: String = gateway
            .requests()
            .iter()
            .map(|request| String::from_utf8_lossy(&request.body).into_owned())
            .collect();
        for line in text.lines() {
            assert_eq!(line.matches("\"time\":").count(), 1, "{line}");
            assert!(line.contains("\"time\":\"2026-11-21T00:00:00Z\""), "the last value: {line}");
        }
    });
}
