//! A disk of which one call fails, or all from one on, until it is well again.
#![allow(dead_code, reason = "each test binary uses its own part")]

use std::cell::RefCell;
use std::rc::Rc;

use super::syscalls::{Call, Disk, Kind, Outcome};

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrong {
    Errno(i32),
    /// Reads and writes take half, or nothing of one byte; the rest happens.
    Short,
}

pub const WRONGS: [Wrong; 6] = [
    Wrong::Errno(libc::ENOSPC),
    Wrong::Errno(libc::EIO),
    Wrong::Errno(libc::EROFS),
    Wrong::Errno(libc::EMFILE),
    Wrong::Errno(libc::EACCES),
    Wrong::Short,
];

/// Which calls fail, and how many there were.
#[derive(Debug, Default)]
pub struct Plan {
    pub wrong: Option<Wrong>,
    /// The first call that fails; from 0.
    pub from: u64,
    /// Whether the next ones fail, too.
    pub stays: bool,
    /// The only kind of call that fails, if not all do.
    pub only: Option<Kind>,
    pub calls: u64,
    pub failed: u64,
    /// The kind of the last call that failed.
    pub kind: Option<Kind>,
}

pub type Shared = Rc<RefCell<Plan>>;

pub struct Failing(pub Shared);

impl Disk for Failing {
    fn before(&mut self, call: &Call<'_>) -> Outcome {
        let plan = &mut *self.0.borrow_mut();
        let place = plan.calls;
        plan.calls += 1;
        let is_hit = if plan.stays { place >= plan.from } else { place == plan.from };
        let outcome = match plan.wrong {
            _ if plan.only.is_some_and(|only| only != call.kind) => Outcome::Happens,
            Some(Wrong::Errno(errno)) if is_hit => Outcome::Fails(errno),
            Some(Wrong::Short) if is_hit && matches!(call.kind, Kind::Read | Kind::Write) && call.len > 1 => {
                Outcome::Short(call.len / 2)
            }
            _ => Outcome::Happens,
        };
        if outcome != Outcome::Happens {
            plan.failed += 1;
            plan.kind = Some(call.kind);
        }
        outcome
    }

    fn after(&mut self, _: &Call<'_>, _: i64) {}
}

/// Runs a history with each of its calls failing in turn, until none is left to fail; alone and with all that
/// follow. `work` is given the plan, and what to say if it panics. By default one kind of failure for each
/// call; all of them with `FAILING_CALLS=all`. Returns how many runs there were.
pub fn each(mut work: impl FnMut(&Shared, &str)) -> u64 {
    let all = std::env::var("FAILING_CALLS").is_ok_and(|which| which == "all");
    let mut runs = 0;
    for stays in [false, true] {
        let mut from = 0;
        loop {
            let mut calls = 0;
            let first = usize::try_from(from).expect("small");
            for place in 0..if all { WRONGS.len() } else { 1 } {
                let wrong = WRONGS[(first + place) % WRONGS.len()];
                let plan: Shared =
                    Rc::new(RefCell::new(Plan { wrong: Some(wrong), from, stays, ..Plan::default() }));
                let what = format!("call {from}{}: {wrong:?}", if stays { " and all after it" } else { "" });
                work(&plan, &what);
                runs += 1;
                calls = calls.max(plan.borrow().calls);
            }
            from += 1;
            if from > calls {
                break;
            }
        }
    }
    runs
}

/// The disk is well again.
pub fn heal(plan: &Shared) {
    plan.borrow_mut().wrong = None;
}
