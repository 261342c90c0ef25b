//! Does every receiver get a time that it takes, and is the true one kept beside it?

use event_gateway::time::Stamp;
use serde_json::json;

use super::limits::{TAKEN, alone, line, now, of};
use super::samples::odd_one;
use super::support::event;

/// Each with how it differs from the true time, years or the six minutes of a node's clock; and whether Loki alone has
/// another one, whose streams may be an hour ahead of it.
#[test]
fn whatever_the_time_it_is_taken_and_the_true_one_is_kept() {
    let times = [
        ("0002-03-04T05:06:07Z", true),
        ("1969-12-31T23:59:59Z", true),
        ("1970-01-01T00:00:01Z", true),
        ("2026-11-01T00:00:00Z", true),
        ("2026-11-21T07:59:00Z", false),
        ("2026-11-21T08:06:00Z", true),
        ("2099-01-01T00:00:00Z", true),
        ("2600-01-01T00:00:00Z", true),
        ("9999-12-31T23:59:59Z", true),
    ];
    for (time, is_odd) in times {
        let mut record = event("u1", 1, 1);
        record["firstTimestamp"] = time.into();
        record["lastTimestamp"] = time.into();
        let all = alone(&record);
        for (name, document, adjusted) in &all {
            assert!(is_odd || !adjusted.time, "{name}: {time}");
            assert!(
                !adjusted.time || document.to_string().contains(time),
                "{name} forgets {time}: {document}"
            );
        }
        let (datadog, adjusted) = of(&all, "datadog");
        assert_eq!(adjusted.time, is_odd, "{time}");
        let tag = json!(format!("original_time:{time}"));
        assert_eq!(datadog["tags"].as_array().expect("tags").contains(&tag), is_odd, "{time}");
        let (loki, adjusted) = of(&all, "loki");
        let nanos =
            loki["values"][0][0].as_str().and_then(|nanos| nanos.parse::<i64>().ok()).expect("a time");
        let apart = now().unix_seconds() - nanos / 1_000_000_000;
        assert!((-300..=50 * 60).contains(&apart), "{time}: {apart}");
        assert_eq!(adjusted.time.then_some(time), loki["values"][0][2]["original_time"].as_str());
        assert_eq!(line(loki)["time"], time);
        let (alert, adjusted) = of(&all, "alertmanager");
        let original = &alert["annotations"]["original_time"];
        assert_eq!(adjusted.time.then_some(original), adjusted.time.then_some(&json!(time)));
    }
}

/// Loki refuses what is more than an hour behind the newest entry of its stream.
#[test]
fn an_entry_for_loki_is_never_an_hour_old() {
    for (time, expected) in [
        ("2026-11-21T07:10:00Z", None),
        ("2026-11-21T07:09:30Z", None),
        ("2026-11-21T07:08:00Z", Some("2026-11-21T07:08:00Z")),
        ("2026-11-21T06:59:00Z", Some("2026-11-21T06:59:00Z")),
    ] {
        let mut record = event("u1", 1, 1);
        record["lastTimestamp"] = time.into();
        let all = alone(&record);
        let (loki, adjusted) = of(&all, "loki");
        assert_eq!(loki["values"][0][2]["original_time"].as_str(), expected, "{time}");
        assert_eq!(adjusted.time, expected.is_some());
        assert_eq!(line(loki)["time"], time);
        let oldest = Stamp::parse("2026-11-21T07:10:00Z").expect("a time").unix_nanos();
        assert_eq!(loki["values"][0][0], oldest.to_string());
    }
}

#[test]
fn a_record_without_a_time_has_the_one_at_which_the_host_took_it_in() {
    let timeless = json!({"involvedObject": {"kind": "Pod", "name": "cart-1"}, "reason": "BackOff"});
    for record in [timeless, odd_one()] {
        let all = alone(&record);
        let seconds = Stamp::parse(TAKEN).expect("a time").unix_seconds();
        assert_eq!(of(&all, "datadog").0["date_happened"], seconds);
        assert_eq!(of(&all, "loki").0["values"][0][0], format!("{seconds}500000000"));
        assert_eq!(of(&all, "ecs").0["@timestamp"], TAKEN);
        assert_eq!(of(&all, "falco").0["time"], TAKEN);
        assert_eq!(of(&all, "alertmanager").0["startsAt"], TAKEN);
        assert!(all.iter().all(|(_, _, adjusted)| !adjusted.time));
    }
}
