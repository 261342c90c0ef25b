//! Does the ledger, file and all, do what a naive one does, over any history with restarts and crashes?
//!
//! A history is a list of steps that proptest shrinks. After each step the ledger is held against lists
//! that are searched from end to end, and against the promise that needs no model: what passes for a
//! repetition was acknowledged. `PROPTEST_CASES` sets how many histories.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::cases;
use cases::cases;
use event_gateway::config::{LedgerSettings, Updates};
use event_gateway::ledger::identity::{Identity, Version};
use event_gateway::ledger::{Ledger, Ticket, Verdict, Versioned};
use proptest::collection::vec;
use proptest::prelude::*;

const TTL_SECONDS: u64 = 100;
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

#[derive(Debug, Clone)]
struct Row {
    at_seconds: u64,
    records: Vec<Versioned>,
}

/// The ledger as one would write it without thinking of time or space.
#[derive(Debug)]
struct Model {
    updates: Updates,
    max_entries: usize,
    /// The date less the ledger's time.
    behind_seconds: u64,
    rows: Vec<Row>,
    /// What is in the file, rows that memory has let go included until a commit writes it anew.
    file: Vec<Row>,
    /// The newest version of each event, and how many rows had been entered when it was.
    newest: Vec<(Versioned, usize)>,
    entered: usize,
    open: Vec<(Ticket, Versioned)>,
    /// All that was ever acknowledged, a crash or an expiry later or not.
    acknowledged: Vec<Versioned>,
    evicted: u64,
}

fn same(a: &Versioned, b: &Versioned) -> bool {
    (a.identity, a.version) == (b.identity, b.version)
}

fn is_newer(a: &Versioned, b: &Versioned) -> bool {
    a.version.is_newer_than(b.version)
}

impl Model {
    /// The versions it remembers.
    fn len(&self) -> usize {
        self.rows.iter().map(|row| row.records.len()).sum()
    }

    fn known(&self, identity: Identity) -> Option<Versioned> {
        self.newest.iter().map(|(record, _)| *record).find(|record| record.identity == identity)
    }

    /// What the documentation of [`Verdict`] says; the ticket of a delivery is the ledger's to choose.
    fn expect(&self, record: Versioned, verdict: Verdict) {
        let of_event = || self.open.iter().filter(|(_, open)| open.identity == record.identity);
        let committed = self.known(record.identity);
        let begun =
            of_event().reduce(|newest, next| if is_newer(&next.1, &newest.1) { next } else { newest });
        let newest = begun.filter(|(_, begun)| committed.is_none_or(|known| is_newer(begun, &known)));
        let base = newest.map(|(_, open)| *open).or(committed);
        let is_repetition = self.rows.iter().flat_map(|row| &row.records).any(|old| same(old, &record));
        let is_fine = if let Some((on_its_way, _)) = of_event().find(|(_, open)| same(open, &record)) {
            verdict == Verdict::InFlight { ticket: *on_its_way }
        } else if is_repetition {
            verdict == Verdict::Duplicate
        } else if let Some(base) = base {
            let is_newer = record.version.is_newer_than(base.version);
            let is_wanted = match self.updates {
                Updates::Every => true,
                Updates::First => false,
                Updates::Doubling => is_newer && record.count >= base.count * 2,
            };
            let delta = if is_newer { record.count.saturating_sub(base.count) } else { 0 };
            if is_wanted {
                matches!(verdict, Verdict::Update { new_occurrences, .. } if new_occurrences == delta)
            } else {
                verdict == Verdict::Suppressed { behind: newest.map(|(ticket, _)| *ticket) }
            }
        } else {
            matches!(verdict, Verdict::New { .. })
        };
        assert!(is_fine, "{record:?} is {verdict:?} to {self:#?}");
        if verdict == Verdict::Duplicate {
            let is_it = |old: &Versioned| same(old, &record);
            assert!(self.acknowledged.iter().any(is_it), "{record:?} was never acknowledged");
        }
    }

    fn commit(&mut self, count: usize, now_seconds: u64) -> Vec<Ticket> {
        let done: Vec<_> = self.open.drain(..count.min(self.open.len())).collect();
        let records: Vec<_> = done.iter().map(|(_, record)| *record).collect();
        self.acknowledged.extend(&records);
        if !records.is_empty() {
            let now_seconds = now_seconds.saturating_sub(self.behind_seconds);
            self.file.push(Row { at_seconds: now_seconds, records: records.clone() });
            self.enter(Row { at_seconds: now_seconds, records });
            self.trim_file();
        }
        done.into_iter().map(|(ticket, _)| ticket).collect()
    }

    fn enter(&mut self, row: Row) {
        self.entered += 1;
        for record in &row.records {
            let known = self.newest.iter_mut().find(|(known, _)| known.identity == record.identity);
            match known {
                Some(known) if is_newer(record, &known.0) => *known = (*record, self.entered),
                Some(_) => {}
                None => self.newest.push((*record, self.entered)),
            }
        }
        self.rows.push(row);
        while self.rows.len() > 1 && self.len() > self.max_entries {
            self.evicted += self.drop_oldest() as u64;
        }
    }

    fn drop_oldest(&mut self) -> usize {
        let place = self.entered - self.rows.len() + 1;
        self.newest.retain(|(_, entered)| *entered != place);
        self.rows.remove(0).records.len()
    }

    fn expire(&mut self, now_seconds: u64) {
        let now_seconds = now_seconds.saturating_sub(self.behind_seconds);
        while let Some(oldest) = self.rows.first_mut() {
            oldest.at_seconds = oldest.at_seconds.min(now_seconds);
            if oldest.at_seconds + TTL_SECONDS > now_seconds {
                break;
            }
            self.drop_oldest();
        }
    }

    fn trim_file(&mut self) {
        let gone = self.file.len() - self.rows.len();
        self.file.drain(..gone);
    }

    fn restart(&mut self, now_seconds: u64) {
        self.open.clear();
        self.newest.clear();
        self.entered = 0;
        self.rows.clear();
        // A stop makes nothing older.
        let newest = self.file.last().map(|row| row.at_seconds);
        self.behind_seconds = newest.map_or(0, |newest| now_seconds.saturating_sub(newest));
        for row in self.file.clone() {
            self.enter(row);
        }
        self.expire(now_seconds);
        self.trim_file();
        self.evicted = 0;
    }
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
    let mut model = Model {
        updates,
        max_entries,
        behind_seconds: 0,
        rows: Vec::new(),
        file: Vec::new(),
        newest: Vec::new(),
        entered: 0,
        open: Vec::new(),
        acknowledged: Vec::new(),
        evicted: 0,
    };
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
                assert_eq!(system.ledger().len(), before, "a leap made it forget");
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
        assert_eq!(system.ledger().len(), model.len());
        assert_eq!(system.ledger().take_evicted(), std::mem::take(&mut model.evicted));
    }
}

/// In memory where there is a folder for it: this is about histories, and disks are slow.
fn tempdir() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

fn updates() -> impl Strategy<Value = Updates> {
    prop_oneof![3 => Just(Updates::Every), 1 => Just(Updates::First), 1 => Just(Updates::Doubling)]
}

proptest! {
    #![proptest_config(cases(1_000))]

    #[test]
    fn it_judges_as_the_naive_one_does(
        updates in updates(),
        are_texts in any::<bool>(),
        max_entries in prop_oneof![Just(1_000usize), Just(3), Just(1)],
        steps in vec(step(), 0..120),
    ) {
        run(updates, are_texts, max_entries, &steps);
    }
}
