//! Parses one line of a watch.

use std::borrow::Cow;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::super::object::Object;
use super::super::parse::Parser;

/// A watch event.
#[derive(Debug)]
pub(super) enum WatchEvent {
    Put(Arc<Object>),
    /// The object in its last state.
    Deleted(Arc<Object>),
    /// No change; the version has moved on.
    Bookmark,
    /// 410: the version from which the watch started is too old.
    Expired,
    /// The API server reported another error.
    Error(String),
    /// An object that is not kept, or an event of unknown type.
    Unusable,
}

#[derive(Deserialize)]
struct Line<'a> {
    #[serde(rename = "type", borrow)]
    what: Cow<'a, str>,
    #[serde(borrow)]
    object: &'a RawValue,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Versioned {
    metadata: VersionedMeta,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct VersionedMeta {
    resource_version: String,
}

/// `metav1.Status`.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Status {
    code: u16,
    reason: String,
    message: String,
}

/// Parses a line. Also returns the version of its object, from which the watch resumes; that version counts
/// even if the object itself is not kept.
///
/// # Errors
/// When the line is not an event; its content is lost.
pub(super) fn read(line: &[u8], parser: &mut Parser) -> serde_json::Result<(WatchEvent, Option<String>)> {
    let (what, object) = match halves(line) {
        Some((what, object)) => (Cow::Borrowed(what), object),
        None => {
            let event: Line<'_> = serde_json::from_slice(line)?;
            (event.what, event.object.get().as_bytes())
        }
    };
    let said: fn(Arc<Object>) -> WatchEvent = match &*what {
        "ERROR" => return Ok((error(object), None)),
        "ADDED" | "MODIFIED" => WatchEvent::Put,
        "DELETED" => WatchEvent::Deleted,
        "BOOKMARK" => return Ok((WatchEvent::Bookmark, version(object))),
        _ => return Ok((WatchEvent::Unusable, version(object))),
    };
    match parser.object(object) {
        Ok(object) => Ok((said(Arc::new(object)), Some(parser.last_version().to_owned()))),
        // If the line is not JSON at all, it is not an event.
        Err(_) => serde_json::from_slice::<Line<'_>>(line).map(|_| (WatchEvent::Unusable, version(object))),
    }
    .map(|(said, version)| (said, version.filter(|version| !version.is_empty())))
}

/// Splits a line into type and object, as the API server writes them, without scanning the object. The
/// object's parser refuses anything that is not one whole value.
fn halves(line: &[u8]) -> Option<(&str, &[u8])> {
    let rest = line.strip_prefix(b"{\"type\":\"")?;
    let end = rest.iter().position(|byte| !byte.is_ascii_uppercase())?;
    let (what, rest) = rest.split_at(end);
    let object = rest.strip_prefix(b"\",\"object\":")?.strip_suffix(b"}")?;
    Some((std::str::from_utf8(what).ok()?, object))
}

fn version(object: &[u8]) -> Option<String> {
    let version = serde_json::from_slice::<Versioned>(object).unwrap_or_default().metadata.resource_version;
    Some(version).filter(|version| !version.is_empty())
}

/// Longer than what is logged, because secrets are hidden before the text is cut.
const MOST_SAID_CHARS: usize = 4_000;

/// The reason or the code decides, as in client-go's `IsExpired` and `IsGone`.
fn error(object: &[u8]) -> WatchEvent {
    let status: Status = serde_json::from_slice(object).unwrap_or_default();
    if status.code == 410 || status.reason == "Expired" || status.reason == "Gone" {
        return WatchEvent::Expired;
    }
    let Status { code, reason, message } = status;
    WatchEvent::Error(format!("{code} {reason}: {message}").chars().take(MOST_SAID_CHARS).collect())
}
