//! What a Secret holds, and a token that the API server takes or hands out: in an audit record's bodies, wherever the
//! record stands and whether or not it is whole, and wherever else a Secret stands as an object.
//!
//! Inside a text nothing is looked for, but for what `kubectl apply` leaves of a Secret, and for audit records that
//! could not be read: a line of the audit log that was cut has a body as often as not.

use memchr::memmem;

use crate::kind::Kind;
use crate::record::cursor::{Cursor, Token};
use crate::record::raw::Raw;

/// The resources whose bodies hold secrets.
const RESOURCES: [&str; 3] = ["secrets", "serviceaccounts/token", "tokenreviews"];
/// What bodies stand under in an audit record ...
const BODIES: [&str; 2] = ["requestObject", "responseObject"];
/// ... and what one of these stands beside, if it is one.
const BESIDE_BODIES: [&str; 4] = ["auditID", "stageTimestamp", "requestReceivedTimestamp", "Secret"];
/// Where `kubectl apply` leaves all of an object as JSON.
const LAST_APPLIED: &[u8] = b"kubectl.kubernetes.io/last-applied-configuration";

/// What has to be looked for in a record, as far as a look at its bytes tells.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Looks {
    /// A map of it may be a Secret.
    for_objects: bool,
    /// A map of it may be an audit record with bodies.
    for_bodies: bool,
    /// A text of it may be such a record.
    for_texts: bool,
}

impl Looks {
    pub(super) fn at(record: &[u8], kind: Kind) -> Self {
        let has = |word: &&str| memmem::find(record, word.as_bytes()).is_some();
        let for_bodies = BODIES.iter().any(has);
        Self {
            for_objects: has(&"Secret"),
            for_bodies,
            for_texts: for_bodies && kind == Kind::Other && BESIDE_BODIES.iter().any(has),
        }
    }

    /// Nothing has to be looked for.
    pub(super) fn is_done(self) -> bool {
        self == Self::default()
    }

    /// Whether this map is a Secret or several, or an audit record with a body of such a resource.
    pub(super) fn is_secret(self, map: Raw<'_>) -> bool {
        (self.for_objects && is_object(map)) || (self.for_bodies && may_be_in_bodies(map))
    }

    /// Whether what stands under this key, where the cursor is, tells a Secret as a text.
    pub(super) fn holds_one(self, key: &[u8], mut at: Cursor<'_>) -> bool {
        self.for_objects
            && key == LAST_APPLIED
            && matches!(at.token(), Ok(Token::Str(text)) if memmem::find(text, b"Secret").is_some())
    }

    /// Of a text that tells an audit record, what stands before its bodies; `None` for any other text.
    pub(super) fn before_bodies(self, text: &[u8]) -> Option<&[u8]> {
        if !self.for_texts {
            return None;
        }
        let at = BODIES.iter().filter_map(|key| memmem::find(text, key.as_bytes())).min()?;
        BESIDE_BODIES.iter().find_map(|word| memmem::find(text, word.as_bytes()))?;
        text.get(..at)
    }
}

/// Whether bytes that are no whole record may hold a part of a secret. The word that says so may be what is missing.
pub(super) fn may_hold_one(bytes: &[u8]) -> bool {
    const MEMBERS: [&[u8]; 3] = [b"\xa4data", b"\"data\"", b"stringData"];
    !Looks::at(bytes, Kind::Other).is_done()
        || MEMBERS.iter().any(|member| memmem::find(bytes, member).is_some())
}

/// An audit record, or what once was one. Where nothing says what the bodies are of, they may be.
fn may_be_in_bodies(record: Raw<'_>) -> bool {
    if !BODIES.iter().any(|key| record.get(key).is_some()) {
        return false;
    }
    let object = record.get("objectRef").unwrap_or_default();
    let text = |key| object.get(key).and_then(|value| value.as_text()).unwrap_or_default();
    let (resource, subresource) = (text("resource"), text("subresource"));
    let whole = if subresource.is_empty() { resource } else { format!("{resource}/{subresource}").into() };
    whole.is_empty() || RESOURCES.contains(&&*whole)
}

fn is_object(map: Raw<'_>) -> bool {
    map.get("kind")
        .and_then(|kind| kind.as_text())
        .is_some_and(|kind| kind == "Secret" || kind == "SecretList")
}

/// Whether what stands under this key is the secret itself: of a Secret its data, in a patch of one the value, in
/// the annotation that `kubectl apply` leaves all of it again, and of a TokenRequest the token.
pub(super) fn is_one(key: &[u8]) -> bool {
    matches!(key, b"data" | b"stringData" | b"value" | b"token" | LAST_APPLIED)
}
