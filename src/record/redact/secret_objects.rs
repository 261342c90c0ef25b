//! Finds the parts of a record that contain a Secret's data, or a token that the API server accepts or
//! issues.
//!
//! Two fields show this: the `objectRef` of an audit record (or its path, if that is missing), whatever its
//! bodies look like, and the `kind` of an object anywhere. `allow_list` defines what may leave of such a
//! part; `text_secrets` handles texts.

use super::allow_list::{Allowed, below, is_body, is_of_a_reference};
use super::prefilter::{Hints, look_for_hints};
use crate::kind::Kind;
use crate::record::cursor::{Cursor, Token};
use crate::record::raw::Raw;
use memchr::memmem;

/// The kinds with secrets.
pub(super) const KINDS: [&[u8]; 4] = [b"Secret", b"SecretList", b"TokenRequest", b"TokenReview"];

/// Which checks a record needs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Checks {
    pub hints: Hints,
    /// A text may be the end of an audit record whose beginning is in another record.
    pub may_be_fragment: bool,
}

impl Checks {
    pub(super) fn at(record: &[u8], kind: Kind) -> Self {
        let may_be_fragment =
            kind == Kind::Other && TIMES.iter().any(|key| memmem::find(record, key).is_some());
        Self { hints: look_for_hints(record), may_be_fragment }
    }

    /// The checks for a part of the record.
    pub(super) fn inside(self, part: &[u8]) -> Self {
        Self { hints: look_for_hints(part), ..self }
    }

    /// Whether nothing has to be checked.
    pub(super) fn is_done(self) -> bool {
        self == Self::default()
    }

    /// What may leave of a map, judged by its own fields.
    pub(super) fn allowed_of(self, map: Raw<'_>) -> Allowed {
        let Hints { words, bodies, .. } = self.hints;
        if words && is_object(map) {
            Allowed::Object
        } else if (words || bodies) && is_about_a_secret(map) {
            Allowed::Audit
        } else {
            Allowed::All
        }
    }

    /// The same for a whole record.
    pub(super) fn allowed_of_record(self, record: Raw<'_>, kind: Kind) -> Allowed {
        match (kind, self.allowed_of(record)) {
            (Kind::Audit, Allowed::Audit | Allowed::Object) => Allowed::Audit,
            (Kind::Audit, _) => Allowed::AuditOfAnother,
            // In a violation, `kind` is the constraint's.
            (Kind::Violation, Allowed::Object) => Allowed::AllButData,
            (_, allowed) => allowed,
        }
    }
}

/// The times of an audit record come after its bodies.
pub(super) const TIMES: [&[u8]; 2] = [b"stageTimestamp", b"requestReceivedTimestamp"];

/// Whether an incomplete record may contain part of a secret. The part that would show it may be missing.
pub(super) fn may_hold_one(bytes: &[u8]) -> bool {
    // Nearly every object has metadata.
    let is_data = |at: usize| !bytes.get(..at).is_some_and(|before| before.ends_with(b"meta"));
    !Checks::at(bytes, Kind::Other).is_done()
        || memmem::find_iter(bytes, b"data").any(is_data)
        || memmem::find(bytes, b"stringData").is_some()
}

/// Whether this is an audit record about such a resource, or what is left of one. If nothing shows what its
/// bodies are, they may be secrets.
fn is_about_a_secret(record: Raw<'_>) -> bool {
    let (mut has_id, mut has_body, mut has_uri) = (false, false, false);
    let mut reference = Vec::new();
    for (name, value) in record.named() {
        has_id |= name == b"auditID";
        has_body |= is_body(name) && !value.is_null();
        has_uri |=
            name.eq_ignore_ascii_case(b"requestURI") && value.as_text().is_some_and(|uri| leads_to_one(&uri));
        match below(name, b"object", b"ref") {
            Some(b"") => reference.extend(value.named()),
            // A tool has flattened it: `objectRef.resource`.
            Some([_, field @ ..]) => reference.push((field, value)),
            None => {}
        }
    }
    resource(&reference).unwrap_or(has_body || (has_id && has_uri))
}

/// Whether these fields of `objectRef` name such a resource; `None` if they name no resource. If a key occurs
/// twice, both values are checked.
fn resource(reference: &[(&[u8], Raw<'_>)]) -> Option<bool> {
    let texts = |key: &'static [u8]| {
        let values = reference.iter().filter(move |(name, _)| *name == key);
        values.filter_map(|(_, value)| value.as_text()).filter(|text| !text.trim().is_empty())
    };
    texts(b"resource")
        .map(|resource| {
            let (resource, below) = resource.split_once('/').unwrap_or((&*resource, ""));
            holds_secrets(resource)
                || (is_named(resource, "serviceaccounts")
                    && (is_token(below) || texts(b"subresource").any(|text| is_token(&text))))
        })
        .reduce(|one, another| one || another)
}

/// Whether the path of a request names such a resource.
fn leads_to_one(uri: &str) -> bool {
    let path = uri.split('?').next().unwrap_or_default();
    let mut is_of_an_account = false;
    path.split('/').any(|step| {
        is_of_an_account |= is_named(step, "serviceaccounts");
        holds_secrets(step) || (is_of_an_account && is_token(step))
    })
}

fn holds_secrets(resource: &str) -> bool {
    ["secrets", "tokenreviews", "tokenrequests"].iter().any(|name| is_named(resource, name))
}

fn is_token(below: &str) -> bool {
    is_named(below.split('/').next().unwrap_or_default(), "token")
}

fn is_named(text: &str, name: &str) -> bool {
    bare(text).eq_ignore_ascii_case(name)
}

/// A name without its group, as in `secrets.v1` and `secrets.`.
fn bare(name: &str) -> &str {
    name.trim().split('.').next().unwrap_or_default()
}

/// Whether a map is an object of such a kind, not just a reference to one.
fn is_object(map: Raw<'_>) -> bool {
    let names_it = |(name, value): (&[u8], Raw<'_>)| {
        name.eq_ignore_ascii_case(b"kind") && value.as_text().is_some_and(|kind| is_kind(&kind))
    };
    map.named().any(names_it) && !is_reference(map)
}

fn is_reference(map: Raw<'_>) -> bool {
    fn head<'a>(value: Raw<'a>) -> Token<'a> {
        Cursor::new(value.bytes()).token().unwrap_or(Token::Map(0))
    }
    let mut names = 0;
    let names_only = map.named().all(|(name, value)| {
        names += 1;
        is_of_a_reference(name, head(value))
    });
    // A reference has only string keys.
    names_only && head(map) == Token::Map(names)
}

/// Whether objects of this kind have secrets.
pub(in crate::record) fn is_kind(text: &str) -> bool {
    let name = bare(text.rsplit('/').next().unwrap_or_default());
    KINDS.iter().any(|kind| name.as_bytes().eq_ignore_ascii_case(kind))
}
