//! The refusals of a real API server that are about one object, with the words that it uses.

use serde_json::json;

use super::resource::Resource;
use super::status::Refusal;

/// The most that the body of a request may have: `MaxRequestBodyBytes`.
pub(super) const BODY_LIMIT_BYTES: usize = 3 << 20;

impl Refusal {
    fn of_object(resource: Resource, name: &str, (code, reason): (u16, &str), message: &str) -> Self {
        let mut refusal = Self::new(code, reason, message);
        refusal.body["details"] = json!({ "name": name, "kind": resource.names().resource });
        if !resource.group().is_empty() {
            refusal.body["details"]["group"] = resource.group().into();
        }
        refusal
    }

    pub(super) fn object_not_found(resource: Resource, name: &str) -> Self {
        let message = format!("{} \"{name}\" not found", resource.qualified());
        Self::of_object(resource, name, (404, "NotFound"), &message)
    }

    pub(super) fn already_exists(resource: Resource, name: &str) -> Self {
        let message = format!("{} \"{name}\" already exists", resource.qualified());
        Self::of_object(resource, name, (409, "AlreadyExists"), &message)
    }

    pub(super) fn conflict(resource: Resource, name: &str, why: &str) -> Self {
        let message = format!("Operation cannot be fulfilled on {} \"{name}\": {why}", resource.qualified());
        Self::of_object(resource, name, (409, "Conflict"), &message)
    }

    /// A write from a version that is no more the newest: the words of optimistic locking.
    pub(super) fn modified(resource: Resource, name: &str) -> Self {
        let why =
            "the object has been modified; please apply your changes to the latest version and try again";
        Self::conflict(resource, name, why)
    }

    /// A write of an object that was deleted, and perhaps made anew under its name.
    pub(super) fn other_uid(resource: Resource, name: &str, wanted: &str, stored: &str) -> Self {
        let why = format!(
            "StorageError: invalid object, Code: 4, AdditionalErrorMsg: Precondition failed: UID in precondition: \
             {wanted}, UID in object meta: {stored}"
        );
        Self::conflict(resource, name, &why)
    }

    /// A field with a wrong value. The reason is a cause's: `FieldValueInvalid`, `FieldValueTooLong`, …
    pub(super) fn invalid_field(
        resource: Resource,
        name: &str,
        field: &str,
        (reason, why): (&str, &str),
    ) -> Self {
        let kind = resource.names().kind;
        let group = resource.group();
        let dot = if group.is_empty() { "" } else { "." };
        let message = format!("{kind}{dot}{group} \"{name}\" is invalid: {field}: {why}");
        let mut refusal = Self::of_object(resource, name, (422, "Invalid"), &message);
        refusal.body["details"]["kind"] = kind.into();
        refusal.body["details"]["causes"] = json!([{ "reason": reason, "message": why, "field": field }]);
        refusal
    }

    /// A body that is no object of the kind.
    pub(super) fn undecodable(resource: Resource, why: &str) -> Self {
        let names = resource.names();
        let version = names.api_version.rsplit('/').next().unwrap_or_default();
        let kind = names.kind;
        Self::bad_request(&format!("{kind} in version \"{version}\" cannot be handled as a {kind}: {why}"))
    }

    pub(super) fn body_too_large() -> Self {
        let message = format!("Request entity too large: limit is {BODY_LIMIT_BYTES}");
        Self::new(413, "RequestEntityTooLarge", &message)
    }

    pub(super) fn unsupported_media_type() -> Self {
        let message = "the body of the request was in an unknown format - accepted media types include: \
                       application/json, application/yaml, application/vnd.kubernetes.protobuf";
        Self::new(415, "UnsupportedMediaType", message)
    }

    pub(super) fn internal_error(what: &str) -> Self {
        Self::new(500, "InternalError", &format!("Internal error occurred: {what}"))
    }
}
