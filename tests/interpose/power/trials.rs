//! Histories by their seeds, until so many disks were tried.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;
use std::rc::Rc;

use super::Record;
use crate::dice::Dice;
use crate::syscalls::Kind;
use crate::variables::number_from;

/// A record of what is in the folder. In half of the histories syncs fail, and in a third of these what failed
/// cannot be taken back either.
pub fn failing(folder: &Path, seed: u64, dice: &mut Dice) -> Rc<RefCell<Record>> {
    let record = Record::of(folder);
    if seed.is_multiple_of(2) {
        let fails = (0..3).map(|_| (Kind::Sync, 1 + dice.roll() % 20, libc::EIO));
        record.borrow_mut().fails = fails.collect();
        if seed.is_multiple_of(3) {
            record.borrow_mut().fails.extend((1..9).map(|place| (Kind::Truncate, place, libc::EIO)));
        }
    }
    record
}

/// Runs one history after the other from POWER_LOSS_SEED (1) on, until POWER_LOSS_STATES (2,000) disks were tried:
/// each says how many there were so far. One that fails tells its seed. How many were asked for.
#[allow(clippy::print_stdout)]
pub fn histories(mut history: impl FnMut(u64) -> u64) -> u64 {
    let states = number_from("POWER_LOSS_STATES").unwrap_or(2_000);
    let base = number_from("POWER_LOSS_SEED").unwrap_or(1);
    println!("POWER_LOSS_SEED={base}");
    let mut seed = base;
    loop {
        match catch_unwind(AssertUnwindSafe(|| history(seed))) {
            Ok(disks) if disks >= states => return states,
            Ok(_) => seed += 1,
            Err(panic) => {
                println!("POWER_LOSS_SEED={seed}");
                resume_unwind(panic);
            }
        }
    }
}
