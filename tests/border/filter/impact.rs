//! Does the filter tell of each event what a look at the cluster tells, and on how little stack?
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::sync::Arc;

use super::{chunk, dice, painted};
use dice::Dice;
use event_gateway::config::{CorrelationSettings, FilterSettings, LedgerSettings};
use event_gateway::correlate::{About, Correlator, Impact};
use event_gateway::enrich::{Enricher, Impacts, Topology};
use event_gateway::log::HostLog;
use event_gateway::pattern::Patterns;
use event_gateway::record::chunk::Records;
use event_gateway::record::event::KubeEvent;
use event_gateway::record::text::Repair;
use event_gateway::topology::index::Index;
use event_gateway::topology::kind::ObjectKind;
use event_gateway::topology::parse::Parser;
use event_gateway::topology::writer::IndexWriter;
use rmpv::Value as Packed;
use serde_json::{Value, json};

struct Still(Index);

impl Topology for Still {
    fn lend(&self, to: &mut dyn FnMut(&Index)) {
        to(&self.0);
    }
}

pub fn correlator() -> Correlator {
    let (labels, annotations) = (Patterns::parse("*"), Patterns::parse("*"));
    Correlator { max_services: 100, labels, annotations }
}

/// The cluster as it was when the recording ended, what was deleted included.
fn cluster() -> Index {
    let mut writer = IndexWriter::new(u64::MAX);
    let mut parsers = ObjectKind::ALL.map(|kind| Parser::new(kind, Patterns::parse("*")));
    for line in chunk::recording() {
        let Some(kind) = ObjectKind::ALL.into_iter().find(|kind| is_of(&line, *kind)) else { continue };
        let object = line["object"].to_string();
        let Ok(object) = parsers[kind.index()].object(object.as_bytes()) else { continue };
        let object = Arc::new(object);
        if line["type"] == "DELETED" { writer.delete(object) } else { writer.put(object) }
    }
    for kind in ObjectKind::ALL {
        let live = writer.snapshot();
        let live = live.objects().filter(|object| object.is_live() && object.kind == kind);
        let live = live.map(Arc::clone).collect();
        writer.replace(kind, live);
    }
    writer.snapshot()
}

/// A pod behind so many Services, on a node, owned by a Deployment: an answer that has to be sorted.
fn crowd(services: usize) -> Index {
    let mut writer = IndexWriter::new(u64::MAX);
    let mut parsers = ObjectKind::ALL.map(|kind| Parser::new(kind, Patterns::parse("*")));
    let mut put = |kind: ObjectKind, name: &str, mut object: Value| {
        object["metadata"]["name"] = name.into();
        object["metadata"]["uid"] = name.into();
        object["metadata"]["resourceVersion"] = "1".into();
        object["metadata"]["creationTimestamp"] = "2026-11-20T23:28:49Z".into();
        if kind != ObjectKind::Node {
            object["metadata"]["namespace"] = "shop".into();
        }
        let object = parsers[kind.index()].object(object.to_string().as_bytes()).unwrap();
        writer.put(Arc::new(object));
    };
    let owner = |kind: &str, name: &str| json!([{"apiVersion": "apps/v1", "kind": kind, "name": name, "uid": name, "controller": true}]);
    put(ObjectKind::Node, "node-a", json!({"status": {"addresses": []}}));
    put(ObjectKind::Deployment, "web", json!({"spec": {"template": {"metadata": {"labels": {"app": "a"}}}}}));
    put(
        ObjectKind::ReplicaSet,
        "web-1",
        json!({"metadata": {"ownerReferences": owner("Deployment", "web")}}),
    );
    let metadata = json!({"labels": {"app": "a"}, "ownerReferences": owner("ReplicaSet", "web-1")});
    put(
        ObjectKind::Pod,
        "web-1-x",
        json!({"metadata": metadata, "spec": {"nodeName": "node-a"}, "status": {}}),
    );
    for n in 0..services {
        let n = (n * 7919) % services;
        put(ObjectKind::Service, &format!("s{n}"), json!({"spec": {"selector": {"app": "a"}}}));
        let labels = json!({"kubernetes.io/service-name": format!("s{n}")});
        let pod = json!({"kind": "Pod", "namespace": "shop", "name": "web-1-x", "uid": "web-1-x"});
        let endpoint = json!({"addresses": ["10.0.0.1"], "conditions": {"ready": true}, "targetRef": pod, "nodeName": "node-a"});
        let slice = json!({"metadata": {"labels": labels}, "addressType": "IPv4", "endpoints": [endpoint]});
        put(ObjectKind::EndpointSlice, &format!("s{n}-x"), slice);
    }
    for kind in ObjectKind::ALL {
        let live = writer.snapshot();
        let live = live.objects().filter(|object| object.kind == kind);
        writer.replace(kind, live.map(Arc::clone).collect());
    }
    writer.snapshot()
}

/// An event about each object of the crowd.
fn events_of_the_crowd() -> Vec<u8> {
    let about = [("v1", "Pod", "web-1-x"), ("v1", "Node", "node-a"), ("apps/v1", "Deployment", "web")];
    let event = |(api_version, kind, name): (&str, &str, &str)| {
        let lies_in = if kind == "Node" { "default" } else { "shop" };
        json!({"metadata": {"uid": format!("of {name}"), "resourceVersion": "1", "namespace": lies_in},
            "involvedObject": {"apiVersion": api_version, "kind": kind, "namespace": "shop", "name": name, "uid": name}})
    };
    chunk::of(&about.map(event))
}

fn is_of(line: &Value, kind: ObjectKind) -> bool {
    let resource = line["resource"].as_str().unwrap_or_default();
    let name = kind.name().to_lowercase();
    resource == format!("{name}s") || resource == format!("{name}es")
}

pub fn enricher(index: Index, dedup: bool) -> Enricher {
    let dedup = dedup.then(|| LedgerSettings {
        state_file: None,
        ttl: std::time::Duration::from_secs(3_600),
        max_entries: 100_000,
    });
    let correlation = CorrelationSettings {
        api: None,
        topology: None,
        wait: std::time::Duration::ZERO,
        max_services: 100,
        labels: Patterns::default(),
        annotations: Patterns::default(),
    };
    let settings = FilterSettings { dedup, keep_managed_fields: false, correlation };
    let impacts = Impacts { topology: Arc::new(Still(index)), correlator: correlator() };
    Enricher::start(&settings, Some(impacts), &Arc::new(HostLog::default()), || {}).unwrap()
}

pub fn values(mut chunk: &[u8]) -> Vec<Packed> {
    let mut values = Vec::new();
    while !chunk.is_empty() {
        values.push(rmpv::decode::read_value(&mut chunk).unwrap());
    }
    values
}

/// MessagePack as JSON, by the oracle's own means.
fn as_json(value: &Packed) -> Value {
    match value {
        Packed::Nil => Value::Null,
        Packed::Boolean(value) => json!(value),
        Packed::Integer(value) => json!(value.as_i64()),
        Packed::F32(value) => json!(value),
        Packed::F64(value) => json!(value),
        Packed::String(text) => json!(text.as_str()),
        Packed::Array(values) => values.iter().map(as_json).collect(),
        Packed::Map(pairs) => {
            pairs.iter().map(|(key, value)| (key.as_str().unwrap().to_owned(), as_json(value))).collect()
        }
        Packed::Binary(_) | Packed::Ext(..) => panic!("not in an event"),
    }
}

pub fn body_of(record: &Packed) -> Value {
    as_json(record.as_array().unwrap().last().unwrap())
}

/// What the correlator says of an event, in the words of JSON.
fn impact_of(index: &Index, body: &[u8]) -> Value {
    let repair = Repair::default();
    let event = KubeEvent::read(body, &repair).unwrap().unwrap();
    let about = About {
        api_version: &event.object.api_version,
        kind: &event.object.kind,
        namespace: &event.object.namespace,
        name: &event.object.name,
        uid: &event.object.uid,
        event_namespace: &event.metadata.namespace,
    };
    let correlator = correlator();
    let impact: Impact<'_> = correlator.correlate(index, &about);
    serde_json::to_value(&impact).unwrap()
}

#[test]
fn every_event_of_the_recording_gets_the_impact_that_json_would_show() {
    let index = cluster();
    let enricher = enricher(index.clone(), false);
    let mut matched = 0;
    for events in [chunk::recording_events(), chunk::watch_events(), chunk::listed_events()] {
        let before = chunk::of(&events);
        let after = enricher.chunk(&before).unwrap();
        let after = values(&after);
        assert_eq!(after.len(), events.len());
        for (envelope, record) in Records::new(&before).zip(&after) {
            let envelope = envelope.unwrap();
            let mut wanted = as_json(&rmpv::decode::read_value(&mut &*envelope.body).unwrap());
            wanted["metadata"].as_object_mut().unwrap().remove("managedFields");
            wanted["impact"] = impact_of(&index, envelope.body);
            matched += usize::from(wanted["impact"]["correlation"] == "matched");
            let body = body_of(record);
            assert_eq!(body, wanted);
            let Some(Packed::Map(pairs)) = record.as_array().unwrap().last() else { panic!("no body") };
            assert_eq!(pairs.last().unwrap().0.as_str(), Some("impact"), "it stands last");
        }
    }
    assert!(matched > 300, "only {matched} events touched a Service");
}

#[test]
fn an_impact_that_is_there_is_replaced_and_one_of_a_stranger_is_not() {
    let enricher = enricher(cluster(), false);
    let mut event = chunk::listed_events().remove(0);
    event["impact"] = json!({"old": true});
    let after = values(&enricher.chunk(&chunk::v2(&event, 1)).unwrap());
    let body = body_of(&after[0]);
    assert!(body["impact"]["correlation"].is_string(), "{body}");
    assert!(body["impact"].get("old").is_none(), "{body}");
    assert_eq!(enricher.chunk(&chunk::v2(&json!({"impact": 1}), 1)), None);
}

#[test]
fn before_the_lists_are_there_the_impact_says_so() {
    let enricher = enricher(Index::default(), false);
    let after = values(&enricher.chunk(&chunk::of(&chunk::listed_events()[..1])).unwrap());
    assert_eq!(body_of(&after[0])["impact"]["correlation"], "not_ready");
}

#[test]
fn a_map_that_grows_gets_a_longer_head() {
    let enricher = enricher(Index::default(), false);
    for extra in [0, 13, 14, 15, 16, 65_533, 65_534, 65_535] {
        let mut event = json!({"involvedObject": {"kind": "Pod"}});
        for n in 0..extra {
            event[format!("k{n}")] = json!(n);
        }
        let after = values(&enricher.chunk(&chunk::v2(&event, 1)).unwrap());
        let mut body = body_of(&after[0]);
        assert!(body.as_object_mut().unwrap().remove("impact").is_some());
        assert_eq!(body, event, "{extra}");
    }
}

/// A third of a coroutine's 24 KiB, with and without optimisation, whatever the cluster looks like.
const MOST_STACK: usize = 8 << 10;

#[test]
#[allow(clippy::print_stdout)]
fn the_filter_fits_a_third_of_a_coroutine() {
    let chunks = [chunk::recording_events(), chunk::watch_events(), chunk::listed_events()];
    let chunks = chunks.map(|events| chunk::of(&events));
    let crowded = events_of_the_crowd();
    for record in values(&enricher(crowd(1_000), false).chunk(&crowded).unwrap()) {
        assert_eq!(body_of(&record)["impact"]["services_total"], 1_000, "a crowd that is none");
    }
    let bomb = [vec![0x92, 0x01, 0x81, 0xa1, b'a'], vec![0x91; 100_000], vec![0xc0]].concat();
    for (what, index) in [("recording", cluster()), ("crowd", crowd(1_000)), ("few", crowd(30))] {
        let enricher = enricher(index, true);
        let used = painted::stack_used(|| {
            for chunk in chunks.iter().chain([&crowded, &bomb]) {
                std::hint::black_box(enricher.chunk(chunk));
            }
        });
        println!("{used} bytes of stack, {what}");
        assert!(used <= MOST_STACK, "{used} bytes of stack, {what}");
    }
}

/// The board may show the next snapshot while a call still has the last one, and then it is the call that
/// frees what the two do not share.
#[test]
fn the_last_snapshot_goes_on_little_stack() {
    for (what, index) in [("recording", cluster()), ("crowd", crowd(5_000))] {
        let used = painted::stack_used(move || drop(index));
        assert!(used <= MOST_STACK / 2, "{used} bytes of stack, {what}");
    }
}

/// What comes out is as readable as what went in: as many records, as many faults. `MUTATIONS` says how
/// many.
#[test]
fn hostile_bytes_neither_panic_nor_spread() {
    let rounds = std::env::var("MUTATIONS").ok().and_then(|text| text.parse().ok()).unwrap_or(20_000);
    let whole = chunk::of(&chunk::watch_events()[..8]);
    let enricher = enricher(cluster(), false);
    let mut dice = Dice(7);
    for _ in 0..rounds {
        let mut bytes = whole.clone();
        for _ in 0..=dice.below(6) {
            if bytes.len() < 2 {
                break;
            }
            let at = dice.below(bytes.len());
            match dice.below(4) {
                0 => bytes[at] = [0xdf, 0xdd, 0xc1, 0x92, 0xd7, 0xff][dice.below(6)],
                1 => bytes[at] = u8::try_from(dice.below(256)).unwrap(),
                2 => drop(bytes.remove(at)),
                _ => bytes.truncate(at.max(1)),
            }
        }
        let Some(left) = enricher.chunk(&bytes) else { continue };
        let (before, after) = (Records::new(&bytes), Records::new(&left));
        let readable = |records: Records<'_>| records.filter(Result::is_ok).count();
        assert_eq!(readable(after), readable(before), "{bytes:02x?}");
    }
}
