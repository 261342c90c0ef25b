//! What a Secret holds, and a token that the API server takes or hands out: in an audit record's bodies, in one that
//! is not whole, and wherever else a Secret stands as an object.
//!
//! Inside a text nothing is looked for, but for audit records that could not be read: a line of the audit log that
//! was cut has a body as often as not.

use memchr::memmem;

use crate::record::raw::Raw;

/// The resources whose bodies hold secrets.
const RESOURCES: [&str; 3] = ["secrets", "serviceaccounts/token", "tokenreviews"];
/// What bodies of the same stand under in an audit record.
const BODIES: [&str; 2] = ["requestObject", "responseObject"];

/// Whether a record has a body of such a resource: an audit record, or what once was one. Where nothing says what
/// they are of, they may be.
pub(super) fn may_be_in_bodies(record: &[u8]) -> bool {
    let record = Raw::new(record);
    if !BODIES.iter().any(|key| record.get(key).is_some()) {
        return false;
    }
    let Some(object) = record.get("objectRef").filter(Raw::is_map) else { return true };
    let text = |key| object.get(key).and_then(|value| value.as_text()).unwrap_or_default();
    let (resource, subresource) = (text("resource"), text("subresource"));
    let whole = if subresource.is_empty() { resource } else { format!("{resource}/{subresource}").into() };
    whole.is_empty() || RESOURCES.contains(&&*whole)
}

/// Whether a record may have a Secret somewhere in it; a look at the bytes, before a look at each of its maps.
pub(super) fn may_be_an_object_in(record: &[u8]) -> bool {
    memmem::find(record, b"Secret").is_some()
}

/// Whether this map is a Secret, or several.
pub(super) fn is_object(map: Raw<'_>) -> bool {
    map.get("kind")
        .and_then(|kind| kind.as_text())
        .is_some_and(|kind| kind == "Secret" || kind == "SecretList")
}

/// Whether what stands under this key is the secret itself: of a Secret its data, in a patch of one the value, in
/// the annotation that `kubectl apply` leaves all of it again, and of a TokenRequest the token.
pub(super) fn is_one(key: &[u8]) -> bool {
    matches!(
        key,
        b"data" | b"stringData" | b"value" | b"token" | b"kubectl.kubernetes.io/last-applied-configuration"
    )
}

/// Of a text that tells an audit record, what stands before its bodies; `None` for any other text.
pub(super) fn before_bodies(text: &[u8]) -> Option<&[u8]> {
    let at = BODIES.iter().filter_map(|key| memmem::find(text, key.as_bytes())).min()?;
    memmem::find(text, b"auditID")?;
    text.get(..at)
}
