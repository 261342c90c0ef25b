//! The fields that events.k8s.io/v1 names differently from core/v1.
//!
//! They complete the event. `regarding` alone does not make a record an event, because other documents have
//! such a field too.

use super::cursor::{Cursor, DecodeError, Token};
use super::fields::FieldReader;
use super::reference::{EventSource, ObjectRef};
use super::text::Text;

/// The fields of one record.
#[derive(Default)]
pub(super) struct EventsV1<'a> {
    /// It has a key that only an event of this group has.
    pub(super) is_sure: bool,
    pub(super) has_note: bool,
    pub(super) has_object: bool,
    pub(super) object: ObjectRef<'a>,
    pub(super) note: Text<'a>,
    pub(super) source: EventSource<'a>,
    pub(super) reporting_controller: Text<'a>,
    pub(super) first_timestamp: Text<'a>,
    pub(super) last_timestamp: Text<'a>,
    pub(super) count: Option<u64>,
}

impl<'a> EventsV1<'a> {
    pub(super) fn field(
        // Boxed: most events have none of these fields, and the filter reads them on a small stack.
        newer: &mut Option<Box<Self>>,
        reader: FieldReader<'_>,
        key: &[u8],
        value: &mut Cursor<'a>,
    ) -> Result<(), DecodeError> {
        let is_known = is_newer(key) || (key == b"apiVersion" && reader.is_newer_group(value));
        if !is_known {
            return value.skip();
        }
        let newer = newer.get_or_insert_default();
        newer.is_sure |= !matches!(key, b"regarding" | b"note");
        newer.has_note |= key == b"note";
        match key {
            b"regarding" => {
                newer.has_object = reader.is_map(value);
                newer.object = reader.object_ref(value)?;
            }
            b"note" => newer.note = reader.text(value)?,
            b"deprecatedSource" => newer.source = reader.source(value)?,
            b"reportingController" => newer.reporting_controller = reader.text(value)?,
            b"deprecatedFirstTimestamp" => newer.first_timestamp = reader.text(value)?,
            b"deprecatedLastTimestamp" => newer.last_timestamp = reader.text(value)?,
            b"deprecatedCount" => newer.count = reader.count(value)?,
            _ => value.skip()?,
        }
        Ok(())
    }

    pub(super) fn names_an_object(&self) -> bool {
        !self.object.kind.is_empty() || !self.object.name.is_empty()
    }
}

fn is_newer(key: &[u8]) -> bool {
    matches!(
        key,
        b"regarding"
            | b"note"
            | b"deprecatedSource"
            | b"reportingController"
            | b"deprecatedFirstTimestamp"
            | b"deprecatedLastTimestamp"
            | b"deprecatedCount"
    )
}

impl FieldReader<'_> {
    fn is_newer_group(&self, value: &Cursor<'_>) -> bool {
        let mut ahead = *value;
        matches!(ahead.token(), Ok(Token::Str(version)) if version.starts_with(b"events.k8s.io/"))
    }
}
