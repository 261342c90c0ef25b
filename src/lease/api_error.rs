//! [`ApiError`]: why a request for the Lease has no answer to work with, and what a person can do about it.

use std::fmt;

use super::document::DocumentError;
use super::lease_name::LeaseName;
use crate::secrets::plain::plain;

const REASON_BYTES: usize = 200;

/// What is done with the Lease, as a rule of RBAC names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Verb {
    /// Reads it from etcd.
    Get,
    /// Follows its changes.
    Watch,
    /// Makes it.
    Create,
    /// Replaces a version of it.
    Update,
}

/// Why there is no answer to work with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ApiError {
    /// No response, or one that says that the API server is busy or failed. A write may have been stored: read again.
    Unknown(String),
    /// 401 or 403. Nothing was stored, and a person has to give the right.
    Denied { status: u16, verb: Verb, lease: LeaseName },
    /// The API server does not take the request as it is. Nothing was stored, and a person has to look why.
    Refused { status: u16, message: String },
    /// It is there, and the protocol cannot work with it.
    Unusable(DocumentError),
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Get => "get",
            Self::Watch => "watch",
            Self::Create => "create",
            Self::Update => "update",
        })
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(why) => f.write_str(why),
            Self::Denied { status: 401, verb, lease } => write!(
                f,
                "{verb} on the Lease {lease} is denied (401): the API server refuses the token (look at \
                 kube_token_file)"
            ),
            Self::Denied { status, verb, lease } => write!(
                f,
                "{verb} on the Lease {lease} is denied ({status}): the Role of this pod's ServiceAccount in the namespace {} \
                 needs the rule apiGroups: [\"coordination.k8s.io\"], resources: [\"leases\"], verbs: [\"get\", \"watch\", \
                 \"create\", \"update\"]",
                lease.namespace()
            ),
            Self::Refused { status, message } => write!(f, "the API server answers {status}: {message}"),
            Self::Unusable(why) => why.fmt(f),
        }
    }
}

/// The part of a text from outside that a log line shows.
pub(super) fn shown(text: &str) -> String {
    let text = plain(text);
    match text.floor_char_boundary(REASON_BYTES) {
        cut if cut < text.len() => format!("{}…", &text[..cut]),
        _ => text.into_owned(),
    }
}
