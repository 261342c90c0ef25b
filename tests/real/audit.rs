//! Does a real Fluent Bit deliver what an API server's audit webhook posts, and the lines of its audit log, each
//! once?

use std::fs;
use std::time::Duration;

use bumpalo::Bump;
use event_gateway::record::classify::{Within, each};
use event_gateway::record::identity::write_id;

use crate::{real, support};
use real::{assert_once, config, free_port, on_every_host, state_file, stop, to_gateway};
use serde_json::Value;
use support::gateway::TestGateway;
use support::{audit_log, chunk};

fn id(audit: &Value) -> String {
    let (mut body, mut id) = (Vec::new(), String::new());
    chunk::write_value(&mut body, audit);
    each(&body, Within::Record, &Bump::new(), &mut |body, content| write_id(content, body, &mut id));
    id
}

#[test]
fn the_webhooks_body_arrives_once_though_it_is_posted_twice() {
    on_every_host(|fluent_bit, folder| {
        let body = fs::read(chunk::data_file("audit-webhook-body.json")).expect("test data");
        let list: Value = serde_json::from_slice(&body).expect("JSON");
        let wanted: Vec<String> = list["items"].as_array().expect("items").iter().map(id).collect();
        assert_eq!(wanted.len(), 77);
        let (gateway, port) = (TestGateway::start(), free_port().to_string());
        let (url, ledger) = (gateway.url(), state_file(folder));
        let input = [("name", "http"), ("listen", "127.0.0.1"), ("port", &*port), ("tag", "audit")];
        let config = config(folder).section("INPUT", &input).event_gateway(&to_gateway(&url, &ledger)).text();
        let host = fluent_bit.start(&config, folder);
        for _ in 0..2 {
            // Until it listens nobody is there.
            let post = || {
                ureq::post(format!("http://127.0.0.1:{port}/")).content_type("application/json").send(&*body)
            };
            let posted = (0..200).find_map(|_| {
                let answer = post().ok();
                if answer.is_none() {
                    std::thread::sleep(Duration::from_millis(50));
                }
                answer
            });
            assert_eq!(posted.expect("an answer").status(), 201);
        }
        gateway.wait_for_ids(77);
        let count = stop(host);
        assert_once(&gateway, &wanted);
        assert_eq!((count.delivered, count.duplicates), (77, 77), "{count:?}");
    });
}

#[test]
fn each_line_of_the_audit_log_arrives_once_over_a_restart() {
    on_every_host(|fluent_bit, folder| {
        let log = folder.join("audit.log");
        let mut lines = audit_log();
        let gateway = TestGateway::start();
        let (url, ledger) = (gateway.url(), state_file(folder));
        let config = config(folder).tail(&log).event_gateway(&to_gateway(&url, &ledger)).text();
        for life in 0..2 {
            // The last line is a new one, so that it is known when all before it were read.
            let mut last = lines[0].clone();
            last["auditID"] = format!("of life {life}").into();
            lines.push(last);
            let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
            fs::write(&log, text).expect("a log");
            let host = fluent_bit.start(&config, folder);
            let wanted: Vec<_> = lines.iter().map(id).collect();
            gateway.wait_for_ids(wanted.len());
            stop(host);
            assert_once(&gateway, &wanted);
        }
        assert_eq!(lines.len(), 489);
    });
}

/// How deep a body may nest on this release in a list of the webhook, and in a record posted alone, as docs/sources.md
/// has it; `None`: the page does not speak of this release.
fn documented((major, minor, patch): (u32, u32, u32)) -> Option<[usize; 2]> {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/sources.md");
    let text = fs::read_to_string(page).expect("the page");
    let row = text.lines().find_map(|line| line.strip_prefix(&format!("| {major}.{minor}.{patch} | ")))?;
    let depths =
        row.trim_end_matches(" |").split(" | ").map(|cell| cell.parse().expect("a number of levels"));
    depths.collect::<Vec<_>>().try_into().ok()
}

#[test]
fn a_body_as_deep_as_documented_arrives_and_the_log_loses_none() {
    on_every_host(|fluent_bit, folder| {
        let (gateway, port, log) = (TestGateway::start(), free_port().to_string(), folder.join("audit.log"));
        let (url, ledger) = (gateway.url(), state_file(folder));
        let input = [("name", "http"), ("listen", "127.0.0.1"), ("port", &*port), ("tag", "audit")];
        let config = config(folder)
            .section("INPUT", &input)
            .tail(&log)
            .event_gateway(&to_gateway(&url, &ledger))
            .text();
        let record = |id: &str, levels: usize| {
            let body = "[".repeat(levels) + "1" + &"]".repeat(levels);
            format!(
                "{{\"auditID\":\"{id}\",\"stage\":\"Panic\",\"stageTimestamp\":\"{id}\",\"requestObject\":{body}}}"
            )
        };
        // Those of the log first, so that the host is up when it is posted to.
        let depths = [1, 31, 32, 33, 61, 62, 63, 64, 65, 127, 128, 129, 1_000, 10_000];
        let lines: String =
            depths.iter().map(|levels| record(&format!("log-{levels}"), *levels) + "\n").collect();
        fs::write(&log, lines).expect("a log");
        let host = fluent_bit.start(&config, folder);
        gateway.wait_for_ids(depths.len());
        let post = |body: String| {
            let post = ureq::post(format!("http://127.0.0.1:{port}/")).content_type("application/json");
            assert_eq!(post.send(&*body).expect("an answer").status(), 201);
        };
        let list = |id: &str, levels| {
            let (before, deep, behind) =
                (record(&format!("{id}-before"), 1), record(id, levels), record(&format!("{id}-behind"), 1));
            format!(
                r#"{{"kind":"EventList","apiVersion":"audit.k8s.io/v1","items":[{before},{deep},{behind}]}}"#
            )
        };
        let mut wanted = depths.len();
        if let Some([in_a_list, alone]) = documented(fluent_bit.version) {
            // One level more arrives if it shares its chunk with other records.
            post(list("deeper-list", in_a_list + 2));
            post(record("deeper-alone", alone + 2));
            // Each in a chunk of its own.
            post(list("list", in_a_list));
            gateway.wait_for_ids(wanted + 3);
            post(record("alone", alone));
            wanted += 4;
            gateway.wait_for_ids(wanted);
        }
        post(record("last", 1));
        gateway.wait_for_ids(wanted + 1);
        stop(host);
        let came = gateway.accepted_ids();
        assert_eq!(came.len(), wanted + 1, "{came:?}");
        assert!(!came.iter().any(|id| id.starts_with("deeper")), "the page is too cautious: {came:?}");
    });
}

/// As docs/sources.md has it; without `skip_long_lines` the host stops at the long line.
#[test]
fn a_line_that_is_too_long_costs_no_other() {
    on_every_host(|fluent_bit, folder| {
        let (gateway, log) = (TestGateway::start(), folder.join("audit.log"));
        let (url, ledger, path) = (gateway.url(), state_file(folder), log.to_string_lossy());
        let input = [
            ("name", "tail"),
            ("tag", "audit"),
            ("path", &*path),
            ("read_from_head", "on"),
            ("buffer_max_size", "256k"),
            ("skip_long_lines", "on"),
        ];
        let config = config(folder).section("INPUT", &input).event_gateway(&to_gateway(&url, &ledger)).text();
        let line = |id: &str, bytes: usize| {
            let body = "<".repeat(bytes);
            format!(
                "{{\"auditID\":\"{id}\",\"stage\":\"Panic\",\"verb\":\"get\",\"requestObject\":\"{body}\"}}\n"
            )
        };
        let lines = [line("before", 1), line("long", 300 << 10), line("behind", 1), line("last", 200 << 10)];
        fs::write(&log, lines.concat()).expect("a log");
        let host = fluent_bit.start(&config, folder);
        gateway.wait_for_ids(3);
        stop(host);
        let came = gateway.accepted_ids();
        let is_there = |id: &str| came.iter().any(|came| came.starts_with(id));
        assert!(came.len() == 3 && ["before", "behind", "last"].into_iter().all(is_there), "{came:?}");
    });
}

#[test]
fn each_tail_of_the_page_that_expects_long_lines_goes_on_behind_longer_ones() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/sources.md");
    let text = fs::read_to_string(page).expect("the page");
    let inputs = text.split("[INPUT]").skip(1).map(|rest| rest.split('[').next().unwrap_or_default());
    let long = inputs.filter(|input| input.contains("tail\n") && input.contains("buffer_max_size"));
    let long: Vec<&str> = long.collect();
    assert!(long.len() >= 3 && long.iter().all(|input| input.contains("skip_long_lines on")), "{long:?}");
}
