//! The work of each stage, on all recorded events at once; called again and again it costs the same each time.
//!
//! What runs is the library's own code. Only the calls between the stages are repeated here, as the pipeline
//! makes them: it cannot run without a gateway, and a socket's cost is the kernel's.

use std::hint::black_box;
use std::time::Duration;

use event_gateway::config::{Format, LedgerSettings, Updates};
use event_gateway::correlate::{Correlation, Impact};
use event_gateway::gateway::Gzip;
use event_gateway::gateway::batch::{Batch, Limits};
use event_gateway::ledger::identity::{Identity, Version, identity, version_text, write_record_id};
use event_gateway::ledger::{Ledger, Ticket, Verdict, Versioned};
use event_gateway::record::chunk::Records;
use event_gateway::record::event::KubeEvent;
use event_gateway::record::text::Repair;
use event_gateway::render::{Record, Renderer};

use super::recorded::Recorded;

/// All events once.
pub type Work = Box<dyn FnMut()>;

/// As the settings have it by default.
const LIMITS: Limits = Limits { events: 500, bytes: 1 << 20 };
/// So many rounds of events a ledger remembers.
const ROUNDS_REMEMBERED: usize = 2;

/// Finds the records of the chunk and reads them.
pub fn decode(recorded: &'static Recorded) -> Work {
    let repair = Repair::default();
    Box::new(move || {
        let mut records = Records::new(&recorded.chunk);
        while let Some(record) = records.next_with(|body| KubeEvent::read_at(body, &repair)) {
            let _ = black_box(record);
        }
    })
}

/// Events that the ledger does not know, acknowledged as one batch, in a ledger that is full.
pub fn judge(recorded: &'static Recorded) -> Work {
    let mut judge = Judge::new(recorded);
    Box::new(move || {
        judge.begin_round();
        for (event, _) in &recorded.events {
            let _ = black_box(judge.ticket(event));
        }
        judge.commit();
    })
}

/// Into one buffer, behind its id.
pub fn render(recorded: &'static Recorded, format: Format) -> Work {
    let renderer = Renderer::new(format, "prod-eu");
    let (mut id, mut text) = (String::new(), Vec::new());
    Box::new(move || {
        text.clear();
        for (event, body) in &recorded.events {
            append(&renderer, event, body, &mut id, &mut text);
        }
        black_box(&text);
    })
}

/// The native text of all events, as one body.
pub fn pack(recorded: &'static Recorded) -> Work {
    let text = text(recorded, Format::Native);
    let (mut gzip, mut packed) = (Gzip::default(), Vec::new());
    Box::new(move || {
        packed.clear();
        gzip.pack(&text, &mut packed).expect("memory takes everything");
        black_box(&packed);
    })
}

/// From the chunk to the compressed body, and the acknowledgement in the ledger.
pub fn journey(recorded: &'static Recorded) -> Work {
    let repair = Repair::default();
    let renderer = Renderer::new(Format::Native, "prod-eu");
    let mut judge = Judge::new(recorded);
    let (mut id, mut rendered) = (String::new(), Vec::new());
    let (mut gzip, mut packed) = (Gzip::default(), Vec::new());
    Box::new(move || {
        judge.begin_round();
        let mut batch = Batch::new(renderer.form(), LIMITS);
        let mut records = Records::new(&recorded.chunk);
        while let Some(record) = records.next_with(|body| KubeEvent::read_at(body, &repair)) {
            let Ok((envelope, Some(Some(event)))) = record else { continue };
            judge.ticket(&event).expect("a new event");
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

/// The events as one body.
pub fn text(recorded: &Recorded, format: Format) -> Vec<u8> {
    let renderer = Renderer::new(format, "prod-eu");
    let (mut id, mut text) = (String::new(), Vec::new());
    for (event, body) in &recorded.events {
        append(&renderer, event, body, &mut id, &mut text);
        text.push(b'\n');
    }
    text
}

fn append(renderer: &Renderer, event: &KubeEvent<'_>, body: &[u8], id: &mut String, text: &mut Vec<u8>) {
    write_record_id(event, id);
    let impact = Impact::without(Correlation::Off);
    renderer.render(&Record { id, event, new_occurrences: 1, impact: &impact, body }, text);
}

/// Ledgers that are full, and to which the same events are new in every round. Their tables have random seeds, so
/// there are many of them, in turn: no single seed decides what a round costs.
struct Judge {
    ledgers: Vec<Ledger>,
    round: usize,
    tickets: Vec<Ticket>,
}

impl Judge {
    const LEDGERS: usize = 32;
    /// Until a table has its size for good.
    const FIRST_ROUNDS: usize = 4;

    fn new(recorded: &Recorded) -> Self {
        let ledgers = (0..Self::LEDGERS).map(|_| full_ledger(recorded.events.len()));
        let mut judge = Self { ledgers: ledgers.collect(), round: 0, tickets: Vec::new() };
        for _ in 0..Self::LEDGERS * Self::FIRST_ROUNDS {
            judge.begin_round();
            recorded.events.iter().for_each(|(event, _)| assert!(judge.ticket(event).is_some()));
            judge.commit();
        }
        judge
    }

    fn begin_round(&mut self) {
        self.round += 1;
        self.tickets.clear();
    }

    fn ledger(&mut self) -> &mut Ledger {
        let turn = self.round % Self::LEDGERS;
        &mut self.ledgers[turn]
    }

    fn ticket(&mut self, event: &KubeEvent<'_>) -> Option<Ticket> {
        let versioned = Versioned {
            identity: Identity(identity(event).0 ^ self.round as u128),
            version: Version::parse(&version_text(event)),
            count: u32::try_from(event.occurrences()).unwrap_or(u32::MAX),
        };
        let Verdict::New { ticket } = self.ledger().begin(versioned) else { return None };
        self.tickets.push(ticket);
        Some(ticket)
    }

    fn commit(&mut self) {
        let tickets = std::mem::take(&mut self.tickets);
        self.ledger().commit(&tickets, 0).expect("no file, no error");
        self.tickets = tickets;
    }
}

/// It remembers the events of a few rounds; then the oldest leave, and it grows no more.
fn full_ledger(events: usize) -> Ledger {
    let settings = LedgerSettings {
        state_file: None,
        ttl: Duration::from_secs(10_800),
        max_entries: events * ROUNDS_REMEMBERED,
    };
    Ledger::open(&settings, Updates::Every, 0).expect("a ledger in memory").0
}
