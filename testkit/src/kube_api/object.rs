//! One version of an object as the server keeps it: serialised once, and written from these bytes to every
//! client, whole or only its metadata.
//!
//! The items of a list have neither `kind` nor `apiVersion`, the objects of a watch have both, so the bytes are
//! those of an item, and a watch puts the two in front.

use std::ops::Range;

use serde_json::{Map, Value};

const BEFORE_METADATA: &str = "{\"metadata\":";

/// The order of ObjectMeta's fields in a real answer; whatever else stands there comes last.
const METADATA_ORDER: [&str; 14] = [
    "name",
    "generateName",
    "namespace",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "labels",
    "annotations",
    "ownerReferences",
    "finalizers",
    "managedFields",
];

pub(super) struct Object {
    pub(super) namespace: String,
    item: Box<[u8]>,
    metadata: Range<usize>,
}

impl Object {
    pub(super) fn new(object: &Value, version: u64) -> Self {
        let empty = Map::new();
        let fields = object.as_object().expect("an object of the API is a JSON object");
        let metadata = fields.get("metadata").and_then(Value::as_object).unwrap_or(&empty);
        let mut item = Vec::with_capacity(2_048);
        item.extend(BEFORE_METADATA.as_bytes());
        let start = item.len();
        write_metadata(&mut item, metadata, version);
        let end = item.len();
        for (key, value) in fields {
            if !matches!(key.as_str(), "metadata" | "kind" | "apiVersion") {
                item.push(b',');
                write(&mut item, key);
                item.push(b':');
                write(&mut item, value);
            }
        }
        item.push(b'}');
        let text = |name: &str| metadata.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        Object { namespace: text("namespace"), item: item.into(), metadata: start..end }
    }

    /// As it stands in a list.
    pub(super) fn item(&self) -> &[u8] {
        &self.item
    }

    pub(super) fn metadata(&self) -> &[u8] {
        &self.item[self.metadata.clone()]
    }

    /// What follows `"kind":…,"apiVersion":…,` in the object of a watch.
    pub(super) fn after_kind(&self) -> &[u8] {
        &self.item[1..]
    }

    pub(super) fn in_namespace(&self, namespace: Option<&str>) -> bool {
        namespace.is_none_or(|namespace| self.namespace == namespace)
    }
}

fn write_metadata(out: &mut Vec<u8>, metadata: &Map<String, Value>, version: u64) {
    let version = Value::from(version.to_string());
    let known = METADATA_ORDER.iter().filter_map(|key| match *key {
        "resourceVersion" => Some((*key, &version)),
        key => metadata.get(key).map(|value| (key, value)),
    });
    let rest = metadata.iter().filter(|(key, _)| !METADATA_ORDER.contains(&key.as_str()));
    let mut before = b'{';
    for (key, value) in known.chain(rest.map(|(key, value)| (key.as_str(), value))) {
        out.push(before);
        write(out, key);
        out.push(b':');
        write(out, value);
        before = b',';
    }
    out.push(b'}');
}

fn write(out: &mut Vec<u8>, value: &(impl serde::Serialize + ?Sized)) {
    serde_json::to_writer(out, value).expect("a Vec takes all");
}
