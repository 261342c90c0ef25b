//! Bodies as no sender should make them.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use proptest::collection::vec;
use proptest::prelude::*;
use rmpv::Value;

/// Texts by which a kind is known.
const TEXTS: &[&str] = &["List", "EventList", "v1", "Panic", "violation"];

/// Keys that the reader knows, so that random maps meet it where it looks, and one that it does not.
pub const KEYS: &[&str] = &[
    "metadata",
    "involvedObject",
    "auditID",
    "stage",
    "verb",
    "eventType",
    "constraint_name",
    "resourceKind",
    "log",
    "payload",
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
        1 => proptest::sample::select(TEXTS).prop_map(Value::from),
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
pub fn body() -> impl Strategy<Value = Value> {
    let any_value = scalar().prop_recursive(3, 24, 6, |inner| {
        prop_oneof![vec(inner.clone(), 0..5).prop_map(Value::Array), map_of(inner)]
    });
    map_of(any_value)
}
