//! Records in, the bodies of the requests out that the plugin would make of them.

use bumpalo::Bump;
use event_gateway::config::RenderSettings;
use event_gateway::correlate::{Correlation, Impact};
use event_gateway::gateway::batch::{Batch, Limits};
use event_gateway::ledger::identity::write_id;
use event_gateway::record::json;
use event_gateway::record::understood::{Within, each};
use event_gateway::render::{Record, Renderer};
use serde_json::value::RawValue;

/// What became of the records.
#[derive(Debug)]
pub struct Shown {
    /// The bodies, each with the end of a line if it is text.
    pub text: Vec<u8>,
    /// Why records have none.
    pub trouble: Vec<String>,
}

/// # Errors
/// When there is no format as asked for, or no record; for a person.
pub fn show(settings: &RenderSettings, input: &[u8]) -> Result<Shown, String> {
    let renderer = Renderer::open(settings, None)
        .map_err(|mistakes| mistakes.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))?;
    let mut batch = Batch::new(renderer.form(), Limits { events: usize::MAX, bytes: usize::MAX });
    let impact = Impact::without(Correlation::Off);
    let (mut id, mut trouble) = (String::new(), Vec::new());
    for (number, record) in serde_json::Deserializer::from_slice(input).into_iter::<&RawValue>().enumerate() {
        let number = number + 1;
        let record = record.map_err(|error| format!("record {number} is no JSON: {error}"))?;
        let packed = json::packed(record.get().as_bytes());
        let packed = packed.map_err(|why| format!("record {number} cannot be read: {why}"))?;
        each(&packed, Within::Record, &Bump::new(), &mut |body, content| {
            write_id(content, body, &mut id);
            let new_occurrences = u32::try_from(content.occurrences()).unwrap_or(u32::MAX);
            let mut out = Vec::new();
            let record = Record { new_occurrences, ..Record::new(&id, *content, &impact, body) };
            match renderer.render(&record, &mut out) {
                Ok(_) => batch.push(&id, &out, ()),
                Err(why) => trouble.push(format!("record {number}, {id}: {why}")),
            }
        });
    }
    if batch.is_empty() && trouble.is_empty() {
        return Err("no record: they are read from the standard input, as JSON".to_owned());
    }
    let step = if renderer.form().is_alone { 1 } else { batch.len().max(1) };
    let mut text = Vec::new();
    // Any byte more would be a part of the message.
    let is_text = !renderer.content_type().contains("protobuf");
    for start in (0..batch.len()).step_by(step) {
        text.extend_from_slice(&batch.body(&(start..start + step)));
        if is_text && text.last() != Some(&b'\n') {
            text.push(b'\n');
        }
    }
    Ok(Shown { text, trouble })
}
