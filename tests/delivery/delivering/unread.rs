//! Does what cannot be read at all lie among the dead letters as it came?

use std::fs;

use super::support;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use support::gateway::{Answer, TestGateway};
use support::host::{Build, Code};
use support::{chunk, event, events, value};

fn letters(file: &std::path::Path) -> Vec<Value> {
    let text = fs::read_to_string(file).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

#[test]
fn each_byte_that_is_no_record_lies_in_a_letter() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("letters");
    let gateway = TestGateway::start();
    let settings = [("dead_letter_file", file.to_str().expect("UTF-8"))];
    let mut host = support::started(Build::V5_1_1, &gateway, &settings);
    let good = events(["before"]);
    let whole = chunk::v2(&event("cut", 1, 1), 1);
    let cases: [&[u8]; 4] =
        [b"\xc1", b"\xdb\xff\xff\xff\xffx", &whole[..whole.len() - 7], b"{\"json\": true}\n"];
    for (number, broken) in cases.into_iter().enumerate() {
        let after = events([format!("after-{number}")]);
        assert_eq!(host.deliver("a", "the tag", &[&good, broken, &after].concat()), Code::Ok);
        let letters = letters(&file);
        let record = &letters[number]["record"];
        assert_eq!((letters.len(), &record["tag"]), (number + 1, &"the tag".into()));
        let shown: Vec<u8> = record["records"]
            .as_array()
            .expect("records")
            .iter()
            .flat_map(|one| STANDARD.decode(one["base64"].as_str().expect("a text")).expect("base64"))
            .collect();
        assert_eq!(shown, broken);
        assert_eq!(record["records"][0]["offset"], good.len());
    }
    let metrics = host.metrics_when(|metrics| value(metrics, "dead_lettered_records_total") > 3.0);
    assert_eq!(value(&metrics, "skipped_records_total"), 0.0, "none of them is lost");
    assert_eq!(gateway.accepted_ids().len(), 1 + cases.len());
    host.quit();
}

#[test]
fn a_letter_is_bounded_and_says_how_much_there_was() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("letters");
    let gateway = TestGateway::start();
    let settings = [("dead_letter_file", file.to_str().expect("UTF-8"))];
    let mut host = support::started(Build::V5_1_1, &gateway, &settings);
    assert_eq!(host.deliver("a", "t", &vec![0xc1; 1_000_000]), Code::Ok);
    let head = [0x92, 0x92, 0xd7, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0xc1];
    assert_eq!(host.deliver("a", "t", &head.repeat(5_000)), Code::Ok);
    let letters = letters(&file);
    let one = &letters[0]["record"]["records"][0];
    assert_eq!((letters.len(), &one["bytes"]), (2, &1_000_000.into()));
    assert!(one["base64"].as_str().expect("a text").len() < 400_000);
    let many = &letters[1]["record"];
    assert_eq!(many["count"], 5_000);
    assert_eq!(many["records"].as_array().expect("a list").len(), 1_000);
    host.quit();
}

/// The host brings a chunk again as long as its other records are not delivered.
#[test]
fn a_chunk_that_comes_again_has_one_letter() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("letters");
    let gateway = TestGateway::start();
    gateway.set_default(Answer::status(503));
    let settings = [("dead_letter_file", file.to_str().expect("UTF-8"))];
    let mut host = support::started(Build::V5_1_1, &gateway, &settings);
    let data = [&events(["good"])[..], &[0xc1; 2_000]].concat();
    for _ in 0..3 {
        assert_eq!(host.deliver("a", "t", &data), Code::Retry);
    }
    assert_eq!(letters(&file).len(), 1);
    let metrics = host.metrics_when(|metrics| value(metrics, "dead_lettered_records_total") > 0.0);
    assert_eq!(value(&metrics, "dead_lettered_records_total"), 1.0);
    host.quit();
}

/// Nothing can be taken out of what cannot be read.
#[test]
fn what_may_hold_a_secret_is_not_shown() {
    let folder = tempfile::tempdir().expect("a folder");
    let secret =
        serde_json::json!({"kind": "Secret", "apiVersion": "v1", "data": {"password": "aHVudGVyMg=="}});
    for (number, (rules, record)) in
        [(None, secret), (Some(("redact", "message")), event("hunter2", 1, 1))].into_iter().enumerate()
    {
        let file = folder.path().join(number.to_string());
        let gateway = TestGateway::start();
        let mut settings = vec![("dead_letter_file", file.to_str().expect("UTF-8"))];
        settings.extend(rules);
        let mut host = support::started(Build::V5_1_1, &gateway, &settings);
        let whole = chunk::v2(&record, 1);
        assert_eq!(host.deliver("a", "t", &whole[..whole.len() - 3]), Code::Ok);
        let letter = &letters(&file)[0]["record"]["records"][0];
        assert_eq!((&letter["base64"], &letter["bytes"]), (&Value::Null, &(whole.len() - 3).into()));
        host.quit();
    }
}

/// What follows a record that nests too deep is looked at like anything else.
#[test]
fn what_stands_behind_a_deep_record_is_not_lost_with_it() {
    let folder = tempfile::tempdir().expect("a folder");
    for (number, v1) in [false, true].into_iter().enumerate() {
        let file = folder.path().join(number.to_string());
        let gateway = TestGateway::start();
        let settings = [("dead_letter_file", file.to_str().expect("UTF-8"))];
        let mut host = support::started(Build::V5_1_1, &gateway, &settings);
        let framed = |record: &Value| match v1 {
            true => chunk::v1(record, chunk::Stamp::Seconds(1)),
            false => chunk::v2(record, 1),
        };
        let mut deep = framed(&serde_json::json!({"involvedObject": {}, "odd": null}));
        deep.pop();
        deep.extend([0x91; 100]);
        deep.push(0xc0);
        let after = framed(&event("after", 1, 1));
        assert_eq!(host.deliver("a", "t", &[&deep[..], &[0xc1; 50], &after].concat()), Code::Ok);
        // Without heads nobody knows where the next record begins.
        let (records, unread) = if v1 { (1, 50 + after.len()) } else { (2, 50) };
        assert_eq!(gateway.accepted_ids().len(), records, "{v1}");
        assert_eq!(letters(&file)[0]["record"]["records"][0]["bytes"], unread, "{v1}");
        host.quit();
    }
}

/// A chunk is not let go of before its letter lies on the disk.
#[test]
fn a_chunk_waits_while_its_letter_has_no_place() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("letters");
    let gateway = TestGateway::start();
    let settings = [("dead_letter_file", file.to_str().expect("UTF-8")), ("dead_letter_max_bytes", "1000")];
    let mut host = support::started(Build::V5_1_1, &gateway, &settings);
    let data = [&events(["good"])[..], &[0xc1; 2_000]].concat();
    for _ in 0..2 {
        assert_eq!(host.deliver("a", "t", &data), Code::Retry);
    }
    assert_eq!(gateway.accepted_ids(), ["good.1"], "once, though its chunk came twice");
    assert!(letters(&file).is_empty());
    host.wait_log("records that wait: ");
    host.quit();
}
