//! Does a real Fluent Bit deliver what an API server's audit webhook posts, and the lines of its audit log, each
//! once?

use std::fs;
use std::time::Duration;

use bumpalo::Bump;
use event_gateway::ledger::identity::write_id;
use event_gateway::record::understood::{Within, each};

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
