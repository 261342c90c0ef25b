//! `format eventrouter`: the lines of eventrouter, `{"verb":…,"event":{…}}`, as its stdout and its sinks of whole
//! JSON write them.
//!
//! `verb` is ADDED for an event that was not delivered before, else UPDATED. `old_event` is left out: nobody keeps
//! the event as it was. `services`, the Services under impact, is added, unless correlation is off. Other kinds of
//! records are dead-lettered: there are none in that tool.
//!
//! Any 2xx means that they were taken.

use serde::Serialize;

use super::core_event::{Metadata, Reference, Rest, event, involved_object, metadata, rest};
use crate::correlate::{Affected, Correlation};
use crate::format::interface::{Adjusted, Format, RenderError};
use crate::format::json;
use crate::format::record::Record;

pub(in crate::format) struct Eventrouter;

impl Format for Eventrouter {
    fn render(&self, record: &Record<'_, '_>, out: &mut Vec<u8>) -> Result<Adjusted, RenderError> {
        let event = event(record, "eventrouter")?;
        // The ledger counts no further than 32 bits.
        let all = u32::try_from(event.occurrences()).unwrap_or(u32::MAX);
        let is_new = record.new_occurrences >= all;
        let document = EventData {
            verb: if is_new { "ADDED" } else { "UPDATED" },
            event: Event {
                metadata: metadata(record, event),
                involved_object: involved_object(event),
                rest: rest(record, event),
            },
            services: (record.impact.correlation != Correlation::Off).then_some(&record.impact.services),
        };
        json::write(&document, out);
        Ok(Adjusted::default())
    }
}

#[derive(Serialize)]
struct EventData<'r> {
    verb: &'static str,
    event: Event<'r>,
    #[serde(skip_serializing_if = "Option::is_none")]
    services: Option<&'r Vec<Affected<'r>>>,
}

#[derive(Serialize)]
struct Event<'r> {
    metadata: Metadata<'r>,
    #[serde(rename = "involvedObject")]
    involved_object: Reference<'r>,
    #[serde(flatten)]
    rest: Rest<'r>,
}
