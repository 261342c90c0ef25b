//! One body and its mutants, with the guards around them.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::Duration;

use event_gateway::clock;

use super::allocations::live_bytes;
use super::bodies::{Body, Seen};
use super::mutator::Mutator;
use super::watchdog::watched;

/// Some microseconds are usual.
const PATIENCE: Duration = Duration::from_secs(20);
/// So many mutants share a body, at whose end all its memory must be back.
const A_BODY: u64 = 2_000_000;
/// One in so many is looked at closely.
const CLOSELY: u64 = 32;

/// What was found besides hangs.
#[derive(Debug, PartialEq, Eq)]
pub enum Fault {
    Panic { number: u64 },
    Leak { bytes: i64 },
}

/// Makes as many mutants as `MUTATIONS` says, or else so many, one in so many of them, and panics if one brings a
/// fault to light.
#[allow(clippy::print_stdout, reason = "the figures are worth a look")]
pub fn each_mutant<B: Body>(default: u64, one_in: u64) {
    let count = from_environment("MUTATIONS", default).div_ceil(one_in);
    let first = from_environment("MUTATION_FIRST", 0);
    let seed = from_environment("MUTATION_SEED", 1);
    let mut seeds = B::seeds();
    seeds.extend(corpus(B::NAME));
    let mutator = Mutator { seeds, words: B::WORDS, seed };
    let again = |number| format!("MUTATION_SEED={seed} MUTATION_FIRST={number} MUTATIONS=1");
    let hung = |number| {
        let file = written::<B>(&mutator, number);
        println!("{} hangs with {} ({})", B::NAME, file.display(), again(number));
        std::process::abort();
    };
    let (mut seen, mut done) = (Seen::default(), 0);
    let start = clock::monotonic();
    while done < count {
        let numbers = first + done..first + (done + A_BODY).min(count);
        match attack::<B>(&mutator, numbers.clone(), PATIENCE, &hung) {
            Ok(more) => seen.add(more),
            Err(Fault::Panic { number }) => {
                let file = written::<B>(&mutator, number);
                panic!("{} panics with {} ({})", B::NAME, file.display(), again(number));
            }
            Err(Fault::Leak { bytes }) => {
                panic!("{} keeps {bytes} bytes of {numbers:?}, seed {seed}", B::NAME)
            }
        }
        done = numbers.end - first;
        let rate = done * 1_000 / u64::try_from(start.elapsed().as_millis()).unwrap().max(1);
        println!(
            "{}: {done} mutants of {} seeds, seed {seed}, {rate} a second; {seen:?}",
            B::NAME,
            mutator.seeds.len()
        );
    }
    // Otherwise the mutants were all good or all rubbish, and showed nothing.
    assert!(count < 1_000 || seen.good.min(seen.bad) > count / 50, "{seen:?}");
}

/// The mutants of these numbers, on one body.
///
/// # Errors
/// The first that panics, or what was not given back.
pub fn attack<B: Body>(
    mutator: &Mutator,
    numbers: Range<u64>,
    patience: Duration,
    hung: &(dyn Fn(u64) + Sync),
) -> Result<Seen, Fault> {
    watched(patience, hung, |current| {
        let mut bytes = Vec::with_capacity(1 << 16);
        // What a thread makes once stays with it.
        let mut first = B::new();
        B::seeds().iter().for_each(|seed| first.check(seed, true));
        drop(first);
        let before = live_bytes();
        let mut body = B::new();
        let tried = catch_unwind(AssertUnwindSafe(|| {
            for number in numbers {
                current.store(number, Ordering::Relaxed);
                mutator.mutant(number, &mut bytes);
                body.check(&bytes, number % CLOSELY == 0);
            }
        }));
        let seen = body.seen();
        drop(body);
        match (tried, live_bytes() - before) {
            (Err(_), _) => Err(Fault::Panic { number: current.load(Ordering::Relaxed) }),
            (Ok(()), bytes) if bytes.abs() <= B::KEPT_BYTES => Ok(seen),
            (Ok(()), bytes) => Err(Fault::Leak { bytes }),
        }
    })
}

/// The minimised finds of the fuzzer.
fn corpus(name: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(name);
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .map_or(Vec::new(), |files| files.map(|file| file.unwrap().path()).collect());
    files.sort();
    files.iter().map(|file| std::fs::read(file).unwrap()).collect()
}

/// A file with the mutant.
fn written<B: Body>(mutator: &Mutator, number: u64) -> PathBuf {
    let mut bytes = Vec::new();
    mutator.mutant(number, &mut bytes);
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{}-{}-{number}", B::NAME, mutator.seed));
    std::fs::write(&file, bytes).unwrap();
    file
}

fn from_environment(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}
