//! Can a request be hidden by the shape of what it sends?
//!
//! Whatever nests too deep, and whatever value no parser takes, costs itself and nothing else: wherever it stands and
//! however the record came, the record is an audit record with all its fields, so that the filters see it.

use std::fs;

use super::support;
use serde_json::{Value, json};
use support::chunk;
use support::gateway::TestGateway;
use support::host::{Build, Code, MiniHost};

/// Values of JSON text that parsers refuse, or that mean nothing.
fn odd_json() -> Vec<Vec<u8>> {
    let nested = |open: &str, close: &str, depth: usize| {
        (open.repeat(depth) + "1" + &close.repeat(depth)).into_bytes()
    };
    let mut all: Vec<Vec<u8>> = [
        "1e999",
        "-1e999",
        "NaN",
        "-Infinity",
        "01",
        "\"\\ud800\"",
        "\"\\udc00\\ud800x\"",
        "{\"\\ud800\":\"\\ud800\\ud800\"}",
        "{\"a\":1,\"a\":{\"a\":2,\"a\":NaN}}",
        "\"\u{1}\u{7f}\u{1b}[2J\"",
        "\"\\u0000\\x\\q\"",
        "{\"a\":[1,],}",
    ]
    .map(|text| text.as_bytes().to_vec())
    .into();
    all.push(b"\"\xff\xc3\x28\xed\xa0\x80\"".to_vec());
    all.push("9".repeat(5_000).into_bytes());
    all.push(format!("{{\"{}\":1.{}e-9}}", "k".repeat(9_000), "7".repeat(4_000)).into_bytes());
    for depth in [59, 60, 61, 62, 63, 64, 65, 126, 127, 128, 129, 1_000, 20_000] {
        all.push(nested("[", "]", depth));
        all.push(nested("{\"a\":", "}", depth));
        all.push(nested("[{\"requestObject\":", "}]", depth));
    }
    all
}

/// The same kind of values as the host packs them, in MessagePack.
fn odd_values() -> Vec<Vec<u8>> {
    let nested = |head: &[u8], depth: usize| [head.repeat(depth), vec![0xc0]].concat();
    let mut all: Vec<Vec<u8>> = vec![
        vec![0xcb, 0x7f, 0xf8, 0, 0, 0, 0, 0, 0],
        vec![0xcb, 0xff, 0xf0, 0, 0, 0, 0, 0, 0],
        vec![0xcf, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
        vec![0xa4, 0xff, 0xfe, 0xed, 0xa0],
        vec![0xc4, 3, 0xff, 0, 1],
        vec![0xd4, 5, 0],
        b"\x82\xa1a\x01\xa1a\x02".to_vec(),
        b"\x83\x90\x01\xc0\x02\x80\x03".to_vec(),
        b"\xa5\x01\x1b[2J".to_vec(),
    ];
    for depth in [58, 59, 60, 61, 62, 63, 64, 65, 200, 20_000] {
        all.push(nested(&[0x91], depth));
        all.push(nested(b"\x81\xa1a", depth));
        all.push(nested(b"\x81\xadrequestObject", depth));
    }
    all
}

/// A value that stands for the odd one until the text or the bytes are made.
const MARK: &str = "the odd value";

/// A request to be seen, `create`, and one that the filters leave out, with the odd value at one place.
fn records(number: usize, verb: &str) -> Vec<Value> {
    let places = [
        "/requestObject",
        "/requestObject/spec/a",
        "/requestObject/items/1",
        "/responseObject/metadata/name",
        "/annotations/x",
        "/annotations",
        "/user/extra/x",
        "/user/extra/scopes/0",
        "/user/extra",
        "/user/groups",
        "/user/groups/0",
        "/user/uid",
        "/objectRef/uid",
        "/objectRef/x",
        "/responseStatus/details",
        "/responseStatus/message",
        "/responseStatus",
        "/sourceIPs",
        "/sourceIPs/0",
        "/impersonatedUser/extra/x",
        "/userAgent",
        "/requestURI",
        "/anything",
    ];
    let one = |(place, at): (usize, &str)| {
        let mut record = json!({"kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Request", "stage": "ResponseComplete",
            "auditID": format!("{verb}-{number}-{place}"), "verb": verb, "requestURI": "/api", "userAgent": "a",
            "user": {"username": "jane", "uid": "u", "groups": ["g"], "extra": {"x": ["y"], "scopes": ["a"]}},
            "impersonatedUser": {"username": "jane", "extra": {"x": 1}}, "sourceIPs": ["10.0.0.1"], "anything": 1,
            "objectRef": {"resource": "pods", "namespace": "shop", "name": "cart-1", "uid": "u", "x": 1},
            "responseStatus": {"code": 201, "details": {}, "message": "m"}, "annotations": {"x": "y"},
            "requestObject": {"spec": {"a": 1}, "items": [1, 2]}, "responseObject": {"metadata": {"name": "n"}}});
        *record.pointer_mut(at).expect("a place") = MARK.into();
        record
    };
    places.into_iter().enumerate().map(one).collect()
}

/// As what the record comes: alone or between others, as a text or in a list, in JSON.
fn lines(record: &[u8], number: usize) -> Vec<u8> {
    let neighbour = |side: &str| {
        json!({"auditID": format!("{side}-{number}"), "stage": "Panic", "verb": "create", "level": "Request",
            "user": {"username": "jane"}, "objectRef": {"resource": "pods", "namespace": "shop"}})
        .to_string()
        .into_bytes()
    };
    let (before, behind) = (neighbour("before"), neighbour("behind"));
    match number % 5 {
        0 => record.to_vec(),
        1 => [b"2026-11-20T23:28:53.1Z stdout F ", record].concat(),
        2 => [
            b"{\"kind\":\"EventList\",\"apiVersion\":\"audit.k8s.io/v1\",\"items\":[",
            &before[..],
            b",",
            record,
            b",",
            &behind,
            b"]}",
        ]
        .concat(),
        3 => [&before[..], b"\n", record, b"\n", &behind, b"\n"].concat(),
        _ => [b"[", &before[..], b",", record, b",", &behind, b"]"].concat(),
    }
}

/// Puts a value in place of the mark, which `mark` is as bytes.
fn with(bytes: &[u8], mark: &[u8], value: &[u8]) -> Vec<u8> {
    let at = bytes.windows(mark.len()).position(|window| window == mark).expect("the mark");
    [&bytes[..at], value, &bytes[at + mark.len()..]].concat()
}

fn packed(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    chunk::write_value(&mut bytes, value);
    bytes
}

fn in_a_record(body: &[u8]) -> Vec<u8> {
    [&[0x92, 0x92, 0xd7, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0x80], body].concat()
}

fn started(gateway: &TestGateway) -> MiniHost {
    let filters = [
        ("verbs", "create"),
        ("users", "jane"),
        ("levels", "Request"),
        ("resources", "pods"),
        ("namespaces", "shop"),
        ("other", "drop"),
    ];
    support::started(Build::V5_1_1, gateway, &filters)
}

/// Exactly these came, of those whose name begins so, and each says all that filters ask for.
fn assert_seen(gateway: &TestGateway, mut wanted: Vec<String>) {
    let came = gateway.accepted_records();
    for record in &came {
        assert_eq!(record["kind"], "kubernetes.audit", "{record}");
        assert_eq!(record["audit"]["verb"], "create", "{record}");
        assert_eq!(record["audit"]["user"]["name"], "jane", "{record}");
    }
    let id = |record: &Value| record["audit"]["id"].as_str().expect("an id").to_owned();
    let mut ids: Vec<String> = came.iter().map(id).filter(|id| id.starts_with("create")).collect();
    ids.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(ids, wanted);
}

#[test]
fn a_line_of_json_evades_no_selection() {
    let gateway = TestGateway::start();
    let mut host = started(&gateway);
    let mark = json!(MARK).to_string();
    let (mut number, mut wanted) = (0, Vec::new());
    for odd in odd_json() {
        for verb in ["create", "get"] {
            number += 1;
            let mut chunks = Vec::new();
            for (place, record) in records(number, verb).iter().enumerate() {
                let text = with(record.to_string().as_bytes(), mark.as_bytes(), &odd);
                let line = lines(&text, number * 100 + place);
                let body = packed(&json!({"log": MARK}));
                let mut string = vec![0xdb];
                string.extend(u32::try_from(line.len()).expect("short").to_be_bytes());
                string.extend(&line);
                chunks.push(in_a_record(&with(&body, &packed(&json!(MARK)), &string)));
                if verb == "create" {
                    wanted.push(record["auditID"].as_str().expect("an id").to_owned());
                }
            }
            assert_eq!(host.deliver("a", "t", &chunks.concat()), Code::Ok);
        }
    }
    assert_seen(&gateway, wanted);
    // The neighbours in each list and each stream of lines arrive, too.
    let sides = |side: &str| gateway.accepted_ids().iter().filter(|id| id.starts_with(side)).count();
    assert!(sides("before") > 1_000 && sides("before") == sides("behind"));
    host.quit();
}

#[test]
fn a_packed_record_or_list_evades_no_selection() {
    let gateway = TestGateway::start();
    let mut host = started(&gateway);
    let mark = packed(&json!(MARK));
    let (mut number, mut wanted) = (0, Vec::new());
    for odd in odd_values() {
        for (verb, in_a_list) in [("create", false), ("get", false), ("create", true), ("get", true)] {
            number += 1;
            let records = records(number, verb);
            let ids = records.iter().filter(|_| verb == "create");
            wanted.extend(ids.map(|one| one["auditID"].as_str().expect("an id").to_owned()));
            let mut chunks = Vec::new();
            for record in &records {
                let neighbour = json!({"auditID": format!("create-{number}-beside-{}", chunks.len()), "stage": "Panic", "level": "Request",
                    "verb": "create", "user": {"username": "jane"}, "objectRef": {"resource": "pods", "namespace": "shop"}});
                let whole = if in_a_list {
                    wanted.push(neighbour["auditID"].as_str().expect("an id").to_owned());
                    json!({"kind": "EventList", "apiVersion": "audit.k8s.io/v1", "items": [record, neighbour]})
                } else {
                    record.clone()
                };
                chunks.push(in_a_record(&with(&packed(&whole), &mark, &odd)));
            }
            assert_eq!(host.deliver("a", "t", &chunks.concat()), Code::Ok);
        }
    }
    assert_seen(&gateway, wanted);
    host.quit();
}

/// Nor by what a client makes long: its path, the id and the name that it chooses, the addresses that it says it
/// comes by.
#[test]
fn a_long_record_evades_no_selection() {
    let places = [
        "/requestURI",
        "/auditID",
        "/userAgent",
        "/objectRef/name",
        "/responseStatus/message",
        "/user/extra/x/0",
    ];
    for format in ["native", "raw"] {
        let gateway = TestGateway::start();
        let settings = [("verbs", "create"), ("users", "jane"), ("other", "drop"), ("format", format)];
        let mut host = support::started(Build::V5_1_1, &gateway, &settings);
        for place in places.iter().chain(&["/sourceIPs"]) {
            let mut record = records(0, "create").swap_remove(0);
            record["requestObject"] = json!({"a": "b".repeat(2 << 20)});
            let value = record.pointer_mut(place).expect("a place");
            *value = match *place {
                "/sourceIPs" => vec!["::1"; 400_000].into(),
                _ => format!("{place} {}", "x\"".repeat(600_000)).into(),
            };
            assert_eq!(host.deliver("a", "t", &chunk::of([&record])), Code::Ok);
        }
        host.quit();
        let came = gateway.accepted_records();
        assert_eq!(came.len(), places.len() + 1, "{format}");
        for (record, place) in came.iter().zip(places) {
            let text = record.to_string();
            assert!(text.len() < 50_000 && text.contains(" of 12000"), "{format}, {place}: {}", text.len());
            assert!(
                text.contains("create") && text.contains("jane") && text.contains(place),
                "{format}: {text}"
            );
        }
        assert!(came[places.len()].to_string().contains("256 of 400000 items"), "{format}");
    }
}

/// Some records are too large whatever is cut. They are tried a few times and no more, and the host goes on.
#[test]
fn a_record_that_stays_too_large_evades_no_selection() {
    let gateway = TestGateway::start();
    let mut host = support::started(Build::V5_1_1, &gateway, &[]);
    let long: serde_json::Map<String, Value> =
        (0..260).map(|number| (format!("k{number}"), "x".repeat(5_000).into())).collect();
    let longer = vec![vec![vec![0; 300]; 300]; 30];
    for extra in [Value::Object(long), json!(longer)] {
        let mut record = records(0, "create").swap_remove(0);
        record["extra"] = extra;
        assert_eq!(host.deliver("a", "t", &chunk::of([&record])), Code::Ok);
    }
    assert_eq!(host.deliver("a", "t", &chunk::of(&records(1, "get")[..1])), Code::Ok);
    assert_eq!(gateway.accepted_records().len(), 1);
    host.quit();
}

/// Nor by what a template makes of it: that may be longer than the record.
#[test]
fn a_record_that_becomes_long_evades_no_selection() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("template.json");
    let uris = "{{ audit.request_uri }}".repeat(3);
    fs::write(
        &file,
        json!({"verb": "{{ audit.verb }}", "uris": uris, "body": "{{ record.requestObject }}"}).to_string(),
    )
    .expect("a template");
    let gateway = TestGateway::start();
    let settings = [("format", "template"), ("template_file", file.to_str().expect("UTF-8"))];
    let mut host = support::started(Build::V5_1_1, &gateway, &settings);
    let (long, text) = ("x".repeat(600 << 10), json!({"a": "\u{1}".repeat(300 << 10)}));
    for (uri, body) in [(&*long, json!(1)), ("/api", text)] {
        let mut record = records(0, "create").swap_remove(0);
        record["requestURI"] = json!(uri);
        record["requestObject"] = body;
        assert_eq!(host.deliver("a", "t", &chunk::of([&record])), Code::Ok);
    }
    host.quit();
    let came = gateway.accepted_records();
    assert_eq!(came.len(), 2);
    assert!(came.iter().all(|record| record["verb"] == "create"), "{came:?}");
    assert_eq!(came[1]["uris"], "/api/api/api");
}
