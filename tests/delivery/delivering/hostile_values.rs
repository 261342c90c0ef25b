//! Is nothing lost, and nothing delivered twice, of events whose counts, versions or times make no sense?
//!
//! Each goes between good neighbours, twice.

use super::{neighbours, support};
use neighbours::{delivered, started};
use serde_json::{Value, json};
use support::gateway::TestGateway;
use support::host::Code;
use support::{chunk, event};

/// A count that falls tells of nothing new, and the next is held against it: nothing is subtracted.
#[test]
fn counts_that_make_no_sense_lose_no_state() {
    let gateway = TestGateway::start();
    let mut host = started(&gateway, &[]);
    let counts = [
        (json!(5), 5, 5),
        (json!(3), 3, 0),
        (json!(4), 4, 1),
        (json!(-7), 1, 0),
        (json!(0), 1, 0),
        (json!("many"), 1, 0),
        (json!(null), 1, 0),
        (json!(2.5), 1, 0),
        (json!(2_147_483_648_u64), 1_000_000_u64, 999_999_u64),
        (json!(4_294_967_296_u64), 1_000_000, 0),
        (json!(i64::MAX), 1_000_000, 0),
        (json!(u64::MAX), 1_000_000, 0),
        (json!(i64::MIN), 1, 0),
        (json!([1]), 1, 0),
    ];
    let events: Vec<Value> = counts
        .iter()
        .zip(1..)
        .map(|((count, _, _), version)| {
            let mut event = event("counted", version, 1);
            event["count"] = count.clone();
            event
        })
        .collect();
    let came = delivered(&mut host, &gateway, &events);
    let came: Vec<_> =
        came.iter().map(|record| (record["count"].as_u64(), record["new_occurrences"].as_u64())).collect();
    let expected: Vec<_> = counts.iter().map(|(_, count, new)| (Some(*count), Some(*new))).collect();
    assert_eq!(came, expected);
    host.quit();
}

#[test]
fn versions_that_are_no_numbers_are_versions_all_the_same() {
    let versions = [
        json!("7"),
        json!("abc"),
        json!("-1"),
        json!("18446744073709551615"),
        json!("18446744073709551616"),
        json!("9223372036854775808"),
        json!("7 "),
        json!("7.0"),
        json!("0x7"),
        json!("٧"),
        json!("9".repeat(10_000)),
        json!(8),
        json!(-8),
        json!(""),
    ];
    let odd = |version: &Value| {
        let mut event = event("versioned", 1, 1);
        event["metadata"]["resourceVersion"] = version.clone();
        event
    };
    let gateway = TestGateway::start();
    let mut host = started(&gateway, &[]);
    let came = delivered(&mut host, &gateway, &versions.iter().map(odd).collect::<Vec<_>>());
    let ids: Vec<_> = came.iter().map(|record| record["id"].as_str().expect("an id").to_owned()).collect();
    let text = |version: &Value| match version {
        Value::String(text) => format!("versioned.{text}"),
        other => format!("versioned.{other}"),
    };
    let expected: Vec<_> = versions.iter().map(text).collect();
    let (last, others) = ids.split_last().expect("ids");
    assert_eq!(others, &expected[..expected.len() - 1]);
    // The last has no version: a hash of all that it says stands in for it.
    assert!(last.starts_with("versioned.") && last.len() == "versioned.".len() + 32, "{last}");
    // No text, and so no version either; each says something else, and comes once.
    let nothing = [json!(null), json!(7.5), json!(["7"]), json!({"7": 7})];
    for nothing in nothing.iter().chain(&nothing) {
        assert_eq!(host.deliver("a", "t", &chunk::of([&odd(nothing)])), Code::Ok);
    }
    assert_eq!(gateway.accepted_ids().len(), 6 + versions.len());
    host.quit();
}

#[test]
fn times_at_the_ends_of_the_calendar_are_written_or_null() {
    let times = [
        // Times that were never set, as Go and .NET write them: the next field counts.
        ("0000-01-01T00:00:00Z", None),
        ("0001-01-01T00:00:00Z", None),
        ("0002-01-01T00:00:00Z", Some("0002-01-01T00:00:00Z")),
        ("9999-12-31T23:59:59.999999999Z", Some("9999-12-31T23:59:59.999999999Z")),
        ("9999-12-31T23:59:59+14:00", Some("9999-12-31T09:59:59Z")),
        ("9999-12-31T23:59:59-00:01", None),
        ("0000-01-01T00:00:00+00:01", None),
        ("10000-01-01T00:00:00Z", None),
        ("+10000-01-01T00:00:00Z", None),
        ("-0001-01-01T00:00:00Z", None),
        ("1900-02-29T00:00:00Z", None),
        ("2024-02-29T00:00:00Z", Some("2024-02-29T00:00:00Z")),
        ("2026-11-20T24:00:00Z", None),
        ("2026-11-20", None),
        ("1795217329", None),
        ("never", None),
        ("2026-11-20T23:28:49.0000000001Z", Some("2026-11-20T23:28:49.000000000Z")),
    ];
    let gateway = TestGateway::start();
    let mut host = started(&gateway, &[]);
    let mut events = Vec::new();
    for (number, (time, _)) in times.iter().enumerate() {
        let mut event = event(&format!("time-{number}"), 1, 1);
        event["firstTimestamp"] = json!(time);
        event["lastTimestamp"] = json!(time);
        events.push(event);
    }
    // The last second of a leap day of the clock, none at all, and numbers for texts.
    let mut leap = event("leap", 1, 1);
    leap["lastTimestamp"] = json!("2016-12-31T23:59:60Z");
    let mut none = event("none", 1, 1);
    for name in ["firstTimestamp", "lastTimestamp"] {
        none[name] = json!(null);
    }
    none["metadata"]["creationTimestamp"] = json!(1_795_217_329);
    events.extend([leap, none]);
    let came = delivered(&mut host, &gateway, &events);
    assert_eq!(came.len(), events.len());
    for ((time, expected), record) in times.iter().zip(&came) {
        let expected = expected.unwrap_or("2026-11-20T23:28:49Z");
        assert_eq!((&record["time"], &record["first_time"]), (&json!(expected), &json!(expected)), "{time}");
    }
    // A leap second is no second of the clock; RFC 3339 lets it be written, and it is written as the one before it.
    assert_eq!(came[times.len()]["time"], "2016-12-31T23:59:59Z");
    assert_eq!(came[times.len() + 1]["time"], "1970-01-01T00:00:01.000000000Z", "when the host took it in");
    host.quit();
}
