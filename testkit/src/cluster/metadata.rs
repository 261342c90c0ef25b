//! The metadata of an object, with managedFields: about a quarter of a real object's bytes, which a reader must
//! skip fast.

use serde_json::{Map, Value, json};

use super::random::{Random, uid};

/// What an object is called, and by whom it is owned.
pub(super) struct Meta<'a> {
    pub(super) namespace: Option<&'a str>,
    pub(super) name: String,
    pub(super) seed: u64,
    pub(super) labels: Value,
    pub(super) annotations: Value,
    pub(super) owner: Option<Value>,
    pub(super) created_at: u64,
}

impl Meta<'_> {
    /// With the fields that these managers own: one for the metadata and spec, one for the status.
    pub(super) fn value(self, spec_fields: &[&str], status_fields: &[&str]) -> Value {
        let time = rfc3339(self.created_at);
        let mut metadata = json!({
            "name": self.name,
            "uid": uid(self.seed),
            "creationTimestamp": time,
            "labels": self.labels,
            "managedFields": managed_fields(&self, spec_fields, status_fields),
        });
        if let Some(namespace) = self.namespace {
            metadata["namespace"] = namespace.into();
        }
        if self.annotations.as_object().is_some_and(|annotations| !annotations.is_empty()) {
            metadata["annotations"] = self.annotations;
        }
        if let Some(owner) = self.owner {
            metadata["ownerReferences"] = json!([owner]);
        }
        metadata
    }
}

fn managed_fields(meta: &Meta<'_>, spec_fields: &[&str], status_fields: &[&str]) -> Value {
    let keys = |value: &Value| {
        let mut keys = Map::from_iter([(".".to_owned(), json!({}))]);
        keys.extend(value.as_object().into_iter().flatten().map(|(key, _)| (format!("f:{key}"), json!({}))));
        keys
    };
    let fields = |names: &[&str]| {
        names.iter().map(|name| (format!("f:{name}"), json!({}))).collect::<Map<String, Value>>()
    };
    let mut metadata = json!({ "f:labels": keys(&meta.labels), "f:annotations": keys(&meta.annotations) });
    if let Some(owner) = &meta.owner {
        let key = format!("k:{{\"uid\":{}}}", owner["uid"]);
        metadata["f:ownerReferences"] = json!({ ".": {}, key: {} });
    }
    let time = rfc3339(meta.created_at);
    let mut managers = vec![json!({
        "manager": "kube-controller-manager", "operation": "Update", "apiVersion": "v1", "time": time,
        "fieldsType": "FieldsV1",
        "fieldsV1": { "f:metadata": metadata, "f:spec": fields(spec_fields) },
    })];
    if !status_fields.is_empty() {
        managers.push(json!({
            "manager": "kubelet", "operation": "Update", "apiVersion": "v1", "time": time,
            "fieldsType": "FieldsV1", "subresource": "status",
            "fieldsV1": { "f:status": fields(status_fields) },
        }));
    }
    managers.into()
}

/// A controller as an owner.
pub(super) fn owner(api_version: &str, kind: &str, name: &str, seed: u64) -> Value {
    json!({
        "apiVersion": api_version, "kind": kind, "name": name, "uid": uid(seed),
        "controller": true, "blockOwnerDeletion": true,
    })
}

/// An object as a watch shows it.
pub(super) fn object(api_version: &str, kind: &str, metadata: Value, fields: Value) -> Value {
    let mut object = fields;
    object["apiVersion"] = api_version.into();
    object["kind"] = kind.into();
    object["metadata"] = metadata;
    object
}

/// Another seed of the same thing: for the uid of a slice, of a former ReplicaSet, of a container.
pub(super) fn derived(seed: u64, number: u64) -> u64 {
    Random(seed ^ number.wrapping_mul(0x2545_f491_4f6c_dd1d)).next()
}

/// In UTC and whole seconds, by the civil calendar.
pub(super) fn rfc3339(unix_seconds: u64) -> String {
    let (days, seconds) = (unix_seconds / 86_400, unix_seconds % 86_400);
    let shifted = days + 719_468; // days since 0000-03-01, so that a leap day ends its year
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

pub(super) fn set_version(object: &mut Value, version: u64) {
    object["metadata"]["resourceVersion"] = version.to_string().into();
}
