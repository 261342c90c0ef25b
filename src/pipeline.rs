//! The order of the stages and nothing else: record → admit → ledger → correlate → render → batch → delivery.
//!
//! A round takes all chunks that wait. Their records fill one batch after the other, so that one request
//! may serve several chunks; a chunk is answered as soon as the last of its records is settled. A record
//! that is already on its way in the same round is not sent twice: its chunk shares the fate.

use std::sync::Arc;

use crate::admit;
use crate::clock::{self, Leaps};
use crate::cluster::{Cluster, View};
use crate::config::{Admission, Guarantee, Mistake, Settings};
use crate::correlate::About;
use crate::delivery::{AMBIGUOUS, Culprit, Delivery, Waiting, until_it_is_back};
use crate::gateway::Stopper;
use crate::gateway::batch::Batch;
use crate::job::{Job, Tally};
use crate::journal::Journal;
use crate::ledger::identity::{Version, identity, version_text, write_record_id};
use crate::ledger::{Ledger, Ticket, Verdict, Versioned};
use crate::metrics::Metrics;
use crate::record::MAX_RECORD_BYTES;
use crate::record::chunk::Records;
use crate::record::event::KubeEvent;
use crate::record::peek::{Items, Shape, peek};
use crate::record::text::Repair;
use crate::render::Record;
use crate::time::Stamp;
use crate::trip;

/// All stages of one instance.
pub struct Pipeline {
    admission: Admission,
    ledger: Ledger,
    leaps: Leaps,
    view: View,
    delivery: Delivery,
    repair: Repair,
    metrics: Arc<Metrics>,
    journal: Arc<Journal>,
}

/// The chunks of one round on their way.
struct Round<'a> {
    tallies: Vec<Tally>,
    batch: Batch<Waiting<'a>>,
    /// Of the record at hand; kept for their memory.
    id: String,
    rendered: Vec<u8>,
}

/// Where a record stands.
#[derive(Clone, Copy)]
struct Place<'a> {
    chunk: usize,
    tag: &'a str,
    offset: usize,
}

impl Pipeline {
    /// Opens the ledger, the gateway and the dead letter file, and finds or starts the cluster. `on_start`
    /// runs first on each thread that is started.
    ///
    /// # Errors
    /// All mistakes found in the files that the settings name.
    pub fn open(
        settings: &Settings,
        metrics: &Arc<Metrics>,
        journal: &Arc<Journal>,
        on_start: fn(),
    ) -> Result<Self, Vec<Mistake>> {
        let now_seconds = clock::unix_seconds(clock::wall());
        let ledger =
            Ledger::open(&settings.ledger, settings.updates, now_seconds).map_err(|problem| Mistake {
                key: "state_file",
                problem,
                expected: "a file that this instance alone can write".to_owned(),
            });
        let delivery = Delivery::open(settings, metrics, journal);
        let view = View::open(&settings.correlation, metrics, journal, on_start);
        let ((mut ledger, moved), mut delivery, view) = match (ledger, delivery, view) {
            (Ok(ledger), Ok(delivery), Ok(view)) => (ledger, delivery, view),
            (ledger, delivery, view) => {
                let more = [delivery.err(), view.err()].into_iter().flatten().flatten();
                return Err(ledger.err().into_iter().chain(more).collect());
            }
        };
        if let Some(moved) = moved {
            journal.error(
                "state_file damaged",
                format!(
                    "state_file is damaged ({}) and was moved to {}; events that the source brings again are delivered again; look at the disk",
                    moved.why,
                    moved.to.display()
                ),
            );
        }
        if let Some(why) = ledger.take_trouble() {
            let until = until_it_is_back(settings.guarantee);
            journal.error("state_file", format!("state_file: {why}; {until}; look at the disk"));
        }
        if settings.ledger.state_file.is_none() {
            journal.warn(
                "no state_file",
                "state_file is not set: a restart forgets what was delivered, and delivers it again; set it to a file that stays",
            );
        }
        if settings.guarantee == Guarantee::NoEventLoss {
            ledger.forget_doubts();
        }
        delivery.take_up(&mut ledger);
        metrics.ledger_entries.set(ledger.len() as u64);
        Ok(Self {
            admission: settings.admission.clone(),
            ledger,
            leaps: Leaps::from_now(),
            view,
            delivery,
            repair: Repair::default(),
            metrics: Arc::clone(metrics),
            journal: Arc::clone(journal),
        })
    }

    #[must_use]
    pub fn stopper(&self) -> Stopper {
        self.delivery.stopper()
    }

    /// The cluster that records are looked up in.
    #[must_use]
    pub fn cluster(&self) -> Option<Arc<Cluster>> {
        self.view.cluster()
    }

    /// Whether chunks should wait for the cluster's first lists.
    #[must_use]
    pub fn holds_back(&self) -> bool {
        self.view.is_worth_waiting_for(clock::monotonic())
    }

    /// Takes chunks through all stages and answers each.
    pub fn round(&mut self, jobs: Vec<Job>) {
        self.ledger.leap(self.leaps.seconds());
        self.ledger.expire(clock::unix_seconds(clock::wall()));
        self.delivery.recall(&mut self.ledger);
        self.delivery.send_unclear(&mut self.ledger);
        let mut chunks = Vec::with_capacity(jobs.len());
        let mut tallies = Vec::with_capacity(jobs.len());
        for Job { tag, data, reply } in jobs {
            chunks.push((tag, data));
            tallies.push(Tally::new(reply));
        }
        let mut round =
            Round { tallies, batch: self.delivery.new_batch(), id: String::new(), rendered: Vec::new() };
        for (index, (tag, data)) in chunks.iter().enumerate() {
            self.chunk(index, tag, data, &mut round);
            trip::wire("round");
            if let Some(tally) = round.tallies.get_mut(index) {
                tally.finish_reading();
            }
        }
        self.send(&mut round);
        self.metrics.ledger_entries.set(self.ledger.len() as u64);
    }

    /// Makes good for a round that panicked: nothing of it was committed that was not acknowledged.
    pub fn recover(&mut self) {
        self.ledger.abort_all();
        self.delivery.take_up(&mut self.ledger);
    }

    /// Writes what the ledger's file has not taken yet.
    pub fn finish(&mut self) {
        trip::wire("finish");
        if let Err(why) = self.ledger.finish(clock::unix_seconds(clock::wall())) {
            self.metrics.ledger_failed_writes_total.add(1);
            self.journal.error(
                "state_file",
                format!(
                    "state_file: {why}; the next start will deliver some records again; look at the disk"
                ),
            );
        }
    }

    fn chunk<'a>(&mut self, chunk: usize, tag: &'a str, data: &'a [u8], round: &mut Round<'a>) {
        let mut records = Records::new(data);
        while let Some(record) = records.next_with(|body| KubeEvent::read_at(body, &self.repair)) {
            match record {
                Ok((envelope, event)) => {
                    let place = Place { chunk, tag, offset: envelope.offset };
                    match event.flatten() {
                        Some(event) => self.admit(place, envelope.body, &event, round),
                        None => self.body(place, envelope.body, true, round),
                    }
                }
                Err(fault) => {
                    self.repair.take_count();
                    self.metrics.records_total.add(1);
                    self.metrics.skipped_records_total.add(1);
                    self.journal
                        .error("record skipped", format!("a record of tag {tag} was skipped: {fault}"));
                }
            }
        }
    }

    /// Takes a closer look at what was not an event at first sight.
    fn body<'a>(&mut self, place: Place<'a>, body: &'a [u8], may_be_list: bool, round: &mut Round<'a>) {
        self.repair.take_count();
        match peek(body) {
            Ok(Shape::List { items }) if may_be_list => {
                for item in Items::new(items) {
                    self.body(place, item, false, round);
                }
                return;
            }
            Ok(Shape::Event) => {
                if let Ok(Some(event)) = KubeEvent::read(body, &self.repair) {
                    return self.admit(place, body, &event, round);
                }
            }
            _ => {}
        }
        self.metrics.records_total.add(1);
        self.metrics.skipped_records_total.add(1);
        self.journal.error(
            "no event",
            format!(
                "the record at offset {} of tag {} is no Kubernetes event and was skipped; does match take too much?",
                place.offset, place.tag
            ),
        );
    }

    fn admit<'a>(&mut self, place: Place<'a>, body: &'a [u8], event: &KubeEvent<'a>, round: &mut Round<'a>) {
        self.metrics.records_total.add(1);
        let replaced = self.repair.take_count();
        if admit::admits(&self.admission, event) {
            self.metrics.replaced_strings_total.add(replaced);
            self.event(place, body, event, round);
        } else {
            self.metrics.excluded_records_total.add(1);
        }
    }

    fn event<'a>(&mut self, place: Place<'_>, body: &'a [u8], event: &KubeEvent<'a>, round: &mut Round<'a>) {
        let count = u32::try_from(event.occurrences()).unwrap_or(u32::MAX);
        let version = Version::parse(&version_text(event));
        let versioned = Versioned { identity: identity(event), version, count };
        match self.ledger.begin(versioned) {
            Verdict::New { ticket } => self.deliver(place, body, event, ticket, count, round),
            Verdict::Update { ticket, new_occurrences } => {
                self.deliver(place, body, event, ticket, new_occurrences, round);
            }
            Verdict::Duplicate => self.metrics.duplicate_records_total.add(1),
            Verdict::InFlight { ticket } => {
                self.metrics.duplicate_records_total.add(1);
                share(place.chunk, ticket, round);
            }
            Verdict::Suppressed { behind } => {
                self.metrics.suppressed_updates_total.add(1);
                if let Some(ticket) = behind {
                    share(place.chunk, ticket, round);
                }
            }
            Verdict::InDoubt { ticket } => {
                write_record_id(event, &mut round.id);
                let answer =
                    "the host ended, or the dead letter file could not be written, before it was put away";
                let culprit = Culprit { id: &round.id, body, status: None, reason: AMBIGUOUS, answer };
                if !self.delivery.put_away(&culprit, ticket, &mut self.ledger)
                    && let Some(tally) = round.tallies.get_mut(place.chunk)
                {
                    tally.fail();
                }
            }
        }
    }

    fn deliver<'a>(
        &mut self,
        place: Place<'_>,
        body: &'a [u8],
        event: &KubeEvent<'a>,
        ticket: Ticket,
        new_occurrences: u32,
        round: &mut Round<'a>,
    ) {
        write_record_id(event, &mut round.id);
        trip::wire("deliver");
        let ok = if body.len() > MAX_RECORD_BYTES {
            let culprit =
                Culprit { id: &round.id, body, status: None, reason: "larger than 1 MiB", answer: "" };
            self.delivery.put_away(&culprit, ticket, &mut self.ledger)
        } else if self.delivery.is_open() {
            round.rendered.clear();
            self.view.with_impact(&About::from(event), |impact| {
                let record = Record { id: &round.id, event, new_occurrences, impact, body };
                self.delivery.renderer().render(&record, &mut round.rendered);
            });
            if !round.batch.has_room_for(round.rendered.len()) {
                self.send(round);
            }
            if let Some(tally) = round.tallies.get_mut(place.chunk) {
                tally.wait_for_one();
            }
            let happened = Stamp::parse(event.time()).and_then(Stamp::wall);
            let waiting = Waiting { ticket, body, happened, chunk: place.chunk, sharing: Vec::new() };
            round.batch.push(&round.id, &round.rendered, waiting);
            true
        } else {
            self.ledger.abort(ticket);
            false
        };
        if let (false, Some(tally)) = (ok, round.tallies.get_mut(place.chunk)) {
            tally.fail();
        }
    }

    fn send(&mut self, round: &mut Round<'_>) {
        self.delivery.send(&mut round.batch, &mut self.ledger, &mut round.tallies);
    }
}

/// Makes a chunk wait for a record that another chunk, or an earlier record of its own, brought.
fn share(chunk: usize, ticket: Ticket, round: &mut Round<'_>) {
    if let (Some(waiting), Some(tally)) =
        (round.batch.note_mut(&ticket, |waiting| waiting.ticket), round.tallies.get_mut(chunk))
    {
        waiting.sharing.push(chunk);
        tally.wait_for_one();
    } else if let Some(tally) = round.tallies.get_mut(chunk) {
        // Nobody waits for it: let the host bring the chunk again rather than trust that it went out.
        tally.fail();
    }
}
