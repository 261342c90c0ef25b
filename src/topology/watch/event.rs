//! Reads one line of a watch, with its object.

use std::sync::Arc;

use serde::Deserialize;

use super::super::object::Object;
use super::super::parse::Parser;
use super::line::{Line, ServerError};

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

/// Parses a line. Also returns the version of its object, from which the watch resumes; that version counts
/// even if the object itself is not kept.
///
/// # Errors
/// When the line is not an event; its content is lost.
pub(super) fn read(line: &[u8], parser: &mut Parser) -> serde_json::Result<(WatchEvent, Option<String>)> {
    let Line { what, object } = Line::read(line)?;
    let said: fn(Arc<Object>) -> WatchEvent = match &*what {
        "ERROR" => {
            let error = match ServerError::read(object) {
                ServerError::Expired => WatchEvent::Expired,
                ServerError::Other(why) => WatchEvent::Error(why),
            };
            return Ok((error, None));
        }
        "ADDED" | "MODIFIED" => WatchEvent::Put,
        "DELETED" => WatchEvent::Deleted,
        "BOOKMARK" => return Ok((WatchEvent::Bookmark, version(object))),
        _ => return Ok((WatchEvent::Unusable, version(object))),
    };
    match parser.object(object) {
        Ok(object) => Ok((said(Arc::new(object)), Some(parser.last_version().to_owned()))),
        // If the line is not JSON at all, it is not an event.
        Err(_) => Line::parse(line).map(|_| (WatchEvent::Unusable, version(object))),
    }
    .map(|(said, version)| (said, version.filter(|version| !version.is_empty())))
}

fn version(object: &[u8]) -> Option<String> {
    let version = serde_json::from_slice::<Versioned>(object).unwrap_or_default().metadata.resource_version;
    Some(version).filter(|version| !version.is_empty())
}
