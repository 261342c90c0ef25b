//! Reads a Kubernetes event of either API group.
//!
//! core/v1 and events.k8s.io/v1 differ only in field names (`involvedObject` or `regarding`, `message` or
//! `note`, …); both become the same [`KubeEvent`]. If a record has both names of a field, core/v1's value
//! counts unless it is empty. Flux's notification events are core/v1 events with two more fields, `severity`
//! and `timestamp`. Fields may be missing, null or of the wrong type; such a field is taken as absent,
//! because the person on call prefers half an event to none. An absent text is empty, as in Kubernetes' own
//! types.

use super::cursor::{Cursor, DecodeError};
use super::events_v1::EventsV1;
use super::fields::FieldReader;
pub use super::reference::{EventSource, ObjectRef};
use super::text::{Repair, Text};
use crate::time::Stamp;

/// Higher counts are cut to this. Anybody who may create events may write any count, and 2,147,483,647 would
/// drown all others in a sum. One occurrence every ten seconds needs 115 days to get here; client-go allows
/// one per five minutes, after a burst.
pub const MOST_OCCURRENCES: u64 = 1_000_000;

/// An event of either API group, borrowed from the chunk.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KubeEvent<'a> {
    /// Describes the event itself, not the object that it is about.
    pub metadata: Metadata<'a>,
    /// The object that the event is about: `involvedObject`, `regarding`.
    pub object: ObjectRef<'a>,
    /// For programs, such as `BackOff`.
    pub reason: Text<'a>,
    /// `message`, `note`.
    pub message: Text<'a>,
    /// `type`: Normal or Warning. Without it, Flux's `severity`: info or error.
    pub event_type: Text<'a>,
    /// What was done about the object; usually empty in core/v1.
    pub action: Text<'a>,
    /// `source`, `deprecatedSource`.
    pub source: EventSource<'a>,
    /// `reportingComponent`, `reportingController`.
    pub reporting_component: Text<'a>,
    /// Which instance of the controller it was, such as its pod's name.
    pub reporting_instance: Text<'a>,
    /// `firstTimestamp`, `deprecatedFirstTimestamp`.
    pub first_timestamp: Text<'a>,
    /// `lastTimestamp`, `deprecatedLastTimestamp`.
    pub last_timestamp: Text<'a>,
    /// RFC 3339 with microseconds; empty in events of client-go's older recorder, which writes null.
    pub event_time: Text<'a>,
    /// Flux's time of the event.
    pub timestamp: Text<'a>,
    /// `count`, `deprecatedCount`.
    pub count: Option<u64>,
    /// `None` for an event that has not recurred, and for events that count by `count`.
    pub series: Option<Series<'a>>,
}

/// `ObjectMeta`, as far as it is read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Metadata<'a> {
    /// The namespace that RBAC checks; `default` if the object is cluster-scoped.
    pub namespace: Text<'a>,
    /// Usually the object's name with a suffix that makes it unique.
    pub name: Text<'a>,
    /// The same for all updates of the event.
    pub uid: Text<'a>,
    /// Changes with each update. Opaque text, which is a number in practice.
    pub resource_version: Text<'a>,
    /// RFC 3339 in whole seconds.
    pub creation_timestamp: Text<'a>,
}

/// `EventSeries`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Series<'a> {
    /// Occurrences so far; 0 if the sender left it out.
    pub count: u64,
    /// When it last occurred: RFC 3339 with microseconds.
    pub last_observed_time: Text<'a>,
}

impl<'a> KubeEvent<'a> {
    /// Reads a body. `None` if it is not an event: it has no object that it is about.
    ///
    /// # Errors
    /// When the body is not a MessagePack map.
    pub fn read(body: &'a [u8], repair: &Repair) -> Result<Option<Self>, DecodeError> {
        Self::read_at(&mut Cursor::new(body), repair)
    }

    /// Reads the body at the cursor and moves the cursor past it.
    ///
    /// # Errors
    /// When it is not one whole MessagePack value.
    pub fn read_at(cursor: &mut Cursor<'a>, repair: &Repair) -> Result<Option<Self>, DecodeError> {
        Self::read_by::<false>(cursor, repair)
    }

    /// Reads a body that is known to be an event, because redaction may have removed the keys by which it is
    /// recognised.
    ///
    /// # Errors
    /// When the body is not one whole MessagePack value.
    pub fn read_known(body: &'a [u8], repair: &Repair) -> Result<Option<Self>, DecodeError> {
        Self::read_by::<true>(&mut Cursor::new(body), repair)
    }

    fn read_by<const KNOWN: bool>(
        cursor: &mut Cursor<'a>,
        repair: &Repair,
    ) -> Result<Option<Self>, DecodeError> {
        let mut event = Self::default();
        let mut newer: Option<Box<EventsV1<'a>>> = None;
        let mut severity = Text::default();
        let (mut is_event, mut has_event_time, mut has_object) = (false, false, false);
        let reader = FieldReader { repair };
        reader.fields(cursor, |key, value| {
            match key {
                b"metadata" => event.metadata = reader.metadata(value)?,
                b"involvedObject" => {
                    has_object = true;
                    is_event = reader.is_map(value);
                    event.object = reader.object_ref(value)?;
                }
                b"reason" => event.reason = reader.text(value)?,
                b"message" => event.message = reader.text(value)?,
                b"type" => event.event_type = reader.text(value)?,
                b"action" => event.action = reader.text(value)?,
                b"source" => event.source = reader.source(value)?,
                b"reportingComponent" => event.reporting_component = reader.text(value)?,
                b"reportingInstance" => event.reporting_instance = reader.text(value)?,
                b"firstTimestamp" => event.first_timestamp = reader.text(value)?,
                b"lastTimestamp" => event.last_timestamp = reader.text(value)?,
                b"eventTime" => {
                    has_event_time = true;
                    event.event_time = reader.text(value)?;
                }
                b"count" => event.count = reader.count(value)?,
                b"series" => event.series = reader.series(value)?,
                b"severity" => severity = reader.text(value)?,
                b"timestamp" => event.timestamp = reader.text(value)?,
                _ => EventsV1::field(&mut newer, reader, key, value)?,
            }
            Ok(())
        })?;
        if let Some(newer) = newer {
            let names_an_object = newer.names_an_object();
            let is_sure = newer.is_sure || has_object;
            let is_likely = names_an_object && (newer.has_note || has_event_time);
            is_event |= newer.has_object && (is_sure || is_likely);
            event.complete(*newer);
        }
        if event.event_type.is_empty() {
            event.event_type = severity;
        }
        Ok((KNOWN || is_event).then_some(event))
    }

    /// Fills fields that are empty under core/v1's names.
    fn complete(&mut self, newer: EventsV1<'a>) {
        if self.object == ObjectRef::default() {
            self.object = newer.object;
        }
        if self.source == EventSource::default() {
            self.source = newer.source;
        }
        for (known, other) in
            [(&mut self.message, newer.note), (&mut self.reporting_component, newer.reporting_controller)]
        {
            if known.is_empty() {
                *known = other;
            }
        }
        for (known, other) in [
            (&mut self.first_timestamp, newer.first_timestamp),
            (&mut self.last_timestamp, newer.last_timestamp),
        ] {
            if Stamp::parse_set(known).is_none() {
                *known = other;
            }
        }
        self.count = self.count.filter(|count| *count > 0).or(newer.count).or(self.count);
    }

    /// The object's namespace, or the event's own.
    #[must_use]
    pub fn namespace(&self) -> &str {
        if self.object.namespace.is_empty() { &self.metadata.namespace } else { &self.object.namespace }
    }

    /// Number of occurrences so far, limited to a plausible number; 1 for an event without a count.
    #[must_use]
    pub fn occurrences(&self) -> u64 {
        self.claimed_occurrences().min(MOST_OCCURRENCES)
    }

    /// The stated count, if it is too high to be plausible.
    #[must_use]
    pub fn implausible_count(&self) -> Option<u64> {
        Some(self.claimed_occurrences()).filter(|count| *count > MOST_OCCURRENCES)
    }

    fn claimed_occurrences(&self) -> u64 {
        let series = self.series.as_ref().map_or(0, |series| series.count);
        self.count.unwrap_or(0).max(series).max(1)
    }

    /// When it last happened: the first valid time among the series' time, `lastTimestamp`, `eventTime`, and
    /// so on.
    #[must_use]
    pub fn time(&self) -> Option<Stamp> {
        let series = self.series.as_ref().map_or("", |series| &*series.last_observed_time);
        first_time_of([
            series,
            &self.last_timestamp,
            &self.event_time,
            &self.first_timestamp,
            &self.timestamp,
            &self.metadata.creation_timestamp,
        ])
    }

    /// When it first happened.
    #[must_use]
    pub fn first_time(&self) -> Option<Stamp> {
        first_time_of([
            &self.first_timestamp,
            &self.event_time,
            &self.timestamp,
            &self.metadata.creation_timestamp,
        ])
    }
}

fn first_time_of<const N: usize>(texts: [&str; N]) -> Option<Stamp> {
    texts.into_iter().find_map(Stamp::parse_set)
}

impl FieldReader<'_> {
    fn metadata<'a>(&self, cursor: &mut Cursor<'a>) -> Result<Metadata<'a>, DecodeError> {
        let mut metadata = Metadata::default();
        self.fields(cursor, |key, value| {
            match key {
                b"namespace" => metadata.namespace = self.text(value)?,
                b"name" => metadata.name = self.text(value)?,
                b"uid" => metadata.uid = self.text(value)?,
                b"resourceVersion" => metadata.resource_version = self.version(value)?,
                b"creationTimestamp" => metadata.creation_timestamp = self.text(value)?,
                _ => value.skip()?,
            }
            Ok(())
        })?;
        Ok(metadata)
    }

    fn series<'a>(&self, cursor: &mut Cursor<'a>) -> Result<Option<Series<'a>>, DecodeError> {
        if !self.is_map(cursor) {
            cursor.skip()?;
            return Ok(None);
        }
        let mut series = Series::default();
        self.fields(cursor, |key, value| {
            match key {
                b"count" => series.count = self.count(value)?.unwrap_or(0),
                b"lastObservedTime" => series.last_observed_time = self.text(value)?,
                _ => value.skip()?,
            }
            Ok(())
        })?;
        Ok(Some(series))
    }
}
