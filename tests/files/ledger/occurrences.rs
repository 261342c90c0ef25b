//! Do the new occurrences of an event that a gateway gets add up to its count?
//!
//! Whatever order the host brings the records in, and however often deliveries fail: once an event's
//! records are acknowledged, their sum is the count of the newest.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::time::Duration;

use super::cases;
use super::scratch::tempdir;
use cases::cases;
use event_gateway::config::{LedgerSettings, Updates};
use event_gateway::ledger::{Ledger, Ticket, Verdict};
use event_gateway::record::identity::{Identity, Version, Versioned};
use proptest::collection::vec;
use proptest::prelude::*;

const EVENTS: usize = 4;

#[derive(Debug, Clone)]
enum Step {
    /// The host brings this state of this event, for the first time or again.
    Bring(usize, u32),
    /// The first so many deliveries on their way are acknowledged.
    Acknowledge(usize),
    /// This one and all behind it fail: nothing overtakes a failure, as the pipeline has it.
    Fail(usize),
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (0..EVENTS, 0u32..10).prop_map(|(event, state)| Step::Bring(event, state)),
        3 => (1usize..6).prop_map(Step::Acknowledge),
        2 => (0usize..6).prop_map(Step::Fail),
        1 => Just(Step::Restart),
    ]
}

/// The count of an event in its n-th state: it does not grow by the same each time.
fn count_of(event: usize, state: u32) -> u32 {
    1 + state * (state + 1) / 2 + u32::try_from(event).unwrap()
}

struct Delivery {
    ticket: Ticket,
    event: usize,
    new_occurrences: u32,
    count: u32,
}

struct Gateway {
    settings: LedgerSettings,
    ledger: Ledger,
    on_its_way: Vec<Delivery>,
    sums: [u32; EVENTS],
    counts: [u32; EVENTS],
}

impl Gateway {
    fn open(folder: &std::path::Path) -> Self {
        let state_file = Some(folder.join("ledger"));
        let settings = LedgerSettings { state_file, ttl: Duration::from_secs(100), max_entries: 1_000 };
        let ledger = Ledger::open(&settings, Updates::Every, 0).unwrap().0;
        Self { settings, ledger, on_its_way: Vec::new(), sums: [0; EVENTS], counts: [0; EVENTS] }
    }

    fn bring(&mut self, event: usize, state: u32) {
        let count = count_of(event, state);
        let version = Version::parse(&(100 + state).to_string());
        let record = Versioned { identity: Identity(event as u128), version, count };
        let (ticket, new_occurrences) = match self.ledger.begin(record) {
            Verdict::New { ticket } => (ticket, count),
            Verdict::Update { ticket, new_occurrences } => (ticket, new_occurrences),
            _ => return,
        };
        self.on_its_way.push(Delivery { ticket, event, new_occurrences, count });
    }

    fn acknowledge(&mut self, deliveries: usize) {
        let done: Vec<_> = self.on_its_way.drain(..deliveries.min(self.on_its_way.len())).collect();
        let tickets: Vec<_> = done.iter().map(|delivery| delivery.ticket).collect();
        self.ledger.commit(&tickets, 0).unwrap();
        for Delivery { event, new_occurrences, count, .. } in done {
            self.sums[event] += new_occurrences;
            self.counts[event] = self.counts[event].max(count);
            assert_eq!(self.sums[event], self.counts[event], "event {event}");
        }
    }

    fn fail(&mut self, from: usize) {
        for delivery in self.on_its_way.drain(from.min(self.on_its_way.len())..) {
            self.ledger.abort(delivery.ticket);
        }
    }

    fn restart(self) -> Self {
        let Self { settings, ledger, sums, counts, .. } = self;
        drop(ledger);
        let ledger = Ledger::open(&settings, Updates::Every, 0).unwrap().0;
        Self { settings, ledger, on_its_way: Vec::new(), sums, counts }
    }
}

fn run(steps: &[Step]) {
    let folder = tempdir();
    let mut gateway = Gateway::open(folder.path());
    for step in steps {
        match *step {
            Step::Bring(event, state) => gateway.bring(event, state),
            Step::Acknowledge(deliveries) => gateway.acknowledge(deliveries),
            Step::Fail(from) => gateway.fail(from),
            Step::Restart => gateway = gateway.restart(),
        }
    }
    // At last the host brings everything once more and all of it gets through.
    gateway.acknowledge(usize::MAX);
    for event in 0..EVENTS {
        (0..10).for_each(|state| gateway.bring(event, state));
    }
    gateway.acknowledge(usize::MAX);
    assert_eq!(gateway.sums, std::array::from_fn(|event| count_of(event, 9)));
}

proptest! {
    #![proptest_config(cases(400))]

    #[test]
    fn occurrences_add_up_over_any_history(steps in vec(step(), 0..80)) {
        run(&steps);
    }
}

/// Found by the test above: the late version, begun, stood in for the newer one that was ahead of it.
#[test]
fn a_late_version_is_not_what_the_next_one_is_counted_from() {
    use Step::{Acknowledge, Bring, Fail};
    run(&[Bring(0, 2), Fail(0), Bring(0, 3), Bring(0, 2), Bring(0, 4)]);
    run(&[Bring(0, 2), Fail(0), Bring(0, 3), Acknowledge(1), Bring(0, 2), Bring(0, 4)]);
}
