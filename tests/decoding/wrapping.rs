//! Is a record that stands in others taken for what it is, and what holds none left as it came?
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::time::Duration;

use crate::{bodies, cases, chunk, support};
use bodies::wrapped::{WRAPPERS, depth};
use bumpalo::Bump;
use cases::cases;
use event_gateway::clock;
use event_gateway::kind::Kind;
use event_gateway::record::json;
use event_gateway::record::peek::{Shape, peek};
use event_gateway::record::text::Repair;
use event_gateway::record::understood::{Understood, Within, each, understand};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};

fn packed(record: &Value) -> Vec<u8> {
    let mut body = Vec::new();
    chunk::write_value(&mut body, record);
    body
}

/// What is found in a body: the kind and the bytes of each.
fn found(body: &[u8]) -> Vec<(Kind, Vec<u8>)> {
    let (arena, mut found) = (Bump::new(), Vec::new());
    each(body, Within::Record, &arena, &mut |body, content| found.push((content.kind(), body.to_vec())));
    found
}

fn found_in(record: &Value) -> Vec<(Kind, Vec<u8>)> {
    found(&packed(record))
}

/// Of every known kind.
fn known() -> Vec<Value> {
    let mut known: Vec<Value> = chunk::watch_events().into_iter().step_by(90).collect();
    let newer = std::fs::read_to_string(chunk::data_file("events-events.k8s.io-v1.ndjson")).unwrap();
    known.extend(newer.lines().step_by(50).map(|line| serde_json::from_str::<Value>(line).unwrap()));
    known.extend(support::audit_log().into_iter().step_by(60));
    known.extend(support::violations());
    known
}

proptest! {
    #![proptest_config(cases(400))]

    #[test]
    fn what_is_in_wrappers_is_what_it_is_without(
        record in proptest::sample::select(known()),
        wrappers in vec(proptest::sample::select(WRAPPERS), 1..6),
        in_list in any::<bool>(),
    ) {
        let list = json!({"kind": "EventList", "apiVersion": "audit.k8s.io/v1", "items": [record, {"n": 1}, record]});
        let bare = if in_list { list } else { record };
        let (mut wrapped, mut left, mut lists) = (bare.clone(), 6, 0);
        for wrapper in &wrappers {
            if depth(wrapper) <= left && lists + usize::from(wrapper.is_list) < 2 {
                left -= depth(wrapper);
                lists += usize::from(wrapper.is_list);
                wrapped = (wrapper.wrap)(&wrapped);
            }
        }
        let expected = found_in(&bare);
        prop_assert!(expected[0].0 != Kind::Other);
        // The line of klog in the list beside it.
        let is_beside = |(kind, body): &(Kind, Vec<u8>)| {
            *kind == Kind::Other && body.windows(4).any(|word| word == b"klog")
        };
        let found: Vec<_> = found_in(&wrapped).into_iter().filter(|one| !is_beside(one)).collect();
        prop_assert_eq!(found, expected, "{}", wrapped);
    }

    /// A wrapper without a known kind stays whole, whatever is in it.
    #[test]
    fn what_is_unknown_is_never_taken_out(
        inside in proptest::sample::select(unknown()),
        wrappers in vec(proptest::sample::select(WRAPPERS), 1..4),
    ) {
        let wrapped = wrappers.iter().fold(inside, |inside, wrapper| (wrapper.wrap)(&inside));
        // Its own old event is none, and neither is the line that was cut.
        prop_assert_eq!(found_in(&wrapped), [(Kind::Other, packed(&wrapped))]);
    }

    /// Bytes of any sort where a record may stand.
    #[test]
    fn nothing_in_a_wrapper_breaks_anything(
        text in proptest::collection::vec(any::<u8>(), 0..60),
        start in proptest::sample::select(STARTS),
    ) {
        let mut body = vec![0x81, 0xa3, b'l', b'o', b'g', 0xd9, u8::try_from(start.len() + text.len()).unwrap()];
        body.extend(start);
        body.extend(text);
        prop_assert_eq!(found(&body), [(Kind::Other, body)]);
    }
}

const STARTS: &[&[u8]] = &[b"{", b"[{", b"\"{", b"{\"log\":\"{", b"2026-11-20T23:28:53Z stdout F {", b""];

/// What is no event, audit record or violation, and what only resembles one.
fn unknown() -> Vec<Value> {
    let event = support::event("e", 1, 1);
    vec![
        json!({"n": 1}),
        json!({"kind": "Pod", "metadata": {"name": "a"}}),
        json!({"type": "DELETED", "object": event}),
        json!({"type": "BOOKMARK", "object": event}),
        json!({"type": "added", "object": event}),
        json!({"object": event}),
        json!({"verb": "DELETED", "event": event}),
        json!({"verb": "UPDATED", "old_event": event}),
        json!({"old_event": event}),
        json!({"records": [{"log": event}, {"id": 2}]}),
        json!({"records": {"properties": {"log": event}}}),
        json!({"records": [{"properties": {"log": event}}, 2]}),
        json!({"properties": event}),
        json!({"logEvents": [{"id": event}]}),
        json!({"items": [event]}),
        json!({"kind": "List", "apiVersion": "v1", "items": [{"kind": "Pod"}]}),
        json!({"kind": "EventList", "items": [{"summary": "a meeting"}]}),
        json!({"log": format!("2026-11-20T23:28:53.123456789Z stdout P {event}")}),
        json!({"log": format!("at {event}")}),
        json!({"log": event.to_string()[..40]}),
        json!({"event_type": "violation", "name": "csp", "message": "inline script", "url": "/a"}),
        json!({"event_type": "violation", "name": "csp", "group": "browsers"}),
        json!({"event_type": "violation_audited", "name": "csp"}),
        json!({"regarding": {"id": 7}, "text": "a letter"}),
        json!({"auditID": "7", "text": "an audit of the books"}),
        json!({"auditID": "", "stage": "ResponseComplete", "verb": "get"}),
        json!({"auditID": 7, "verb": "get"}),
        json!({"involvedObject": "cart"}),
    ]
}

#[test]
fn kinds_are_known_by_keys_that_only_they_have() {
    let about = json!({"kind": "Pod", "name": "cart-1"});
    let known = [
        (json!({"involvedObject": about}), Shape::Event),
        (json!({"regarding": about, "note": null}), Shape::Event),
        (json!({"regarding": about, "reportingController": "a"}), Shape::Event),
        (json!({"eventTime": null, "regarding": about, "involvedObject": null}), Shape::Event),
        (json!({"regarding": about, "deprecatedCount": 1}), Shape::Event),
        (json!({"regarding": about, "apiVersion": "events.k8s.io/v1"}), Shape::Event),
        (json!({"auditID": "a", "stage": "Panic"}), Shape::Audit),
        (json!({"auditID": "a", "verb": "get"}), Shape::Audit),
        (json!({"auditID": "a", "requestURI": "/"}), Shape::Audit),
        (json!({"auditID": "a", "stageTimestamp": "t"}), Shape::Audit),
        (json!({"auditID": "a", "requestReceivedTimestamp": "t"}), Shape::Audit),
        (json!({"event_type": "violation", "constraint_name": "a"}), Shape::Violation),
        (json!({"eventType": "violation_audited", "name": "a", "resourceKind": "Pod"}), Shape::Violation),
        (
            json!({"eventType": "violation_admission", "name": "a", "enforcementAction": "deny"}),
            Shape::Violation,
        ),
        (json!({"eventType": "violation", "name": "a", "resource_labels": null}), Shape::Violation),
        (json!({"eventType": "violation_audited", "name": "a", "group": "g"}), Shape::Violation),
    ];
    for (record, shape) in known {
        assert_eq!(peek(&packed(&record)), Ok(shape), "{record}");
    }
    for record in unknown() {
        let body = packed(&record);
        let shape = peek(&body).unwrap();
        let is_known = matches!(shape, Shape::Event | Shape::Audit | Shape::Violation);
        assert!(!is_known, "{record}: {shape:?}");
    }
    let foreign = std::fs::read_to_string(chunk::data_file("found/17-foreign-violation.json")).unwrap();
    for line in foreign.lines() {
        let record: Value = serde_json::from_str(line).unwrap();
        assert_eq!(found_in(&record), [(Kind::Other, packed(&record))]);
    }
}

/// A list of another API is no list of ours, and one that nobody names is one if an event is in it.
#[test]
fn a_list_is_known_by_its_api_or_by_what_is_in_it() {
    let event = support::event("e", 1, 1);
    let list =
        |api: &Value, items: &[&Value]| json!({"kind": "EventList", "apiVersion": api, "items": items});
    let other = json!({"summary": "a meeting"});
    for (record, expected) in [
        (list(&json!("v1"), &[&event, &other]), 2),
        (list(&json!("v1"), &[]), 0),
        (list(&json!("events.k8s.io/v1"), &[&other, &other]), 2),
        (list(&json!(null), &[&other, &event]), 2),
        (list(&json!("calendar/v3"), &[&other, &other]), 1),
        (list(&json!(null), &[]), 1),
    ] {
        assert_eq!(found_in(&record).len(), expected, "{record}");
    }
}

/// The seventh wrapper stays closed.
#[test]
fn wrappers_are_opened_six_deep() {
    let event = support::event("e", 1, 1);
    let wrapped = |depth: usize, text: bool| {
        (0..depth).fold(
            event.clone(),
            |inside, _| json!({"log": if text { json!(inside.to_string()) } else { inside }}),
        )
    };
    for text in [false, true] {
        assert_eq!(found_in(&wrapped(6, text)), [(Kind::Event, packed(&event))]);
        let seven = wrapped(7, text);
        assert_eq!(found_in(&seven), [(Kind::Other, packed(&seven))]);
    }
    // Only one list is opened.
    let lists = json!({"payload": [{"payload": [event]}]});
    assert_eq!(found_in(&lists), [(Kind::Other, packed(&lists))]);
}

/// What JSON parsers refuse costs its value; what is not whole stays what it is.
#[test]
fn of_a_record_in_a_text_only_what_is_refused_is_lost() {
    let audit = |tail: &str| {
        format!(
            r#"{{"auditID":"a","stage":"ResponseComplete","verb":"get","user":{{"username":"jane"}},{tail}}}"#
        )
    };
    let deep = format!("{}1{}", "[".repeat(61), "]".repeat(61));
    let deeper = format!("{{\"a\":{}1{}}}", "[".repeat(62), "]".repeat(62));
    for (tail, expected) in [
        (format!(r#""requestObject":{deeper}"#), json!({"requestObject": "[left out: nested too deep]"})),
        (
            format!(r#""responseObject":{}{}"#, "{\"a\":".repeat(500), "}".repeat(500)),
            json!({"responseObject": "[left out: nested too deep]"}),
        ),
        (
            format!(r#""requestObject":{{"a":{deep}}}"#),
            json!({"requestObject": {"a": serde_json::from_str::<Value>(&deep).unwrap()}}),
        ),
        (r#""requestObject":{"n":1e999,"m":1}"#.to_owned(), json!({"requestObject": {"n": null, "m": 1}})),
        (r#""annotations":{"a":"\ud800x"}"#.to_owned(), json!({"annotations": {"a": "\u{fffd}x"}})),
        ("\"userAgent\":\"a\u{1}\\xb\"".to_owned(), json!({"userAgent": "a\u{1}\\xb"})),
        (r#""a":NaN"#.to_owned(), json!({"a": null})),
    ] {
        let text = audit(&tail);
        let mut record =
            json!({"auditID": "a", "stage": "ResponseComplete", "verb": "get", "user": {"username": "jane"}});
        record.as_object_mut().unwrap().extend(expected.as_object().unwrap().clone());
        for wrapped in [json!({"log": text}), json!({"log": json!({"log": text}).to_string()})] {
            let found = found_in(&wrapped);
            assert_eq!(found.len(), 1, "{wrapped}");
            let body: Value = rmp_serde::from_slice(&found[0].1).unwrap();
            assert_eq!((found[0].0, body), (Kind::Audit, record.clone()), "{wrapped}");
        }
    }
    let cut = packed(&json!({"log": audit(r#""requestObject":{"n":1e999"#)}));
    let (repair, arena) = (Repair::default(), Bump::new());
    assert!(matches!(
        understand(&cut, Within::Record, &repair, &arena).is,
        Understood::Broken { key: "log", .. }
    ));
}

#[test]
fn what_was_lost_too_deep_is_an_audit_record_again() {
    let text = std::fs::read_to_string(chunk::data_file("found/18-deep-audit-body-lost.json")).unwrap();
    for line in text.lines() {
        let found = found_in(&json!({"log": line}));
        assert_eq!((found.len(), found[0].0), (1, Kind::Audit));
    }
}

/// Twice as much takes twice as long, and a megabyte no second, whatever it is made of.
#[test]
fn hostile_nesting_costs_no_more_than_its_bytes() {
    let many = |piece: &str, bytes: usize| piece.repeat(bytes / piece.len());
    let nested_text = |bytes: usize| {
        // Each level doubles the backslashes, so there are few of them, and they are long.
        let mut text = format!("{{\"log\":\"{}\"}}", "x".repeat(bytes / 64));
        while text.len() < bytes {
            text = json!({"log": text, "message": text}).to_string();
        }
        text
    };
    type Input = (&'static str, Box<dyn Fn(usize) -> Value>);
    let inputs: Vec<Input> = vec![
        ("backslashes", Box::new(move |n| json!({"log": format!("{{\"log\":\"{}\"}}", many("\\\\", n))}))),
        ("quotes", Box::new(move |n| json!({"log": format!("{{\"a\":{}", many("\"\\\"", n))}))),
        ("brackets", Box::new(move |n| json!({"log": format!("{{\"a\":{}", many("[", n))}))),
        (
            "closed brackets",
            Box::new(move |n| json!({"log": format!("{{\"a\":{}{}}}", many("[", n / 2), many("]", n / 2))})),
        ),
        (
            "bodies",
            Box::new(
                move |n| json!({"log": format!("{{\"a\":1{}}}", many(",\"requestObject\":[1e999]", n))}),
            ),
        ),
        (
            "deep bodies",
            Box::new(move |n| {
                let deep = format!(",\"requestObject\":{}{}", "[".repeat(100), "]".repeat(100));
                json!({"log": format!("{{\"a\":1{}}}", many(&deep, n))})
            }),
        ),
        ("numbers", Box::new(move |n| json!({"log": format!("{{\"a\":{}e999}}", many("1", n))}))),
        ("texts in texts", Box::new(move |n| json!({"log": nested_text(n), "message": nested_text(n)}))),
        (
            "rows",
            Box::new(move |n| {
                let row = json!({"properties": {"log": "{\"log\":\"{}\"}"}});
                json!({"records": vec![row; n / 40], "payload": "[{}]"})
            }),
        ),
        (
            "lists in lists",
            Box::new(move |n| {
                let row =
                    json!({"payload": json!([{"payload": "[{\"payload\":[{\"log\":1}]}]"}]).to_string()});
                json!({"payload": vec![row; n / 80]})
            }),
        ),
        (
            "lists of lists",
            Box::new(move |n| {
                let list =
                    json!({"kind": "EventList", "items": [{"kind": "EventList", "items": [{"n": 1}]}]});
                json!({"kind": "EventList", "items": vec![list; n / 80]})
            }),
        ),
        ("keys", Box::new(move |n| json!({"log": format!("{{\"a\":1{}}}", many(",\"log\":\"{}\"", n))}))),
        (
            "dates",
            Box::new(move |n| json!({"log": format!("2026-11-20T23:28:53Z stdout F {}", many("{", n))})),
        ),
    ];
    for (name, input) in inputs {
        let took = |bytes: usize| {
            let body = packed(&input(bytes));
            let took = |_| {
                let start = clock::monotonic();
                assert!(!found(&body).is_empty());
                clock::monotonic() - start
            };
            (0..3).map(took).min().unwrap()
        };
        let (small, large) = (took(1 << 18), took(1 << 20));
        println!("{name}: {small:?}, four times as much {large:?}");
        assert!(large < small * 12 + Duration::from_millis(20), "{name}: {small:?}, then {large:?}");
        assert!(large < Duration::from_secs(3), "{name}: {large:?}");
    }
}

/// The repaired text is what a strict parser makes of it, where it needs no repair.
#[test]
fn good_json_is_read_as_before() {
    for record in known() {
        assert_eq!(json::packed(record.to_string().as_bytes()).unwrap(), packed(&record));
    }
}
