//! Do the threads agree in every order: is each chunk answered once, is no flush left waiting, does a stop return?
//!
//! The files of `src` that the threads meet in are compiled once more, as they stand, with a `crate::sync` that
//! hands each step to a scheduler (shuttle). SCHEDULES (1,000) says how many orders each question is asked in, half
//! of them at random, half with priorities (PCT); SCHEDULES_SEED repeats a run. A failure prints its schedule.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may fail, and says its seed")]

mod answers;
mod clock;
mod engine;
mod failpoint;
mod serving;
mod stops;
mod sync;

// What these files use and what no schedule can change.
use event_gateway::{log, metrics};

#[path = "../../src/job.rs"]
#[allow(dead_code, reason = "a model uses its own part")]
mod job;
#[path = "../../src/abi/parked.rs"]
mod parked;
#[path = "../../src/worker/queue.rs"]
mod queue;
#[path = "../../src/abi/wake_flag.rs"]
mod wake_flag;

use testkit::variables;

use shuttle::scheduler::{PctScheduler, RandomScheduler};
use shuttle::{Config, Runner};
use variables::number_from;

/// How many moments of a schedule PCT chooses to change who goes first. Most faults need no more than three.
const CHANGES: usize = 3;

/// Asks a question in so many orders.
fn in_every_order(question: impl Fn() + Send + Sync + Clone + 'static) {
    let schedules =
        usize::try_from(number_from("SCHEDULES").unwrap_or(1_000)).expect("a number of schedules");
    let seed = number_from("SCHEDULES_SEED").unwrap_or_else(|| {
        let now = std::time::UNIX_EPOCH.elapsed().expect("a clock after 1970");
        now.as_secs() ^ u64::from(now.subsec_nanos()) << 32
    });
    println!("SCHEDULES={schedules} SCHEDULES_SEED={seed}");
    let question = move || {
        clock::reset();
        question();
    };
    let mut config = Config::new();
    config.silence_warnings = true;
    let random = RandomScheduler::new_from_seed(seed, schedules.div_ceil(2));
    Runner::new(random, config.clone()).run(question.clone());
    let pct = PctScheduler::new_from_seed(seed, CHANGES, schedules / 2);
    Runner::new(pct, config).run(question);
}
