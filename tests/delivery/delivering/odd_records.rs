//! Does what is broken or strange leave the rest of the chunk alone?

use std::fs;

use super::support;
use support::gateway::TestGateway;
use support::host::{Build, Code, MiniHost};
use support::{chunk, event, events, value};

fn started(gateway: &TestGateway) -> MiniHost {
    support::started(Build::V5_1_1, gateway, &[])
}

#[test]
fn a_broken_record_is_skipped_with_its_offset_and_the_rest_delivered() {
    let gateway = TestGateway::start();
    let mut host = started(&gateway);
    let before = events(["before"]);
    let deep = [&before[..16], &[0x81, 0xa1, b'x'], &[0x91; 100][..], &[0xc0]].concat();
    let broken: Vec<Vec<u8>> =
        vec![vec![0xc1], vec![0xdb, 0xff, 0xff, 0xff, 0xff, b'x'], vec![0x01], deep, before[..40].to_vec()];
    for (n, broken) in broken.iter().enumerate() {
        let after = events([format!("after{n}")]);
        assert_eq!(host.deliver("a", "t", &[&before, &**broken, &after].concat()), Code::Ok);
        assert!(gateway.accepted_ids().contains(&format!("after{n}.1")), "{broken:x?}");
    }
    let line = host.wait_log("could not be read");
    assert!(line.text.contains(&format!("at offset {}", before.len())), "{line:?}");
    let metrics = host.metrics_when(|metrics| value(metrics, "skipped_records_total") >= 5.0);
    assert_eq!(value(&metrics, "delivered_records_total"), 6.0);
    host.quit();
}

#[test]
fn a_chunk_that_is_no_msgpack_is_counted_and_let_go() {
    let gateway = TestGateway::start();
    let mut host = started(&gateway);
    for garbage in [&b"\xc1\xc1\xc1"[..], b"{\"json\": true}\n", &[0xff; 1000]] {
        assert_eq!(host.deliver("a", "t", garbage), Code::Ok);
    }
    let metrics = host.metrics_when(|metrics| value(metrics, "skipped_records_total") > 2.0);
    assert_eq!(value(&metrics, "delivered_records_total"), 0.0);
    host.quit();
}

#[test]
fn a_list_inside_one_record_is_split() {
    let gateway = TestGateway::start();
    let mut host =
        support::started(Build::V5_1_1, &gateway, &[("other", "drop"), ("kinds", "kubernetes.event")]);
    let list = serde_json::json!({"kind": "EventList", "apiVersion": "v1",
        "items": [event("one", 1, 1), {"kind": "Secret"}, event("two", 1, 1), 17]});
    assert_eq!(host.deliver("a", "t", &chunk::v2(&list, 1)), Code::Ok);
    assert_eq!(gateway.accepted_ids(), ["one.1", "two.1"]);
    let audit = fs::read(chunk::data_file("chunk-audit-in-http.msgpack")).expect("test data");
    assert_eq!(host.deliver("a", "t", &audit), Code::Ok);
    assert_eq!(gateway.accepted_ids().len(), 2, "audit records were not asked for");
    host.quit();
}

#[test]
fn group_markers_and_old_framings_are_understood() {
    let gateway = TestGateway::start();
    let mut host = started(&gateway);
    let nothing = serde_json::json!({});
    let data = [
        chunk::group_start(&nothing, &event("marker", 1, 1)),
        chunk::v2(&event("v2", 1, 1), 5),
        chunk::group_end(),
        chunk::v2_before_5(&event("v2-before-5", 1, 1), 5),
        chunk::v1(&event("v1", 1, 1), chunk::Stamp::EventTime(5, 6)),
        chunk::v1(&event("v1-seconds", 1, 1), chunk::Stamp::Seconds(5)),
        chunk::v1(&event("v1-float", 1, 1), chunk::Stamp::Float(5.5)),
    ]
    .concat();
    assert_eq!(host.deliver("a", "t", &data), Code::Ok);
    assert_eq!(gateway.accepted_ids(), ["v2.1", "v2-before-5.1", "v1.1", "v1-seconds.1", "v1-float.1"]);
    host.quit();
}

#[test]
fn bytes_that_are_no_utf8_are_replaced_and_counted() {
    let gateway = TestGateway::start();
    let mut host = started(&gateway);
    let mut data = events(["u1"]);
    let at = data.windows(8).position(|window| window == b"happened").expect("the message");
    data[at] = 0xff;
    assert_eq!(host.deliver("a", b"tag \xff", &data), Code::Ok);
    let records = gateway.accepted_records();
    assert_eq!(records[0]["message"], "u1 \u{fffd}appened 1 times");
    let metrics = host.metrics_when(|metrics| value(metrics, "replaced_strings_total") > 0.0);
    assert_eq!(value(&metrics, "replaced_strings_total"), 1.0);
    host.quit();
}

#[test]
fn an_event_without_a_uid_or_a_version_is_still_one_event() {
    let gateway = TestGateway::start();
    let mut host = started(&gateway);
    let mut one = event("x", 1, 1);
    let metadata = one["metadata"].as_object_mut().expect("metadata");
    metadata.remove("uid");
    metadata.remove("resourceVersion");
    let mut again = one.clone();
    again["count"] = 2.into();
    assert_eq!(host.deliver("a", "t", &chunk::of([&one, &one, &again, &again])), Code::Ok);
    let counts: Vec<_> =
        gateway.accepted_records().iter().map(|record| record["new_occurrences"].as_u64()).collect();
    assert_eq!(counts, [Some(1), Some(1)]);
    host.quit();
}
