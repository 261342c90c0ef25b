//! Is what we write as JSON what `serde_json` writes? `ORACLE_CASES` says for how many texts made from dice.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::{cases, odd_values};
use cases::cases;
use event_gateway::format::json::write;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde::{Serialize, Serializer};
use serde_json::{Number, Value};

fn written(document: &impl Serialize) -> String {
    let mut out = Vec::new();
    write(document, &mut out);
    String::from_utf8(out).unwrap()
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(|number| Number::from_f64(number).map_or(Value::Null, Value::Number)),
        "\\PC{0,40}|[\\x00-\\x7f]{0,40}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 64, 8, |inside| {
        prop_oneof![
            vec(inside.clone(), 0..8).prop_map(Value::from),
            btree_map("\\PC{0,8}|[\\x00-\\x7f]{0,8}", inside, 0..8)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(cases(1_000))]

    #[test]
    fn any_value_is_written_alike(value in value()) {
        prop_assert_eq!(written(&value), serde_json::to_string(&value).unwrap());
    }
}

#[test]
fn texts_from_dice_are_written_alike() {
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for (number, mut dice) in odd_values::numbers(480_000) {
        let text = odd_values::text(&mut dice, 60);
        ours.clear();
        theirs.clear();
        write(&text, &mut ours);
        serde_json::to_writer(&mut theirs, &text).unwrap();
        assert!(ours == theirs, "case {number}: {text:?}");
    }
}

/// All that our documents are made of.
#[derive(Serialize)]
struct Document<'d> {
    r#type: &'d str,
    letter: char,
    small: (i8, u8, f32),
    kind: Kind,
    #[serde(skip_serializing_if = "Option::is_none")]
    left_out: Option<u8>,
    missing: Option<&'d str>,
    nested: Vec<Inner<'d>>,
    empty: BTreeMap<&'d str, u8>,
    #[serde(serialize_with = "in_pieces")]
    address: IpAddr,
}

#[derive(Serialize)]
struct Inner<'d>(BTreeMap<&'d str, Option<f64>>);

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    ScaleTarget,
}

fn in_pieces<S: Serializer>(address: &IpAddr, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("\"{address}\"\n{}", "é\\"))
}

#[test]
fn a_document_of_every_kind_of_field_is_written_alike() {
    let inner = || Inner(BTreeMap::from([("a\tb", Some(f64::NAN)), ("c", Some(1e300)), ("d", None)]));
    let document = Document {
        r#type: "Warning \"\u{0}\u{1f}\u{7f}",
        letter: '"',
        small: (-128, 255, 1.5),
        kind: Kind::ScaleTarget,
        left_out: None,
        missing: None,
        nested: vec![inner(), inner()],
        empty: BTreeMap::new(),
        address: IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1]),
    };
    assert_eq!(written(&document), serde_json::to_string(&document).unwrap());
}

#[test]
fn what_json_cannot_say_leaves_no_half_a_document() {
    let odd_key = BTreeMap::from([([1, 2], "no text")]);
    assert_eq!(written(&[("whole", &odd_key)]), "null");
}
