//! Do real receivers of other services' protocols take what the formats make of it, each record once?
//!
//! Fluent Bit has such receivers: of OTLP over HTTP, of Splunk's HTTP Event Collector and of Elasticsearch's `_bulk`.
//! So a real one is what the plugin, in the mini host, delivers to.

use std::collections::BTreeMap;
use std::fs;
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

use crate::waiting::wait_until;
use crate::{real, support};
use real::{config, free_port, on_every_host};
use serde_json::Value;
use support::found::all_found;
use support::host::{Build, Code, MiniHost};
use support::{audit_log, chunk, value};

/// A format, the receiver of its protocol and the path that this listens at.
struct Protocol {
    format: &'static str,
    receiver: &'static str,
    path: &'static str,
    /// Where a received record says who it is.
    id_of: fn(&Value) -> Option<&str>,
}

const PROTOCOLS: [Protocol; 4] = [
    // The id is an attribute, which Fluent Bit keeps beside the record, where `out_file` does not look.
    Protocol { format: "otlp", receiver: "opentelemetry", path: "/v1/logs", id_of: log },
    Protocol { format: "otlp_json", receiver: "opentelemetry", path: "/v1/logs", id_of: log },
    Protocol {
        format: "splunk_hec",
        receiver: "splunk",
        path: "/services/collector/event",
        id_of: |record| record["event"]["message"].as_str(),
    },
    Protocol {
        format: "elasticsearch",
        receiver: "elasticsearch",
        path: "/_bulk",
        id_of: |record| record["message"].as_str(),
    },
];

/// Where Fluent Bit puts the body of a log: under `log`, and before 4.0 under `message`.
fn log(record: &Value) -> Option<&str> {
    record["log"].as_str().or_else(|| record["message"].as_str())
}

/// How often each message came.
fn received(folder: &Path, id_of: fn(&Value) -> Option<&str>) -> BTreeMap<String, usize> {
    let text = fs::read_to_string(folder.join("received")).unwrap_or_default();
    let records = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut times = BTreeMap::new();
    for record in records {
        // A record of no known kind has none.
        *times.entry(id_of(&record).unwrap_or_default().to_owned()).or_default() += 1;
    }
    times
}

#[test]
fn each_record_is_taken_once() {
    on_every_host(|fluent_bit, folder| {
        for Protocol { format, receiver, path, id_of } in PROTOCOLS {
            let folder = folder.join(format);
            fs::create_dir(&folder).expect("a folder");
            let port = free_port().to_string();
            let input = [("name", receiver), ("listen", "127.0.0.1"), ("port", &*port), ("tag", "in")];
            let file = [("name", "file"), ("match", "*"), ("file", "received"), ("format", "plain")];
            let config = config(&folder).section("INPUT", &input).section("OUTPUT", &file).text();
            let _host = fluent_bit.start(&config, &folder);
            let address = format!("127.0.0.1:{port}");
            wait_until("it listens", || TcpStream::connect(&address).is_ok());

            let mut events = chunk::listed_events();
            let mut wanted = BTreeMap::new();
            for (number, event) in events.iter_mut().enumerate() {
                let message = format!("{number}: {}", event["message"].as_str().unwrap_or_default());
                event["message"] = message.clone().into();
                wanted.insert(message, 1);
            }
            let key = folder.join("key");
            fs::write(&key, "00000000-0000-0000-0000-000000000000").expect("a key");
            let mut sender = MiniHost::start(Build::V5_1_1);
            sender.set("a", "endpoint", format!("http://{address}{path}")).set("a", "format", format).set(
                "a",
                "correlate",
                "off",
            );
            if format == "splunk_hec" {
                sender.set("a", "api_key_file", key.to_str().expect("UTF-8"));
            }
            assert_eq!(sender.init("a"), 1, "{format}");
            for part in events.chunks(100) {
                assert_eq!(sender.deliver("a", "t", &chunk::of(part)), Code::Ok, "{format}");
            }
            let audits = audit_log();
            assert_eq!(sender.deliver("a", "t", &chunk::of(&audits)), Code::Ok, "{format}");
            let found = all_found();
            for record in &found {
                assert_eq!(
                    sender.deliver("a", "t", &chunk::v2(record, 1_795_217_333)),
                    Code::Ok,
                    "{format}: {record}"
                );
            }
            let all_of_them = wanted.len() + audits.len() + found.len();
            let metrics =
                sender.metrics_when(|metrics| value(metrics, "records_total") >= all_of_them as f64);
            let delivered = value(&metrics, "delivered_records_total");
            assert_eq!(value(&metrics, "dropped_records_total"), 0.0, "{format}: none of them is refused");
            sender.quit();
            let all = || received(&folder, id_of).values().sum::<usize>();
            wait_until("all are received", || all() as f64 >= delivered);
            // One more than wanted would come with them.
            std::thread::sleep(Duration::from_millis(500));
            assert_eq!(all() as f64, delivered, "{format}");
            let mut times = received(&folder, id_of);
            times.retain(|message, _| wanted.contains_key(message));
            assert_eq!(times, wanted, "{format}");
        }
    });
}
