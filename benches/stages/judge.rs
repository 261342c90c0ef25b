//! Ledgers that classify the same events round after round.

use std::path::Path;
use std::time::Duration;

use event_gateway::config::{LedgerSettings, Updates};
use event_gateway::ledger::{Ledger, Ticket, Verdict};
use event_gateway::record::content::Content;
use event_gateway::record::event::KubeEvent;
use event_gateway::record::identity::{Identity, Versioned, versioned};

use super::recorded::Recorded;

/// How many rounds of events a ledger remembers. Then the oldest are evicted, and it no longer grows.
const ROUNDS_REMEMBERED: usize = 2;
/// The rounds until a table has its final size.
const FIRST_ROUNDS: usize = 4;

/// The tables of ledgers have random seeds, so several ledgers are used in turn, and no single seed decides the cost of a
/// round.
pub struct Judge {
    ledgers: Vec<Ledger>,
    round: usize,
    tickets: Vec<Ticket>,
}

impl Judge {
    /// Ledgers in memory, all of them full.
    pub fn new(recorded: &Recorded) -> Self {
        const LEDGERS: usize = 32;
        let max_entries = recorded.events.len() * ROUNDS_REMEMBERED;
        Self {
            ledgers: (0..LEDGERS).map(|_| open(None, max_entries)).collect(),
            round: 0,
            tickets: Vec::new(),
        }
        .filled(recorded)
    }

    /// One ledger with a file.
    pub fn with_file(recorded: &Recorded, file: &Path) -> Self {
        let max_entries = recorded.events.len() * ROUNDS_REMEMBERED;
        Self { ledgers: vec![open(Some(file), max_entries)], round: 0, tickets: Vec::new() }.filled(recorded)
    }

    fn filled(mut self, recorded: &Recorded) -> Self {
        for _ in 0..self.ledgers.len() * FIRST_ROUNDS {
            self.begin_round();
            recorded.events.iter().for_each(|(event, body)| assert!(self.is_new(event, body)));
            self.commit();
        }
        self
    }

    /// From now on the events are new again.
    pub fn begin_round(&mut self) {
        self.round += 1;
        self.tickets.clear();
    }

    fn ledger(&mut self) -> &mut Ledger {
        let turn = self.round % self.ledgers.len();
        &mut self.ledgers[turn]
    }

    /// Asks the ledger, and begins a delivery if the event is new in this round.
    pub fn is_new(&mut self, event: &KubeEvent<'_>, body: &[u8]) -> bool {
        let versioned = versioned(&Content::Event(event), body).expect("an event");
        let identity = Identity(versioned.identity.0 ^ self.round as u128);
        let versioned = Versioned { identity, ..versioned };
        let Verdict::New { ticket } = self.ledger().begin(versioned) else { return false };
        self.tickets.push(ticket);
        true
    }

    /// The events of the round were acknowledged.
    pub fn commit(&mut self) {
        let tickets = std::mem::take(&mut self.tickets);
        self.ledger().commit(&tickets, 0).expect("a file that can be written");
        self.tickets = tickets;
    }
}

pub fn open(file: Option<&Path>, max_entries: usize) -> Ledger {
    let ttl = Duration::from_secs(10_800);
    let settings = LedgerSettings { state_file: file.map(Path::to_owned), ttl, max_entries };
    Ledger::open(&settings, Updates::Every, 0).expect("a ledger").0
}
