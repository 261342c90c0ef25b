//! One version of an object as the server keeps it: serialised once, and written from these bytes to every
//! client, whole or only its metadata.
//!
//! The items of a list have neither `kind` nor `apiVersion`, the objects of a watch have both, so the bytes are
//! those of an item, and a watch puts the two in front.

use std::ops::Range;

use serde_json::{Map, Value};

use super::asked::Scope;
use super::request::Form;
use super::resource::Resource;

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

pub(super) const PARTIAL_START: &[u8] =
    b"{\"kind\":\"PartialObjectMetadata\",\"apiVersion\":\"meta.k8s.io/v1\",\"metadata\":";

pub(super) struct Object {
    namespace: String,
    name: String,
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
        Object { namespace: text("namespace"), name: text("name"), item: item.into(), metadata: start..end }
    }

    /// As it stands in a list.
    pub(super) fn item(&self) -> &[u8] {
        &self.item
    }

    pub(super) fn metadata(&self) -> &[u8] {
        &self.item[self.metadata.clone()]
    }

    /// As it stands alone, with its kind: in a watch, or as what a single object's path gives.
    pub(super) fn write_alone(&self, resource: Resource, form: Form, out: &mut Vec<u8>) {
        match form {
            Form::Whole => {
                let names = resource.names();
                out.extend(b"{\"kind\":\"");
                out.extend(names.kind.as_bytes());
                out.extend(b"\",\"apiVersion\":\"");
                out.extend(names.api_version.as_bytes());
                out.extend(b"\",");
                out.extend(&self.item[1..]);
            }
            Form::Metadata => {
                out.extend(PARTIAL_START);
                out.extend(self.metadata());
                out.push(b'}');
            }
        }
    }

    /// The whole object, with its kind and its version.
    pub(super) fn value(&self, resource: Resource) -> Value {
        let mut bytes = Vec::with_capacity(self.item.len() + 128);
        self.write_alone(resource, Form::Whole, &mut bytes);
        serde_json::from_slice(&bytes).expect("what was written as JSON")
    }

    pub(super) fn is_in(&self, scope: &Scope) -> bool {
        scope.namespace.as_ref().is_none_or(|namespace| self.namespace == *namespace)
            && scope.name.as_ref().is_none_or(|name| self.name == *name)
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
