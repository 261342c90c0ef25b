//! Does an independent reader see in every record what ours sees? `ORACLE_CASES` says in how many made from dice.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use crate::{cases, chunk, odd_values, packing, support};
use cases::cases;
use event_gateway::config::Format;
use event_gateway::correlate::{Correlation, Impact};
use event_gateway::record::chunk::Records;
use event_gateway::record::content::Content;
use event_gateway::record::event::{KubeEvent, ObjectRef};
use event_gateway::record::peek::{Items, Shape, peek};
use event_gateway::record::text::Repair;
use event_gateway::render::{Record, Renderer};
use packing::framed;
use proptest::collection::vec;
use proptest::prelude::*;
use rmpv::{Utf8String, Value};
use serde_json::Value as Json;
use support::plain;

/// Keys that the reader knows, so that random maps meet it where it looks, and one that it does not.
const KEYS: &[&str] = &[
    "metadata",
    "involvedObject",
    "auditID",
    "stage",
    "eventType",
    "log",
    "regarding",
    "source",
    "deprecatedSource",
    "series",
    "reason",
    "message",
    "note",
    "type",
    "count",
    "deprecatedCount",
    "eventTime",
    "lastTimestamp",
    "firstTimestamp",
    "namespace",
    "name",
    "uid",
    "resourceVersion",
    "managedFields",
    "items",
    "kind",
    "apiVersion",
    "fieldPath",
    "component",
    "lastObservedTime",
    "id",
    "odd",
];

fn text() -> impl Strategy<Value = Value> {
    prop_oneof![
        4 => ".{0,12}".prop_map(Value::from),
        1 => proptest::sample::select(&LISTS[..]).prop_map(Value::from),
        1 => vec(any::<u8>(), 0..12).prop_map(|bytes| {
            // The decoder is the one way to a string that is no UTF-8.
            let mut packed = Vec::new();
            rmp::encode::write_str_len(&mut packed, u32::try_from(bytes.len()).unwrap()).unwrap();
            packed.extend(bytes);
            rmpv::decode::read_value(&mut &*packed).unwrap()
        }),
    ]
}

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        4 => text(),
        1 => any::<i64>().prop_map(Value::from),
        1 => (-70i64..300).prop_map(Value::from),
        1 => any::<u64>().prop_map(Value::from),
        1 => any::<f64>().prop_map(Value::from),
        1 => any::<f32>().prop_map(Value::from),
        1 => prop_oneof![Just(Value::Nil), any::<bool>().prop_map(Value::from)],
        1 => vec(any::<u8>(), 0..9).prop_map(Value::Binary),
        // Kind 0 is the host's own: a time, at the head of a record.
        1 => (1..=i8::MAX, vec(any::<u8>(), 0..20)).prop_map(|(kind, bytes)| Value::Ext(kind, bytes)),
    ]
}

fn key() -> impl Strategy<Value = Value> {
    prop_oneof![
        12 => proptest::sample::select(KEYS).prop_map(Value::from),
        1 => scalar(),
        1 => vec(scalar(), 0..3).prop_map(Value::Array),
    ]
}

fn map_of(values: impl Strategy<Value = Value>) -> impl Strategy<Value = Value> {
    vec((key(), values), 0..9).prop_map(Value::Map)
}

/// A body as no sender should make it: any value anywhere, keys twice, keys that are no text.
fn body() -> impl Strategy<Value = Value> {
    let any_value = scalar().prop_recursive(3, 24, 6, |inner| {
        prop_oneof![vec(inner.clone(), 0..5).prop_map(Value::Array), map_of(inner)]
    });
    map_of(any_value)
}

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

/// As it is told.
fn lossy(value: Option<&Value>) -> String {
    plain(&as_it_came(value))
}

fn lossy_in(map: Option<&Value>, name: &str) -> String {
    lossy(map.and_then(|map| last(map, &[name])))
}

/// The value as JSON, by the rules of `render::json`.
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

/// Whatever else has items is no list.
const LISTS: [&str; 3] = ["List", "EventList", "v1"];

fn assert_read_alike(body: &Value, bytes: &[u8]) {
    let repair = Repair::default();
    let about = ["involvedObject", "regarding"];
    let is_about = |(key, value): &(Value, Value)| {
        about.iter().any(|name| key.as_str() == Some(*name)) && value.is_map()
    };
    let is_event = body.as_map().unwrap().iter().any(is_about);
    let is_called = |key, name| last(body, &[key]).and_then(Value::as_str) == Some(name);
    let is_list =
        is_called("kind", "EventList") || (is_called("kind", "List") && is_called("apiVersion", "v1"));
    let items = last(body, &["items"]).and_then(Value::as_array).filter(|_| is_list);
    let said = |names: &[&str]| last(body, names).and_then(Value::as_str).unwrap_or_default();
    let is_text =
        |name| matches!(last(body, &[name]), Some(Value::String(text)) if !text.as_bytes().is_empty());
    let is_audit = is_text("auditID") && is_text("stage");
    let is_violation = ["violation", "violation_audited", "violation_admission"]
        .contains(&said(&["eventType", "event_type"]));
    match peek(bytes).unwrap() {
        Shape::Event => assert!(is_event),
        Shape::Audit => assert!(!is_event && is_audit),
        Shape::Violation => assert!(!is_event && !is_audit && is_violation),
        Shape::Texts(texts) => {
            assert!(!is_event && !is_audit && !is_violation && items.is_none());
            assert!(texts.iter().flatten().all(|text| text.json.starts_with(b"{")) && texts != [None, None]);
        }
        Shape::List { items: list } => {
            assert!(!is_event && !is_audit && !is_violation);
            let seen: Vec<_> =
                Items::new(list).map(|mut item| rmpv::decode::read_value(&mut item).unwrap()).collect();
            assert_eq!(format!("{seen:?}"), format!("{:?}", items.unwrap()));
        }
        Shape::Other => assert!(!is_event && !is_audit && !is_violation && items.is_none()),
    }
    let Some(event) = KubeEvent::read(bytes, &repair).unwrap() else { return assert!(!is_event) };
    assert!(is_event);
    let (metadata, object) = (last(body, &["metadata"]), last(body, &about));
    let own = lossy_in(last(body, &["metadata"]), "namespace");
    let namespace = lossy_in(last(body, &about), "namespace");
    assert_eq!(event.namespace(), if namespace.is_empty() { own } else { namespace });
    assert_eq!(event.reason, lossy(last(body, &["reason"])));
    assert_eq!(event.message, lossy(last(body, &["message", "note"])));
    assert_eq!(event.event_type, lossy(last(body, &["type"])));
    assert_eq!(event.event_time, lossy(last(body, &["eventTime"])));
    assert_eq!(event.first_timestamp, lossy(last(body, &["firstTimestamp"])));
    assert_eq!(event.source.component, lossy_in(last(body, &["source", "deprecatedSource"]), "component"));
    for (field, name) in [
        (&event.metadata.namespace, "namespace"),
        (&event.metadata.name, "name"),
        (&event.metadata.uid, "uid"),
    ] {
        assert_eq!(*field, lossy_in(metadata, name));
    }
    let version = match metadata.and_then(|metadata| last(metadata, &["resourceVersion"])) {
        Some(Value::Integer(number)) => number.as_i64().map_or(String::new(), |number| number.to_string()),
        other => lossy(other),
    };
    assert_eq!(event.metadata.resource_version, version);
    let ObjectRef { kind, namespace, name, uid, field_path, .. } = &event.object;
    let names = ["kind", "namespace", "name", "uid", "fieldPath"];
    assert_eq!(
        [kind, namespace, name, uid, field_path].map(|text| &**text),
        names.map(|key| lossy_in(object, key))
    );
    let count = last(body, &["count", "deprecatedCount"]).and_then(Value::as_u64);
    assert_eq!(event.count, count);
    let series = last(body, &["series"]).filter(|series| series.is_map());
    assert_eq!(event.series.is_some(), series.is_some());
    if let Some(series) = &event.series {
        let map = last(body, &["series"]).unwrap();
        assert_eq!(series.count, last(map, &["count"]).and_then(Value::as_u64).unwrap_or(0));
        assert_eq!(series.last_observed_time, lossy(last(map, &["lastObservedTime"])));
    }
    let mut out = Vec::new();
    let impact = Impact::without(Correlation::Off);
    let record = Record::new("the id", Content::Event(&event), &impact, bytes);
    Renderer::new(Format::Raw, "c").expect("a format").render(&record, &mut out).unwrap();
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
                serde_json::from_slice(&event_gateway::render::original("x.1", envelope.body)).unwrap();
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
