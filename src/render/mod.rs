//! An event becomes the text that goes out, one file per format.
//!
//! The same record always renders to the same bytes: no clock, no random id, no map without an order.

mod cloudevents;
pub mod enriched;
pub mod json;
mod native;
mod raw;

use crate::config::Format;
use crate::correlate::Impact;
use crate::record::event::KubeEvent;

/// What a format makes its text of.
#[derive(Debug, Clone, Copy)]
pub struct Record<'r, 'a> {
    /// `<event uid>.<resourceVersion>`.
    pub id: &'r str,
    pub event: &'r KubeEvent<'a>,
    /// Occurrences since the last delivery; all of them for a new event.
    pub new_occurrences: u32,
    /// What the event touches.
    pub impact: &'r Impact<'r>,
    /// The body as it came: a whole MessagePack map.
    pub body: &'a [u8],
}

/// How records share one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// One a line.
    Lines,
    /// A JSON array.
    Array,
    /// Each in a request of its own.
    Alone,
}

/// A format, with what it has to know.
#[derive(Debug, Clone)]
pub struct Renderer {
    format: Format,
    cluster: String,
    cloudevents_source: String,
}

impl Renderer {
    #[must_use]
    pub fn new(format: Format, cluster: &str) -> Self {
        let cloudevents_source = cloudevents::source(cluster);
        Self { format, cluster: cluster.to_owned(), cloudevents_source }
    }

    #[must_use]
    pub fn form(&self) -> Form {
        match self.format {
            Format::Native | Format::Raw => Form::Lines,
            Format::CloudEventsBatch => Form::Array,
            Format::CloudEvents => Form::Alone,
        }
    }

    /// As the HTTP binding of CloudEvents 1.0.2 and the NDJSON specification name them.
    #[must_use]
    pub fn content_type(&self) -> &'static str {
        match self.format {
            Format::Native | Format::Raw => "application/x-ndjson",
            Format::CloudEvents => "application/cloudevents+json; charset=UTF-8",
            Format::CloudEventsBatch => "application/cloudevents-batch+json; charset=UTF-8",
        }
    }

    /// Appends the record's JSON, one line without its end.
    pub fn render(&self, record: &Record<'_, '_>, out: &mut Vec<u8>) {
        match self.format {
            Format::Native => json::write(&native::document(record, &self.cluster), out),
            Format::CloudEvents | Format::CloudEventsBatch => {
                json::write(&cloudevents::document(record, &self.cluster, &self.cloudevents_source), out);
            }
            Format::Raw => raw::write(record.id, record.body, Some(record.impact), out),
        }
    }
}

/// A record as it came, for the dead letters: like `format raw`, whatever the format is.
#[must_use]
pub fn original(id: &str, body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len() * 2);
    raw::write(id, body, None, &mut out);
    out
}
