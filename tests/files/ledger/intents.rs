//! With intents: is a record never sent again once it may have arrived, over any history of answers, crashes and
//! dead letters that find no place; and does every record meet an outcome in the end?
//!
//! A history is a list of steps that proptest shrinks, played against a gateway that is a list.
//! `PROPTEST_CASES` sets how many histories.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use super::cases;
use super::scratch::tempdir;
use cases::cases;
use event_gateway::config::{LedgerSettings, Updates};
use event_gateway::ledger::{Ledger, Ticket, Verdict};
use event_gateway::record::identity::{Identity, Version, Versioned};
use proptest::collection::vec;
use proptest::prelude::*;

const NOW_SECONDS: u64 = 1_800_000_000;

/// What happens to a request.
#[derive(Debug, Clone, Copy)]
enum Answer {
    Accepted,
    /// The gateway has certainly not taken it.
    Refused,
    /// Nobody knows.
    Lost,
    /// The host is killed before the answer.
    Killed,
    /// A panic, in the midst of it.
    Panic,
}

#[derive(Debug, Clone)]
enum Step {
    /// The host brings these; some of them twice.
    Bring(Vec<(u8, u8)>, Answer),
    /// Whether the dead letter file takes letters from now on.
    Letters(bool),
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    let answer = prop_oneof![
        3 => Just(Answer::Accepted),
        2 => Just(Answer::Refused),
        2 => Just(Answer::Lost),
        2 => Just(Answer::Killed),
        1 => Just(Answer::Panic),
    ];
    prop_oneof![
        10 => (vec((0u8..5, 1u8..4), 1..6), answer).prop_map(|(records, answer)| Step::Bring(records, answer)),
        2 => any::<bool>().prop_map(Step::Letters),
        1 => Just(Step::Restart),
    ]
}

struct World {
    folder: tempfile::TempDir,
    lives: usize,
    ledger: Option<Ledger>,
    updates: Updates,
    letters_work: bool,
    /// All that a request has carried, and that was not refused.
    may_have_arrived: BTreeSet<(u8, u8)>,
    /// Those of them whose answer was not clear.
    unclear: BTreeSet<(u8, u8)>,
    dead_letter: BTreeSet<(u8, u8)>,
    unwanted: BTreeSet<(u8, u8)>,
}

impl World {
    fn file(&self) -> PathBuf {
        self.folder.path().join(format!("ledger-{}", self.lives))
    }

    fn open(&mut self) {
        let settings = LedgerSettings {
            state_file: Some(self.file()),
            ttl: Duration::from_secs(10_000),
            max_entries: 100_000,
        };
        let (ledger, moved) = Ledger::open(&settings, self.updates, NOW_SECONDS).unwrap();
        assert_eq!(moved, None);
        self.ledger = Some(ledger);
    }

    /// kill -9: what is in the file stays, what is in memory goes.
    fn kill(&mut self) {
        let before = self.file();
        self.lives += 1;
        fs::copy(before, self.file()).unwrap();
        self.ledger = None;
        self.open();
    }

    fn ledger(&mut self) -> &mut Ledger {
        self.ledger.as_mut().unwrap()
    }

    fn dead_letter(&mut self, record: (u8, u8), ticket: Ticket) {
        if self.letters_work {
            assert!(self.dead_letter.insert(record), "{record:?} was dead-lettered twice");
            self.ledger().commit(&[ticket], NOW_SECONDS).unwrap();
        } else {
            self.ledger().abort(ticket);
        }
    }

    /// One round, as the pipeline and the delivery do it.
    fn bring(&mut self, records: &[(u8, u8)], answer: Answer) {
        let mut batch = Vec::new();
        for record @ (event, number) in records.iter().copied() {
            let versioned = Versioned {
                identity: Identity(u128::from(event)),
                version: Version::parse(&(u64::from(number) * 7).to_string()),
                count: u32::from(number),
            };
            match self.ledger().begin(versioned) {
                Verdict::New { ticket } | Verdict::Update { ticket, .. } => batch.push((record, ticket)),
                Verdict::InDoubt { ticket } => {
                    assert!(
                        self.unclear.contains(&record),
                        "{record:?} has a clear answer, or was never sent"
                    );
                    self.dead_letter(record, ticket);
                }
                Verdict::Suppressed { .. } => drop(self.unwanted.insert(record)),
                Verdict::Duplicate | Verdict::InFlight { .. } => {}
            }
        }
        if batch.is_empty() {
            return;
        }
        let tickets: Vec<_> = batch.iter().map(|(_, ticket)| *ticket).collect();
        self.ledger().intend(&tickets, NOW_SECONDS).unwrap();
        if !matches!(answer, Answer::Refused) {
            for (record, _) in &batch {
                assert!(self.may_have_arrived.insert(*record), "{record:?} was sent again");
            }
        }
        if matches!(answer, Answer::Lost | Answer::Killed | Answer::Panic) {
            self.unclear.extend(batch.iter().map(|(record, _)| *record));
        }
        match answer {
            Answer::Accepted => self.ledger().commit(&tickets, NOW_SECONDS).unwrap(),
            Answer::Refused => {
                self.ledger().release(NOW_SECONDS).unwrap();
                tickets.iter().for_each(|ticket| self.ledger().abort(*ticket));
            }
            Answer::Lost => {
                self.ledger().doubt();
                batch.into_iter().for_each(|(record, ticket)| self.dead_letter(record, ticket));
            }
            Answer::Killed => self.kill(),
            Answer::Panic => self.ledger().abort_all(),
        }
    }
}

fn run(updates: Updates, steps: &[Step]) {
    let mut world = World {
        folder: tempdir(),
        lives: 0,
        ledger: None,
        updates,
        letters_work: true,
        may_have_arrived: BTreeSet::new(),
        unclear: BTreeSet::new(),
        dead_letter: BTreeSet::new(),
        unwanted: BTreeSet::new(),
    };
    world.open();
    let mut brought = BTreeSet::new();
    for step in steps {
        match step {
            Step::Bring(records, answer) => {
                brought.extend(records.iter().copied());
                world.bring(records, *answer);
            }
            Step::Letters(work) => world.letters_work = *work,
            Step::Restart => {
                world.ledger = None;
                world.open();
            }
        }
    }
    // All is well again, and the source brings everything once more: nothing is left without an outcome.
    world.letters_work = true;
    let all: Vec<_> = brought.into_iter().collect();
    world.bring(&all, Answer::Accepted);
    for record in &all {
        assert!(
            world.may_have_arrived.contains(record) || world.unwanted.contains(record),
            "{record:?} is lost"
        );
    }
    assert_eq!(world.dead_letter, world.unclear);
    let asked = world.may_have_arrived.len();
    world.kill();
    world.bring(&all, Answer::Accepted);
    assert_eq!(world.may_have_arrived.len(), asked, "settled is settled");
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn what_may_have_arrived_is_never_sent_again(
        updates in prop_oneof![Just(Updates::Every), Just(Updates::First), Just(Updates::Doubling)],
        steps in vec(step(), 1..40),
    ) {
        run(updates, &steps);
    }
}

#[test]
fn a_claim_ages_as_what_was_delivered_does() {
    let folder = tempfile::tempdir().unwrap();
    let settings = LedgerSettings {
        state_file: Some(folder.path().join("ledger")),
        ttl: Duration::from_secs(100),
        max_entries: 10,
    };
    let open = |now_seconds| Ledger::open(&settings, Updates::Every, now_seconds).unwrap().0;
    let record = Versioned { identity: Identity(1), version: Version(1), count: 1 };
    let mut ledger = open(1_000);
    let Verdict::New { ticket } = ledger.begin(record) else { panic!("new") };
    ledger.intend(&[ticket], 1_000).unwrap();
    drop(ledger);
    // A stop makes nothing older, nor does a date that is set back.
    for opened_seconds in [1_000, 90_000, 500] {
        let mut ledger = open(opened_seconds);
        ledger.expire(opened_seconds + 99);
        assert!(matches!(ledger.begin(record), Verdict::InDoubt { .. }), "opened at {opened_seconds}");
    }
    let mut ledger = open(90_000);
    ledger.expire(90_100);
    assert!(matches!(ledger.begin(record), Verdict::New { .. }));
}

#[test]
fn nothing_more_is_sent_when_too_much_is_in_doubt() {
    let folder = tempfile::tempdir().unwrap();
    let state_file = Some(folder.path().join("ledger"));
    let settings = LedgerSettings { state_file, ttl: Duration::from_secs(100), max_entries: 2 };
    let mut ledger = Ledger::open(&settings, Updates::Every, NOW_SECONDS).unwrap().0;
    for event in 0..3 {
        let record = Versioned { identity: Identity(event), version: Version(1), count: 1 };
        let Verdict::New { ticket } = ledger.begin(record) else { panic!("new") };
        let written = ledger.intend(&[ticket], NOW_SECONDS).map_err(|why| why.to_string());
        assert_eq!(
            written,
            if event < 2 { Ok(()) } else { Err("2 records wait to be dead-lettered".to_owned()) }
        );
        ledger.doubt();
        ledger.abort(ticket);
    }
}
