//! Does Elasticsearch take what `format elasticsearch` makes, whatever the records hold? The service is a stub of
//! its `_bulk` that refuses what the real one refuses (`elastic`): a document with such a fault would be lost to the
//! dead letters, one by one.

use std::fs;
use std::sync::{Arc, Mutex};

use event_gateway::config::FormatName;
use event_gateway::correlate::{Correlation, Impact};
use event_gateway::format::Renderer;
use event_gateway::record::json::packed as packed_json;
use event_gateway::time::Stamp;
use rmpv::Value as Packed;
use serde_json::{Value, json};

use super::chunk;
use super::elastic::{action_fault, fault};
use super::odd_values::{self, numbers};
use super::packing::framed;
use super::samples::{TAKEN, chosen, odd_one, packed, render, rendered};
use super::support::gateway::{Answer, Request, TestGateway};
use super::support::host::{Build, Code, MiniHost};
use super::valid::odd_body;

/// A data stream takes no document without a time.
const NEEDS_TIME: bool = true;

/// What is wrong with each document of a request, if it is a request.
fn faults(body: &str) -> Result<Vec<Option<String>>, String> {
    let lines: Vec<&str> = body.strip_suffix('\n').ok_or("no line's end at the end")?.split('\n').collect();
    let pairs = lines.chunks(2).map(|pair| match pair {
        [action, document] => match action_fault(action) {
            Some(why) => Err(why),
            None => Ok(fault(document, NEEDS_TIME)),
        },
        _ => Err("an action without its document".to_owned()),
    });
    pairs.collect()
}

/// Answers as `_bulk` does, and keeps why it refused what.
fn serve(gateway: &TestGateway) -> Arc<Mutex<Vec<String>>> {
    let refused = Arc::<Mutex<Vec<String>>>::default();
    let all = Arc::clone(&refused);
    gateway.respond_with(move |request: &Request| {
        if (&*request.method, &*request.path) != ("POST", "/_bulk") {
            return Answer::status(404);
        }
        if request.header("content-type") != Some("application/x-ndjson") {
            return Answer::status(406);
        }
        let faults = match str::from_utf8(&request.body).map_err(|why| why.to_string()).and_then(faults) {
            Ok(faults) => faults,
            Err(why) => return Answer::status(400).body(json!({"error": why}).to_string()),
        };
        let item = |fault: &Option<String>| match fault {
            None => json!({"create": {"status": 201}}),
            Some(reason) => {
                let error = json!({"type": "document_parsing_exception", "reason": reason});
                json!({"create": {"status": 400, "error": error}})
            }
        };
        let items: Vec<Value> = faults.iter().map(item).collect();
        let errors = faults.iter().any(Option::is_some);
        all.lock().expect("a lock").extend(faults.into_iter().flatten());
        Answer::status(200).body(json!({"took": 1, "errors": errors, "items": items}).to_string())
    });
    refused
}

fn record(body: &[u8]) -> Vec<u8> {
    [&[0x92, 0x92, 0xd7, 0, 0x6b, 0x01, 0, 0, 0, 0, 0, 0, 0x80][..], body].concat()
}

/// Delivers a chunk; how many documents arrived, why others were refused, and what was dead-lettered.
fn delivered(chunk: &[u8]) -> (usize, Vec<String>, String) {
    let (gateway, folder) = (TestGateway::start(), tempfile::tempdir().expect("a folder"));
    let dead = folder.path().join("dead");
    let refused = serve(&gateway);
    let mut host = MiniHost::start(Build::V5_1_1);
    host.set("a", "endpoint", format!("http://127.0.0.1:{}/_bulk", gateway.port()));
    host.set("a", "format", "elasticsearch").set("a", "dead_letter_file", dead.to_str().expect("UTF-8"));
    assert_eq!(host.init("a"), 1);
    assert_eq!(host.deliver("a", "t", chunk), Code::Ok, "{:?}", host.logs());
    host.quit();
    let documents =
        gateway.requests().iter().map(|request| request.body.split(|byte| *byte == b'\n').count() / 2).sum();
    let refused = refused.lock().expect("a lock").clone();
    (documents, refused, fs::read_to_string(dead).unwrap_or_default())
}

#[test]
fn it_takes_all_that_was_found_to_be_refused() {
    let folder = chunk::data_file("found");
    let mut files: Vec<_> =
        fs::read_dir(folder).expect("a folder").map(|file| file.expect("a file").path()).collect();
    files.sort();
    assert_eq!(files.len(), 16);
    let (mut chunk, mut number) = (Vec::new(), 0);
    for file in files {
        let text = fs::read_to_string(&file).expect("UTF-8");
        for line in text.lines() {
            number += 1;
            // Most events in it are one, which would be delivered once.
            let line = line.replace("11111111-2222", &format!("{number:08}-2222"));
            let body = packed_json(line.as_bytes()).unwrap_or_else(|_| packed(&json!({})));
            chunk.extend(record(&body));
        }
    }
    let (documents, refused, away) = delivered(&chunk);
    assert_eq!((refused, away), (Vec::new(), String::new()));
    assert!(documents > 30, "{documents} of {number}");
}

#[test]
fn it_takes_real_records_of_every_kind() {
    let all = chosen();
    let (documents, refused, away) = delivered(&chunk::of(&all));
    assert_eq!((documents, refused, away), (all.len(), Vec::new(), String::new()));
}

/// A check that cannot fail checks nothing.
#[test]
fn it_refuses_what_it_must() {
    let good = r#"{"create":{"_index":"i","_id":"x"}}"#;
    let faults = |document: &str| faults(&format!("{good}\n{document}\n"));
    assert_eq!(faults(r#"{"@timestamp":"2026-11-20T23:28:49Z"}"#), Ok(vec![None]));
    assert!(faults(r#"{"a":1,"a":2}"#).is_ok_and(|all| all[0].is_some()));
    assert!(super::elastic::fault("{}", true).is_some());
    assert!(self::faults(good).is_err() && self::faults(&format!("{good}\n")).is_err());
}

/// Names and values of which each has made an index refuse a document.
fn odd_members(dice: &mut super::dice::Dice) -> Vec<(Packed, Packed)> {
    let names = [
        "", " ", "\t\n", ".", "..", "a.", ".a", "a..b", "a.b", "a_b", "_id", "_source", "\u{2003}", "_empty",
    ];
    let values = [
        Packed::from(u64::MAX),
        Packed::F64(f64::MAX),
        Packed::F64(f64::NAN),
        Packed::F32(f32::MAX),
        Packed::from(i64::MIN),
        Packed::Nil,
    ];
    (0..dice.below(12))
        .map(|_| {
            let value = values[dice.below(values.len())].clone();
            let levels = if dice.one_in(4) { dice.below(40) } else { 0 };
            let nested = (0..levels).fold(value, |inside, _| match dice.below(4) {
                0 => Packed::Array(vec![inside]),
                1 => Packed::Array(vec![inside, values[dice.below(values.len())].clone()]),
                _ => Packed::Map(vec![(Packed::from(names[dice.below(names.len())]), inside)]),
            });
            (Packed::from(names[dice.below(names.len())]), nested)
        })
        .collect()
}

#[test]
fn it_takes_whatever_a_record_holds() {
    let impact = Impact::without(Correlation::Off);
    let renderer = Renderer::new(FormatName::Elasticsearch, "prod-eu").expect("a format");
    let taken = Stamp::parse(TAKEN);
    for (number, mut dice) in numbers(1_500) {
        let Packed::Map(mut pairs) = odd_body(number, &mut dice) else { unreachable!("a map") };
        pairs.extend(odd_members(&mut dice));
        for key in ["metadata", "user", "annotations", "responseStatus", "details", "resourceLabels"] {
            let inside = odd_members(&mut dice);
            let value = match key {
                "metadata" => Packed::Map(vec![("labels".into(), Packed::Map(inside))]),
                _ => Packed::Map(inside),
            };
            pairs.push((key.into(), value));
        }
        let most =
            || Packed::from([u64::MAX, 1 << 31, 1_000, 999][usize::try_from(number % 4).expect("small")]);
        for key in ["stageTimestamp", "requestReceivedTimestamp"] {
            let odd = ["", "yesterday", "0001-01-01T00:00:00Z", "2026-11-20T23:28:49.5+01:00", "12"];
            pairs.push((key.into(), odd[dice.below(odd.len())].into()));
        }
        pairs.push(("count".into(), most()));
        pairs.push(("responseStatus".into(), Packed::Map(vec![("code".into(), most())])));
        pairs.push((
            "sourceIPs".into(),
            Packed::Array(vec![odd_values::text(&mut dice, 9).into(), "::1%lo".into()]),
        ));
        let chunk = framed(&Packed::Map(pairs), 0, dice.one_in(2));
        let body =
            event_gateway::record::chunk::Records::new(&chunk).next().expect("a record").expect("whole").body;
        let text = render(&renderer, body, taken, &impact).expect("it holds everything");
        assert_eq!(faults(&format!("{text}\n")), Ok(vec![None]), "case {number}: {text}");
    }
}

fn ecs(record: &Value) -> Value {
    let renderer = Renderer::new(FormatName::Ecs, "").expect("a format");
    let text = rendered(&renderer, std::slice::from_ref(record)).remove(0).expect("a document");
    serde_json::from_str(&text).expect("JSON")
}

fn audit() -> Value {
    let text = fs::read_to_string(chunk::data_file("found/11-exec-101-outcome.json")).expect("UTF-8");
    serde_json::from_str(&text).expect("JSON")
}

#[test]
fn who_did_what_stands_where_elastics_own_pipeline_has_it() {
    let mut record = audit();
    record["user"]["uid"] = json!("u-1");
    record["sourceIPs"] = json!(["192.0.2.4", "10.0.0.1", "unix"]);
    let document = ecs(&record);
    assert_eq!(document["event"]["outcome"], "success");
    assert_eq!(document["event"]["action"], "create");
    assert_eq!(document["event"]["kind"], "event");
    assert_eq!(document["source"], json!({"address": "192.0.2.4", "ip": "192.0.2.4"}));
    assert_eq!(document["client"], json!({"ip": "192.0.2.4"}));
    assert_eq!(document["user"], json!({"id": "u-1", "name": "jane"}));
    assert_eq!(document["related"], json!({"ip": ["192.0.2.4", "10.0.0.1"], "user": ["u-1", "jane"]}));
    assert_eq!(document["user_agent"]["original"], "kubectl/v1.33");
    assert_eq!(document["http"]["response"]["status_code"], 101);
    // A proxy leaves an empty one.
    record["sourceIPs"] = json!(["", " ", "1.2.3.4"]);
    assert_eq!(ecs(&record)["source"], json!({"address": "1.2.3.4", "ip": "1.2.3.4"}));
    assert_eq!(ecs(&record)["client"], json!({"ip": "1.2.3.4"}));
    // What is no address is in no field of that type.
    record["sourceIPs"] = json!(["@", "fe80::1%eth0"]);
    let document = ecs(&record);
    assert_eq!(document["source"], json!({"address": "@"}));
    assert!(document["client"].is_null() && document["related"]["ip"].is_null(), "{document}");
    assert!(ecs(&odd_one())["user"].is_null());
}

#[test]
fn times_and_codes_that_are_none_are_left_out_of_an_audit_record() {
    let mut record = audit();
    record["stageTimestamp"] = json!("2026-11-21T00:28:49.5+01:00");
    record["responseStatus"] = json!({"code": 2_147_483_647, "reason": "x"});
    let document = ecs(&record)["kubernetes"]["audit"].clone();
    assert_eq!(document["stageTimestamp"], "2026-11-20T23:28:49.5Z");
    assert_eq!(document["responseStatus"], record["responseStatus"]);
    for (time, code) in [
        (json!("0001-01-01T00:00:00Z"), json!(2_147_483_648_u32)),
        (json!("yesterday"), json!("none")),
        (json!(""), json!({"a": 1})),
        (json!(null), json!([200])),
        (json!({"seconds": 7}), json!(-1)),
    ] {
        for key in ["stageTimestamp", "requestReceivedTimestamp"] {
            record[key] = time.clone();
        }
        record["responseStatus"]["code"] = code;
        let document = ecs(&record)["kubernetes"]["audit"].clone();
        assert_eq!(document.get("stageTimestamp"), None, "{document}");
        assert_eq!(document.get("requestReceivedTimestamp"), None, "{document}");
        assert_eq!(document["responseStatus"], json!({"reason": "x"}));
    }
    record["responseStatus"] = json!("Failure");
    assert_eq!(ecs(&record)["kubernetes"]["audit"].get("responseStatus"), None);
}

#[test]
fn a_list_of_several_kinds_is_its_json() {
    let of = |list: Value| ecs(&json!({"x": list}))["record"]["x"].clone();
    for list in [
        json!([1, null, -2.5]),
        json!(["a", "b", null]),
        json!([{"a": 1}, null, [{"b": [true, false]}], []]),
        json!([[[1], []], [null, [2]]]),
        json!([null]),
    ] {
        assert_eq!(of(list.clone()), list);
    }
    for list in [
        json!([1, "a"]),
        json!([null, [], {"a": 1}, 1]),
        json!([[{"a": ["\"", 1]}], ["b"]]),
        json!([true, 1]),
        json!([[1], ["a", {}]]),
    ] {
        assert_eq!(of(list.clone()), list.to_string());
    }
    // Those inside stay as they are; those behind become texts of their own.
    let list = json!({"a": [{"b": [1, "x"]}, {"c": [1, 2]}], "d": [[1, {"e": [{}, 1]}]], "f": [1, "\u{1}"]});
    let expected = json!({"a": [{"b": "[1,\"x\"]"}, {"c": [1, 2]}], "d": "[[1,{\"e\":[{},1]}]]",
        "f": "[1,\"\\u0001\"]"});
    let found = of(list);
    assert_eq!((&found["a"], &found["d"]), (&expected["a"], &expected["d"]));
    assert!(found["f"].is_string());
    // However deep, quotation marks are escaped once for the list, and once for what is too deep for an index.
    let deep = (0..25).fold(json!("\"".repeat(10_000)), |inside, _| json!([1, {"a": [inside, 1]}]));
    assert!(ecs(&json!({"x": deep})).to_string().len() < 200_000);
}

#[test]
fn the_outcome_is_what_the_authorizer_decided_or_else_what_came_of_it() {
    let outcome = |decision: Option<&str>, code: Option<u64>| {
        let mut record = audit();
        record["annotations"] =
            decision.map(|word| json!({"authorization.k8s.io/decision": word})).unwrap_or_default();
        record["responseStatus"] = code.map(|code| json!({"code": code})).unwrap_or_default();
        ecs(&record)["event"]["outcome"].clone()
    };
    for (decision, code, expected) in [
        (Some("allow"), Some(101), "success"),
        (Some("allow"), Some(200), "success"),
        (Some("allow"), Some(404), "success"),
        (Some("allow"), None, "success"),
        (Some("forbid"), Some(403), "failure"),
        (Some("forbid"), None, "failure"),
        (None, Some(101), "success"),
        (None, Some(401), "failure"),
        (Some("?"), Some(500), "failure"),
        (None, Some(0), "unknown"),
        (None, None, "unknown"),
    ] {
        assert_eq!(outcome(decision, code), expected, "{decision:?}, {code:?}");
    }
}
