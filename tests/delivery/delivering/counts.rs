//! What does a count that a tenant made up come to?

use serde_json::{Value, json};

use super::redaction::delivered;
use super::support;
use support::gateway::TestGateway;
use support::host::{Build, Code};
use support::{chunk, event, value};

const MOST: u64 = 1_000_000;

/// The versions of one event, each with this count.
fn versions(counts: &[Value], put: fn(&mut Value, &Value)) -> Vec<Value> {
    let with = |(number, count): (usize, &Value)| {
        let mut event = event("u1", number as u64 + 1, 1);
        put(&mut event, count);
        event
    };
    counts.iter().enumerate().map(with).collect()
}

fn of_core(event: &mut Value, count: &Value) {
    event["count"] = count.clone();
}

fn of_a_series(event: &mut Value, count: &Value) {
    event["series"] = json!({"count": count, "lastObservedTime": "2026-11-20T23:28:51.000000Z"});
}

fn of_events_k8s_io(event: &mut Value, count: &Value) {
    event.as_object_mut().expect("a map").remove("count");
    event["deprecatedCount"] = count.clone();
}

#[test]
fn no_event_counts_for_more_than_a_million() {
    for put in [of_core, of_a_series, of_events_k8s_io] {
        for (count, original) in [
            (json!(1_000_000), None),
            (json!(1_000_001), Some(1_000_001_u64)),
            (json!(2_147_483_647), Some(2_147_483_647)),
            (json!("2147483647"), Some(2_147_483_647)),
            (json!(9_007_199_254_740_991.0), Some(9_007_199_254_740_991)),
            (json!(u64::MAX), Some(u64::MAX)),
        ] {
            let (records, _) = delivered(&[], &chunk::of(&versions(std::slice::from_ref(&count), put)));
            let record = &records[0];
            assert_eq!(
                (&record["count"], &record["new_occurrences"]),
                (&json!(MOST), &json!(MOST)),
                "{count}"
            );
            assert_eq!(record["event"].get("original_count").and_then(Value::as_u64), original, "{count}");
        }
        for nothing in [json!(0), json!(-1), json!(-2_147_483_648_i64), json!(1e300), json!("-7"), json!(1.5)]
        {
            let (records, _) = delivered(&[], &chunk::of(&versions(std::slice::from_ref(&nothing), put)));
            assert_eq!(
                (&records[0]["count"], &records[0]["new_occurrences"]),
                (&json!(1), &json!(1)),
                "{nothing}"
            );
        }
    }
}

/// A client that posts to `in_http` may write anything there.
#[test]
fn what_is_no_count_at_all_is_one_or_bounded_and_costs_no_record() {
    let digits = "9".repeat(5_000);
    let odd = [
        json!(true),
        json!({}),
        json!({"$numberLong": "7"}),
        json!([7]),
        json!(null),
        json!(""),
        json!("1e9"),
        json!(" 7 "),
        json!("+7"),
        json!("0x10"),
        json!("-0"),
        json!("٧"),
        json!("NaN"),
        json!(digits),
        json!(-0.0),
        json!(0.1),
        json!(999_999.9),
        json!(1e18),
        json!(f64::MAX),
        json!(f64::MIN_POSITIVE),
        json!(i64::MIN),
    ];
    for put in [of_core, of_a_series, of_events_k8s_io] {
        let (records, _) = delivered(&[], &chunk::of(&versions(&odd, put)));
        assert_eq!(records.len(), odd.len());
        for (record, count) in records.iter().zip(&odd) {
            for key in ["count", "new_occurrences"] {
                assert!(record[key].as_u64().is_some_and(|value| value <= MOST), "{count}: {record}");
            }
            assert_ne!(record["count"], 0, "{count}");
        }
        let sum: u64 = records.iter().filter_map(|record| record["new_occurrences"].as_u64()).sum();
        assert!(sum <= MOST, "{sum}");
    }
}

#[test]
fn the_updates_of_an_event_add_up_to_no_more_and_are_counted() {
    let gateway = TestGateway::start();
    let mut host = support::started(Build::V5_1_1, &gateway, &[]);
    let counts = [3_u64, 2_147_483_647, 5, 4_000_000_000, 1_000_000].map(Value::from);
    for version in versions(&counts, of_core) {
        assert_eq!(host.deliver("a", "t", &chunk::of(&[version])), Code::Ok);
    }
    let records = gateway.accepted_records();
    assert_eq!(records.len(), counts.len());
    let sum: u64 = records.iter().filter_map(|record| record["new_occurrences"].as_u64()).sum();
    assert!(
        (MOST..=2 * MOST).contains(&sum),
        "a count that fell and rose again is as good as a new one: {sum}"
    );
    let metrics = host.metrics_when(|metrics| value(metrics, "delivered_records_total") >= 5.0);
    assert_eq!(value(&metrics, "adjusted_counts_total"), 2.0);
    host.quit();
}

#[test]
fn each_format_with_a_count_holds_the_original() {
    let event = versions(&[json!(2_147_483_647)], of_core);
    for format in ["native", "cloudevents_batch", "ecs", "otlp_json", "alertmanager", "falco", "loki"] {
        let (_, text) = delivered(&[("format", format)], &chunk::of(&event));
        assert!(text.contains("original_count") && text.contains("2147483647"), "{format}: {text}");
        let (_, text) = delivered(&[("format", format)], &chunk::of(&versions(&[json!(7)], of_core)));
        assert!(!text.contains("original_count"), "{format}: {text}");
    }
}
