//! Reads uid and resourceVersion of an object, and nothing behind them.
//!
//! The API server writes both at the beginning of the metadata, and the managed fields, which are most of an event's
//! metadata, at its end. So these are neither parsed nor copied.

use std::borrow::Cow;

use crate::topology::json_value::ValueWalker;

/// What the verification reads of an event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Meta<'a> {
    /// Empty if it is missing.
    pub uid: Cow<'a, str>,
    /// The resourceVersion; empty if it is missing.
    pub version: Cow<'a, str>,
}

impl<'a> Meta<'a> {
    /// Reads an object; `None` if it has no metadata that can be read.
    #[must_use]
    pub fn read(object: &'a [u8]) -> Option<Self> {
        let mut members = Members::of(object)?;
        while members.name()? != b"metadata" {
            members.value()?;
        }
        let mut fields = Members::of(members.rest)?;
        let mut meta = Self::default();
        while meta.uid.is_empty() || meta.version.is_empty() {
            match fields.name() {
                Some(b"uid") => meta.uid = text(fields.value()?)?,
                Some(b"resourceVersion") => meta.version = text(fields.value()?)?,
                Some(_) => drop(fields.value()?),
                None => break,
            }
        }
        Some(meta)
    }
}

/// Whether the bytes are one whole JSON object, as far as its brackets and strings show.
#[must_use]
pub fn is_whole(object: &[u8]) -> bool {
    object.starts_with(b"{") && ValueWalker::default().walk(object) == Ok(Some(object.len()))
}

/// The members of an object: a name and a value in turn.
struct Members<'a> {
    rest: &'a [u8],
}

impl<'a> Members<'a> {
    fn of(object: &'a [u8]) -> Option<Self> {
        object.trim_ascii_start().strip_prefix(b"{").map(|rest| Self { rest })
    }

    /// The next name; `None` after the last member.
    fn name(&mut self) -> Option<&'a [u8]> {
        self.rest = self.rest.trim_ascii_start();
        self.rest = self.rest.strip_prefix(b",").unwrap_or(self.rest).trim_ascii_start();
        let name = self.value()?.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
        self.rest = self.rest.trim_ascii_start().strip_prefix(b":")?;
        Some(name)
    }

    fn value(&mut self) -> Option<&'a [u8]> {
        self.rest = self.rest.trim_ascii_start();
        let end = ValueWalker::default().walk(self.rest).ok()??;
        let (value, rest) = self.rest.split_at(end);
        self.rest = rest;
        Some(value)
    }
}

/// A string without its quotes; `null` is empty.
fn text(value: &[u8]) -> Option<Cow<'_, str>> {
    if value == b"null" {
        return Some(Cow::Borrowed(""));
    }
    if value.contains(&b'\\') {
        return serde_json::from_slice(value).ok().map(Cow::Owned);
    }
    let inside = value.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    std::str::from_utf8(inside).ok().map(Cow::Borrowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uid_and_version_are_found_wherever_they_are() {
        let all =
            |json: &str| Meta::read(json.as_bytes()).map(|meta| format!("{} {}", meta.uid, meta.version));
        for (json, wanted) in [
            (r#"{"metadata":{"uid":"u","resourceVersion":"7","managedFields":[{"a":"}"}]}}"#, Some("u 7")),
            (
                r#"{"kind":"X", "metadata" : { "resourceVersion" : "7" , "x":[1,{}], "uid" : "u" } }"#,
                Some("u 7"),
            ),
            (r#"{"metadata":{"name":"\"uid\":\"no\"","uid":"\u0075","resourceVersion":null}}"#, Some("u ")),
            (r#"{"metadata":{"labels":{"uid":"no"}},"uid":"no"}"#, Some(" ")),
            (r#"{"metadata":{}}"#, Some(" ")),
            (r#"{"metadata":null}"#, None),
            (r#"{"spec":{}}"#, None),
            (r#"{"metadata":{"uid":7}}"#, None),
            (r#"{"metadata":{"uid":"u""#, Some("u ")),
            ("[]", None),
            ("", None),
        ] {
            assert_eq!(all(json).as_deref(), wanted, "{json}");
        }
    }

    /// The fields behind the two are not read, however broken they are.
    #[test]
    fn the_managed_fields_are_not_read() {
        let cut = br#"{"metadata":{"name":"a","uid":"u","resourceVersion":"7","managedFields":[{"fieldsV1""#;
        assert_eq!(Meta::read(cut).map(|meta| meta.uid), Some("u".into()));
        assert!(!is_whole(cut) && is_whole(br#"{"a":"}"}"#) && !is_whole(b"{}{}") && !is_whole(b"\"x\""));
    }
}
