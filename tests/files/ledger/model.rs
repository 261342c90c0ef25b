//! Does the ledger, file and all, do what a naive one does, over any history with restarts and crashes?
//!
//! A history is a list of steps that proptest shrinks. `PROPTEST_CASES` sets how many histories.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::scratch::tempdir;
use super::{cases, naive};
use cases::cases;
use event_gateway::config::{LedgerSettings, Updates};
use event_gateway::ledger::{Ledger, Verdict};
use event_gateway::record::identity::{Identity, Version, Versioned};
use naive::{Model, TTL_SECONDS};
use proptest::collection::vec;
use proptest::prelude::*;

/// What a host's clock may jump by when someone sets it.
const DAY: i64 = 86_400;

#[derive(Debug, Clone)]
enum Step {
    Begin {
        event: u128,
        version: u8,
        extra: u32,
    },
    /// The first so many deliveries on their way are acknowledged.
    Commit(usize),
    /// The first so many are acknowledged; before it reaches the file, the machine loses power.
    CrashInCommit(usize),
    /// All from this one on fail, as the pipeline does it.
    AbortFrom(usize),
    /// One alone fails: its dead letter could not be written.
    AbortOne(usize),
    Clock(i64),
    /// Somebody sets the date forward.
    Leap(u64),
    Restart,
    /// kill -9.
    Crash,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        12 => (0u128..4, 0u8..12, 0u32..16)
            .prop_map(|(event, version, extra)| Step::Begin { event, version, extra }),
        5 => (1usize..6).prop_map(Step::Commit),
        1 => (1usize..4).prop_map(Step::CrashInCommit),
        2 => (0usize..4).prop_map(Step::AbortFrom),
        1 => (0usize..4).prop_map(Step::AbortOne),
        2 => prop_oneof![8 => 0i64..60, 2 => -150i64..0, 2 => 100i64..500, 1 => Just(-DAY), 1 => Just(DAY)]
            .prop_map(Step::Clock),
        1 => (0u64..500).prop_map(Step::Leap),
        1 => Just(Step::Restart),
        1 => Just(Step::Crash),
    ]
}

/// The versions of a history: revisions of etcd, or texts without an order.
fn version(number: u8, are_texts: bool) -> Version {
    Version::parse(&if are_texts { format!("v{number}") } else { (number * 7).to_string() })
}

/// The ledger under test, and where its file is now.
struct System {
    ledger: Option<Ledger>,
    settings: LedgerSettings,
    updates: Updates,
    copies: u32,
}

impl System {
    fn open(folder: &Path, updates: Updates, max_entries: usize, now_seconds: u64) -> Self {
        let state_file = Some(folder.join("ledger"));
        let settings = LedgerSettings { state_file, ttl: Duration::from_secs(TTL_SECONDS), max_entries };
        let mut system = Self { ledger: None, settings, updates, copies: 0 };
        system.reopen(now_seconds);
        system
    }

    fn ledger(&mut self) -> &mut Ledger {
        self.ledger.as_mut().unwrap()
    }

    fn reopen(&mut self, now_seconds: u64) {
        self.ledger = None;
        let (ledger, moved) = Ledger::open(&self.settings, self.updates, now_seconds).unwrap();
        assert_eq!(moved, None);
        self.ledger = Some(ledger);
    }

    /// The file as the disk has it at this moment.
    fn photograph(&mut self) -> PathBuf {
        self.copies += 1;
        let file = self.settings.state_file.clone().unwrap();
        let copy = file.with_file_name(format!("ledger-{}", self.copies));
        std::fs::copy(&file, &copy).unwrap();
        copy
    }
}

fn record_of(event: u128, number: u8, extra: u32, are_texts: bool) -> Versioned {
    let count = u32::from(number) + 1 + extra;
    Versioned { identity: Identity(event), version: version(number, are_texts), count }
}

fn run(updates: Updates, are_texts: bool, max_entries: usize, steps: &[Step]) {
    let folder = tempdir();
    let mut now_seconds = 1_000_000;
    let mut system = System::open(folder.path(), updates, max_entries, now_seconds);
    let mut model = Model::new(updates, max_entries);
    for step in steps {
        match *step {
            Step::Begin { event, version, extra } => {
                let record = record_of(event, version, extra, are_texts);
                let verdict = system.ledger().begin(record);
                model.expect(record, verdict);
                if let Verdict::New { ticket } | Verdict::Update { ticket, .. } = verdict {
                    model.open.push((ticket, record));
                }
            }
            Step::Commit(count) => {
                let tickets = model.commit(count, now_seconds);
                system.ledger().commit(&tickets, now_seconds).unwrap();
            }
            Step::CrashInCommit(count) => {
                let copy = system.photograph();
                let file = model.file.clone();
                let tickets = model.commit(count, now_seconds);
                system.ledger().commit(&tickets, now_seconds).unwrap();
                system.settings.state_file = Some(copy);
                system.reopen(now_seconds);
                model.file = file;
                model.restart(now_seconds);
            }
            Step::AbortFrom(from) => {
                let from = from.min(model.open.len());
                for (ticket, _) in model.open.drain(from..) {
                    system.ledger().abort(ticket);
                }
            }
            Step::AbortOne(place) if place < model.open.len() => {
                let (ticket, _) = model.open.remove(place);
                system.ledger().abort(ticket);
            }
            Step::AbortOne(_) => {}
            Step::Clock(seconds) => {
                now_seconds = now_seconds.saturating_add_signed(seconds);
                system.ledger().expire(now_seconds);
                model.expire(now_seconds);
            }
            Step::Leap(seconds) => {
                // What was due before is none of its doing.
                system.ledger().expire(now_seconds);
                model.expire(now_seconds);
                let before = model.len();
                now_seconds += seconds;
                system.ledger().leap(seconds);
                model.behind_seconds += seconds;
                system.ledger().expire(now_seconds);
                assert_eq!(system.ledger().entries(), before, "a leap made it forget");
            }
            Step::Restart => {
                system.reopen(now_seconds);
                model.restart(now_seconds);
            }
            Step::Crash => {
                let copy = system.photograph();
                system.settings.state_file = Some(copy);
                system.reopen(now_seconds);
                model.restart(now_seconds);
            }
        }
        assert_eq!(system.ledger().entries(), model.len());
        assert_eq!(system.ledger().take_evicted(), std::mem::take(&mut model.evicted));
    }
}

fn updates() -> impl Strategy<Value = Updates> {
    prop_oneof![3 => Just(Updates::Every), 1 => Just(Updates::First), 1 => Just(Updates::Doubling)]
}

proptest! {
    #![proptest_config(cases(1_000))]

    #[test]
    fn the_ledger_answers_as_the_naive_one_does(
        updates in updates(),
        are_texts in any::<bool>(),
        max_entries in prop_oneof![Just(1_000usize), Just(3), Just(1)],
        steps in vec(step(), 0..120),
    ) {
        run(updates, are_texts, max_entries, &steps);
    }
}
