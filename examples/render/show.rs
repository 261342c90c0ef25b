//! Records in, the bodies of the requests out that the plugin makes of them: its own stages, over a transport that keeps
//! what it is given and sends nothing.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

use event_gateway::clock;
use event_gateway::config::Settings;
use event_gateway::gateway::{Post, Stopper, Transport};
use event_gateway::job::{Job, reply};
use event_gateway::log::HostLog;
use event_gateway::metrics::Metrics;
use event_gateway::pipeline::Pipeline;
use event_gateway::record::json;
use event_gateway::response::Disposition;
use serde_json::Value;
use serde_json::value::RawValue;

/// What became of the records.
#[derive(Debug)]
pub struct Shown {
    /// The bodies, each with the end of a line if it is text.
    pub text: Vec<u8>,
    /// Why records have none: what the plugin would dead-letter.
    pub trouble: Vec<String>,
    /// What else there is to say: what the plugin would log, and how many records were left out.
    pub notes: Vec<String>,
}

/// # Errors
/// When there is no format as asked for, or no record; for a person.
pub fn show(settings: &Settings, input: &[u8]) -> Result<Shown, String> {
    let (metrics, log, shelf) = (Arc::default(), Arc::default(), Shelf::default());
    let text = Arc::clone(&shelf.text);
    let mut pipeline = Pipeline::over(Ok(Box::new(shelf)), settings, &metrics, &log, || {})
        .map_err(|errors| errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))?;
    let taken = clock::wall().duration_since(UNIX_EPOCH).unwrap_or_default();
    let mut jobs = Vec::new();
    for (number, record) in serde_json::Deserializer::from_slice(input).into_iter::<&RawValue>().enumerate() {
        let number = number + 1;
        let record = record.map_err(|error| format!("record {number} is no JSON: {error}"))?;
        let packed = json::packed(record.get().as_bytes());
        let packed = packed.map_err(|why| format!("record {number} cannot be read: {why}"))?;
        // Nobody waits for the answer.
        let reply = reply(Arc::new(|| {})).0;
        jobs.push(Job { tag: format!("record {number}"), data: in_a_chunk(&packed, taken), reply });
    }
    if jobs.is_empty() {
        return Err("no record: they are read from the standard input, as JSON".to_owned());
    }
    pipeline.round(jobs);
    let letters = settings.dead_letters.file.as_deref().map(letters).unwrap_or_default();
    let mut notes = said(&log);
    notes.extend(left_out(&metrics));
    let text = std::mem::take(&mut *text.lock().unwrap_or_else(PoisonError::into_inner));
    Ok(Shown { text, trouble: letters, notes })
}

/// As the inputs of the host pack a record: `[[time, {}], body]`.
fn in_a_chunk(body: &[u8], taken: Duration) -> Vec<u8> {
    let seconds = u32::try_from(taken.as_secs()).unwrap_or(u32::MAX);
    let head = [&[0x92, 0x92, 0xd7, 0x00][..], &seconds.to_be_bytes(), &taken.subsec_nanos().to_be_bytes()];
    [&head.concat(), &[0x80][..], body].concat()
}

/// Takes every batch, and keeps its body.
#[derive(Default)]
struct Shelf {
    text: Arc<Mutex<Vec<u8>>>,
}

impl Transport for Shelf {
    fn post(&mut self, post: &Post<'_>) -> Disposition {
        let mut text = self.text.lock().unwrap_or_else(PoisonError::into_inner);
        text.extend_from_slice(post.body.bytes);
        // Any byte more would be a part of the message.
        if !post.content_type.contains("protobuf") && text.last() != Some(&b'\n') {
            text.push(b'\n');
        }
        Disposition::Accepted { sent_bytes: 0 }
    }

    fn stopper(&self) -> Stopper {
        Stopper::new(Arc::default())
    }
}

/// What lies in the dead letter file, a line each.
fn letters(file: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let letter = |line: &str| {
        let letter: Value = serde_json::from_str(line).unwrap_or_default();
        let field = |name: &str| letter[name].as_str().unwrap_or_default().to_owned();
        format!("{}: {} ({})", field("id"), field("reason"), field("answer"))
    };
    text.lines().map(letter).collect()
}

/// The lines of the log, but for those of the dead letters.
fn said(log: &HostLog) -> Vec<String> {
    let lines = log.finish(clock::monotonic());
    let lines = lines.into_iter().map(|line| line.text);
    lines.filter(|text| !text.contains("into dead_letter_file")).collect()
}

fn left_out(metrics: &Metrics) -> Option<String> {
    let counts = [
        (metrics.excluded_records_total.get(), "left out by the settings"),
        (metrics.duplicate_records_total.get(), "repetitions"),
        (metrics.suppressed_updates_total.get(), "updates that the setting updates leaves out"),
    ];
    let counts = counts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{what} {count}"));
    let counts = counts.collect::<Vec<_>>().join(", ");
    let all = metrics.records_total.get();
    (!counts.is_empty()).then(|| format!("of {all} records are not shown: {counts}"))
}
