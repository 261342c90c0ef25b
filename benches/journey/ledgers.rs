//! How the ledger's cost grows with its size, from a thousand to ten million versions.
//!
//! Each size is measured in a process of its own; the growth of the process is the ledger's memory.

use std::hint::black_box;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use event_gateway::clock;
use event_gateway::ledger::{Ledger, Verdict};
use event_gateway::record::identity::{Identity, Version, Versioned};

use crate::plot::{Line, Panel};
use crate::stages::judge::open;

const FLAG: &str = "--ledger";
const ENTRIES: [u64; 5] = [1_000, 10_000, 100_000, 1_000_000, 10_000_000];
/// Larger ledgers are not measured with a file, because filling it would take minutes, and it is read only at the start.
const MOST_IN_A_FILE: u64 = 1_000_000;
/// The versions of a commit: as many as a batch has by default.
const COMMIT: u64 = 500;
const RUNS: usize = 5;
/// The versions of a run.
const RUN: u64 = 100_000;
/// The commits to a file; each waits for the disk.
const SYNCS: u64 = 20;

pub fn grow() -> Panel {
    println!(
        "the ledger by its entries (at the commit of {COMMIT} a batch; the times of a file are the disk's)"
    );
    println!(
        "  {:>10}{:>14}{:>14}{:>14}{:>18}{:>12}",
        "entries", "new, ns", "known, ns", "bytes each", "file: ms a commit", "ms to open"
    );
    let mut lines = ["new, and committed", "known"].map(|name| Line { name, points: Vec::new() });
    for entries in ENTRIES {
        let program = std::env::current_exe().expect("the path of this program");
        let output = Command::new(program).args([FLAG, &entries.to_string()]).output().expect("this program");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let said = String::from_utf8_lossy(&output.stdout);
        let figures: Vec<f64> = said.split_whitespace().filter_map(|figure| figure.parse().ok()).collect();
        // Whole pages are too coarse for a small ledger.
        let bytes = if entries < 100_000 { "–".to_owned() } else { format!("{:.0}", figures[2]) };
        print!("  {entries:>10}{:>14.0}{:>14.0}{bytes:>14}", figures[0], figures[1]);
        match figures.get(3..5) {
            Some(file) => println!("{:>18.2}{:>12.1}", file[0], file[1]),
            None => println!(),
        }
        lines.iter_mut().zip(&figures).for_each(|(line, ns)| line.points.push((entries as f64, *ns)));
    }
    println!();
    Panel { title: "The ledger in memory", axis: "versions remembered", lines: lines.into() }
}

/// The number of entries that [`grow`] asked this process for.
pub fn asked_for() -> Option<u64> {
    let arguments: Vec<String> = std::env::args().collect();
    let at = arguments.iter().position(|argument| argument == FLAG)?;
    arguments.get(at + 1)?.parse().ok()
}

/// Measures one size and prints the figures.
pub fn measure_one(entries: u64) {
    let most = usize::try_from(entries).expect("a size");
    let before = resident_bytes();
    let mut ledger = open(None, most);
    let mut next = 0;
    enter(&mut ledger, &mut next, entries, COMMIT);
    let bytes = resident_bytes().saturating_sub(before) as f64 / entries as f64;
    let new = best(|| enter(&mut ledger, &mut next, RUN, COMMIT));
    // Only versions that are not evicted yet, in an order that defeats the caches.
    let remembered = |number: u64| next - 1 - mixed(number) % (entries - COMMIT);
    let known = best(|| {
        for number in 0..RUN {
            let verdict = ledger.begin(versioned(remembered(number)));
            assert_eq!(black_box(verdict), Verdict::Duplicate);
        }
    });
    println!("{new} {known} {bytes}");
    drop(ledger);
    if entries <= MOST_IN_A_FILE {
        with_file(entries, most);
    }
}

fn with_file(entries: u64, most: usize) {
    let folder = tempfile::tempdir_in(Path::new(env!("CARGO_TARGET_TMPDIR"))).expect("a folder");
    let file = folder.path().join("ledger");
    let mut ledger = open(Some(&file), most);
    let mut next = 0;
    enter(&mut ledger, &mut next, entries, entries.min(50_000));
    let start = clock::monotonic();
    enter(&mut ledger, &mut next, SYNCS * COMMIT, COMMIT);
    let commit_ms = start.elapsed().as_secs_f64() * 1e3 / SYNCS as f64;
    drop(ledger);
    let start = clock::monotonic();
    black_box(open(Some(&file), most).entries());
    println!("{commit_ms} {}", start.elapsed().as_secs_f64() * 1e3);
}

/// Enters new versions, and commits them in groups.
fn enter(ledger: &mut Ledger, next: &mut u64, count: u64, group: u64) {
    let mut tickets = Vec::new();
    let end = *next + count;
    while *next < end {
        tickets.clear();
        for number in *next..end.min(*next + group) {
            let Verdict::New { ticket } = ledger.begin(versioned(number)) else {
                panic!("{number} is known")
            };
            tickets.push(ticket);
        }
        *next += tickets.len() as u64;
        ledger.commit(&tickets, 0).expect("a file that can be written");
    }
}

fn versioned(number: u64) -> Versioned {
    let identity = Identity(u128::from(mixed(number)) << 64 | u128::from(number));
    Versioned { identity, version: Version(number), count: 1 }
}

/// A pseudo-random number (the last step of SplitMix64).
fn mixed(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

/// Nanoseconds per version, in the best of some runs.
fn best(mut run: impl FnMut()) -> f64 {
    let times = (0..RUNS).map(|_| {
        let start = clock::monotonic();
        run();
        start.elapsed()
    });
    times.min().unwrap_or(Duration::MAX).as_nanos() as f64 / RUN as f64
}

/// The memory of this process, from the kernel's counter.
fn resident_bytes() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("Linux tells it");
    statm.split(' ').nth(1).and_then(|pages| pages.parse::<usize>().ok()).expect("pages") * 4_096
}
