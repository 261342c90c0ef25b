//! The work of each stage on all recorded events; each call costs the same.
//!
//! The stages are the library's own code. Only the calls between them are repeated here, because the pipeline cannot run
//! without a gateway, and the cost of a socket is the kernel's.

use std::hint::black_box;

use event_gateway::config::{BatchAs, FormatName, RenderSettings, ServiceSettings, TemplateSettings};
use event_gateway::correlate::{Correlation, Impact};
use event_gateway::format::{Record, Renderer};
use event_gateway::gateway::Gzip;
use event_gateway::gateway::batch::{Batch, BatchLimits};
use event_gateway::record::chunk::Records;
use event_gateway::record::content::Content;
use event_gateway::record::event::KubeEvent;
use event_gateway::record::identity::write_id;
use event_gateway::record::text::Repair;
use event_gateway::time::Stamp;

use super::judge::Judge;
use super::recorded::Recorded;

/// Processes all events once.
pub type Work = Box<dyn FnMut()>;

/// The default limits.
pub const LIMITS: BatchLimits = BatchLimits { events: 500, bytes: 1 << 20 };

/// The renderer of a format; for format template it uses the sample of this repository, which has twelve fields.
fn renderer(format: FormatName) -> Renderer {
    let template = TemplateSettings {
        file: "template.json".to_owned(),
        text: include_str!("../../fluent-bit-conf/template.json").to_owned(),
        content_type: "application/x-ndjson".to_owned(),
        batch_as: BatchAs::Ndjson,
        omit_null: false,
    };
    let cluster_name = "prod-eu".to_owned();
    let template = (format == FormatName::Template).then_some(template);
    let services = ServiceSettings::default();
    let settings = RenderSettings { format, cluster_name, audit_bodies: false, template, services };
    Renderer::open(&settings, None).expect("a format")
}

/// Finds the records of the chunk and reads them.
pub fn decode(recorded: &'static Recorded) -> Work {
    let repair = Repair::default();
    Box::new(move || {
        let mut records = Records::new(recorded.chunk);
        while let Some(record) = records.next_with(|body| KubeEvent::read_at(body, &repair)) {
            let _ = black_box(record);
        }
    })
}

/// Events that the ledger does not know, acknowledged as one batch, in a ledger that is full.
pub fn judge(recorded: &'static Recorded) -> Work {
    judge_with(recorded, Judge::new(recorded))
}

pub fn judge_with(recorded: &'static Recorded, mut judge: Judge) -> Work {
    Box::new(move || {
        judge.begin_round();
        for (event, body) in &recorded.events {
            black_box(judge.is_new(event, body));
        }
        judge.commit();
    })
}

/// Renders all events into one buffer.
pub fn render(recorded: &'static Recorded, format: FormatName) -> Work {
    let renderer = renderer(format);
    let (mut id, mut text) = (String::new(), Vec::new());
    Box::new(move || {
        text.clear();
        for (event, body) in &recorded.events {
            append(&renderer, event, body, &mut id, &mut text);
        }
        black_box(&text);
    })
}

/// Compresses the native text of all events as one body.
pub fn pack(recorded: &'static Recorded) -> Work {
    let mut pack = pack_text(text(recorded, FormatName::Native));
    Box::new(move || {
        pack();
    })
}

/// Compresses the text; each call returns the compressed length.
pub fn pack_text(text: Vec<u8>) -> impl FnMut() -> usize {
    let (mut gzip, mut packed) = (Gzip::default(), Vec::new());
    move || {
        packed.clear();
        gzip.pack(&text, &mut packed).expect("memory takes everything");
        black_box(&packed).len()
    }
}

/// From the chunk to the compressed body, and the acknowledgement in the ledger.
pub fn journey(recorded: &'static Recorded) -> Work {
    let repair = Repair::default();
    let renderer = renderer(FormatName::Native);
    let mut judge = Judge::new(recorded);
    let (mut id, mut rendered) = (String::new(), Vec::new());
    let (mut gzip, mut packed) = (Gzip::default(), Vec::new());
    Box::new(move || {
        judge.begin_round();
        let mut batch = Batch::new(renderer.framing(), LIMITS);
        let mut records = Records::new(recorded.chunk);
        while let Some(record) = records.next_with(|body| KubeEvent::read_at(body, &repair)) {
            let Ok((envelope, Some(Some(event)))) = record else { continue };
            assert!(judge.is_new(&event, envelope.body));
            rendered.clear();
            append(&renderer, &event, envelope.body, &mut id, &mut rendered);
            assert!(batch.has_room_for(rendered.len()), "the recorded events fit into one batch");
            batch.push(&id, &rendered, ());
        }
        let all = 0..batch.len();
        black_box(batch.idempotency_key(&all));
        packed.clear();
        gzip.pack(&batch.body(&all), &mut packed).expect("memory takes everything");
        black_box(&packed);
        judge.commit();
    })
}

/// The rendered events as one body.
pub fn text(recorded: &Recorded, format: FormatName) -> Vec<u8> {
    let with_end = |(_, mut line): (String, Vec<u8>)| {
        line.push(b'\n');
        line
    };
    lines(recorded, format).into_iter().flat_map(with_end).collect()
}

/// Each event's id and its rendered line.
pub fn lines(recorded: &Recorded, format: FormatName) -> Vec<(String, Vec<u8>)> {
    let renderer = renderer(format);
    let line = |(event, body): &(KubeEvent<'_>, &[u8])| {
        let (mut id, mut text) = (String::new(), Vec::new());
        append(&renderer, event, body, &mut id, &mut text);
        (id, text)
    };
    recorded.events.iter().map(line).collect()
}

fn append(renderer: &Renderer, event: &KubeEvent<'_>, body: &[u8], id: &mut String, text: &mut Vec<u8>) {
    write_id(&Content::Event(event), body, id);
    let impact = Impact::without(Correlation::Off);
    // As in the pipeline, where the times are already known.
    let record = Record {
        id,
        content: Content::Event(event),
        new_occurrences: 1,
        impact: &impact,
        body,
        received: None,
        now: Stamp::EPOCH,
    };
    renderer.render(&record, text).expect("it fits");
}
