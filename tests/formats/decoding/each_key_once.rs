//! Does any object leave with a key twice, in any format, and does the last value of a key count?
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::cell::RefCell;
use std::collections::BTreeMap;

use super::bodies::{self, Body, strict::Tree};
use super::{cases, chunk, cpu_time, odd_values};
use cases::cases;
use event_gateway::config::{BatchAs, FormatName, RenderSettings, ServiceSettings, TemplateSettings};
use event_gateway::correlate::{Correlation, Impact};
use event_gateway::format::enriched::{self, Edits};
use event_gateway::format::{Record, Renderer, original};
use event_gateway::record::chunk::Records;
use event_gateway::record::classify::{Within, each};
use event_gateway::record::content::Content;
use event_gateway::record::json::packed as packed_json;
use proptest::collection::vec;
use proptest::prelude::*;
use rmpv::Value;

/// Few of them, so that most come twice; some are the same as text only, or with underscores for points.
fn key() -> impl Strategy<Value = Value> {
    let text = |bytes: &[u8]| {
        let mut packed = vec![0xa0 | u8::try_from(bytes.len()).unwrap()];
        packed.extend(bytes);
        rmpv::decode::read_value(&mut &*packed).unwrap()
    };
    prop_oneof![
        4 => proptest::sample::select(&["a", "b", "a.b", "a_b", "1", "null", "", " ", "_empty", ".", "id"][..])
            .prop_map(Value::from),
        1 => Just(Value::from(1)),
        1 => Just(Value::F64(1.0)),
        1 => Just(Value::Nil),
        1 => Just(Value::Ext(1, vec![1])),
        1 => Just(Value::Binary(b"a".to_vec())),
        1 => Just(Value::Array(vec![Value::Nil])),
        1 => Just(Value::from("[…]")),
        1 => Just(Value::from("\u{1b}")),
        1 => Just(Value::from("\\u001b")),
        1 => proptest::sample::select(vec![text(b"\xff"), text(b"\xfe"), text("\u{fffd}".as_bytes())]),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        (0..99_i64).prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::F64),
        "[a{\"\\\\,:}]{0,6}".prop_map(Value::from),
        Just(Value::Nil),
    ];
    scalar.prop_recursive(4, 60, 12, |inside| {
        prop_oneof![
            vec(inside.clone(), 0..3).prop_map(Value::Array),
            vec((key(), inside), 0..12).prop_map(Value::Map),
        ]
    })
}

/// What makes a record one of a kind, around members that come twice.
fn body() -> impl Strategy<Value = Vec<u8>> {
    let members = || vec((key(), value()), 0..30).prop_map(Value::Map);
    (0..5_u8, members(), members(), members(), any::<bool>()).prop_map(|(kind, all, one, two, reversed)| {
        let Value::Map(mut all) = all else { unreachable!("a map") };
        let named: &[(&str, Value)] = match kind {
            0 => &[("involvedObject", one.clone()), ("metadata", two.clone())],
            1 => &[("auditID", "a".into()), ("stage", "Panic".into()), ("annotations", one.clone())],
            2 => &[("eventType", "violation_audited".into()), ("name", "n".into()), ("details", one.clone())],
            3 => &[("metadata", 1.into()), ("metadata", one.clone()), ("impact", two.clone())],
            _ => &[],
        };
        all.extend(named.iter().map(|(key, value)| (Value::from(*key), value.clone())));
        let labels = Value::Map(vec![
            ("labels".into(), one.clone()),
            ("annotations".into(), two),
            ("extra".into(), one.clone()),
            ("uid".into(), "u".into()),
        ]);
        all.extend(["metadata", "user"].map(|key| (Value::from(key), labels.clone())));
        all.push(("resourceLabels".into(), one));
        if reversed {
            all.reverse();
        }
        let mut packed = Vec::new();
        rmpv::encode::write_value(&mut packed, &Value::Map(all)).unwrap();
        packed
    })
}

thread_local! {
    /// All formats; with rules of redaction in turn.
    static ALL: RefCell<bodies::record::Record> = RefCell::new(bodies::record::Record::new());
}

proptest! {
    #![proptest_config(cases(400))]

    /// All that the fuzzer's body checks, among it this; with what Elasticsearch takes.
    #[test]
    fn no_format_writes_a_key_twice(body in body()) {
        ALL.with_borrow_mut(|all| all.check(&body, true));
        prop_assert!(Tree::read(str::from_utf8(&original("i", &body)).unwrap()).is_ok());
    }

    #[test]
    fn the_last_value_of_a_key_counts(value in value()) {
        let mut packed = vec![0x81, 0xa1, b'x'];
        rmpv::encode::write_value(&mut packed, &value).unwrap();
        for (format, path) in [
            (FormatName::Native, &["record", "x"][..]),
            (FormatName::CloudEvents, &["data", "record", "x"]),
            (FormatName::SplunkHec, &["event", "record", "x"]),
            (FormatName::PagerDuty, &["payload", "custom_details", "record", "x"]),
        ] {
            let found = Tree::read(&rendered(format, &packed).unwrap()).unwrap();
            prop_assert_eq!(found.at(path).unwrap(), &expected(&value, plain), "{:?}", format);
        }
        for format in [FormatName::Raw, FormatName::Template] {
            let found = Tree::read(&rendered(format, &packed).unwrap()).unwrap();
            prop_assert_eq!(found.at(&["x"]).unwrap(), &expected(&value, |text| text), "{:?}", format);
        }
    }
}

/// As JSON has it, by an independent way: a map in which what is inserted later replaces what stands there.
fn expected(value: &Value, written: fn(String) -> String) -> Tree {
    let text = |bytes: &[u8]| written(String::from_utf8_lossy(bytes).into_owned());
    match value {
        Value::Nil | Value::Ext(..) => Tree::Null,
        Value::Boolean(value) => Tree::Bool(*value),
        Value::Integer(number) => Tree::Int(number.to_string().parse().unwrap()),
        Value::F32(number) => float((*number).into()),
        Value::F64(number) => float(*number),
        Value::String(text_of) => Tree::Text(text(text_of.as_bytes())),
        Value::Binary(bytes) => Tree::Text(text(bytes)),
        Value::Array(items) => Tree::List(items.iter().map(|item| expected(item, written)).collect()),
        Value::Map(pairs) => {
            let mut last = BTreeMap::new();
            for (place, (key, value)) in pairs.iter().enumerate() {
                let key = match key {
                    Value::String(name) => text(name.as_bytes()),
                    Value::Binary(name) => text(name),
                    Value::Array(_) => "[…]".to_owned(),
                    Value::Map(_) => "{…}".to_owned(),
                    Value::F64(number) => serde_json::to_string(number).unwrap(),
                    Value::Nil | Value::Ext(..) => "null".to_owned(),
                    other => other.to_string(),
                };
                last.insert(key, (place, expected(value, written)));
            }
            let mut members: Vec<_> = last.into_iter().collect();
            members.sort_by_key(|(_, (place, _))| *place);
            Tree::Map(members.into_iter().map(|(key, (_, value))| (key, value)).collect())
        }
    }
}

/// As all formats write it, but `raw` and `template`.
fn plain(text: String) -> String {
    super::support::plain(&text)
}

fn float(number: f64) -> Tree {
    if number.is_finite() { Tree::Float(number) } else { Tree::Null }
}

fn renderer(format: FormatName) -> Renderer {
    let template = TemplateSettings {
        file: "t.json".to_owned(),
        text: serde_json::json!({
            "x": "{{ record.x }}",
            "y": "{{ [record] }}",
            "items": "{{ record.x | items | list if record.x is mapping }}",
            "count": "{{ record.x | count if record.x is mapping }}",
            "loop": "{% if record.x is mapping %}{% for k, v in record.x | items %}{{ k }}{{ v }}{% endfor %}{% endif %}",
        })
        .to_string(),
        content_type: "application/x-ndjson".to_owned(),
        batch_as: BatchAs::Ndjson,
        omit_null: false,
    };
    let template = (format == FormatName::Template).then_some(template);
    let (cluster_name, services) = ("c".to_owned(), ServiceSettings::default());
    Renderer::open(&RenderSettings { format, cluster_name, audit_bodies: true, template, services }, None)
        .unwrap()
}

fn rendered(format: FormatName, body: &[u8]) -> Result<String, String> {
    let (renderer, impact, mut out) = (renderer(format), Impact::without(Correlation::None), Vec::new());
    let mut done = Ok(());
    each(body, Within::Record, &bumpalo::Bump::new(), &mut |body, content: &Content<'_, '_>| {
        let record = Record { new_occurrences: 1, ..Record::new("i", *content, &impact, body) };
        done = renderer.render(&record, &mut out).map(drop);
    });
    done.map(|()| String::from_utf8(out).unwrap()).map_err(|error| error.to_string())
}

fn found(name: &str) -> Vec<u8> {
    let file = chunk::data_file(&format!("found/{name}"));
    packed_json(std::fs::read_to_string(file).unwrap().trim().as_bytes()).unwrap()
}

#[test]
fn what_a_filter_of_the_host_appended_counts() {
    let body = found("04-duplicate-keys.json");
    for (format, path) in [
        (FormatName::Raw, &["time"][..]),
        (FormatName::Native, &["record", "time"]),
        (FormatName::Ecs, &["record", "time"]),
    ] {
        let text = rendered(format, &body).unwrap();
        let tree = Tree::read(&text).unwrap_or_else(|why| panic!("{format:?}: {why}: {text}"));
        assert_eq!(tree.at(path), Some(&Tree::Text("2026-11-21T00:00:00Z".to_owned())), "{text}");
    }
    let letter = String::from_utf8(original("i", &body)).unwrap();
    assert_eq!(letter, r#"{"id":"i","app":"billing","time":"2026-11-21T00:00:00Z"}"#);
}

#[test]
fn of_labels_that_differ_in_a_point_only_the_last_counts() {
    let text = rendered(FormatName::Ecs, &found("05-dedot-collision.json")).unwrap();
    let labels = r#""labels":{"app_kubernetes_io/name":"a","app_kubernetes.io/name":"b","team_a":"y"}"#;
    assert!(
        text.contains(
            &labels.replace("kubernetes.io", "kubernetes_io").replace(r#""app_kubernetes_io/name":"a","#, "")
        ),
        "{text}"
    );
    // Where points stay, both do.
    let text = rendered(FormatName::KubernetesEventExporter, &found("05-dedot-collision.json")).unwrap();
    assert!(text.contains(r#""team.a":"x","team_a":"y""#), "{text}");
}

#[test]
fn a_last_value_of_another_type_counts_as_well() {
    let labels = r#"{"a": "x", "b": "y", "a": 7}"#;
    let event = format!(r#"{{"involvedObject": {{}}, "metadata": {{"labels": {labels}}}}}"#);
    let text =
        rendered(FormatName::KubernetesEventExporter, &packed_json(event.as_bytes()).unwrap()).unwrap();
    assert!(text.contains(r#""labels":{"b":"y"}"#), "{text}");
}

#[test]
fn a_template_meets_each_key_once() {
    let body = packed_json(br#"{"x": {"a": 1, "b": 2, "a": 3}}"#).unwrap();
    let text = rendered(FormatName::Template, &body).unwrap();
    let items = r#"{"count":2,"items":[["b",2],["a",3]],"loop":"b2a3","x":{"b":2,"a":3},"#;
    assert!(text.starts_with(items), "{text}");
}

#[test]
fn what_an_index_refuses_has_another_form() {
    let ecs = |json: &str| {
        let text = rendered(FormatName::Ecs, &packed_json(json.as_bytes()).unwrap()).unwrap();
        text[text.find("\"record\":").unwrap()..].to_owned()
    };
    let text = rendered(FormatName::Ecs, &found("16-empty-field-name.json")).unwrap();
    assert!(text.ends_with(r#""record":{"SubjectName":"svc","_empty":"SeDelegate"}}"#), "{text}");
    assert_eq!(
        ecs(r#"{" \t\u2003": 1, ".": 2, "..": 3, " .": 4}"#),
        r#""record":{"_empty":1,"_":2,"__":3," _":4}}"#
    );
    assert_eq!(ecs(r#"{"a": 9223372036854775807}"#), r#""record":{"a":9223372036854775807}}"#);
    assert_eq!(ecs(r#"{"a": 9223372036854775808}"#), r#""record":{"a":"9223372036854775808"}}"#);
    assert_eq!(ecs(r#"{"a": [3e38, 1]}"#), r#""record":{"a":[3e+38,1]}}"#);
    assert_eq!(ecs(r#"{"a": -1e300}"#), format!(r#""record":{{"a":"{}"}}}}"#, -1e300_f64));
    assert_eq!(ecs(r#"{"a": [1, {"b": 2}]}"#), r#""record":{"a":"[1,{\"b\":2}]"}}"#);
    // The document is one level, `record` the second.
    let deep = |levels: usize| format!("{}[7]{}", r#"{"a":"#.repeat(levels), "}".repeat(levels));
    assert_eq!(ecs(&deep(19)), format!(r#""record":{}}}"#, deep(19)));
    let cut = format!(r#"{}"{{\"a\":[7]}}"{}"#, r#"{"a":"#.repeat(19), "}".repeat(19));
    assert_eq!(ecs(&deep(20)), format!(r#""record":{cut}}}"#));
    let cut = format!(r#"{}"{{\"a\":{{\"a\":[7]}}}}"{}"#, r#"{"a":"#.repeat(19), "}".repeat(19));
    assert_eq!(ecs(&deep(21)), format!(r#""record":{cut}}}"#));
}

#[test]
fn many_keys_and_deep_ones_cost_no_more_than_they_must() {
    let mut packed = vec![0xdf, 0, 1, 0x86, 0xa0];
    for number in 0..100_000_u32 {
        packed.extend([0xa6]);
        packed.extend(format!("{:06}", number / 2).as_bytes());
        packed.push(1);
    }
    // Each map of these has a key twice, so that each is looked at again.
    let mut deep = Vec::new();
    for _ in 0..60 {
        deep.extend(*b"\x83\xa1a\x01\xa1a\x02\xa1b");
    }
    deep.extend([0xdb, 0, 0x0c, 0, 0]);
    deep.extend(vec![b'"'; 0x0c_0000]);
    let since = cpu_time::of_this_thread();
    for format in [
        FormatName::Raw,
        FormatName::Native,
        FormatName::Ecs,
        FormatName::KubernetesEventExporter,
        FormatName::Template,
    ] {
        for body in [&packed, &deep] {
            if let Ok(text) = rendered(format, body) {
                Tree::read(&text).unwrap_or_else(|why| panic!("{format:?}: {why}"));
            }
        }
    }
    // The time of this thread alone: others are at work beside it. It takes some seconds; quadratic time would be hours.
    assert!(cpu_time::of_this_thread() - since < std::time::Duration::from_secs(60));
}

#[test]
fn odd_records_from_dice_have_each_key_once() {
    let keys = &[
        "involvedObject",
        "metadata",
        "labels",
        "a.b",
        "a_b",
        "",
        " ",
        "auditID",
        "stage",
        "annotations",
        "log",
    ];
    let mut all = bodies::record::Record::new();
    for (_, mut dice) in odd_values::numbers(1_000) {
        let mut packed = Vec::new();
        rmpv::encode::write_value(&mut packed, &odd_values::map(&mut dice, keys, 3)).unwrap();
        all.check(&packed, true);
    }
}

#[test]
fn the_filter_replaces_each_impact_that_a_record_brings() {
    let record =
        [&[0x92, 0xce, 0, 0, 0, 9][..], b"\x84\xa6impact\x01\xc4\x06impact\x02\xa1a\x03\xa6impact\x04"]
            .concat();
    let envelope = Records::new(&record).next().unwrap().unwrap();
    let impact = Impact::without(Correlation::None);
    let (edits, mut out) = (Edits { impact: Some(&impact), keep_managed_fields: false }, Vec::new());
    assert_eq!(enriched::write(&envelope, &edits, &mut out), Ok(true));
    let body = Records::new(&out).next().unwrap().unwrap().body;
    let Value::Map(pairs) = rmpv::decode::read_value(&mut &*body).unwrap() else { unreachable!("a map") };
    let keys: Vec<String> = pairs.iter().map(|(key, _)| key.to_string()).collect();
    assert_eq!(keys, ["\"a\"", "\"impact\""]);
}
