//! Does Elasticsearch take what `format elasticsearch` makes, whatever the records hold? The service is a stub of
//! its `_bulk` that refuses what the real one refuses (`elastic`): a document with such a fault would be lost to the
//! dead letters, one by one.

use std::fs;
use std::sync::{Arc, Mutex};

use event_gateway::config::Format;
use event_gateway::correlate::{Correlation, Impact};
use event_gateway::record::json::packed as packed_json;
use event_gateway::render::Renderer;
use event_gateway::time::Stamp;
use rmpv::Value as Packed;
use serde_json::{Value, json};

use crate::chunk;
use crate::elastic::{action_fault, fault};
use crate::odd_values::{self, numbers};
use crate::packing::framed;
use crate::samples::{TAKEN, chosen, odd_one, packed, render, rendered};
use crate::support::gateway::{Answer, Request, TestGateway};
use crate::support::host::{Build, Code, MiniHost};
use crate::valid::odd_body;

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

/// Delivers a chunk; how many documents arrived, why others were refused, and what was put away.
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
    for file in files {
        let text = fs::read_to_string(&file).expect("UTF-8");
        let bodies =
            text.lines().map(|line| packed_json(line.as_bytes()).unwrap_or_else(|_| packed(&json!({}))));
        let chunk: Vec<u8> = bodies.flat_map(|body| record(&body)).collect();
        let (_, refused, away) = delivered(&chunk);
        assert_eq!((refused, away), (Vec::new(), String::new()), "{}", file.display());
    }
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
fn odd_members(dice: &mut crate::dice::Dice) -> Vec<(Packed, Packed)> {
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
            let nested = (0..levels).fold(value, |inside, _| match dice.below(3) {
                0 => Packed::Array(vec![inside]),
                _ => Packed::Map(vec![(Packed::from(names[dice.below(names.len())]), inside)]),
            });
            (Packed::from(names[dice.below(names.len())]), nested)
        })
        .collect()
}

#[test]
fn it_takes_whatever_a_record_holds() {
    let impact = Impact::without(Correlation::Off);
    let renderer = Renderer::new(Format::Elasticsearch, "prod-eu").expect("a format");
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
        let most = || Packed::from([u64::MAX, 1_000, 999][usize::try_from(number % 3).expect("small")]);
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
    let renderer = Renderer::new(Format::Ecs, "").expect("a format");
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
    // What is no address is in no field of that type.
    record["sourceIPs"] = json!(["@", "fe80::1%eth0"]);
    let document = ecs(&record);
    assert_eq!(document["source"], json!({"address": "@"}));
    assert!(document["client"].is_null() && document["related"]["ip"].is_null(), "{document}");
    assert!(ecs(&odd_one())["user"].is_null());
}

#[test]
fn the_outcome_is_what_the_authorizer_decided_or_else_what_came_of_it() {
    let outcome = |decision: Option<&str>, code: Option<u64>| {
        let mut record = audit();
        record["annotations"] =
            decision.map(|told| json!({"authorization.k8s.io/decision": told})).unwrap_or_default();
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
