//! What does the ledger make of a file that is in use, damaged, missing, or no file at all?
//!
//! The promise: it reads what was committed, or moves the file aside and starts anew, or says why it
//! cannot work. It never takes a version for acknowledged that was not, never panics, never blocks.
//! `LEDGER_SEEDS` sets how many damaged files are tried, and `LEDGER_CUT_STRIDE` (61) how many bytes are between
//! two cuts: 1 for every byte.
#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    clippy::disallowed_methods,
    reason = "a test may fail, and watches a thread"
)]

use super::scratch::tempdir;
use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use event_gateway::config::{LedgerSettings, Updates};
use event_gateway::ledger::{Ledger, LedgerError, MovedAside, Unusable, Verdict};
use event_gateway::record::identity::{Identity, Version, Versioned};

pub const NOW_SECONDS: u64 = 1_800_000_000;
pub const COMMITS: u64 = 30;
/// redb's, with both of its slots.
const HEADER_BYTES: usize = 320;

fn settings(file: &Path) -> LedgerSettings {
    let ttl = Duration::from_secs(10_800);
    LedgerSettings { state_file: Some(file.to_owned()), ttl, max_entries: 100_000 }
}

pub fn open(file: &Path) -> Result<(Ledger, Option<MovedAside>), LedgerError> {
    Ledger::open(&settings(file), Updates::Every, NOW_SECONDS)
}

/// Every commit holds some events for the first time and an update of one.
pub fn batch(number: u64) -> Vec<Versioned> {
    let record = |event: u64, version: u64| Versioned {
        identity: Identity(u128::from(event) << 64 | 0x5eed),
        version: Version(version),
        count: version as u32,
    };
    let new = (0..1 + number % 9).map(|place| record(number * 100 + place, 7));
    new.chain((number > 0).then(|| record((number - 1) * 100, 8))).collect()
}

pub fn deliver(ledger: &mut Ledger, records: &[Versioned]) -> Result<(), LedgerError> {
    let tickets: Vec<_> = records
        .iter()
        .filter_map(|record| match ledger.begin(*record) {
            Verdict::New { ticket } | Verdict::Update { ticket, .. } => Some(ticket),
            _ => None,
        })
        .collect();
    ledger.commit(&tickets, NOW_SECONDS)
}

pub fn deliver_all(file: &Path) {
    let mut ledger = open(file).unwrap().0;
    (0..COMMITS).for_each(|number| deliver(&mut ledger, &batch(number)).unwrap());
}

/// How many of the first so many commits the ledger knows; panics when it knows what was never delivered.
pub fn remembered(ledger: &mut Ledger, commits: u64) -> usize {
    let mut known = 0;
    for number in 0..COMMITS + 1 {
        for record in batch(number) {
            let later = Versioned { version: Version(record.version.0 + 5), ..record };
            for (record, may_be_known) in [(record, number < commits), (later, false)] {
                match ledger.begin(record) {
                    Verdict::Duplicate => {
                        assert!(may_be_known, "{record:?} was never acknowledged");
                        known += 1;
                    }
                    Verdict::New { ticket } | Verdict::Update { ticket, .. } => ledger.abort(ticket),
                    verdict => panic!("{verdict:?}"),
                }
            }
        }
    }
    known
}

pub fn all_of(commits: u64) -> usize {
    (0..commits).map(|number| batch(number).len()).sum()
}

/// Runs it on a thread of its own, because what blocks would block the test.
fn within_seconds<T: Send + 'static>(seconds: u64, work: impl FnOnce() -> T + Send + 'static) -> T {
    let (sender, receiver) = mpsc::channel();
    let worker = thread::Builder::new().spawn(move || sender.send(work()).is_ok()).unwrap();
    match receiver.recv_timeout(Duration::from_secs(seconds)) {
        Ok(done) => done,
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("it blocks"),
        Err(mpsc::RecvTimeoutError::Disconnected) => std::panic::resume_unwind(worker.join().unwrap_err()),
    }
}

#[derive(Debug, Default)]
struct Tally {
    whole: usize,
    part: usize,
    moved: usize,
}

/// Opens damaged bytes, looks, delivers on, closes, and opens once more.
fn survives(folder: &Path, bytes: &[u8], tally: &mut Tally) {
    let file = folder.join("ledger");
    std::fs::write(&file, bytes).unwrap();
    let (mut ledger, moved) = open(&file).unwrap_or_else(|error| panic!("no way on: {error}"));
    let known = remembered(&mut ledger, COMMITS);
    if let Some(moved) = moved {
        assert_eq!(known, 0);
        let name = moved.to.file_name().unwrap().to_str().unwrap();
        assert_eq!(name, "ledger.damaged-20270115T080000Z");
        assert!(matches!(&moved.why, Unusable::Damaged(why) if !why.is_empty()), "{moved}");
        std::fs::remove_file(&moved.to).unwrap();
        tally.moved += 1;
    } else if known == all_of(COMMITS) {
        tally.whole += 1;
    } else {
        tally.part += 1;
    }
    // What was damaged where nobody looked may show in a commit: an error then, and memory still knows.
    let new = batch(COMMITS);
    let saved = deliver(&mut ledger, &new);
    assert!(new.iter().all(|record| ledger.begin(*record) == Verdict::Duplicate));
    drop(ledger);
    let (mut again, moved) = open(&file).unwrap_or_else(|error| panic!("no way on: {error}"));
    let is_known = new.iter().all(|record| again.begin(*record) == Verdict::Duplicate);
    assert!(is_known || saved.is_err() || moved.is_some(), "a commit that said yes is gone");
    if let Some(moved) = moved {
        std::fs::remove_file(moved.to).unwrap();
    }
}

fn good_file(folder: &Path) -> Vec<u8> {
    let file = folder.join("good");
    deliver_all(&file);
    std::fs::read(&file).unwrap()
}

fn next(state: &mut u64) -> usize {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*state >> 33) as usize
}

#[test]
fn what_was_committed_is_there_again() {
    let folder = tempdir();
    let file = folder.path().join("ledger");
    deliver_all(&file);
    let (mut ledger, moved) = open(&file).unwrap();
    assert_eq!((remembered(&mut ledger, COMMITS), moved), (all_of(COMMITS), None));
}

#[test]
fn a_second_instance_learns_that_the_file_is_taken() {
    let folder = tempdir();
    let file = folder.path().join("ledger");
    let first = open(&file).unwrap().0;
    // A link to its folder, as nobody follows one to the file.
    std::os::unix::fs::symlink(".", folder.path().join("link")).unwrap();
    let other_name = folder.path().join("link/ledger");
    for name in [&file, &other_name] {
        let error = open(name).map(drop).unwrap_err();
        let path = name.display();
        assert_eq!(
            error.to_string(),
            format!("{path} is in use by another instance; each instance needs a file of its own")
        );
    }
    drop(first);
    assert!(open(&other_name).is_ok());
}

#[test]
fn a_copy_taken_at_any_moment_holds_what_was_acknowledged_by_then() {
    let folder = tempdir();
    let file = folder.path().join("ledger");
    let mut ledger = open(&file).unwrap().0;
    for number in 0..COMMITS {
        deliver(&mut ledger, &batch(number)).unwrap();
        let copy = folder.path().join(format!("copy-{number}"));
        std::fs::copy(&file, &copy).unwrap();
        let (mut copied, moved) = open(&copy).unwrap();
        assert_eq!(moved, None);
        assert_eq!(remembered(&mut copied, number + 1), all_of(number + 1), "after commit {number}");
    }
}

#[test]
fn a_file_cut_short_anywhere_is_read_or_moved_aside() {
    let stride = std::env::var("LEDGER_CUT_STRIDE").map_or(61, |stride| stride.parse().unwrap());
    let tally = within_seconds(if stride < 61 { 7_200 } else { 1_200 }, move || {
        let folder = tempdir();
        let good = good_file(folder.path());
        let mut tally = Tally::default();
        // The header at every byte in any case; a file of no byte at all is a new one.
        for len in (1..HEADER_BYTES).chain((HEADER_BYTES..good.len()).step_by(stride)) {
            survives(folder.path(), &good[..len], &mut tally);
        }
        tally
    });
    println!("cut: {tally:?}");
    assert_eq!(tally.part, 0);
}

#[test]
fn a_file_with_flipped_bytes_tells_no_lies() {
    let tally = within_seconds(3_000, || {
        let folder = tempdir();
        let good = good_file(folder.path());
        let mut tally = Tally::default();
        let seeds = std::env::var("LEDGER_SEEDS").map_or(500, |seeds| seeds.parse().unwrap());
        for seed in 0..seeds {
            let mut state = seed;
            let mut bytes = good.clone();
            // One byte, a few, or a sector of them.
            for _ in 0..1 + next(&mut state) % 4 {
                let (at, len) = (next(&mut state) % good.len(), [1, 1, 1, 512][next(&mut state) % 4]);
                for byte in bytes.iter_mut().skip(at).take(len) {
                    *byte ^= (next(&mut state) % 255 + 1) as u8;
                }
            }
            survives(folder.path(), &bytes, &mut tally);
        }
        tally
    });
    println!("flipped: {tally:?}");
    // redb may fall back to the commit before the damaged one. That repeats, and loses nothing; but where
    // a flipped byte does not matter or is found, which is nearly everywhere, nothing is repeated either.
    assert!(tally.part * 100 <= tally.whole + tally.moved, "{tally:?}");
}

#[test]
fn what_is_no_ledger_is_moved_aside_as_it_was() {
    let folder = tempdir();
    let file = folder.path().join("ledger");
    let mut state = 9;
    let noise: Vec<u8> = (0..70_000).map(|_| next(&mut state) as u8).collect();
    for bytes in [&noise[..], &noise[..1], b"{\"a\": 1}\n", &[0; 4096]] {
        std::fs::write(&file, bytes).unwrap();
        let (mut ledger, moved) = open(&file).unwrap();
        let moved = moved.unwrap();
        assert_eq!(std::fs::read(&moved.to).unwrap(), bytes, "{}", moved.why);
        assert_eq!(remembered(&mut ledger, 0), 0);
    }
    // An empty file is what `touch` or a volume's first mount leaves.
    std::fs::write(&file, b"").unwrap();
    assert_eq!(open(&file).unwrap().1, None);
}

#[test]
fn a_link_leads_to_the_folder_of_the_file() {
    let folder = tempdir();
    let (link, target) = (folder.path().join("link/ledger"), folder.path().join("disk/ledger"));
    std::fs::create_dir(folder.path().join("disk")).unwrap();
    std::os::unix::fs::symlink("disk", folder.path().join("link")).unwrap();
    for damaged in [false, true] {
        if damaged {
            std::fs::write(&target, "no ledger").unwrap();
        }
        deliver_all(&link);
        assert!(target.is_file() && folder.path().join("link").is_symlink());
        assert_eq!(remembered(&mut open(&target).unwrap().0, COMMITS), all_of(COMMITS));
        let names = std::fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(names, 2, "what is damaged is kept where it was");
    }
}

#[test]
fn what_cannot_be_a_file_is_named_with_the_reason() {
    let folder = tempdir();
    let (directory, fifo) = (folder.path().join("directory"), folder.path().join("fifo"));
    std::fs::create_dir(&directory).unwrap();
    std::fs::write(folder.path().join("file"), b"").unwrap();
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let cases = [
        (directory, "directory"),
        (folder.path().join("no/such/folder"), "No such file"),
        (folder.path().join("file/ledger"), "Not a directory"),
        // Not even root may make files there.
        ("/proc/ledger".into(), "cannot be used"),
        ("/dev/full".into(), "cannot be used"),
        (fifo, "cannot be used"),
    ];
    for (path, expected) in cases {
        let shown = path.display().to_string();
        let error = within_seconds(120, move || open(&path).map(drop).unwrap_err());
        assert!(error.to_string().starts_with(&shown) && error.to_string().contains(expected), "{error}");
    }
}

#[test]
fn without_a_file_nothing_is_kept_and_nothing_fails() {
    let settings = LedgerSettings { state_file: None, ttl: Duration::from_secs(1), max_entries: 10 };
    for _ in 0..2 {
        let mut ledger = Ledger::open(&settings, Updates::Every, NOW_SECONDS).unwrap().0;
        assert_eq!(remembered(&mut ledger, 0), 0);
        deliver(&mut ledger, &batch(0)).unwrap();
        assert_eq!(ledger.entries(), batch(0).len());
    }
}
