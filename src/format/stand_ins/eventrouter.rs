//! `format eventrouter`: the lines of eventrouter, `{"verb":…,"event":{…}}`, as its stdout and its JSON sinks write them,
//! for any path.
//!
//! A request holds one event per line. `verb` is ADDED for an event that was not delivered before, otherwise UPDATED.
//! `services`, the Services under impact, is added unless correlation is off. `old_event` is left out, because the plugin
//! does not keep earlier states. Records of other kinds are dead-lettered, because eventrouter has none.
//!
//! A 2xx means that the receiver took all events.

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
        // The ledger counts in 32 bits.
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
