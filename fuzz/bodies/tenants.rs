//! Any bytes as the objects that a hostile tenant writes into his namespace, beside a real cluster.
//!
//! What events of the others say must not depend on them. The first byte of an input says who comes first; each line
//! that follows is a byte for the kind and an object. Its namespace is the tenant's, as the API server sees to that,
//! and its uid is nobody else's.

use std::collections::BTreeMap;
use std::sync::Arc;

use event_gateway::correlate::{About, Correlation, Correlator};
use event_gateway::pattern::Patterns;
use event_gateway::topology::index::Index;
use event_gateway::topology::key::Key;
use event_gateway::topology::kind::{KINDS, ObjectKind};
use event_gateway::topology::object::Object;
use event_gateway::topology::parse::Parser;
use event_gateway::topology::writer::IndexWriter;
use serde_json::Value;

use super::{Body, Seen, data};

const HOSTILE: &str = "aaa";

pub struct Tenants {
    correlator: Correlator,
    parsers: Vec<Parser>,
    /// The others' objects, as they were last.
    others: Vec<Arc<Object>>,
    /// What is said of each of them in a cluster of their own.
    alone: Vec<String>,
    seen: Seen,
}

/// The objects of the recording, as they were last.
fn last_states() -> Vec<(ObjectKind, Value)> {
    let mut last: BTreeMap<String, (ObjectKind, Value)> = BTreeMap::new();
    for mut line in data::recording() {
        let Some(kind) = ObjectKind::ALL.into_iter().find(|kind| line["resource"] == kind.resource()) else {
            continue;
        };
        let mut object = line["object"].take();
        object["metadata"].as_object_mut().expect("metadata").remove("managedFields");
        let uid = object["metadata"]["uid"].as_str().expect("a uid").to_owned();
        last.insert(uid, (kind, object));
    }
    last.into_values().collect()
}

impl Tenants {
    /// What is said of an object of the others. For one of the cluster, only what is said of the others' Services.
    fn given(&self, index: &Index, object: &Object) -> String {
        let uid = object.uid.to_string();
        let lies_in = if object.namespace.is_empty() { "default" } else { &object.namespace };
        let api_version = format!("{}/v1", object.kind.group());
        let about = About {
            api_version: api_version.trim_start_matches('/'),
            kind: object.kind.name(),
            namespace: &object.namespace,
            name: &object.name,
            uid: &uid,
            event_namespace: lies_in,
        };
        let mut impact = self.correlator.correlate(index, &about);
        assert_ne!(impact.correlation, Correlation::Foreign, "{about:?}");
        if object.namespace.is_empty() {
            impact.services.retain(|service| service.namespace != HOSTILE);
            impact.services_total = impact.services.len();
        }
        // The tenant says the same of it from his own namespace, and learns nothing.
        let forged = self.correlator.correlate(index, &About { event_namespace: HOSTILE, ..about });
        assert_eq!(forged.correlation, Correlation::Foreign, "{about:?}");
        let forged = About { namespace: HOSTILE, event_namespace: HOSTILE, ..about };
        let forged = self.correlator.correlate(index, &forged);
        assert!(forged.services.iter().all(|service| service.namespace == HOSTILE), "{forged:?}");
        serde_json::to_string(&impact).expect("JSON")
    }

    /// A tenant's object, if the API server would have taken it.
    fn hostile(&mut self, line: &[u8]) -> Option<Arc<Object>> {
        let (kind, json) = line.split_first()?;
        let kind = ObjectKind::ALL[usize::from(*kind) % KINDS];
        let mut object = self.parsers[kind.index()].object(json).ok()?;
        if kind.is_of_cluster() || self.others.iter().any(|other| other.uid == object.uid) {
            return None;
        }
        object.namespace = HOSTILE.into();
        Some(Arc::new(object))
    }
}

impl Body for Tenants {
    const NAME: &'static str = "tenants";

    const WORDS: &'static [&'static [u8]] = &[
        b"\n\x00{\"metadata\":{\"uid\":\"s\",\"name\":\"web\"},\"spec\":{\"selector\":{\"app\":\"web\"}}}",
        b"\n\x01{\"metadata\":{\"uid\":\"e\",\"name\":\"e\",\"labels\":{\"kubernetes.io/service-name\":\"web\"}},\"endpoints\":[]}",
        b"\"targetRef\":{\"kind\":\"Pod\",\"namespace\":\"shop\",\"uid\":\"",
        b"\"ownerReferences\":[{\"apiVersion\":\"apps/v1\",\"kind\":\"ReplicaSet\",\"name\":\"r\",\"controller\":true,\"uid\":\"",
        b"\"kubernetes.io/config.mirror\":\"",
        b"\"volumeName\":\"",
        b"\"status\":{\"phase\":\"Bound\"}",
        b"\"nodeName\":\"node-a\"",
        b"\"namespace\":\"shop\"",
        b"\"selector\":{}",
        b"\"labels\":{\"app\":\"web\",\"app\":\"cart\"}",
        b"\n",
    ];

    fn new() -> Self {
        let correlator =
            Correlator { max_services: 20, labels: Patterns::parse("*"), annotations: Patterns::parse("*") };
        let mut parsers: Vec<Parser> =
            ObjectKind::ALL.map(|kind| Parser::new(kind, Patterns::parse("*"))).into();
        let mut others = Vec::new();
        for (kind, object) in last_states() {
            let object = parsers[kind.index()].object(object.to_string().as_bytes()).expect("a real object");
            if ["", "shop"].contains(&&*object.namespace) {
                others.push(Arc::new(object));
            }
        }
        let mut body = Self { correlator, parsers, others, alone: Vec::new(), seen: Seen::default() };
        let index = index_of(body.others.iter());
        body.alone = body.others.iter().map(|object| body.given(&index, object)).collect();
        body
    }

    /// The others' own objects in the tenant's namespace: whatever they refer to by uid is the others'.
    fn seeds() -> Vec<Vec<u8>> {
        let states = last_states();
        let in_shop = states.iter().filter(|(_, object)| object["metadata"]["namespace"] == "shop");
        let copied = |(kind, object): &(ObjectKind, Value)| {
            let mut object = object.clone();
            let uid = format!("copy-{}", object["metadata"]["uid"].as_str().unwrap_or_default());
            object["metadata"]["uid"] = uid.into();
            [&[u8::try_from(kind.index()).unwrap_or(0)][..], object.to_string().as_bytes()].concat()
        };
        let lines: Vec<Vec<u8>> = in_shop.map(copied).collect();
        let several = lines.chunks(4).zip([b"0\n", b"1\n"].into_iter().cycle());
        several.map(|(lines, first)| [&first[..], &lines.join(&b'\n')].concat()).collect()
    }

    fn check(&mut self, input: &[u8], _: bool) {
        let mut lines = input.split(|byte| *byte == b'\n');
        let comes_first = lines.next().and_then(|line| line.first()).is_some_and(|byte| byte % 2 == 1);
        let mut hostile = Vec::new();
        for line in lines.filter(|line| line.len() > 1) {
            let object = self.hostile(line);
            self.seen.note(object.is_some());
            hostile.extend(object);
        }
        let index = if comes_first {
            index_of(hostile.iter().chain(&self.others))
        } else {
            index_of(self.others.iter().chain(&hostile))
        };
        for (object, alone) in self.others.iter().zip(&self.alone) {
            assert_eq!(&self.given(&index, object), alone, "{} {}", object.kind.name(), object.name);
        }
        for object in &hostile {
            let held = index.by_uid(object.key());
            assert!(held.is_none_or(|(key, _)| key == Key::of(&object.uid.to_string())));
        }
    }

    fn seen(&self) -> Seen {
        self.seen
    }
}

fn index_of<'o>(objects: impl Iterator<Item = &'o Arc<Object>>) -> Index {
    let mut writer = IndexWriter::new(60);
    for kind in ObjectKind::ALL {
        writer.replace(kind, Vec::new());
    }
    objects.for_each(|object| writer.put(Arc::clone(object)));
    writer.snapshot()
}
