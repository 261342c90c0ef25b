//! Any bytes as what the Kubernetes API sends, cut anywhere: a list, and behind a zero byte the lines of a watch.
//!
//! The first byte of an input chooses the kind of the objects, the second where the bytes are cut.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use event_gateway::clock;
use event_gateway::correlate::{About, Correlator};
use event_gateway::pattern::Patterns;
use event_gateway::topology::kind::{KINDS, ObjectKind};
use event_gateway::topology::list_scanner::{ListMeta, ListScanner};
use event_gateway::topology::object::Object;
use event_gateway::topology::watch::{ApiRequest, ObjectChange, Output, Step, Watch as Machine};
use event_gateway::topology::writer::IndexWriter;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::{Body, Seen, data};

/// The longest wait that chance can draw.
const LONGEST: u64 = u64::MAX;
/// No trouble is worth a longer wait.
const PATIENCE: Duration = Duration::from_secs(15 * 60);

pub struct Watch {
    start: Instant,
    correlator: Correlator,
    seen: Seen,
}

/// The results of a list and a watch.
struct Played {
    output: Output,
    ask: ApiRequest,
    /// No more was wanted before the bytes were over.
    stopped: bool,
}

#[derive(Deserialize)]
struct ListText<'l> {
    #[serde(borrow)]
    items: Option<Vec<&'l RawValue>>,
    #[serde(default)]
    metadata: ListMeta,
}

impl Body for Watch {
    const NAME: &'static str = "watch";

    const WORDS: &'static [&'static [u8]] = &[
        b"{\"items\":[",
        b"],\"metadata\":{\"resourceVersion\":\"7\"}}\0",
        b"\"metadata\":{\"resourceVersion\":\"9\",\"continue\":\"c\"}",
        b"\0",
        b"\n{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"uid\":\"u\",\"name\":\"n\",\"resourceVersion\":\"8\"}}}\n",
        b"\n{\"type\":\"DELETED\",\"object\":{\"metadata\":{\"uid\":\"u\",\"name\":\"n\"}}}\n",
        b"\n{\"type\":\"BOOKMARK\",\"object\":{\"metadata\":{\"resourceVersion\":\"12\"}}}\n",
        b"\n{\"type\":\"ERROR\",\"object\":{\"code\":410,\"reason\":\"Expired\"}}\n",
        b"\"labels\":{\"app\":\"a\",\"app\":\"b\"},",
        b"\"ownerReferences\":[{\"uid\":\"o\",\"kind\":\"ReplicaSet\",\"name\":\"r\",\"controller\":true}],",
        b"\"selector\":{\"app\":\"a\"}",
        b"\"targetRef\":{\"kind\":\"Pod\",\"uid\":\"u\"}",
        b"\"creationTimestamp\":\"9999-12-31T23:59:59Z\",",
        b"null",
        b"[]",
        b"{}",
        b"\\u0000",
        b"\\ud800",
        b"\\\"",
        b"\"\"",
        b"1e999",
        b"-",
        b"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
        b"{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":",
        b"}}}}}}}}}}}}",
        b"\r\n",
        b"\xff",
        b"\xf0\x9f",
    ];

    fn new() -> Self {
        let correlator =
            Correlator { max_services: 2, labels: Patterns::parse("*"), annotations: Patterns::parse("*") };
        Self { start: clock::monotonic(), correlator, seen: Seen::default() }
    }

    fn seeds() -> Vec<Vec<u8>> {
        let mut lines = data::recording();
        for line in &mut lines {
            line["object"]["metadata"].as_object_mut().expect("metadata").remove("managedFields");
        }
        let mut seeds = Vec::new();
        for kind in ObjectKind::ALL {
            let of_kind: Vec<&Value> =
                lines.iter().filter(|line| line["resource"] == kind.resource()).collect();
            // The smallest: a mutation is to hit something that is read.
            let mut small: Vec<Value> = of_kind.iter().map(|line| trimmed(&line["object"])).collect();
            small.sort_by_key(|object| object.to_string().len());
            for two in small.chunks_exact(2).step_by(1 + small.len() / 32).take(4) {
                seeds.push(transcript(kind, &two[0], &two[1]));
            }
        }
        seeds.push(transcript(
            ObjectKind::Pod,
            &json!({"metadata": {"uid": "u", "name": "n"}}),
            &json!(null),
        ));
        seeds
    }

    fn check(&mut self, input: &[u8], closely: bool) {
        let [kind, cut, rest @ ..] = input else { return };
        let kind = ObjectKind::ALL[usize::from(*kind) % KINDS];
        let border = memchr::memchr(0, rest).unwrap_or(rest.len());
        let (list, watch) = (&rest[..border], &rest[(border + 1).min(rest.len())..]);
        // Whole as often as in pieces.
        let size = if *cut < 0x80 { usize::MAX } else { usize::from(*cut) % 61 + 1 };
        let cut = self.played(kind, list, watch, size);
        if !closely {
            return;
        }
        let whole = self.played(kind, list, watch, usize::MAX);
        assert_eq!(
            (&cut.output.changes, &cut.ask),
            (&whole.output.changes, &whole.ask),
            "in pieces of {size}"
        );
        assert_eq!(cut.output.following, whole.output.following, "in pieces of {size}");
        // Lines after the one that ended a watch may be counted, or not have been looked at.
        let alike = cut.output.skipped == whole.output.skipped;
        assert!(alike || cut.stopped && cut.output.skipped < whole.output.skipped);
        as_serde_json_reads_it(list);
        self.take_changes(kind, whole.output.changes);
    }

    fn seen(&self) -> Seen {
        self.seen
    }
}

impl Watch {
    fn played(&mut self, kind: ObjectKind, list: &[u8], watch: &[u8], size: usize) -> Played {
        let mut machine = Machine::new(kind, Patterns::parse("a*"));
        let mut now = self.start;
        let mut stopped = false;
        for body in [list, watch] {
            if let Step::Wait { until, .. } = machine.next(now, 0) {
                assert!(until - now <= PATIENCE);
                now = until;
            }
            assert!(machine.response(200, None, now, LONGEST));
            let wants_all = body.chunks(size.min(body.len().max(1))).all(|piece| machine.body(piece));
            stopped |= !wants_all;
            now += Duration::from_secs(2);
            machine.body_ended(None, now, LONGEST);
        }
        let output = machine.take();
        let Output { changes, skipped, .. } = &output;
        let listed = |change: &ObjectChange| {
            if let ObjectChange::Listed(objects) = change { objects.len() } else { 1 }
        };
        self.seen.good += changes.iter().map(listed).sum::<usize>() as u64;
        self.seen.bad += skipped;
        // Whatever was said, it knows what to do next.
        let ask = match machine.next(now + PATIENCE, 0) {
            Step::Request(ask) => ask,
            Step::Wait { until, .. } => panic!("a wait of {:?}", until - now),
            Step::Turn => panic!("the API server was never away"),
        };
        assert!(
            ask.target.starts_with(kind.path()) && ask.target.bytes().all(|byte| byte.is_ascii_graphic())
        );
        Played { output, ask, stopped }
    }

    /// The topology takes what was read, whatever it says of owners, selectors and endpoints.
    fn take_changes(&self, kind: ObjectKind, changes: Vec<ObjectChange>) {
        let mut writer = IndexWriter::new(60);
        ObjectKind::ALL
            .into_iter()
            .filter(|other| *other != kind)
            .for_each(|other| writer.replace(other, Vec::new()));
        let mut objects: Vec<Arc<Object>> = Vec::new();
        for change in changes {
            match change {
                ObjectChange::Listed(listed) => {
                    objects.extend(listed.iter().cloned());
                    writer.replace(kind, listed);
                }
                ObjectChange::Put(object) => {
                    objects.push(Arc::clone(&object));
                    writer.put(object);
                }
                ObjectChange::Deleted(object) => {
                    objects.push(Arc::clone(&object));
                    writer.delete(object);
                }
                ObjectChange::GivenUp => writer.give_up(kind),
            }
        }
        let index = writer.snapshot();
        assert!(index.len() <= objects.len());
        for object in &objects {
            let uid = object.uid.to_string();
            let about = About {
                api_version: "v1",
                kind: kind.name(),
                namespace: &object.namespace,
                name: &object.name,
                uid: &uid,
                event_namespace: &object.namespace,
            };
            let impact = self.correlator.correlate(&index, &about);
            assert!(impact.services.len() <= 2.min(impact.services_total));
        }
        writer.set_time(1_000_000);
        writer.replace(kind, Vec::new());
        writer.set_time(2_000_000);
        writer.expire();
    }
}

/// A list that `serde_json` takes has the same items here.
fn as_serde_json_reads_it(list: &[u8]) {
    let Ok(text) = serde_json::from_slice::<ListText<'_>>(list) else { return };
    // A member's name with an escape is another one here; no API server writes one, and none can be lent.
    if serde_json::from_slice::<BTreeMap<&str, IgnoredAny>>(list).is_err() {
        return;
    }
    let mut items = Vec::new();
    let mut scanner = ListScanner::default();
    scanner.feed(list, |item| items.push(item.to_vec())).expect("a list, as serde_json says");
    let refused = scanner.refused();
    let expected = text.items.unwrap_or_default();
    assert_eq!(items.len() as u64 + refused, expected.len() as u64);
    if refused == 0 {
        assert!(items.iter().zip(&expected).all(|(item, expected)| item == expected.get().as_bytes()));
    }
    assert_eq!(scanner.finish(), Ok(text.metadata));
}

/// Without what makes objects long and is never read.
fn trimmed(object: &Value) -> Value {
    let mut object = object.clone();
    for (place, names) in [
        ("/metadata", &["annotations", "generateName", "creationTimestamp"][..]),
        ("/spec", &["containers", "initContainers", "tolerations", "affinity", "ports", "metrics"]),
        ("/spec/template", &["spec"]),
        ("/spec/jobTemplate/spec/template", &["spec"]),
        ("/status", &["conditions", "containerStatuses", "images", "nodeInfo", "allocatable", "capacity"]),
    ] {
        if let Some(map) = object.pointer_mut(place).and_then(Value::as_object_mut) {
            names.iter().for_each(|name| drop(map.remove(*name)));
        }
    }
    object
}

/// A list of the one, and a watch that tells of the other.
fn transcript(kind: ObjectKind, one: &Value, other: &Value) -> Vec<u8> {
    let list = json!({"kind": "List", "items": [one], "metadata": {"resourceVersion": "7"}});
    let line = |what: &str, object: &Value| json!({"type": what, "object": object}).to_string() + "\n";
    let lines = [
        line("MODIFIED", other),
        line("BOOKMARK", &json!({"metadata": {"resourceVersion": "12"}})),
        line("DELETED", &json!({"metadata": one["metadata"]})),
        line("ERROR", &json!({"kind": "Status", "code": 500, "reason": "InternalError", "message": "no"})),
    ];
    let kind = kind.index() as u8;
    [&[kind, 0x91][..], list.to_string().as_bytes(), &[0], lines.concat().as_bytes()].concat()
}
