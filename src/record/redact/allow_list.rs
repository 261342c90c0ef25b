//! The parts of an object with secrets that may leave. Everything else stays behind.
//!
//! A deny list would have to know every tool and every way to write a body. The allow list is short because
//! Kubernetes fixes it: the names in `TypeMeta` and `ObjectMeta`, the type of a Secret, and the path of a
//! JSON patch.

use super::super::audit::TOO_LARGE;
use super::super::cursor::Token;
use super::super::depth_limit::LEFT_OUT;
use super::prefilter::begins;

/// Longer than any name in Kubernetes: a domain of 253 bytes, a slash, a name of 63, and the path of a patch
/// to it.
const LONGEST_NAME: usize = 512;
/// The length of a hexadecimal hash.
const LONGEST_PLAIN_WORD: usize = 64;
/// AKS writes this in place of a large body.
const SKIPPED: &str = "skipped-too-big-size-object";

/// Which parts of a value may leave.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Allowed {
    /// All of it, except objects with secrets anywhere inside.
    #[default]
    All,
    /// All of it except objects, without checking its texts: a client that puts `kind: Secret` into its own
    /// name must not be able to hide the name.
    Unread,
    /// A violation whose constraint has the name of a secret kind: all except the fields that hold data.
    AllButData,
    /// An audit record about an object without secrets.
    AuditOfAnother,
    /// An audit record about an object with secrets.
    Audit,
    /// An unknown field of such an audit record: a body under another name, or a field that a filter added.
    Foreign,
    /// The `responseStatus` of such an audit record; its message may quote values.
    Status,
    StatusDetails,
    /// The annotations of such an audit record; webhooks write patches and messages there.
    AuditAnnotations,
    /// The `requestURI` of such an audit record.
    Uri,
    /// An object with secrets, a list of them, or a patch of one.
    Object,
    Metadata,
    /// Only the keys.
    Annotations,
    ManagedFields,
    Owners,
    /// A reference to an object with secrets, as in an event about it.
    Reference,
    /// A map or a list of names.
    Names,
    /// A number, or a text that can be a name and cannot be a document.
    Name,
    Nothing,
}

/// Other fields of these objects. Their names may leave, their values may not.
const WITHHELD: [&[u8]; 14] = [
    b"data",
    b"stringData",
    b"spec",
    b"status",
    b"value",
    b"token",
    b"raw",
    b"contentType",
    b"message",
    b"reason",
    b"code",
    b"details",
    b"rows",
    b"columnDefinitions",
];
/// The fields of an object reference.
const OF_A_REFERENCE: [&[u8]; 14] = [
    b"kind",
    b"apiVersion",
    b"apiGroup",
    b"group",
    b"version",
    b"namespace",
    b"name",
    b"uid",
    b"resourceVersion",
    b"fieldPath",
    b"key",
    b"optional",
    b"controller",
    b"blockOwnerDeletion",
];

impl Allowed {
    /// What may leave of a field; `None` if not even its name may.
    pub(super) fn member(self, key: &[u8]) -> Option<Self> {
        Some(match (self, key) {
            (Self::All, _) => Self::All,
            (Self::Unread, _) => Self::Unread,
            (Self::AllButData, _) if WITHHELD[..7].contains(&key) => Self::Nothing,
            (Self::AllButData, _) => Self::All,
            (Self::Audit | Self::AuditOfAnother, b"data" | b"stringData") => Self::Nothing,
            (Self::AuditOfAnother, b"requestURI") => Self::Unread,
            (Self::Audit | Self::AuditOfAnother, _) if is_of_the_request(key) => Self::Unread,
            (Self::AuditOfAnother, _) => Self::All,
            (Self::Audit, b"responseStatus") => Self::Status,
            (Self::Audit, b"annotations") => Self::AuditAnnotations,
            (Self::Audit, _) if key.eq_ignore_ascii_case(b"requestURI") => Self::Uri,
            (Self::Audit, _) if is_body(key) => Self::Object,
            (Self::Audit, _) if is_no_document(key) => Self::Foreign,
            (Self::Status, b"metadata") | (Self::Object, b"metadata") => Self::Metadata,
            (Self::Status, b"status" | b"reason" | b"code" | b"kind" | b"apiVersion") => Self::Name,
            (Self::Status, b"details") => Self::StatusDetails,
            (Self::StatusDetails, b"name" | b"group" | b"kind" | b"uid" | b"retryAfterSeconds") => Self::Name,
            (Self::Object, b"items") => Self::Object,
            (Self::Object, b"kind" | b"apiVersion" | b"type" | b"immutable") => Self::Name,
            // A JSON patch.
            (Self::Object, b"op" | b"path" | b"from") => Self::Name,
            (Self::Metadata, b"labels" | b"finalizers") => Self::Names,
            (Self::Metadata, b"annotations") => Self::Annotations,
            (Self::Metadata, b"managedFields") => Self::ManagedFields,
            (Self::Metadata, b"ownerReferences") => Self::Owners,
            (Self::Metadata, _) if is_of_metadata(key) => Self::Name,
            (Self::ManagedFields, b"fieldsV1") => Self::Nothing,
            (
                Self::ManagedFields,
                b"manager" | b"operation" | b"apiVersion" | b"time" | b"fieldsType" | b"subresource",
            ) => Self::Name,
            (Self::Owners | Self::Reference, _) if OF_A_REFERENCE.contains(&key) => Self::Name,
            (Self::AuditAnnotations, _) if is_of_the_api_server(key) => Self::All,
            (Self::AuditAnnotations | Self::Annotations, _) if is_name(key) => Self::Nothing,
            (Self::Names, _) if is_name(key) => Self::Name,
            (Self::Status | Self::Object | Self::Reference, _) if WITHHELD.contains(&key) => Self::Nothing,
            (Self::StatusDetails, b"causes") => Self::Nothing,
            _ => return None,
        })
    }

    /// Whether a value of this type may be descended into, or may leave if it is a scalar.
    pub(super) fn takes(self, head: Token<'_>) -> bool {
        match (self, head) {
            (Self::Foreign, Token::Str(text) | Token::Bin(text)) => is_no_document(text),
            (Self::All | Self::AllButData | Self::Unread | Self::Foreign, _) | (_, Token::Nil) => true,
            (Self::Name | Self::Uri | Self::Nothing, Token::Map(_) | Token::Array(_)) => false,
            (_, Token::Map(_)) => true,
            (Self::Object | Self::ManagedFields | Self::Owners | Self::Names, Token::Array(_)) => true,
            (Self::Name | Self::Names, Token::Str(text) | Token::Bin(text)) => is_name(text),
            (Self::Name | Self::Names, Token::Int(_) | Token::Uint(_) | Token::Bool(_) | Token::Float(_)) => {
                true
            }
            (Self::Uri, Token::Str(_) | Token::Bin(_)) => true,
            (Self::Object, Token::Str(text)) => {
                [LEFT_OUT, TOO_LARGE, SKIPPED].iter().any(|mark| mark.as_bytes() == text)
            }
            _ => false,
        }
    }
}

/// Whether a field belongs to an object reference.
pub(super) fn is_of_a_reference(key: &[u8], value: Token<'_>) -> bool {
    OF_A_REFERENCE.contains(&key) && Allowed::Name.takes(value)
}

/// The name of a body in an audit record, also as tools write it that flatten or rename fields:
/// `request_object`, `requestObject.data.password`.
pub(super) fn is_body(key: &[u8]) -> bool {
    below(key, b"request", b"object").or_else(|| below(key, b"response", b"object")).is_some()
}

/// The rest of a key after two words, in any case and however they are joined, unless a letter follows.
pub(super) fn below<'k>(key: &'k [u8], first: &[u8], second: &[u8]) -> Option<&'k [u8]> {
    let behind =
        |text: &'k [u8], word: &[u8]| begins(text, 0, word).then(|| text.get(word.len()..)).flatten();
    let rest = behind(key, first)?;
    let rest = behind(rest.strip_prefix(b"_").unwrap_or(rest), second)?;
    rest.first().is_none_or(|byte| !byte.is_ascii_alphanumeric()).then_some(rest)
}

/// Fields of an audit record that describe the request, written by the API server and the client.
fn is_of_the_request(key: &[u8]) -> bool {
    matches!(
        key,
        b"kind"
            | b"apiVersion"
            | b"level"
            | b"auditID"
            | b"stage"
            | b"verb"
            | b"user"
            | b"impersonatedUser"
            | b"authenticationMetadata"
            | b"sourceIPs"
            | b"userAgent"
            | b"objectRef"
            | b"requestReceivedTimestamp"
            | b"stageTimestamp"
    )
}

fn is_of_metadata(key: &[u8]) -> bool {
    matches!(
        key,
        b"name"
            | b"generateName"
            | b"namespace"
            | b"uid"
            | b"resourceVersion"
            | b"generation"
            | b"creationTimestamp"
            | b"deletionTimestamp"
            | b"deletionGracePeriodSeconds"
            | b"selfLink"
            | b"continue"
            | b"remainingItemCount"
    )
}

/// Annotations of an audit record that the API server builds from names.
fn is_of_the_api_server(key: &[u8]) -> bool {
    let domain = key.iter().position(|byte| *byte == b'/').and_then(|end| key.get(..end)).unwrap_or_default();
    matches!(
        domain,
        b"authorization.k8s.io"
            | b"authentication.k8s.io"
            | b"authentication.kubernetes.io"
            | b"mutation.webhook.admission.k8s.io"
            | b"apiserver.latency.k8s.io"
            | b"k8s.io"
    )
}

/// Whether a text can be a name, a time or a path in Kubernetes. YAML, JSON and sentences contain blanks or
/// quotes; base64 of more than a few bytes contains a plus or an equals sign.
fn is_name(text: &[u8]) -> bool {
    let is_in_names = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._/~:@*".contains(byte);
    text.len() <= LONGEST_NAME && text.iter().all(is_in_names)
}

/// Whether a text can be a field that a shipper adds, such as a cluster's name, a path or a time, and is not
/// a body. A body has brackets or line breaks, or in base64 one long word.
fn is_no_document(text: &[u8]) -> bool {
    text.len() <= LONGEST_NAME
        && !text.iter().any(|byte| b"{}[]<>\n".contains(byte))
        && text.split(|byte| !byte.is_ascii_alphanumeric()).all(|word| word.len() <= LONGEST_PLAIN_WORD)
}
