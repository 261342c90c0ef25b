//! Are exactly the records delivered that the settings ask for?

use super::support;
use serde_json::Value;
use support::gateway::TestGateway;
use support::host::{Build, Code};
use support::{chunk, event, started, value};

fn delivered(settings: &[(&str, &str)], chunks: &[Vec<u8>]) -> (Vec<String>, f64, f64) {
    let gateway = TestGateway::start();
    let mut host = started(Build::V5_1_1, &gateway, settings);
    for data in chunks {
        assert_eq!(host.deliver("a", "t", data), Code::Ok);
    }
    let metrics = host.metrics_when(|metrics| value(metrics, "records_total") > 0.0);
    let counts = (value(&metrics, "excluded_records_total"), value(&metrics, "suppressed_updates_total"));
    host.quit();
    (gateway.accepted_ids(), counts.0, counts.1)
}

#[test]
fn namespaces_types_and_reasons_select_events_of_a_real_cluster() {
    let all = chunk::listed_events();
    let namespace = |event: &Value| {
        let own = event["metadata"]["namespace"].as_str().unwrap_or("").to_owned();
        event["involvedObject"]["namespace"].as_str().map_or(own, str::to_owned)
    };
    let settings = [
        ("namespaces", "shop, pay*, default"),
        ("exclude_namespaces", "*ments"),
        ("types", "Warning"),
        ("exclude_reasons", "Failed*"),
    ];
    let (ids, excluded, _) = delivered(&settings, &[chunk::of(&all)]);
    let wanted: Vec<_> = all
        .iter()
        .filter(|event| ["shop", "default"].contains(&&*namespace(event)))
        .filter(|event| {
            event["type"] == "Warning" && !event["reason"].as_str().unwrap_or("").starts_with("Failed")
        })
        .map(chunk::event_id)
        .collect();
    assert!(!wanted.is_empty() && wanted.len() < all.len());
    assert_eq!(ids, wanted);
    assert_eq!(excluded, (all.len() - wanted.len()) as f64);
}

#[test]
fn updates_are_every_first_or_doubling() {
    let series = [1, 2, 3, 4, 7, 8, 9, 15, 17].map(|count| event("u", count, count));
    for (updates, wanted) in [
        ("every", &[1, 2, 3, 4, 7, 8, 9, 15, 17][..]),
        ("first", &[1]),
        // 4 is twice 2, 8 twice 4, 17 more than twice 8.
        ("doubling", &[1, 2, 4, 8, 17]),
    ] {
        let wanted: Vec<_> = wanted.iter().map(|version| format!("u.{version}")).collect();
        let together = [chunk::of(&series)];
        let apart: Vec<_> = series.iter().map(|event| chunk::of([event])).collect();
        for chunks in [&together[..], &apart] {
            let (ids, _, suppressed) = delivered(&[("updates", updates)], chunks);
            assert_eq!(ids, wanted, "{updates}");
            assert_eq!(suppressed, (series.len() - wanted.len()) as f64);
        }
    }
}
