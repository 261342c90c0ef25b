//! Is the JSON in a text read like that of a parser, and does nothing that stands beside it hide a record?
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use bumpalo::Bump;
use event_gateway::kind::Kind;
use event_gateway::record::classify::{BodyClass, Within, classify};
use event_gateway::record::json;
use event_gateway::record::text::Repair;
use serde_json::{Value, json};

use super::finding::{described, found_in, known, packed};
use super::{chunk, support};

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
        (r#""requestObject":{"n":1e999,"m":1}"#.to_owned(), json!({"requestObject": {"n": "1e999", "m": 1}})),
        (r#""annotations":{"a":"\ud800x"}"#.to_owned(), json!({"annotations": {"a": "\\ud800x"}})),
        ("\"userAgent\":\"a\u{1}\\xb\"".to_owned(), json!({"userAgent": "a\u{1}\\xb"})),
        (r#""a":NaN"#.to_owned(), json!({"a": "NaN"})),
        (r#""sourceIPs":["::1",],"a":{"b":1,},"#.to_owned(), json!({"sourceIPs": ["::1"], "a": {"b": 1}})),
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
        classify(&cut, Within::Record, &repair, &arena).class,
        BodyClass::InvalidJson { key: "log", .. }
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

/// The repaired text is what a strict parser makes of it, where it needs no repair.
#[test]
fn good_json_is_read_as_before() {
    for record in known() {
        assert_eq!(json::packed(record.to_string().as_bytes()).unwrap(), packed(&record));
    }
}

fn audits() -> Vec<Value> {
    support::audit_log().into_iter().take(3).collect()
}

/// What tools write around a document hides none.
#[test]
fn a_text_is_read_as_a_stream_of_documents() {
    let audits = audits();
    let [one, two, three] = [0, 1, 2].map(|place| audits[place].to_string());
    let pretty = serde_json::to_string_pretty(&audits[1]).unwrap();
    let quoted = Value::from(one.as_str()).to_string();
    let thrice = Value::from(quoted.as_str()).to_string();
    let cri = "2026-11-20T23:28:53.123456789Z stdout F";
    let bom = '\u{feff}';
    let cases = [
        (format!("{one}\n{two}\n{three}\n"), 3),
        (format!("{one}\r\n\r\n{pretty}{three}"), 3),
        (format!("{one},\n{two},\n{three},\n"), 3),
        (format!("\u{1e}{one}\n\u{1e}{two}\n"), 2),
        (format!("[{one},\n{two}]\n[{three}]"), 3),
        (format!("{cri} {one}\n{cri} {two}\n{cri} {three}"), 3),
        (format!("{bom}{one}"), 1),
        (format!(" {bom}{one}\n{bom}{two}"), 2),
        (format!("\u{1b}[1;32m{one}\u{1b}[0m"), 1),
        (format!("{cri} \u{1b}[32m{one}\u{1b}[0m\n\u{1b}[m{two}"), 2),
        (format!("{},}}", &one[..one.len() - 1]), 1),
        (format!("[{one},{two},]"), 2),
        (quoted, 1),
        (thrice.clone(), 1),
        (Value::from(thrice).to_string(), 1),
    ];
    for (text, count) in cases {
        for name in ["log", "payload", "records"] {
            let record = json!({name: text});
            let expected: Vec<_> =
                audits.iter().take(count).map(|audit| (Kind::Audit, audit.clone())).collect();
            assert_eq!(described(&record), expected, "{record}");
        }
    }
}

/// Lines that are no JSON hide nothing behind them, and are not lost.
#[test]
fn beside_a_known_record_all_else_is_a_record_of_no_known_kind() {
    let audits = audits();
    let [one, two] = [0, 1].map(|place| audits[place].to_string());
    let cut = &one[..one.len() / 2];
    let known = |place: usize| (Kind::Audit, audits[place].clone());
    let other = |record: Value| (Kind::Other, record);
    for (text, expected) in [
        (format!("{one}\n{{\"n\":1}}\n{two}"), vec![known(0), other(json!({"n": 1})), known(1)]),
        (format!("{cut}\n{two}"), vec![known(1), other(json!({"log": cut}))]),
        (format!("{one}\n{cut}"), vec![known(0), other(json!({"log": cut}))]),
        (format!("{one} and\nmore\n{two}\n"), vec![known(0), known(1), other(json!({"log": "and\nmore"}))]),
        (format!("[ 1\n{one}\n{{a}}\n{two}"), vec![known(0), known(1), other(json!({"log": "[ 1\n{a}"}))]),
    ] {
        assert_eq!(described(&json!({"log": text})), expected, "{text}");
    }
    // Nothing known, and it is what it was.
    for text in [format!("{{\"n\":1}}\n{cut}"), r#"{"n":1} {"n":2}"#.to_owned(), cut.to_owned()] {
        let record = json!({"log": text});
        assert_eq!(described(&record), [other(record.clone())]);
    }
}

/// Two records that differ do so when they were repaired.
#[test]
fn repairing_keeps_records_apart() {
    let values: &[&[u8]] = &[
        b"1e999",
        b"-1e999",
        b"1e1000",
        b"NaN",
        b"Infinity",
        b"-Infinity",
        b"01",
        b"+1",
        b"null",
        b"1",
        b"0x1f",
        b"\"\\ud800\"",
        b"\"\\ud801\"",
        b"\"\\udc00\"",
        b"\"\xff\"",
        b"\"\xfe\"",
        b"\"\xef\xbf\xbd\"",
    ];
    let read = |value: &&[u8]| json::packed(&[b"{\"a\":", *value, b",\"b\":NaN}"].concat()).unwrap();
    let mut bodies: Vec<_> = values.iter().map(read).collect();
    bodies.sort();
    bodies.dedup();
    assert_eq!(bodies.len(), values.len());
}
