//! One line of a watch: what it says.

use std::borrow::Cow;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::super::object::Object;
use super::super::parse::Parser;

/// What a line says.
#[derive(Debug)]
pub(super) enum Said {
    Put(Arc<Object>),
    /// With its last state.
    Deleted(Arc<Object>),
    /// Nothing happened, and the version has moved on.
    Bookmark,
    /// The version that the watch began with is too old: 410.
    Expired,
    /// The API server could not go on.
    Error(String),
    /// An object that is not kept, or an event that nobody knows.
    Unfit,
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

/// Reads a line. The version of its object, if it has one, is what a watch goes on from: even when the
/// object is of no use to us, it was told.
///
/// # Errors
/// When it is no event; what it should have said is lost.
pub(super) fn read(line: &[u8], parser: &mut Parser) -> Result<(Said, Option<String>), String> {
    let event: Line<'_> = serde_json::from_slice(line).map_err(|error| error.to_string())?;
    let object = event.object.get().as_bytes();
    if event.what == "ERROR" {
        return Ok((error(object), None));
    }
    let version = serde_json::from_slice::<Versioned>(object).unwrap_or_default().metadata.resource_version;
    let version = Some(version).filter(|version| !version.is_empty());
    let parsed = |parser: &mut Parser, said: fn(Arc<Object>) -> Said| {
        parser.object(object).map_or(Said::Unfit, |object| said(Arc::new(object)))
    };
    let said = match &*event.what {
        "ADDED" | "MODIFIED" => parsed(parser, Said::Put),
        "DELETED" => parsed(parser, Said::Deleted),
        "BOOKMARK" => Said::Bookmark,
        _ => Said::Unfit,
    };
    Ok((said, version))
}

/// client-go's `IsExpired` and `IsGone`: the reason counts, or the code.
fn error(object: &[u8]) -> Said {
    let status: Status = serde_json::from_slice(object).unwrap_or_default();
    if status.code == 410 || status.reason == "Expired" || status.reason == "Gone" {
        return Said::Expired;
    }
    let Status { code, reason, message } = status;
    Said::Error(format!("{code} {reason}: {}", message.chars().take(200).collect::<String>()))
}
