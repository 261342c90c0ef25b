//! Is what the file holds taken in as soon as it can be read, where the start could not read it?
//!
//! A disk that is away for a moment must not stop a start, and must not cost what lies on it: nothing takes the
//! place of a file that nobody has read, and no intent is written, until its commits and intents are in memory, too.
//! `LEDGER_SEEDS` sets how many pairs of lives are tried.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::fs;
use std::path::Path;
use std::time::Duration;

use super::scratch::tempdir;
use super::{dice, failing, syscalls};
use dice::Dice;
use event_gateway::config::{LedgerSettings, Updates};
use event_gateway::ledger::{Ledger, LedgerError, Verdict};
use event_gateway::record::identity::{Identity, Version, Versioned};
use failing::{Failing, Plan, Shared, Wrong, heal};
use syscalls::{Kind, watching};

const NOW_SECONDS: u64 = 1_800_000_000;
/// Longer than the ledger leaves a file alone that failed.
const LATER_SECONDS: u64 = NOW_SECONDS + 6;
const TTL_SECONDS: u64 = 100;

fn record(event: u128, version: u64) -> Versioned {
    Versioned { identity: Identity(event), version: Version(version), count: u32::try_from(version).unwrap() }
}

fn open(folder: &Path, now_seconds: u64) -> Ledger {
    let (ttl, state_file) = (Duration::from_secs(TTL_SECONDS), Some(folder.join("ledger")));
    let settings = LedgerSettings { state_file, ttl, max_entries: 100_000 };
    Ledger::open(&settings, Updates::Every, now_seconds).unwrap().0
}

/// What could not be saved is known all the same.
fn commit(ledger: &mut Ledger, records: &[Versioned], now_seconds: u64) -> Result<(), LedgerError> {
    let mut tickets = Vec::new();
    for record in records {
        if let Verdict::New { ticket } | Verdict::Update { ticket, .. } = ledger.begin(*record) {
            tickets.push(ticket);
        }
    }
    ledger.commit(&tickets, now_seconds)
}

fn intend(ledger: &mut Ledger, record: Versioned, now_seconds: u64) -> Result<(), LedgerError> {
    let Verdict::New { ticket } = ledger.begin(record) else { panic!("{record:?} is known") };
    let written = ledger.intend(&[ticket], now_seconds);
    ledger.abort(ticket);
    written
}

/// The verdict on it, with no ticket.
fn judge(ledger: &mut Ledger, record: Versioned) -> String {
    let verdict = ledger.begin(record);
    let (ticket, judged) = match verdict {
        Verdict::New { ticket } => (ticket, "new".to_owned()),
        Verdict::Update { ticket, new_occurrences } => (ticket, format!("{new_occurrences} more")),
        Verdict::InDoubt { ticket } => (ticket, "in doubt".to_owned()),
        Verdict::Duplicate => return "duplicate".to_owned(),
        verdict => panic!("{verdict:?}"),
    };
    ledger.abort(ticket);
    judged
}

/// A start on a file that is there and cannot be read, until the work heals the plan.
fn unread(folder: &Path, errno: i32, work: impl FnOnce(&Shared, Ledger)) {
    let plan = Shared::default();
    *plan.borrow_mut() =
        Plan { wrong: Some(Wrong::Errno(errno)), stays: true, only: Some(Kind::Open), ..Plan::default() };
    watching(folder, Failing(Shared::clone(&plan)), || {
        let mut ledger = open(folder, NOW_SECONDS);
        let why = ledger.take_trouble().unwrap().to_string();
        assert!(why.starts_with(folder.to_str().unwrap()) && why.ends_with(", nor can it be read"), "{why}");
        work(&plan, ledger);
    });
}

#[test]
fn nothing_is_claimed_before_and_all_is_known_after() {
    for errno in [libc::EMFILE, libc::EACCES, libc::EIO] {
        let folder = tempdir();
        let (delivered, in_doubt, new) = (record(1, 1), record(2, 1), record(3, 1));
        let mut ledger = open(folder.path(), NOW_SECONDS);
        commit(&mut ledger, &[delivered], NOW_SECONDS).unwrap();
        intend(&mut ledger, in_doubt, NOW_SECONDS).unwrap();
        drop(ledger);
        let file = folder.path().join("ledger");
        let before = fs::read(&file).unwrap();
        unread(folder.path(), errno, |plan, mut ledger| {
            for step in 0..10 {
                let now_seconds = NOW_SECONDS + step * 6;
                assert_eq!(ledger.recall(now_seconds).is_err(), step > 0, "it is left alone for a pause");
                intend(&mut ledger, delivered, now_seconds).unwrap_err();
            }
            heal(plan);
            assert!(fs::read(&file).unwrap() == before, "it was touched");
            let now_seconds = NOW_SECONDS + 10 * 6;
            intend(&mut ledger, in_doubt, now_seconds).unwrap_err();
            let why = ledger.release(now_seconds).unwrap_err().to_string();
            assert!(why.ends_with("could not be read at the start, nor since"), "{why}");
            // What was judged without it must not be acted upon with it.
            let Verdict::New { ticket } = ledger.begin(delivered) else { panic!("read too early") };
            ledger.recall(now_seconds).unwrap();
            ledger.intend(&[ticket], now_seconds).unwrap_err();
            ledger.abort(ticket);
            ledger.recall(now_seconds).unwrap();
            let judged = [delivered, in_doubt, new].map(|record| judge(&mut ledger, record));
            assert_eq!(judged, ["duplicate", "in doubt", "new"]);
            intend(&mut ledger, new, now_seconds).unwrap();
            drop(ledger);
            let mut again = open(folder.path(), now_seconds);
            let judged = [delivered, in_doubt, new].map(|record| judge(&mut again, record));
            assert_eq!(judged, ["duplicate", "in doubt", "in doubt"]);
        });
    }
}

#[test]
fn who_wants_nothing_lost_delivers_again_what_was_in_doubt() {
    let folder = tempdir();
    intend(&mut open(folder.path(), NOW_SECONDS), record(1, 1), NOW_SECONDS).unwrap();
    unread(folder.path(), libc::EMFILE, |plan, mut ledger| {
        ledger.forget_doubts();
        heal(plan);
        ledger.recall(LATER_SECONDS).unwrap();
        assert_eq!(judge(&mut ledger, record(1, 1)), "new");
        drop(ledger);
        assert_eq!(judge(&mut open(folder.path(), LATER_SECONDS), record(1, 1)), "new");
    });
}

/// Both lives number their rows from 0 on, and deliver versions of the same few events in any order. What is known
/// in the end is what a ledger knows that could read its file all along.
#[test]
fn rows_of_both_lives_are_there() {
    let seeds = std::env::var("LEDGER_SEEDS").map_or(100, |seeds| seeds.parse().unwrap());
    for seed in 0..seeds {
        let dice = &mut Dice(seed);
        let life = |dice: &mut Dice| -> Vec<Vec<Versioned>> {
            let some = |dice: &mut Dice| record(dice.below(6) as u128, 1 + dice.below(8) as u64);
            (0..dice.below(12)).map(|_| (0..1 + dice.below(3)).map(|_| some(dice)).collect()).collect()
        };
        let (first, second) = (life(dice), life(dice));
        let (folder, reference) = (tempdir(), tempdir());
        for folder in [folder.path(), reference.path()] {
            let mut ledger = open(folder, NOW_SECONDS);
            first.iter().for_each(|row| commit(&mut ledger, row, NOW_SECONDS).unwrap());
        }
        let mut never_away = open(reference.path(), NOW_SECONDS);
        second.iter().for_each(|row| commit(&mut never_away, row, NOW_SECONDS).unwrap());
        let all: Vec<_> =
            (0..6).flat_map(|event| (1..10).map(move |version| record(event, version))).collect();
        let judged = |ledger: &mut Ledger| -> Vec<_> { all.iter().map(|one| judge(ledger, *one)).collect() };
        let expected = judged(&mut never_away);
        unread(folder.path(), libc::EIO, |plan, mut ledger| {
            let (before, after) = second.split_at(dice.below(second.len() + 1));
            for row in before {
                commit(&mut ledger, row, NOW_SECONDS).unwrap();
            }
            heal(plan);
            ledger.recall(LATER_SECONDS).unwrap();
            for row in after {
                commit(&mut ledger, row, LATER_SECONDS).unwrap();
            }
            assert_eq!(judged(&mut ledger), expected, "seed {seed}");
            drop(ledger);
            assert_eq!(
                judged(&mut open(folder.path(), LATER_SECONDS)),
                expected,
                "seed {seed}, a restart later"
            );
        });
    }
}

#[test]
fn the_stop_before_makes_nothing_older() {
    let folder = tempdir();
    let long_ago = NOW_SECONDS - 1_000_000;
    let mut ledger = open(folder.path(), long_ago);
    commit(&mut ledger, &[record(1, 1), record(4, 1)], long_ago).unwrap();
    commit(&mut ledger, &[record(2, 1)], long_ago + 40).unwrap();
    drop(ledger);
    unread(folder.path(), libc::EMFILE, |plan, mut ledger| {
        commit(&mut ledger, &[record(3, 1), record(4, 1)], NOW_SECONDS + 2).unwrap();
        heal(plan);
        ledger.recall(NOW_SECONDS + 50).unwrap();
        let known = |ledger: &mut Ledger, now_seconds| {
            ledger.expire(now_seconds);
            [1, 2, 3].map(|event| ledger.holds(&record(event, 1)))
        };
        // The first was 40 seconds old when the start came.
        assert_eq!(known(&mut ledger, NOW_SECONDS + 59), [true, true, true]);
        assert_eq!(known(&mut ledger, NOW_SECONDS + 60), [false, true, true]);
        assert_eq!(judge(&mut ledger, record(4, 3)), "2 more", "it was delivered in this life, too");
        assert_eq!(known(&mut ledger, NOW_SECONDS + 100), [false, false, true]);
        assert_eq!(known(&mut ledger, NOW_SECONDS + 102), [false, false, false]);
    });
}

#[test]
fn one_that_is_damaged_or_gone_by_then_is_made_anew() {
    for is_gone in [false, true] {
        let folder = tempdir();
        let file = folder.path().join("ledger");
        commit(&mut open(folder.path(), NOW_SECONDS), &[record(1, 1)], NOW_SECONDS).unwrap();
        unread(folder.path(), libc::EMFILE, |plan, mut ledger| {
            commit(&mut ledger, &[record(2, 1)], NOW_SECONDS).unwrap();
            heal(plan);
            if is_gone {
                fs::remove_file(&file).unwrap();
            } else {
                fs::write(&file, "no ledger").unwrap();
            }
            let recalled = ledger.recall(LATER_SECONDS);
            if is_gone {
                recalled.unwrap();
            } else {
                let why = recalled.unwrap_err().to_string();
                let aside = why.split(" and was moved to ").nth(1).unwrap().split(';').next().unwrap();
                assert_eq!(fs::read(aside).unwrap(), b"no ledger");
            }
            commit(&mut ledger, &[record(3, 1)], LATER_SECONDS + 6).unwrap();
            drop(ledger);
            let mut again = open(folder.path(), LATER_SECONDS);
            let judged = [1, 2, 3].map(|event| judge(&mut again, record(event, 1)));
            assert_eq!(judged, ["new", "duplicate", "duplicate"]);
        });
    }
}

#[test]
fn the_end_is_the_last_chance_and_costs_the_file_nothing() {
    for is_back in [false, true] {
        let folder = tempdir();
        commit(&mut open(folder.path(), NOW_SECONDS), &[record(1, 1)], NOW_SECONDS).unwrap();
        unread(folder.path(), libc::EMFILE, |plan, mut ledger| {
            commit(&mut ledger, &[record(2, 1)], NOW_SECONDS).unwrap();
            if is_back {
                heal(plan);
            }
            assert_eq!(ledger.finish(NOW_SECONDS + 1).is_ok(), is_back);
        });
        let mut again = open(folder.path(), NOW_SECONDS);
        let judged = [1, 2].map(|event| judge(&mut again, record(event, 1)));
        assert_eq!(judged, ["duplicate", if is_back { "duplicate" } else { "new" }]);
    }
}
