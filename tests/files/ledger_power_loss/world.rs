//! What happened to a ledger, and what it has to know of it.

use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use event_gateway::config::{LedgerSettings, Updates};
use event_gateway::ledger::{Ledger, LedgerError, MovedAside, Ticket, Verdict};
use event_gateway::record::identity::{Identity, Version, Versioned};

use super::dice::Dice;
use super::power::Record;

pub const TTL_SECONDS: u64 = 1_000;

/// A commit: in the making from one moment of the record to another.
#[derive(Debug, Clone)]
pub struct Commit {
    pub records: Vec<Versioned>,
    pub at_seconds: u64,
    pub asked: usize,
    pub said_yes: Option<usize>,
}

/// All that ever happened, as far as anybody outside can know.
#[derive(Debug, Clone)]
pub struct World {
    pub now_seconds: u64,
    pub max_entries: usize,
    pub commits: Vec<Commit>,
    /// Begun, and failed or never ended.
    pub untold: Vec<Versioned>,
    pub versions: u64,
}

#[derive(Debug, Default)]
pub struct Tally {
    pub histories: u64,
    pub disks: u64,
    pub in_flight_there: u64,
    pub in_flight_not: u64,
    pub failed_syncs: u64,
    pub old_files: u64,
}

pub fn open(folder: &Path, world: &World) -> Result<(Ledger, Option<MovedAside>), LedgerError> {
    let (ttl, state_file) = (Duration::from_secs(TTL_SECONDS), Some(folder.join("ledger")));
    let settings = LedgerSettings { state_file, ttl, max_entries: world.max_entries };
    Ledger::open(&settings, Updates::Every, world.now_seconds)
}

pub fn begin(ledger: &mut Ledger, record: Versioned) -> Ticket {
    match ledger.begin(record) {
        Verdict::New { ticket } | Verdict::Update { ticket, .. } => ticket,
        verdict => panic!("{record:?} was never acknowledged, and is a {verdict:?}"),
    }
}

impl World {
    pub fn new(max_entries: usize) -> World {
        World {
            now_seconds: 1_800_000_000,
            max_entries,
            commits: Vec::new(),
            untold: Vec::new(),
            versions: 0,
        }
    }

    /// Commits of a version that knew no mark, long on the disk.
    pub fn start_with_an_old_file(&mut self, folder: &Path, dice: &mut Dice) {
        let mut ledger = open(folder, self).unwrap().0;
        for _ in 0..1 + dice.below(30) {
            let batch = self.next_batch(dice);
            let tickets: Vec<_> = batch.iter().map(|record| begin(&mut ledger, *record)).collect();
            self.ask_for(batch, 0);
            ledger.commit(&tickets, self.now_seconds).unwrap();
        }
        self.all_said_yes(0);
        drop(ledger);
        super::mark::unmark(&folder.join("ledger"));
    }

    pub fn next_batch(&mut self, dice: &mut Dice) -> Vec<Versioned> {
        let many = [1, 1, 3, 20, 300][dice.below(5)];
        (0..1 + dice.below(many))
            .map(|_| {
                self.versions += 1;
                let event = self.versions / 2 * (1 + dice.below(2) as u64);
                let identity = Identity(u128::from(event) << 64 | 0x5eed);
                Versioned { identity, version: Version(self.versions), count: self.versions as u32 }
            })
            .collect()
    }

    /// What memory holds when all of these were committed: the table's rule.
    pub fn remembered<'a>(&self, commits: &'a [Commit]) -> &'a [Commit] {
        let mut len: usize = commits.iter().map(|commit| commit.records.len()).sum();
        let mut first = 0;
        while len > self.max_entries && commits.len() - first > 1 {
            len -= commits[first].records.len();
            first += 1;
        }
        while commits.get(first).is_some_and(|commit| commit.at_seconds + TTL_SECONDS <= self.now_seconds) {
            first += 1;
        }
        &commits[first..]
    }

    /// Works until the machine is switched off, now or while it works.
    pub fn live(&mut self, folder: &Path, record: &Rc<RefCell<Record>>, dice: &mut Dice) {
        let moment = || record.borrow().now();
        let may_fail = !record.borrow().fails.is_empty();
        let mut ledger = Some(open(folder, self).unwrap().0);
        // The end of the last one is a part of the record, too: the power may go before it and in it.
        for _ in 0..dice.below(24) {
            let working = ledger.as_mut().unwrap();
            // Longer than the pause after a failure: whoever says yes has written all that waited.
            self.now_seconds += 6;
            match dice.below(12) {
                0 => {
                    self.now_seconds += dice.below(TTL_SECONDS as usize / 3) as u64;
                    working.expire(self.now_seconds);
                }
                1 => {
                    if working.finish(self.now_seconds).is_ok() {
                        self.all_said_yes(moment());
                    }
                    drop(ledger.take());
                    let mut again = open(folder, self).unwrap().0;
                    // What no file took is gone with the memory.
                    self.commits.retain(|commit| {
                        commit.said_yes.is_some() || is_known(&mut again, commit.records[0])
                    });
                    ledger = Some(again);
                }
                2..4 => {
                    let batch = self.next_batch(dice);
                    for record in &batch {
                        let ticket = begin(working, *record);
                        if dice.one_in(2) {
                            working.abort(ticket);
                        }
                    }
                    working.abort_all();
                    self.untold.extend(batch);
                }
                step => {
                    let batch = self.next_batch(dice);
                    let batch = if step == 4 { batch[..1].to_vec() } else { batch };
                    let tickets: Vec<_> = batch.iter().map(|record| begin(working, *record)).collect();
                    self.ask_for(batch, moment());
                    let said = match step {
                        4 => working.dead_letter(tickets[0], self.now_seconds),
                        _ => working.commit(&tickets, self.now_seconds),
                    };
                    match said {
                        Ok(()) => self.all_said_yes(moment()),
                        Err(why) => assert!(may_fail, "{why}"),
                    }
                }
            }
        }
    }

    pub fn ask_for(&mut self, records: Vec<Versioned>, asked: usize) {
        self.commits.push(Commit { records, at_seconds: self.now_seconds, asked, said_yes: None });
    }

    pub fn all_said_yes(&mut self, moment: usize) {
        let waiting = self.commits.iter_mut().filter(|commit| commit.said_yes.is_none());
        waiting.for_each(|commit| commit.said_yes = Some(moment));
    }

    /// Asks what is left at this moment for all there ever was. Returns the world as it is from now on.
    pub fn ask(&self, ledger: &mut Ledger, at: usize, tally: &mut Tally) -> World {
        let asked: Vec<_> = self.commits.iter().filter(|commit| commit.asked < at).cloned().collect();
        let remembered = self.remembered(&asked).len();
        let mut there = Vec::new();
        for (place, commit) in self.commits.iter().enumerate() {
            let known = commit.records.iter().filter(|record| is_known(ledger, **record)).count();
            assert!(known == 0 || known == commit.records.len(), "half a commit is there: {commit:?}");
            let said_yes = commit.said_yes.is_some_and(|moment| moment <= at);
            if place >= asked.len() {
                assert_eq!(known, 0, "never acknowledged: {commit:?}");
            } else if known > 0 {
                there.push(commit.clone());
                tally.in_flight_there += u64::from(!said_yes);
            } else {
                tally.in_flight_not += u64::from(!said_yes);
                assert!(
                    !said_yes || place < asked.len() - remembered,
                    "a commit that said yes is gone: {commit:?}"
                );
            }
        }
        for record in &self.untold {
            assert!(!is_known(ledger, *record), "never acknowledged: {record:?}");
        }
        World { commits: there, ..self.clone() }
    }
}

pub fn is_known(ledger: &mut Ledger, record: Versioned) -> bool {
    match ledger.begin(record) {
        Verdict::Duplicate => true,
        Verdict::New { ticket } | Verdict::Update { ticket, .. } => {
            ledger.abort(ticket);
            false
        }
        verdict => panic!("{verdict:?}"),
    }
}
