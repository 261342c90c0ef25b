//! Is a record that stands in others taken for what it is, and what holds none left as it came?
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use super::finding::{described, found, found_in, known, packed};
use super::{bodies, cases, chunk, support};
use bodies::wrapped::{WRAPPERS, depth};
use cases::cases;
use event_gateway::kind::Kind;
use event_gateway::record::shape::{Shape, shape_of};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};

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
        let (mut wrapped, mut left) = (bare.clone(), 6);
        for wrapper in &wrappers {
            if depth(wrapper) <= left {
                left -= depth(wrapper);
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
        json!({"records": {"properties": {"log": event}}}),
        json!({"properties": event}),
        json!({"properties": event.to_string()}),
        json!({"records": [{"id": event}, null]}),
        json!({"payload": "[{\"a\": 1}, null]"}),
        json!({"log": "{\"a\": 1}\n{\"a\": 2}\n"}),
        json!({"kind": "List", "apiVersion": "v1", "items": [], "message": "important"}),
        json!({"kind": "EventList", "apiVersion": "v1", "items": []}),
        json!({"kind": "EventList", "apiVersion": "v1", "message": "important"}),
        json!({"level": "error", "msg": event.to_string(), "order": 7}),
        json!({"regarding": {"id": 7}, "note": "call back"}),
        json!({"regarding": {"kind": "", "name": 7}, "eventTime": "tomorrow"}),
        json!({"eventType": "violation", "enforcementAction": "block", "name": "waf"}),
        json!({"eventType": "violation_audited", "enforcementActions": ["block"], "name": "waf"}),
        json!({"auditID": "7", "stage": "build", "job": "x"}),
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
        (json!({"regarding": {"name": "a"}, "eventTime": null}), Shape::Event),
        (json!({"regarding": {"kind": "Pod"}, "note": "a"}), Shape::Event),
        (json!({"regarding": {}, "reportingController": "a"}), Shape::Event),
        (json!({"involvedObject": null, "regarding": {}, "reason": "a"}), Shape::Event),
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
            json!({"eventType": "violation_admission", "name": "a", "constraintAnnotations": {}}),
            Shape::Violation,
        ),
        (json!({"eventType": "violation", "name": "a", "resource_labels": null}), Shape::Violation),
        (json!({"eventType": "violation_audited", "name": "a", "group": "g"}), Shape::Violation),
    ];
    for (record, shape) in known {
        assert_eq!(shape_of(&packed(&record)), Ok(shape), "{record}");
    }
    for record in unknown() {
        let body = packed(&record);
        let shape = shape_of(&body).unwrap();
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
        (list(&json!("v1"), &[]), 1),
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
    for list in ["[{\"payload\":", "[["] {
        let lists = |depth: usize| {
            let closing = if list == "[[" { "]]" } else { "}]" };
            let text = format!("{}{event}{}", list.repeat(depth), closing.repeat(depth));
            json!({"payload": serde_json::from_str::<Value>(&text).unwrap()})
        };
        let deepest = if list == "[[" { 3 } else { 5 };
        assert_eq!(found_in(&lists(deepest)), [(Kind::Event, packed(&event))], "{list}");
        let more = lists(deepest + 1);
        assert_eq!(found_in(&more), [(Kind::Other, packed(&more))], "{list}");
    }
}

/// None of a known kind stays behind for another one.
#[test]
fn each_member_that_holds_a_record_is_opened() {
    let (event, audit) = (support::event("e", 1, 1), support::audit_log().swap_remove(0));
    let violation = support::violations().swap_remove(0);
    let both = |one: Value, other: Value| json!({"log": one, "message": other, "stream": "stdout"});
    for (one, other) in [(&event, &audit), (&audit, &violation), (&violation, &event)] {
        let expected = found_in(one).into_iter().chain(found_in(other)).collect::<Vec<_>>();
        for wrapped in [
            both(one.clone(), other.clone()),
            both(json!(one.to_string()), json!(other.to_string())),
            both(json!({"payload": one}), json!([other])),
        ] {
            assert_eq!(found_in(&wrapped), expected, "{wrapped}");
        }
    }
    // What says the same twice, as the filter kubernetes makes it, is one.
    let twice = json!({"log": audit.to_string(), "log_processed": audit});
    assert_eq!(found_in(&twice), found_in(&audit));
    let list = json!([audit, {"n": 1}, {"n": 1}]);
    for inside in [list.clone(), json!({"records": list})] {
        let twice = json!({"log": inside.to_string(), "log_processed": inside});
        let expected =
            [(Kind::Audit, audit.clone()), (Kind::Other, json!({"n": 1})), (Kind::Other, json!({"n": 1}))];
        assert_eq!(described(&twice), expected, "{twice}");
    }
}

#[test]
fn one_of_a_known_kind_opens_its_list() {
    let audit = support::audit_log().swap_remove(0);
    let text = json!(audit.to_string());
    let lists = [
        json!([null, audit]),
        json!(["text", {"n": 1}, audit, 7]),
        json!([[], text]),
        json!([{"log": audit}, {"id": 2}]),
        json!([{"properties": {"log": text}}, {"properties": "{\"log\": 1}"}, true]),
        json!([{"properties": json!({"log": audit}).to_string()}, null]),
        json!([{"message": text}, {"message": "text"}]),
    ];
    for list in lists {
        let is_known = |item: &Value| item.to_string().contains("auditID");
        let expected: Vec<_> = list
            .as_array()
            .unwrap()
            .iter()
            .map(
                |item| {
                    if is_known(item) { (Kind::Audit, audit.clone()) } else { (Kind::Other, item.clone()) }
                },
            )
            .collect();
        for name in ["records", "payload", "log", "logEvents"] {
            for value in [list.clone(), json!(list.to_string())] {
                let record = json!({name: value, "n": 1});
                assert_eq!(described(&record), expected, "{record}");
            }
        }
    }
}

/// What a logger writes beside its message is nothing of its own.
#[test]
fn a_message_is_opened_only_where_nothing_else_is_said() {
    let event = support::event("e", 1, 1);
    let zap =
        json!({"level": "info", "ts": 1.5, "caller": "a.go:1", "logger": "l", "msg": event.to_string()});
    assert_eq!(found_in(&zap), [(Kind::Event, packed(&event))]);
    for (name, value) in zap.as_object().unwrap() {
        let mut own = zap.clone();
        own.as_object_mut().unwrap().remove(name);
        own["order"] = value.clone();
        assert_eq!(found_in(&own), [(Kind::Other, packed(&own))], "{own}");
    }
}
