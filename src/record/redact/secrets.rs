//! What a Secret holds, and a token that the API server hands out, wherever they stand in an audit record's bodies.

use crate::record::raw::Raw;

/// The resources whose bodies hold secrets.
const RESOURCES: [&str; 2] = ["secrets", "serviceaccounts/token"];

/// Whether an audit record has a body of such a resource.
pub(super) fn may_be_in(body: &[u8]) -> bool {
    let body = Raw::new(body);
    if !["requestObject", "responseObject"].iter().any(|key| body.get(key).is_some()) {
        return false;
    }
    let Some(object) = body.get("objectRef") else { return true };
    let text = |key| object.get(key).and_then(|value| value.as_text()).unwrap_or_default();
    let (resource, subresource) = (text("resource"), text("subresource"));
    let whole = if subresource.is_empty() { resource } else { format!("{resource}/{subresource}").into() };
    RESOURCES.contains(&&*whole)
}

/// Whether what stands under this key is the secret itself: of a Secret its data, in a patch of one the value, in
/// the annotation that `kubectl apply` leaves all of it again, and of a TokenRequest the token.
pub(super) fn is_one(key: &[u8]) -> bool {
    matches!(
        key,
        b"data" | b"stringData" | b"value" | b"token" | b"kubectl.kubernetes.io/last-applied-configuration"
    )
}
