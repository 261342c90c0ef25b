//! Does an independent reader see in every record what ours sees? `ORACLE_CASES` says in how many made from dice.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use super::any_body::{KEYS, body};
use super::{cases, chunk, odd_values, packing, support};
use cases::cases;
use event_gateway::config::FormatName;
use event_gateway::correlate::{Correlation, Impact};
use event_gateway::format::{Record, Renderer};
use event_gateway::record::chunk::Records;
use event_gateway::record::content::Content;
use event_gateway::record::event::{KubeEvent, ObjectRef};
use event_gateway::record::shape::{Items, Shape, shape_of};
use event_gateway::record::text::Repair;
use packing::framed;
use proptest::collection::vec;
use proptest::prelude::*;
use rmpv::{Utf8String, Value};
use serde_json::Value as Json;
use support::plain;

/// The last of the values under any of these keys.
fn last<'v>(map: &'v Value, names: &[&str]) -> Option<&'v Value> {
    let pairs = map.as_map()?;
    let is_it = |key: &Value| names.iter().any(|name| key.as_str() == Some(*name));
    pairs.iter().rev().find(|(key, _)| is_it(key)).map(|(_, value)| value)
}

fn as_it_came(value: Option<&Value>) -> String {
    match value {
        Some(Value::String(text)) => String::from_utf8_lossy(text.as_bytes()).into_owned(),
        Some(Value::Binary(bytes)) => String::from_utf8_lossy(bytes).into_owned(),
        _ => String::new(),
    }
}

/// As it is written.
fn lossy(value: Option<&Value>) -> String {
    plain(&as_it_came(value))
}

fn lossy_in(map: Option<&Value>, name: &str) -> String {
    lossy(map.and_then(|map| last(map, &[name])))
}

/// The value as JSON, by the rules of `format::json`.
fn to_json(value: &Value) -> Json {
    match value {
        Value::Nil | Value::Ext(..) => Json::Null,
        Value::Boolean(value) => Json::from(*value),
        Value::Integer(number) => {
            number.as_i64().map_or_else(|| Json::from(number.as_u64().unwrap()), Json::from)
        }
        Value::F32(number) => Json::from(f64::from(*number)),
        Value::F64(number) => Json::from(*number),
        Value::String(_) | Value::Binary(_) => Json::from(as_it_came(Some(value))),
        Value::Array(values) => values.iter().map(to_json).collect(),
        Value::Map(pairs) => pairs.iter().map(|(key, value)| (key_text(key), to_json(value))).collect(),
    }
}

fn key_text(key: &Value) -> String {
    match key {
        Value::String(_) | Value::Binary(_) => as_it_came(Some(key)),
        Value::Array(_) => "[…]".to_owned(),
        Value::Map(_) => "{…}".to_owned(),
        scalar => to_json(scalar).to_string(),
    }
}

/// What `format raw` makes of a body: less managedFields and id, plus id.
fn to_raw(body: &Value, id: &str) -> Json {
    let without = |map: &Value, name: &str| {
        let pairs = map.as_map().unwrap().iter().filter(|(key, _)| key.as_str() != Some(name));
        Value::Map(pairs.cloned().collect())
    };
    let pairs = body.as_map().unwrap().iter().map(|(key, value)| {
        let is_metadata = key.as_str() == Some("metadata") && value.is_map();
        (key.clone(), if is_metadata { without(value, "managedFields") } else { value.clone() })
    });
    let mut raw = to_json(&without(&Value::Map(pairs.collect()), "id"));
    raw["id"] = Json::from(id);
    raw
}

/// A number as senders write it: an integer, a float without decimals, or either as text.
fn number(value: &Value) -> Option<u64> {
    let of_float = |float: f64| {
        // Zero has a sign as a float.
        let text = format!("{:.0}", float + 0.0);
        (float.abs() <= 2f64.powi(53) && text.parse() == Ok(float)).then(|| text.parse().ok()).flatten()
    };
    match value {
        Value::Integer(number) => number.as_u64(),
        Value::F32(float) => of_float(f64::from(*float)),
        Value::F64(float) => of_float(*float),
        Value::String(text) => number_in(text.as_bytes()),
        Value::Binary(bytes) => number_in(bytes),
        _ => None,
    }
}

fn number_in(text: &[u8]) -> Option<u64> {
    let text = str::from_utf8(text).ok()?.trim();
    text.parse().ok().or_else(|| number(&Value::F64(text.parse().ok()?)))
}

/// The `resourceVersion` of a map, a text or a number without decimals.
fn version_in(map: Option<&Value>) -> String {
    let version = map.and_then(|map| last(map, &["resourceVersion"]));
    match version {
        Some(Value::Integer(number)) => number.to_string(),
        Some(Value::F32(_) | Value::F64(_)) => {
            let float = version.and_then(Value::as_f64).unwrap();
            let is_whole = float.abs() <= 2f64.powi(53) && float.fract() == 0.0;
            if is_whole { format!("{float:.0}").replace("-0", "0") } else { String::new() }
        }
        other => lossy(other),
    }
}

fn assert_read_alike(body: &Value, bytes: &[u8]) {
    let repair = Repair::default();
    let has = |names: &[&str]| last(body, names).is_some();
    let has_map = |name: &str| last(body, &[name]).is_some_and(Value::is_map);
    let said = |names: &[&str]| last(body, names).and_then(Value::as_str).unwrap_or_default();
    let is_sure = has(&["involvedObject", "reportingController"])
        || has(&[
            "deprecatedSource",
            "deprecatedCount",
            "deprecatedFirstTimestamp",
            "deprecatedLastTimestamp",
        ])
        || said(&["apiVersion"]).starts_with("events.k8s.io/");
    let regarding = last(body, &["regarding"]);
    let is_named = ["kind", "name"].iter().any(|name| !lossy_in(regarding, name).is_empty());
    let is_new = is_sure || (is_named && has(&["note", "eventTime"]));
    let is_event = has_map("involvedObject") || (has_map("regarding") && is_new);
    let (kind, api) = (said(&["kind"]), said(&["apiVersion"]));
    let is_list = kind == "EventList" || (kind == "List" && api == "v1");
    let items = last(body, &["items"]).and_then(Value::as_array).filter(|items| is_list && !items.is_empty());
    let is_text =
        |name: &&str| matches!(last(body, &[name]), Some(Value::String(text)) if !text.as_bytes().is_empty());
    let of_a_request = ["verb", "requestURI", "stageTimestamp", "requestReceivedTimestamp"];
    let stages = ["RequestReceived", "ResponseStarted", "ResponseComplete", "Panic"];
    let has_audit_id =
        matches!(last(body, &["auditID"]), Some(Value::String(text)) if !text.as_bytes().is_empty());
    let is_audit = has_audit_id && (of_a_request.iter().any(is_text) || stages.contains(&said(&["stage"])));
    let is_violation = ["violation", "violation_audited", "violation_admission"]
        .contains(&said(&["eventType", "event_type"]))
        && has(&["resourceKind", "constraint_name"]);
    match shape_of(bytes).unwrap() {
        Shape::Event => assert!(is_event),
        Shape::Audit => assert!(!is_event && is_audit),
        Shape::Violation => assert!(!is_event && !is_audit && is_violation),
        Shape::List { items: list } => {
            assert!(!is_event && !is_audit && !is_violation);
            let seen: Vec<_> =
                Items::new(list).map(|mut item| rmpv::decode::read_value(&mut item).unwrap()).collect();
            assert_eq!(format!("{seen:?}"), format!("{:?}", items.unwrap()));
        }
        shape @ (Shape::Wrapper | Shape::Other) => {
            assert!(!is_event && !is_audit && !is_violation);
            // A list that nobody names is one by what is in it.
            assert!(items.is_none() || (kind == "EventList" && api != "v1"));
            assert!(shape == Shape::Other || has(&["log", "message", "payload"]));
        }
    }
    let Some(event) = KubeEvent::read(bytes, &repair).unwrap() else { return assert!(!is_event) };
    assert!(is_event);
    let metadata = last(body, &["metadata"]);
    let names = ["apiVersion", "kind", "namespace", "name", "uid", "fieldPath"];
    let says_nothing = |object: Option<&Value>| {
        names.iter().all(|name| lossy_in(object, name).is_empty()) && version_in(object).is_empty()
    };
    let object = last(body, &["involvedObject"]).filter(|object| !says_nothing(Some(object)));
    let object = object.or_else(|| last(body, &["regarding"]));
    let own = lossy_in(last(body, &["metadata"]), "namespace");
    let namespace = lossy_in(object, "namespace");
    let either = |core, newer| {
        let said = lossy(last(body, &[core]));
        if said.is_empty() { lossy(last(body, &[newer])) } else { said }
    };
    assert_eq!(event.namespace(), if namespace.is_empty() { own } else { namespace });
    assert_eq!(event.reason, lossy(last(body, &["reason"])));
    assert_eq!(event.message, either("message", "note"));
    assert_eq!(event.event_type, either("type", "severity"));
    assert_eq!(event.event_time, lossy(last(body, &["eventTime"])));
    let source = last(body, &["source"])
        .filter(|source| ["component", "host"].iter().any(|name| !lossy_in(Some(source), name).is_empty()));
    let source = source.or_else(|| last(body, &["deprecatedSource"]));
    assert_eq!(event.source.component, lossy_in(source, "component"));
    for (field, name) in [
        (&event.metadata.namespace, "namespace"),
        (&event.metadata.name, "name"),
        (&event.metadata.uid, "uid"),
    ] {
        assert_eq!(*field, lossy_in(metadata, name));
    }
    assert_eq!(event.metadata.resource_version, version_in(metadata));
    let ObjectRef { kind, namespace, name, uid, field_path, .. } = &event.object;
    assert_eq!(
        [kind, namespace, name, uid, field_path].map(|text| &**text),
        ["kind", "namespace", "name", "uid", "fieldPath"].map(|key| lossy_in(object, key))
    );
    let count = last(body, &["count"]).and_then(number);
    let newer = last(body, &["deprecatedCount"]).and_then(number);
    assert_eq!(event.count, count.filter(|count| *count > 0).or(newer).or(count));
    let series = last(body, &["series"]).filter(|series| series.is_map());
    assert_eq!(event.series.is_some(), series.is_some());
    if let Some(series) = &event.series {
        let map = last(body, &["series"]).unwrap();
        assert_eq!(series.count, last(map, &["count"]).and_then(number).unwrap_or(0));
        assert_eq!(series.last_observed_time, lossy(last(map, &["lastObservedTime"])));
    }
    let mut out = Vec::new();
    let impact = Impact::without(Correlation::Off);
    let record = Record::new("the id", Content::Event(&event), &impact, bytes);
    Renderer::new(FormatName::Raw, "c").expect("a format").render(&record, &mut out).unwrap();
    assert_eq!(serde_json::from_slice::<Json>(&out).unwrap(), to_raw(body, "the id"));
}

proptest! {
    #![proptest_config(cases(2_000))]

    #[test]
    fn any_value_is_read_as_rmpv_reads_it(
        bodies in vec((body(), any::<bool>()), 1..4),
        // One host writes a chunk, in one framing.
        framing in 0usize..5,
    ) {
        let chunk: Vec<u8> = bodies.iter().flat_map(|(body, wide)| framed(body, framing, *wide)).collect();
        // No text can hold the head of a record, but one random number in millions does.
        let heads = chunk.windows(3).filter(|bytes| *bytes == [0x92, 0xd7, 0]);
        prop_assume!(heads.count() == if matches!(framing, 0 | 2) { bodies.len() } else { 0 });
        let found: Vec<_> = Records::new(&chunk).collect::<Result<_, _>>().unwrap();
        prop_assert_eq!(found.len(), bodies.len());
        for (envelope, (body, _)) in found.iter().zip(&bodies) {
            assert_read_alike(body, envelope.body);
        }
    }
}

#[test]
fn values_from_dice_are_read_as_rmpv_reads_them() {
    for (number, mut dice) in odd_values::numbers(20_000) {
        let body = odd_values::map(&mut dice, KEYS, 3);
        let chunk = framed(&body, dice.below(5), dice.one_in(2));
        // A random number may hold the mark of a head, which the framing itself has once at the most.
        if chunk.windows(2).filter(|bytes| *bytes == [0xd7, 0]).count()
            > usize::from(chunk.iter().take(12).any(|byte| *byte == 0xd7))
        {
            continue;
        }
        let found: Vec<_> = Records::new(&chunk).collect();
        assert!(matches!(found[..], [Ok(_)]), "case {number}: {found:?} of {body}");
        assert_read_alike(&body, found[0].unwrap().body);
    }
}

#[test]
fn real_records_are_read_as_rmp_serde_reads_them() {
    let mut records = 0;
    for name in ["chunk-list.msgpack", "chunk-watch.msgpack", "chunk-audit-in-http.msgpack"] {
        let bytes = std::fs::read(chunk::data_file(name)).unwrap();
        for envelope in Records::new(&bytes).map(Result::unwrap) {
            let body = rmpv::decode::read_value(&mut &*envelope.body).unwrap();
            assert_read_alike(&body, envelope.body);
            // rmp_serde goes to JSON without rmpv in between.
            let mut expected: Json = rmp_serde::from_slice(envelope.body).unwrap();
            let metadata = expected["metadata"].as_object_mut().unwrap();
            metadata.remove("managedFields");
            expected["id"] = Json::from("x.1");
            let raw: Json =
                serde_json::from_slice(&event_gateway::format::original("x.1", envelope.body)).unwrap();
            assert_eq!(raw, expected);
            records += 1;
        }
    }
    assert!(records > 500, "{records}");
}

#[test]
fn the_oracle_itself_sees_what_it_should() {
    let text = |text: &str| Value::String(Utf8String::from(text));
    let body = Value::Map(vec![
        (text("reason"), text("first")),
        (text("reason"), text("last")),
        (Value::Array(vec![Value::Nil]), Value::F32(1.5)),
        (Value::from(3), Value::Ext(1, vec![1])),
    ]);
    assert_eq!(lossy(last(&body, &["reason"])), "last");
    let expected = serde_json::json!({"reason": "last", "[…]": 1.5, "3": null, "id": "i"});
    assert_eq!(to_raw(&body, "i"), expected);
}
