//! What a format renders: a record with its id, its impact and its times.

use crate::correlate::Impact;
use crate::record::content::Content;
use crate::time::Stamp;

/// The input of a format.
#[derive(Debug, Clone, Copy)]
pub struct Record<'r, 'a> {
    /// The id, from [`write_id`](crate::record::identity::write_id).
    pub id: &'r str,
    /// The decoded body.
    pub content: Content<'r, 'a>,
    /// Occurrences since the last delivery; all of them for a new event.
    pub new_occurrences: u32,
    /// The Services, workload and node that the event affects.
    pub impact: &'r Impact<'r>,
    /// The body after redaction and cuts: a whole MessagePack value, nearly always a map.
    pub body: &'a [u8],
    /// The timestamp that Fluent Bit gave to it, used if the record states no time.
    pub received: Option<Stamp>,
    /// The time at which it is rendered, for receivers that take only times near their own.
    pub now: Stamp,
}

impl<'r, 'a> Record<'r, 'a> {
    /// A record at its first delivery, rendered at its own time.
    #[must_use]
    pub fn new(id: &'r str, content: Content<'r, 'a>, impact: &'r Impact<'r>, body: &'a [u8]) -> Self {
        let now = content.time().unwrap_or(Stamp::EPOCH);
        Self { id, content, new_occurrences: 1, impact, body, received: None, now }
    }

    /// When it happened last, or when the host received it.
    #[must_use]
    pub fn time(&self) -> Option<Stamp> {
        self.content.time().or(self.received.filter(|time| time.is_set()))
    }

    /// [`time`](Self::time), or the time at which it is rendered: for receivers that require a time.
    #[must_use]
    pub fn time_or_now(&self) -> Stamp {
        self.time().unwrap_or(self.now)
    }

    /// When it happened first. A record without any time of its own happened when the host received it.
    #[must_use]
    pub fn first_time(&self) -> Option<Stamp> {
        self.content.first_time().or_else(|| self.time().filter(|_| self.content.time().is_none()))
    }
}
