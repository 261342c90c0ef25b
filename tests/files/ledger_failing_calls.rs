//! Does the ledger get over each single call on its file that can fail?
//!
//! SQLite's method: a history is run with its first call failing, then its second, and so on until there is no
//! such call; each alone, and with all that come after it. Whatever fails, deliveries go on, memory knows them,
//! the error names the file, and as soon as the disk is well the file has everything, without a restart.
//! By default each call fails in one way; `FAILING_CALLS=all` tries each way on each call.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may fail, and tells where")]

use crate::{failing, syscalls};
use testkit::{mark, scratch};

use std::cell::Cell;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

use event_gateway::config::{LedgerSettings, Updates};
use event_gateway::ledger::{Ledger, LedgerError, Verdict};
use event_gateway::record::identity::{Identity, Version, Versioned};
use failing::{Failing, Plan, Shared, Wrong, each, heal};
use scratch::tempdir;
use syscalls::{Kind, watching};

const START_SECONDS: u64 = 1_800_000_000;
const TTL_SECONDS: u64 = 10_800;
/// Longer than the ledger leaves a file alone that failed.
const STEP_SECONDS: u64 = 6;
const BATCHES: u64 = 5;
/// What was in the file before.
const OLD: u64 = 100;

thread_local! {
    static PANICS: Cell<u64> = const { Cell::new(0) };
}

/// Counts panics, those that are caught included.
fn count_panics() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        PANICS.set(PANICS.get() + 1);
        usual(panic);
    }));
}

fn batch(number: u64) -> Vec<Versioned> {
    let record = |place| Versioned {
        identity: Identity(u128::from(number << 32 | place)),
        version: Version(1),
        count: 1,
    };
    (0..if number.is_multiple_of(2) { 1 } else { 200 }).map(record).collect()
}

fn now_seconds(step: u64) -> u64 {
    START_SECONDS + step * STEP_SECONDS
}

fn open(folder: &Path, step: u64) -> Ledger {
    open_at(folder, now_seconds(step))
}

fn open_at(folder: &Path, now_seconds: u64) -> Ledger {
    let (ttl, state_file) = (Duration::from_secs(TTL_SECONDS), Some(folder.join("ledger")));
    let settings = LedgerSettings { state_file, ttl, max_entries: 100_000 };
    let (ledger, moved) = Ledger::open(&settings, Updates::Every, now_seconds).unwrap();
    assert_eq!(moved, None, "nothing is damaged");
    ledger
}

fn deliver(ledger: &mut Ledger, number: u64, step: u64) -> Result<(), LedgerError> {
    deliver_at(ledger, number, now_seconds(step))
}

/// A round.
fn deliver_at(ledger: &mut Ledger, number: u64, now_seconds: u64) -> Result<(), LedgerError> {
    let recalled = ledger.recall(now_seconds);
    let tickets: Vec<_> = batch(number)
        .into_iter()
        .map(|record| match ledger.begin(record) {
            Verdict::New { ticket } => ticket,
            verdict => panic!("batch {number} is {verdict:?}"),
        })
        .collect();
    let committed = ledger.commit(&tickets, now_seconds);
    recalled.and(committed)
}

fn knows(ledger: &mut Ledger, number: u64) -> bool {
    let mut known = batch(number).into_iter().map(|record| match ledger.begin(record) {
        Verdict::Duplicate => true,
        Verdict::New { ticket } => {
            ledger.abort(ticket);
            false
        }
        verdict => panic!("{verdict:?}"),
    });
    let first = known.next().unwrap();
    assert!(known.all(|other| other == first), "half of batch {number} is known");
    first
}

/// What is in the folder before.
#[derive(Debug, Clone, Copy)]
enum Before {
    Nothing,
    Closed,
    /// As a kill leaves it: to be repaired.
    Killed,
    /// As the first versions wrote it.
    Unmarked,
}

fn prepare(folder: &Path, before: Before) {
    let file = folder.join("ledger");
    if !matches!(before, Before::Nothing) {
        // The first is too old when the file is opened again, and to be removed from it.
        let mut ledger = open_at(folder, START_SECONDS - TTL_SECONDS);
        deliver_at(&mut ledger, OLD - 1, START_SECONDS - TTL_SECONDS).unwrap();
        for number in OLD..OLD + 3 {
            deliver(&mut ledger, number, 0).unwrap();
        }
        let killed = fs::read(&file).unwrap();
        drop(ledger);
        match before {
            Before::Killed => fs::write(&file, killed).unwrap(),
            Before::Unmarked => mark::unmark(&file),
            Before::Nothing | Before::Closed => {}
        }
    }
}

/// The ledger under a failing disk, and how many of its batches the file had when it was last well.
fn work(folder: &Path) -> (Ledger, u64) {
    let path = folder.join("ledger").display().to_string();
    let mut ledger = open(folder, 1);
    let trouble = ledger.take_trouble();
    assert!(trouble.iter().all(|why| why.to_string().contains(&path)), "{trouble:?}");
    let mut saved = 0;
    for number in 0..BATCHES {
        match deliver(&mut ledger, number, 2 + number) {
            Ok(()) => saved = number + 1,
            Err(why) => assert!(why.to_string().contains(&path), "{why}"),
        }
        assert!((0..=number).all(|number| knows(&mut ledger, number)), "memory forgot");
    }
    (ledger, saved)
}

fn sweep(what: &str, ending: impl Fn(&Path, &Shared, Before)) {
    count_panics();
    for before in [Before::Nothing, Before::Closed, Before::Killed, Before::Unmarked] {
        let runs = each(|plan, failure| {
            let folder = tempdir();
            prepare(folder.path(), before);
            let worked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                watching(folder.path(), Failing(Shared::clone(plan)), || ending(folder.path(), plan, before));
                assert_eq!(PANICS.get(), 0, "something panicked, and was caught");
            }));
            if let Err(panic) = worked {
                println!("{what}, {before:?}, {failure}: {:?}", plan.borrow());
                std::panic::resume_unwind(panic);
            }
        });
        println!("{what}, {before:?}: {runs} runs");
        assert!(runs > 100, "{runs}");
    }
}

#[test]
fn when_the_disk_is_back_the_file_has_all_that_memory_knows() {
    sweep("back", |folder, plan, before| {
        let mut ledger = work(folder).0;
        heal(plan);
        // One more failure may be reported: a file that is doubtful is found out, and made anew with the next.
        let _ = deliver(&mut ledger, BATCHES, BATCHES + 2);
        deliver(&mut ledger, BATCHES + 1, BATCHES + 3).unwrap();
        let known: Vec<_> = (0..OLD + 3).filter(|number| knows(&mut ledger, *number)).collect();
        assert!((0..BATCHES + 2).all(|number| known.contains(&number)));
        let has_old = !matches!(before, Before::Nothing);
        assert!((OLD..OLD + 3).all(|number| known.contains(&number) == has_old), "{known:?}");
        drop(ledger);
        let mut again = open(folder, BATCHES + 4);
        assert!(again.take_trouble().is_none());
        let there: Vec<_> = (0..OLD + 3).filter(|number| knows(&mut again, *number)).collect();
        assert_eq!(there, known);
        let names: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["ledger"], "nothing is left lying about");
    });
}

#[test]
fn a_restart_while_it_is_away_forgets_no_more_than_it_said() {
    sweep("restart", |folder, plan, before| {
        let (mut ledger, saved) = work(folder);
        let finished = ledger.finish(now_seconds(BATCHES + 2));
        drop(ledger);
        heal(plan);
        let mut again = open(folder, BATCHES + 3);
        let expected = if finished.is_ok() { BATCHES } else { saved };
        assert!((0..expected).all(|number| knows(&mut again, number)), "{expected} were said to be written");
        let has_old = !matches!(before, Before::Nothing);
        assert!(
            (OLD..OLD + 3).all(|number| knows(&mut again, number) == has_old),
            "what nobody read is gone"
        );
    });
}

/// What no disk could be asked at the start is taken in as soon as one can, and no reason not to start.
#[test]
fn what_could_not_be_written_could_be_read_or_can_be_later() {
    let mut unread = 0;
    each(|plan, failure| {
        let folder = tempdir();
        prepare(folder.path(), Before::Closed);
        watching(folder.path(), Failing(Shared::clone(plan)), || {
            let mut ledger = open(folder.path(), 1);
            let knows_all = (OLD..OLD + 3).all(|number| knows(&mut ledger, number));
            // A single failure leaves a way: the file is read without being written.
            assert!(knows_all || plan.borrow().stays, "{failure}: {:?}", plan.borrow());
            unread += u64::from(!knows_all);
            heal(plan);
            ledger.recall(now_seconds(2)).unwrap();
            assert!(
                (OLD..OLD + 3).all(|number| knows(&mut ledger, number)),
                "{failure}: {:?}",
                plan.borrow()
            );
        });
    });
    assert!(unread > 0, "a disk that is gone cannot be read");
}

/// The same holds for a sync that fails while it runs: see the test of power losses.
#[test]
fn a_file_whose_repair_was_not_synced_is_made_anew() {
    let folder = tempdir();
    prepare(folder.path(), Before::Killed);
    let inode = || fs::metadata(folder.path().join("ledger")).unwrap().ino();
    let before = inode();
    let plan = Shared::default();
    *plan.borrow_mut() =
        Plan { wrong: Some(Wrong::Errno(libc::EIO)), stays: true, only: Some(Kind::Sync), ..Plan::default() };
    watching(folder.path(), Failing(Shared::clone(&plan)), || {
        let mut ledger = open(folder.path(), 1);
        assert!(ledger.take_trouble().is_some());
        heal(&plan);
        deliver(&mut ledger, 0, 2).unwrap();
        assert!((OLD..OLD + 3).all(|number| knows(&mut ledger, number)), "it could be read");
        drop(ledger);
        assert_ne!(inode(), before, "nobody knows what is in it");
        let mut again = open(folder.path(), 3);
        assert!((OLD..OLD + 3).chain([0]).all(|number| knows(&mut again, number)));
    });
}

#[test]
fn a_clock_set_back_makes_the_pause_no_longer() {
    let folder = tempdir();
    let plan = Shared::default();
    watching(folder.path(), Failing(Shared::clone(&plan)), || {
        let mut ledger = open_at(folder.path(), START_SECONDS);
        plan.borrow_mut().wrong = Some(Wrong::Errno(libc::ENOSPC));
        plan.borrow_mut().stays = true;
        deliver_at(&mut ledger, 0, START_SECONDS).unwrap_err();
        heal(&plan);
        let a_day_ago = START_SECONDS - 86_400;
        deliver_at(&mut ledger, 1, a_day_ago).unwrap();
        deliver_at(&mut ledger, 2, a_day_ago + STEP_SECONDS).unwrap();
        drop(ledger);
        let mut again = open_at(folder.path(), a_day_ago + STEP_SECONDS);
        assert!((0..3).all(|number| knows(&mut again, number)), "the file was left alone for a day");
    });
}

/// One that is refused is not saved, and asks for the pause all the same.
#[test]
fn a_clock_set_back_makes_no_claim_wait_longer() {
    for wrong in [Wrong::Errno(libc::ENOSPC), Wrong::Errno(libc::EIO)] {
        let folder = tempdir();
        let plan = Shared::default();
        watching(folder.path(), Failing(Shared::clone(&plan)), || {
            let mut ledger = open_at(folder.path(), START_SECONDS);
            let Verdict::New { ticket } = ledger.begin(batch(0)[0]) else { panic!("new") };
            // A write that fails; and a sync, after which the file has to be made anew.
            let only = (wrong == Wrong::Errno(libc::EIO)).then_some(Kind::Sync);
            *plan.borrow_mut() = Plan { wrong: Some(wrong), stays: true, only, ..Plan::default() };
            ledger.intend(&[ticket], START_SECONDS).unwrap_err();
            heal(&plan);
            let a_day_ago = START_SECONDS - 86_400;
            ledger.intend(&[ticket], a_day_ago).unwrap_err();
            ledger.intend(&[ticket], a_day_ago + STEP_SECONDS).unwrap();
        });
    }
}
