//! Writes of one object: made, changed under optimistic locking, deleted.
//!
//! As a real server has it for Leases: a change needs the version that is stored, and one without a version is
//! refused, not applied. A change of what is not there makes it, unless it names the uid of what was. A change that
//! changes nothing is no write: the version stays, and no watch sees it.

use std::sync::Arc;

use event_gateway::clock;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::asked::{Asked, Verb};
use super::lease_rules;
use super::object::Object;
use super::replica::Replica;
use super::request::{Form, Request};
use super::request_faults::RequestFault;
use super::status::Refusal;
use super::status_of_object::BODY_LIMIT_BYTES;
use super::store::Store;
use super::write_log::Write;

/// The body of a request.
pub(super) struct Sent {
    pub(super) body: Vec<u8>,
    pub(super) content_type: Option<String>,
}

pub(super) struct Written {
    pub(super) code: u16,
    pub(super) body: Vec<u8>,
    /// The version that it made; nothing when there was nothing to change.
    version: Option<u64>,
}

pub(super) fn write(
    replica: &Replica,
    (asked, verb, form): (&Asked, Verb, Form),
    sent: &Sent,
) -> Result<Written, Refusal> {
    if sent.body.len() > BODY_LIMIT_BYTES {
        return Err(Refusal::body_too_large());
    }
    let content_type =
        sent.content_type.as_deref().map(|kind| kind.split(';').next().unwrap_or_default().trim());
    if content_type.is_some_and(|kind| kind != "application/json") {
        return Err(Refusal::unsupported_media_type());
    }
    let mut state = replica.lock();
    let store = &mut state.store;
    let before = store.version;
    let (code, body) = match verb {
        Verb::Create => (201, create(store, asked, decode(asked, &sent.body)?)?),
        Verb::Update => update(store, asked, decode(asked, &sent.body)?)?,
        _ => return delete(store, asked, &sent.body).map(|body| written(store, before, 200, body)),
    };
    let mut bytes = Vec::new();
    body.write_alone(asked.resource, form, &mut bytes);
    Ok(written(store, before, code, bytes))
}

fn written(store: &Store, before: u64, code: u16, body: Vec<u8>) -> Written {
    Written { code, body, version: Some(store.version).filter(|version| *version > before) }
}

/// Notes a write and what came of it, and lets everybody see it.
pub(super) fn remember(
    replica: &Replica,
    request: &Request,
    asked: &Asked,
    fault: Option<RequestFault>,
    written: Result<Written, Refusal>,
) -> Result<Written, Refusal> {
    let version = written.as_ref().ok().and_then(|written| written.version);
    let written = match fault {
        Some(RequestFault::ErrorAfterApplying) => {
            written.and(Err(Refusal::new(500, "InternalError", "etcdserver: request timed out")))
        }
        _ => written,
    };
    replica.lock().writes.push(Write {
        resource: asked.resource.names().resource,
        user_agent: request.user_agent.clone().unwrap_or_default(),
        verb: asked.verb_name(),
        at: clock::monotonic(),
        code: written.as_ref().map_or_else(|refusal| refusal.code, |written| written.code),
        version,
    });
    replica.changed[asked.resource.0].notify_all();
    replica.seen.notify_all();
    written
}

/// The object that was sent, with the namespace of the path.
fn decode(asked: &Asked, body: &[u8]) -> Result<Value, Refusal> {
    let names = asked.resource.names();
    let undecodable = |why: &str| Refusal::undecodable(asked.resource, why);
    let mut object: Value = serde_json::from_slice(body).map_err(|error| undecodable(&error.to_string()))?;
    for (key, own) in [("kind", names.kind), ("apiVersion", names.api_version)] {
        if object.get(key).is_some_and(|value| value != own) {
            let message = format!("the object provided is unrecognized (must be of type {})", names.kind);
            return Err(Refusal::bad_request(&message));
        }
    }
    lease_rules::decode(&mut object).map_err(|why| undecodable(&why))?;
    let namespace = asked.scope.namespace.as_deref().unwrap_or_default();
    let given = text(&object, "namespace");
    if !given.is_empty() && given != namespace {
        let message = "the namespace of the provided object does not match the namespace sent on the request";
        return Err(Refusal::bad_request(message));
    }
    object["metadata"]["namespace"] = namespace.into();
    Ok(object)
}

fn create(store: &mut Store, asked: &Asked, object: Value) -> Result<Arc<Object>, Refusal> {
    let name = text(&object, "name").to_owned();
    if name.is_empty() {
        let why = ("FieldValueRequired", "Required value: name or generateName is required");
        return Err(Refusal::invalid_field(asked.resource, "", "metadata.name", why));
    }
    if !text(&object, "resourceVersion").is_empty() {
        return Err(Refusal::internal_error("resourceVersion should not be set on objects to be created"));
    }
    make(store, asked, &name, object)
}

/// A new object, with what the server fills in.
fn make(store: &mut Store, asked: &Asked, name: &str, mut object: Value) -> Result<Arc<Object>, Refusal> {
    lease_rules::check(asked.resource, name, &object)?;
    let mut scope = asked.scope.clone();
    scope.name = Some(name.to_owned());
    if store.find(asked.resource, &scope).is_some() {
        return Err(Refusal::already_exists(asked.resource, name));
    }
    object["metadata"]["uid"] = store.next_uid().into();
    object["metadata"]["creationTimestamp"] = now().into();
    store.put_next(asked.resource, &mut object);
    Ok(Arc::clone(store.find(asked.resource, &scope).expect("what was just put")))
}

fn update(store: &mut Store, asked: &Asked, mut object: Value) -> Result<(u16, Arc<Object>), Refusal> {
    let (resource, name) = (asked.resource, asked.scope.name.as_deref().unwrap_or_default());
    let given = text(&object, "name");
    if given != name {
        let message = format!("the name of the object ({given}) does not match the name on the URL ({name})");
        return Err(Refusal::bad_request(&message));
    }
    let (uid, version) = (text(&object, "uid"), text(&object, "resourceVersion"));
    let Some(found) = store.find(resource, &asked.scope).cloned() else {
        if !uid.is_empty() {
            return Err(Refusal::other_uid(resource, name, uid, ""));
        }
        return make(store, asked, name, object).map(|made| (201, made));
    };
    let stored = found.value(resource);
    if !uid.is_empty() && uid != text(&stored, "uid") {
        return Err(Refusal::other_uid(resource, name, uid, text(&stored, "uid")));
    }
    if version.is_empty() || version == "0" {
        let why = ("FieldValueInvalid", "Invalid value: 0x0: must be specified for an update");
        return Err(Refusal::invalid_field(resource, name, "metadata.resourceVersion", why));
    }
    if version != text(&stored, "resourceVersion") {
        return Err(Refusal::modified(resource, name));
    }
    for key in ["uid", "creationTimestamp"] {
        if let Some(kept) = stored["metadata"].get(key) {
            object["metadata"][key] = kept.clone();
        }
    }
    lease_rules::check(resource, name, &object)?;
    for key in ["kind", "apiVersion"] {
        object[key] = stored[key].clone();
    }
    if object == stored {
        return Ok((200, found));
    }
    store.put_next(resource, &mut object);
    Ok((200, Arc::clone(store.find(resource, &asked.scope).expect("what was just put"))))
}

/// The `Status` that says it is gone.
fn delete(store: &mut Store, asked: &Asked, options: &[u8]) -> Result<Vec<u8>, Refusal> {
    let (resource, name) = (asked.resource, asked.scope.name.as_deref().unwrap_or_default());
    let found = store.find(resource, &asked.scope);
    let mut stored = found.ok_or_else(|| Refusal::object_not_found(resource, name))?.value(resource);
    let options: Value = if options.is_empty() {
        Value::Null
    } else {
        serde_json::from_slice(options).map_err(|error| Refusal::bad_request(&error.to_string()))?
    };
    for (key, word, end) in
        [("uid", "UID", "deleted and then recreated"), ("resourceVersion", "ResourceVersion", "modified")]
    {
        let (wanted, is) = (options["preconditions"][key].as_str(), text(&stored, key));
        if let Some(wanted) = wanted.filter(|wanted| *wanted != is) {
            let why = format!(
                "the {word} in the precondition ({wanted}) does not match the {word} in record ({is}). The object \
                 might have been {end}"
            );
            return Err(Refusal::conflict(resource, name, &why));
        }
    }
    let uid = text(&stored, "uid").to_owned();
    store.delete(resource, &mut stored);
    let details =
        json!({ "name": name, "group": resource.group(), "kind": resource.names().resource, "uid": uid });
    let status = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details,
    });
    Ok(status.to_string().into_bytes())
}

/// A field of the metadata.
fn text<'a>(object: &'a Value, field: &str) -> &'a str {
    object["metadata"][field].as_str().unwrap_or_default()
}

/// As the API writes the time of creation.
fn now() -> String {
    let seconds = i64::try_from(clock::unix_seconds(clock::wall())).unwrap_or_default();
    let date = OffsetDateTime::from_unix_timestamp(seconds).expect("a date of our days");
    date.format(&Rfc3339).expect("a date with a year of four digits")
}
