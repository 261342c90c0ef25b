//! The Lease as JSON, as the API server has it and takes it.
//!
//! A write carries the uid and the version of what it replaces: a PUT without a uid would make a deleted Lease anew. Labels,
//! owner references, other annotations and unknown fields stay as they are.

use std::fmt;

use serde_json::{Map, Value, json};

use super::state::{self, StateError, holder_hash};
use crate::replicas::Millis;
use crate::replicas::lease::{LeaseContent, LeaseRecord};
use crate::time::Stamp;

/// The annotation with what the spec has no field for.
pub const STATE_ANNOTATION: &str = "event-gateway.fluent-bit.io/state";

const API_VERSION: &str = "coordination.k8s.io/v1";
/// `metav1.MicroTime` has exactly six.
const DECIMALS: usize = 6;

/// A Lease as the API server has it.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// What the protocol reads.
    pub record: LeaseRecord,
    /// What a person should learn about it.
    pub finding: Option<Finding>,
    /// All of it.
    object: Map<String, Value>,
}

/// Something odd about a Lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finding {
    /// Its holder has not written the annotation: another program holds it, or somebody removed the annotation.
    Foreign,
    /// The annotation cannot be read, so the watermark is unknown.
    Unreadable(StateError),
}

/// Why an answer is no Lease that the replicas can use. Nothing of it counts; it is read again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DocumentError {
    /// No JSON object, or one without uid.
    NoLease,
    /// Nobody can say then which of two versions is the newer one.
    VersionNotNumeric,
}

impl fmt::Display for DocumentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoLease => f.write_str("the answer is no Lease"),
            Self::VersionNotNumeric => f.write_str("replicas need numeric resourceVersions"),
        }
    }
}

impl Document {
    /// Reads a Lease, as a response or a line of a watch has it.
    ///
    /// # Errors
    /// If the protocol cannot work with it.
    pub fn read(object: Value) -> Result<Self, DocumentError> {
        let Value::Object(object) = object else { return Err(DocumentError::NoLease) };
        let metadata = object.get("metadata").ok_or(DocumentError::NoLease)?;
        let text = |key: &str| metadata.get(key).and_then(Value::as_str).unwrap_or_default();
        let (uid, version) = (text("uid").to_owned(), text("resourceVersion"));
        if uid.is_empty() {
            return Err(DocumentError::NoLease);
        }
        let is_number = version.bytes().all(|byte| byte.is_ascii_digit());
        let version = version.parse().ok().filter(|_| is_number).ok_or(DocumentError::VersionNotNumeric)?;
        let annotation = metadata.get("annotations").and_then(|all| all.get(STATE_ANNOTATION));
        let state = annotation.and_then(Value::as_str).map(state::read);
        let spec = |key: &str| object.get("spec").and_then(|spec| spec.get(key));
        let number = |key: &str| spec(key).and_then(Value::as_u64).unwrap_or_default();
        let holder = spec("holderIdentity").and_then(Value::as_str).unwrap_or_default().to_owned();
        let seconds = number("leaseDurationSeconds");
        let state_of_holder = state
            .as_ref()
            .and_then(|read| read.as_ref().ok())
            .filter(|own| own.holder == holder_hash(&holder));
        let duration =
            state_of_holder.map(|own| own.duration).filter(|exact| whole_seconds(*exact) == seconds);
        let finding = match &state {
            Some(Err(why)) => Some(Finding::Unreadable(*why)),
            _ if holder.is_empty() || state_of_holder.is_some() => None,
            _ => Some(Finding::Foreign),
        };
        // What a former holder has settled stays settled, whoever holds the Lease now.
        let state = state.and_then(Result::ok);
        let content = LeaseContent {
            holder,
            duration: duration.unwrap_or_else(|| seconds.saturating_mul(1_000)),
            transitions: u32::try_from(number("leaseTransitions")).unwrap_or(u32::MAX),
            renewals: state.as_ref().map_or(0, |state| state.renewals),
            watermark: state.as_ref().and_then(|state| state.watermark.clone()),
            announced: state.map(|state| state.announced).unwrap_or_default(),
        };
        Ok(Self { record: LeaseRecord { uid, version, content }, finding, object })
    }

    /// The Lease that takes the place of this one, and only of this version.
    #[must_use]
    pub fn replaced_by(&self, content: &LeaseContent, now: Stamp) -> Value {
        let mut object = self.object.clone();
        fill(&mut object, content, now);
        Value::Object(object)
    }
}

/// A Lease that does not exist yet.
#[must_use]
pub fn new_lease(namespace: &str, name: &str, content: &LeaseContent, now: Stamp) -> Value {
    let mut object = Map::new();
    object.insert("apiVersion".to_owned(), API_VERSION.into());
    object.insert("kind".to_owned(), "Lease".into());
    object.insert("metadata".to_owned(), json!({ "namespace": namespace, "name": name }));
    fill(&mut object, content, now);
    Value::Object(object)
}

/// Whole seconds, at least one: the API server takes nothing else, and client-go releases a Lease with one second and an
/// empty holder. The annotation has the exact time.
fn whole_seconds(duration: Millis) -> u64 {
    duration.div_ceil(1_000).clamp(1, u64::from(i32::MAX.unsigned_abs()))
}

fn fill(object: &mut Map<String, Value>, content: &LeaseContent, now: Stamp) {
    let mut metadata = taken(object, "metadata");
    let mut annotations = taken(&mut metadata, "annotations");
    annotations.insert(STATE_ANNOTATION.to_owned(), state::text(content).into());
    metadata.insert("annotations".to_owned(), Value::Object(annotations));
    object.insert("metadata".to_owned(), Value::Object(metadata));
    let mut spec = taken(object, "spec");
    let now = Value::from(now.with_decimals(DECIMALS).text().as_str());
    let is_same = spec.get("holderIdentity").and_then(Value::as_str) == Some(&content.holder);
    if !is_same || !spec.get("acquireTime").is_some_and(Value::is_string) {
        spec.insert("acquireTime".to_owned(), now.clone());
    }
    spec.insert("renewTime".to_owned(), now);
    spec.insert("holderIdentity".to_owned(), content.holder.as_str().into());
    spec.insert("leaseDurationSeconds".to_owned(), whole_seconds(content.duration).into());
    spec.insert("leaseTransitions".to_owned(), content.transitions.min(i32::MAX.unsigned_abs()).into());
    object.insert("spec".to_owned(), Value::Object(spec));
}

/// An object out of an object, empty if there was none.
fn taken(object: &mut Map<String, Value>, key: &str) -> Map<String, Value> {
    match object.remove(key) {
        Some(Value::Object(part)) => part,
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::state::tests::content;
    use super::*;

    const UID: &str = "11111111-2222-3333-4444-555555555555";

    fn now() -> Stamp {
        Stamp::parse("2026-12-01T12:00:00Z").unwrap()
    }

    /// As an API server has it after the write.
    fn stored(mut object: Value, version: &str) -> Value {
        object["metadata"]["uid"] = UID.into();
        object["metadata"]["resourceVersion"] = version.into();
        object
    }

    fn held_by(holder: &str) -> LeaseContent {
        LeaseContent {
            holder: holder.to_owned(),
            duration: 1_500,
            transitions: 3,
            renewals: 7,
            watermark: None,
            announced: vec![5],
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(first in content(), second in content(), version in any::<u64>()) {
            let document = |object: Value| Document::read(stored(object, &version.to_string())).unwrap();
            let made = document(new_lease("logging", "gateway", &first, now()));
            prop_assert_eq!(&made.record, &LeaseRecord { uid: UID.to_owned(), version, content: first });
            let replaced = document(made.replaced_by(&second, now()));
            prop_assert_eq!((replaced.record.content, replaced.finding), (second, None));
        }
    }

    #[test]
    fn a_write_names_what_it_replaces_and_keeps_what_it_does_not_know() {
        let mut lease = stored(new_lease("logging", "gateway", &held_by("a"), now()), "41");
        lease["metadata"]["labels"] = json!({ "team": "shop" });
        lease["metadata"]["ownerReferences"] = json!([{ "kind": "Deployment", "uid": "u" }]);
        lease["metadata"]["annotations"]["example.com/note"] = "kept".into();
        lease["spec"]["strategy"] = "OldestEmulationVersion".into();
        let later = Stamp::parse("2026-12-01T12:00:01.5Z").unwrap();
        let written = Document::read(lease.clone()).unwrap().replaced_by(&held_by("a"), later);
        lease["spec"]["renewTime"] = "2026-12-01T12:00:01.500000Z".into();
        assert_eq!(written, lease, "nothing else changes");
        let taken_over = Document::read(lease.clone()).unwrap().replaced_by(&held_by("b"), later);
        assert_eq!(taken_over["spec"]["acquireTime"], "2026-12-01T12:00:01.500000Z");
        assert_eq!(taken_over["metadata"]["resourceVersion"], "41");
        assert_eq!(taken_over["metadata"]["uid"], UID);
    }

    #[test]
    fn a_release_is_written_as_client_go_writes_it() {
        let released = LeaseContent { holder: String::new(), duration: 0, ..held_by("") };
        let lease = stored(new_lease("logging", "gateway", &released, now()), "1");
        assert_eq!(
            lease["spec"],
            json!({
                "holderIdentity": "", "leaseDurationSeconds": 1, "leaseTransitions": 3,
                "acquireTime": "2026-12-01T12:00:00.000000Z", "renewTime": "2026-12-01T12:00:00.000000Z",
            })
        );
        let read = Document::read(lease).unwrap();
        assert_eq!((read.record.content, read.finding), (released, None));
    }

    #[test]
    fn another_program_that_holds_it_is_found_and_its_own_duration_counts() {
        let foreign = |annotations: Value| {
            let spec =
                json!({ "holderIdentity": "somebody", "leaseDurationSeconds": 30, "renewTime": "nonsense" });
            let metadata = json!({ "uid": UID, "resourceVersion": "9", "annotations": annotations });
            Document::read(json!({ "metadata": metadata, "spec": spec })).unwrap()
        };
        let bare = foreign(Value::Null);
        assert_eq!((bare.finding, bare.record.content.duration), (Some(Finding::Foreign), 30_000));
        // client-go keeps annotations when it takes a Lease over.
        let kept = foreign(json!({ STATE_ANNOTATION: state::text(&held_by("a")) }));
        assert_eq!((kept.finding, kept.record.content.duration), (Some(Finding::Foreign), 30_000));
        assert_eq!(kept.record.content.announced, [5]);
        for (text, why) in [("v9.AAAA", StateError::OtherForm), ("v1.AAAA", StateError::Damaged)] {
            let damaged = foreign(json!({ STATE_ANNOTATION: text }));
            assert_eq!(damaged.finding, Some(Finding::Unreadable(why)));
            assert_eq!((damaged.record.content.watermark, damaged.record.content.renewals), (None, 0));
        }
    }

    #[test]
    fn somebody_who_edits_the_duration_is_obeyed() {
        let mut lease = stored(new_lease("logging", "gateway", &held_by("a"), now()), "1");
        assert_eq!(lease["spec"]["leaseDurationSeconds"], 2);
        lease["spec"]["leaseDurationSeconds"] = 60.into();
        assert_eq!(Document::read(lease).unwrap().record.content.duration, 60_000);
    }

    #[test]
    fn what_is_no_lease_or_has_no_number_is_refused() {
        let metadata = |version: &str| json!({ "metadata": { "uid": UID, "resourceVersion": version } });
        for (object, why) in [
            (Value::Null, DocumentError::NoLease),
            (json!({}), DocumentError::NoLease),
            (json!({ "metadata": { "resourceVersion": "1" } }), DocumentError::NoLease),
            (metadata(""), DocumentError::VersionNotNumeric),
            (metadata("+1"), DocumentError::VersionNotNumeric),
            (metadata("a1"), DocumentError::VersionNotNumeric),
            (metadata("18446744073709551616"), DocumentError::VersionNotNumeric),
        ] {
            assert_eq!(Document::read(object.clone()).err(), Some(why), "{object}");
        }
        let odd = json!({ "metadata": { "uid": UID, "resourceVersion": "1", "annotations": 7 }, "spec": [] });
        let content = held_by("a");
        let written = Document::read(odd).unwrap().replaced_by(&content, now());
        assert_eq!(Document::read(written).unwrap().record.content, content);
    }
}
