//! Does a record that the gateway will never take leave the others alone, and is it kept?

use std::fs;

use super::support;
use serde_json::Value;
use support::gateway::{Answer, TestGateway};
use support::host::{Build, Code};
use support::{chunk, event, events, started, value};

fn rejecting(status: u16, entries: &'static [&'static str]) -> TestGateway {
    let gateway = TestGateway::start();
    gateway.respond_with(move |request| {
        if request.ids().iter().any(|id| entries.contains(&&**id)) {
            Answer::status(status).body(format!("field \"message\" is bad {}", "x".repeat(2_000)))
        } else {
            Answer::ok()
        }
    });
    gateway
}

fn letters(file: &std::path::Path) -> Vec<Value> {
    let text = fs::read_to_string(file).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).expect("NDJSON")).collect()
}

#[test]
fn a_rejected_record_is_found_and_dead_lettered_alone() {
    for status in [400, 413, 422] {
        for format in ["native", "cloudevents", "cloudevents_batch", "raw"] {
            let gateway = rejecting(status, &["u3.1", "u77.1"]);
            let folder = tempfile::tempdir().expect("a folder");
            let file = folder.path().join("dead.ndjson");
            let settings = [("format", format), ("dead_letter_file", file.to_str().expect("UTF-8"))];
            let mut host = started(Build::V5_1_1, &gateway, &settings);
            let all: Vec<_> = (0..100).map(|n| format!("u{n}")).collect();
            assert_eq!(host.deliver("a", "t", &events(&all)), Code::Ok);
            let wanted: Vec<_> = all
                .iter()
                .filter(|id| !["u3", "u77"].contains(&&***id))
                .map(|id| format!("{id}.1"))
                .collect();
            assert_eq!(gateway.accepted_ids(), wanted, "{status} {format}");
            let letters = letters(&file);
            let ids: Vec<_> =
                letters.iter().map(|letter| letter["record"]["id"].as_str().expect("an id")).collect();
            assert_eq!(ids, ["u3.1", "u77.1"]);
            assert_eq!(letters[0]["status"], status);
            assert_eq!(letters[0]["record"]["metadata"]["uid"], "u3");
            let answer = letters[0]["answer"].as_str().expect("an answer");
            assert!(answer.starts_with("field") && answer.len() <= 500, "{} bytes", answer.len());
            // What was dead-lettered is settled: it does not come again.
            let asked = gateway.requests().len();
            assert_eq!(host.deliver("a", "t", &events(&all)), Code::Ok);
            assert_eq!(gateway.requests().len(), asked);
            host.quit();
        }
    }
}

#[test]
fn without_a_dead_letter_file_it_is_dropped_with_an_error_and_counted() {
    let gateway = rejecting(400, &["u1.1"]);
    let mut host = started(Build::V5_1_1, &gateway, &[]);
    assert_eq!(host.deliver("a", "t", &events(["u0", "u1", "u2"])), Code::Ok);
    assert_eq!(gateway.accepted_ids(), ["u0.1", "u2.1"]);
    let line = host.wait_log("record u1.1 is lost");
    assert_eq!(line.level, 1);
    let metrics = host.metrics_when(|metrics| value(metrics, "dropped_records_total") > 0.0);
    assert_eq!(value(&metrics, "dropped_records_total"), 1.0);
    assert_eq!(value(&metrics, "dead_lettered_records_total"), 0.0);
    host.quit();
}

#[test]
fn a_full_dead_letter_file_keeps_the_chunk_with_the_host() {
    let gateway = rejecting(422, &["u1.1", "u2.1"]);
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("dead.ndjson");
    // One letter, of about 1,300 bytes, fits; the second does not.
    let settings = [("dead_letter_file", file.to_str().expect("UTF-8")), ("dead_letter_max_bytes", "2K")];
    let mut host = started(Build::V5_1_1, &gateway, &settings);
    assert_eq!(host.deliver("a", "t", &events(["u0", "u1", "u2", "u3"])), Code::Retry);
    assert_eq!(gateway.accepted_ids(), ["u0.1", "u3.1"]);
    assert_eq!(host.wait_log("the first is u2.1").level, 1);
    assert_eq!(letters(&file).len(), 1);
    // A person takes the file away: what waited goes in.
    fs::rename(&file, folder.path().join("taken.ndjson")).expect("renamed");
    assert_eq!(host.deliver("a", "t", &events(["u0", "u1", "u2", "u3"])), Code::Ok);
    assert_eq!(letters(&file).len(), 1);
    assert_eq!(gateway.accepted_ids(), ["u0.1", "u3.1"]);
    host.quit();
}

#[test]
fn a_record_over_a_mebibyte_goes_to_the_dead_letters_unseen_by_the_gateway() {
    let gateway = TestGateway::start();
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("dead.ndjson");
    let settings = [("dead_letter_file", file.to_str().expect("UTF-8")), ("max_message_bytes", "16M")];
    let mut host = started(Build::V5_1_1, &gateway, &settings);
    let mut large = event("large", 1, 1);
    large["message"] = "x".repeat(1 << 20).into();
    let listed = serde_json::json!({"kind": "EventList", "apiVersion": "v1", "items": [event("in-list", 1, 1), large.clone()]});
    for data in [chunk::of(&[event("small", 1, 1), large]), chunk::v2(&listed, 1)] {
        assert_eq!(host.deliver("a", "t", &data), Code::Ok);
    }
    assert_eq!(gateway.accepted_ids(), ["small.1", "in-list.1"]);
    let letters = letters(&file);
    assert_eq!(letters.len(), 1, "the second time it is a repetition");
    assert_eq!(letters[0]["record"]["metadata"]["uid"], "large");
    assert!(letters[0]["status"].is_null());
    host.quit();
}

#[test]
fn a_dead_lettered_record_counts_as_new_with_the_next_version() {
    let gateway = rejecting(422, &["u.1"]);
    let mut host = started(Build::V5_1_1, &gateway, &[]);
    for (version, count) in [(1, 5), (2, 6), (3, 9)] {
        assert_eq!(host.deliver("a", "t", &chunk::of(&[event("u", version, count)])), Code::Ok);
    }
    let counts: Vec<_> =
        gateway.accepted_records().iter().map(|record| record["new_occurrences"].as_u64()).collect();
    assert_eq!(counts, [Some(6), Some(3)]);
    host.quit();
}
