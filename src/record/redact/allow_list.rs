//! What may leave of an object that holds secrets, as a list of what may: everything else stays behind.
//!
//! A list of what must not leave would have to know each tool and each way to write a body. This list is short, as
//! Kubernetes fixes it: the names in `TypeMeta` and `ObjectMeta`, the type of a Secret, and the path of a JSON patch.

use super::super::audit::TOO_LARGE;
use super::super::cursor::Token;
use super::super::depth_limit::LEFT_OUT;
use super::prefilter::begins;

/// Longer than any name of Kubernetes: 253 bytes of a domain, a slash, 63 of a name, and the path of a patch to it.
const LONGEST_NAME: usize = 512;
/// A hash in hexadecimal digits.
const LONGEST_PLAIN_WORD: usize = 64;
/// What AKS writes in place of a large body.
const SKIPPED: &str = "skipped-too-big-size-object";

/// What may leave of one value.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Allowed {
    /// All of it, but for objects that hold secrets and stand somewhere in it.
    #[default]
    All,
    /// All of it but objects, with its texts unread: a client that writes `kind: Secret` into its own name must not hide
    /// that name.
    Unread,
    /// A violation whose constraint is called like a Secret: all but the members of one.
    AllButData,
    /// An audit record about another object.
    AuditOfAnother,
    /// An audit record about such an object.
    Audit,
    /// A member of such a record that Kubernetes does not know: a body by another name, or what a filter appended.
    Foreign,
    /// The `responseStatus` of such a record: its message may quote values.
    Status,
    StatusDetails,
    /// The annotations of such a record: webhooks leave patches and messages there.
    AuditAnnotations,
    /// The `requestURI` of such a record.
    Uri,
    /// Such an object, a list of them, or a patch of one.
    Object,
    Metadata,
    /// Their keys alone.
    Annotations,
    ManagedFields,
    Owners,
    /// A reference to such an object, as in the event about it.
    Reference,
    /// A map or a list of names.
    Names,
    /// A number, or a text that may be a name and cannot be a document.
    Name,
    Nothing,
}

/// The members that these objects have besides. Their names may leave, their values may not.
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
/// What a reference to an object consists of.
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
    /// What may leave of a member; `None`: not even its name.
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
            // Of a JSON patch.
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

    /// Whether a value of this kind may be looked into, or leave if it is a scalar.
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

/// Whether a map of such a kind consists of what names an object, and of nothing else.
pub(super) fn is_of_a_reference(key: &[u8], value: Token<'_>) -> bool {
    OF_A_REFERENCE.contains(&key) && Allowed::Name.takes(value)
}

/// The names of a body in an audit record, and what tools that flatten or rename its members make of them:
/// `request_object`, `requestObject.data.password`.
pub(super) fn is_body(key: &[u8]) -> bool {
    below(key, b"request", b"object").or_else(|| below(key, b"response", b"object")).is_some()
}

/// What stands behind a name of two words, in any case and however the words are joined, if no letter follows it.
pub(super) fn below<'k>(key: &'k [u8], first: &[u8], second: &[u8]) -> Option<&'k [u8]> {
    let behind =
        |text: &'k [u8], word: &[u8]| begins(text, 0, word).then(|| text.get(word.len()..)).flatten();
    let rest = behind(key, first)?;
    let rest = behind(rest.strip_prefix(b"_").unwrap_or(rest), second)?;
    rest.first().is_none_or(|byte| !byte.is_ascii_alphanumeric()).then_some(rest)
}

/// What an audit record says of the request, in words of the API server and of the client.
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

/// Annotations of an audit record whose values the API server composes of names.
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

/// Whether a text may be a name, a time or a path of Kubernetes. YAML, JSON and sentences have blanks or quotes, and
/// base64 of more than a few bytes has a plus or an equals sign.
fn is_name(text: &[u8]) -> bool {
    let is_in_names = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._/~:@*".contains(byte);
    text.len() <= LONGEST_NAME && text.iter().all(is_in_names)
}

/// Whether a text may be what a shipper adds to a record, as the name of a cluster, a path or a time, and no body: that
/// has brackets or lines, and in base64 one long word.
fn is_no_document(text: &[u8]) -> bool {
    text.len() <= LONGEST_NAME
        && !text.iter().any(|byte| b"{}[]<>\n".contains(byte))
        && text.split(|byte| !byte.is_ascii_alphanumeric()).all(|word| word.len() <= LONGEST_PLAIN_WORD)
}
