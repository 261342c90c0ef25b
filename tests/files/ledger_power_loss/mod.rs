//! Does the ledger know after a power loss what it said yes to, and nothing that was never delivered?
//!
//! The ledger works on a file whose every write, truncation, sync and new name is written down. Then the power
//! goes: at any moment, and with any part of what was not synced on the disk. What is left is opened, asked for
//! every version there ever was, worked on, and loses power again. In half of the histories syncs fail before
//! that: the kernel says so once, and takes what it could not write for written. A third of them begin with a file of
//! the first versions, so that the power goes in the midst of the upgrade, too.
//! POWER_LOSS_STATES (2,000) says how many such disks are tried, POWER_LOSS_SEED repeats the choices of a run.
#![allow(clippy::unwrap_used, clippy::cast_possible_truncation, reason = "a test may fail")]

mod world;

use crate::{power, syscalls};
use testkit::{dice, mark, scratch};

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::rc::Rc;

use dice::Dice;
use event_gateway::record::identity::{Identity, Version, Versioned};
use power::{Moment, Record, Recorder, trials};
use scratch::tempdir;
use syscalls::{Kind, watching};
use world::{TTL_SECONDS, Tally, World, begin, open};

/// Lives of the machine in one history.
const LIVES: usize = 3;
const MOMENTS_IN_A_LIFE: usize = 14;

/// Some moments of a life, in order: any, and those at which a commit had just said yes.
fn moments(world: &World, record: &Record, dice: &mut Dice) -> Vec<usize> {
    let yes: Vec<_> =
        world.commits.iter().filter_map(|commit| commit.said_yes).filter(|at| *at > 0).collect();
    let mut moments: Vec<_> = (0..MOMENTS_IN_A_LIFE)
        .map(|_| match dice.below(3) {
            0 if !yes.is_empty() => yes[dice.below(yes.len())],
            _ => 1 + dice.below(record.now()),
        })
        .collect();
    moments.sort_unstable();
    moments
}

/// One machine, switched off so many times.
fn history(seed: u64, tally: &mut Tally) {
    let dice = &mut Dice(seed);
    let mut world = World::new([100_000, 500, 40][dice.below(3)]);
    let mut folder = tempdir();
    if seed.is_multiple_of(3) {
        world.start_with_an_old_file(folder.path(), dice);
        tally.old_files += 1;
    }
    for _ in 0..LIVES {
        let record = Record::of(folder.path());
        if seed.is_multiple_of(2) {
            let fails = (0..1 + dice.below(3)).map(|_| (Kind::Sync, 1 + dice.below(30) as u64, libc::EIO));
            record.borrow_mut().fails = fails.collect();
        }
        watching(folder.path(), Recorder(Rc::clone(&record)), || world.live(folder.path(), &record, dice));
        let record = record.borrow();
        tally.failed_syncs += record.failed_syncs();
        let mut moment = Moment::start(&record);
        let moments = moments(&world, &record, dice);
        let goes_on = dice.below(moments.len());
        let mut next = None;
        for (place, at) in moments.into_iter().enumerate() {
            moment.advance(at, dice);
            let left = tempdir();
            moment.lose_power(dice, left.path());
            tally.disks += 1;
            let (mut ledger, moved) =
                open(left.path(), &world).unwrap_or_else(|why| panic!("no start: {why}"));
            assert!(moved.is_none(), "nothing damaged it, and it was moved aside: {moved:?}");
            let mut then = world.ask(&mut ledger, at, tally);
            // It works on, and what it takes now it keeps.
            let batch = then.next_batch(dice);
            let tickets: Vec<_> = batch.iter().map(|record| begin(&mut ledger, *record)).collect();
            ledger.commit(&tickets, then.now_seconds).unwrap();
            drop(ledger);
            then.ask_for(batch, 0);
            then.commits.iter_mut().for_each(|commit| (commit.asked, commit.said_yes) = (0, Some(0)));
            then.ask(&mut open(left.path(), &then).unwrap().0, 1, &mut Tally::default());
            if place == goes_on {
                next = Some((left, then));
            }
        }
        (folder, world) = next.unwrap();
    }
    tally.histories += 1;
}

#[test]
fn what_it_said_yes_to_is_there_and_nothing_else() {
    let mut tally = Tally::default();
    let states = trials::histories(|seed| {
        history(seed, &mut tally);
        tally.disks
    });
    println!("{tally:?}; no failed start, none moved aside");
    let counted = [tally.in_flight_there, tally.in_flight_not, tally.failed_syncs, tally.old_files];
    let everything = counted.into_iter().min().unwrap_or_default();
    assert!(states < 500 || everything > 0, "not all that may happen did: {tally:?}");
}

fn inode(folder: &Path) -> u64 {
    std::fs::metadata(folder.join("ledger")).unwrap().ino()
}

/// The kernel shows pages that it could not write as if it had. What a next commit happens to write again is
/// redb's to choose, so all is written again, into a new file.
#[test]
fn a_file_whose_sync_failed_is_not_built_upon() {
    const ROWS: u64 = 600;
    for seed in 0..20 {
        let dice = &mut Dice(seed);
        let folder = tempdir();
        let start_seconds = 1_800_000_000;
        let mut world = World::new(100_000);
        let record = Record::of(folder.path());
        let old = 50 + dice.below(400) as u64;
        let mut before = None;
        watching(folder.path(), Recorder(Rc::clone(&record)), || {
            let mut ledger = open(folder.path(), &world).unwrap().0;
            for place in 0..ROWS + 2 {
                world.now_seconds = match place {
                    _ if place < old => start_seconds,
                    _ if place < ROWS => start_seconds + TTL_SECONDS / 2,
                    _ => start_seconds + TTL_SECONDS + 6 * (place - ROWS),
                };
                ledger.expire(world.now_seconds);
                if place == ROWS {
                    before = Some(inode(folder.path()));
                    record.borrow_mut().fail_next(Kind::Sync, libc::EIO);
                }
                world.versions += 1;
                let identity = Identity(u128::from(world.versions) << 64);
                let one = Versioned { identity, version: Version(1), count: 1 };
                let ticket = begin(&mut ledger, one);
                world.ask_for(vec![one], record.borrow().now());
                let said = ledger.commit(&[ticket], world.now_seconds);
                assert_eq!(said.is_err(), place == ROWS, "{said:?}");
                if said.is_ok() {
                    world.all_said_yes(record.borrow().now());
                }
            }
        });
        assert_ne!(before, Some(inode(folder.path())), "the same file, and nobody knows what is in it");
        let record = record.borrow();
        let at = world.commits.last().unwrap().said_yes.unwrap();
        let mut moment = Moment::start(&record);
        moment.advance(at, dice);
        let left = tempdir();
        moment.lose_power(dice, left.path());
        let (mut ledger, moved) = open(left.path(), &world).unwrap();
        assert_eq!(moved, None, "seed {seed}");
        world.ask(&mut ledger, at, &mut Tally::default());
    }
}
