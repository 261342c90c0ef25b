//! The fields that events.k8s.io/v1 calls by another name than core/v1.
//!
//! They are read beside the event, and complete it: where a record has both names of a field, core/v1's counts, unless
//! it says nothing. `regarding` alone makes no event, as other documents have one, too.

use super::cursor::{Cursor, Fault, Token};
use super::event::{KubeEvent, ObjectRef, Source};
use super::fields::Reader;
use super::text::Text;
use crate::time::Stamp;

/// Those of one record.
#[derive(Default)]
pub(super) struct Newer<'a> {
    /// A key that nothing but an event of this group has.
    pub(super) is_sure: bool,
    pub(super) has_note: bool,
    pub(super) has_object: bool,
    object: ObjectRef<'a>,
    note: Text<'a>,
    source: Source<'a>,
    reporting_controller: Text<'a>,
    first_timestamp: Text<'a>,
    last_timestamp: Text<'a>,
    count: Option<u64>,
}

impl<'a> Newer<'a> {
    pub(super) fn field(
        // Most events have none of these, and the filter reads them on a small stack.
        newer: &mut Option<Box<Self>>,
        reader: Reader<'_>,
        key: &[u8],
        value: &mut Cursor<'a>,
    ) -> Result<(), Fault> {
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

    /// Says what the event does not say yet.
    pub(super) fn complete(self, event: &mut KubeEvent<'a>) {
        if event.object == ObjectRef::default() {
            event.object = self.object;
        }
        if event.source == Source::default() {
            event.source = self.source;
        }
        for (said, newer) in
            [(&mut event.message, self.note), (&mut event.reporting_component, self.reporting_controller)]
        {
            if said.is_empty() {
                *said = newer;
            }
        }
        for (said, newer) in [
            (&mut event.first_timestamp, self.first_timestamp),
            (&mut event.last_timestamp, self.last_timestamp),
        ] {
            if Stamp::parse_set(said).is_none() {
                *said = newer;
            }
        }
        event.count = event.count.filter(|count| *count > 0).or(self.count).or(event.count);
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

impl Reader<'_> {
    fn is_newer_group(&self, value: &Cursor<'_>) -> bool {
        let mut ahead = *value;
        matches!(ahead.token(), Ok(Token::Str(version)) if version.starts_with(b"events.k8s.io/"))
    }
}
