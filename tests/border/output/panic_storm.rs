//! Does the host live through thousands of panics at random under load, and is everything delivered once?
//!
//! PANICS (300) says how many, PANICS_SEED repeats the dice, though not the scheduler's.
#![allow(clippy::print_stdout, reason = "it says its seed")]

use std::collections::{BTreeMap, VecDeque};
use std::fs;
use std::path::{Path, PathBuf};

use super::{dice, support};
use dice::Dice;
use support::gateway::{Answer, TestGateway};
use support::host::{Build, Code, MiniHost, Outcome, Place};
use support::service_impact::loaded;
use support::variables::number_from;
use support::{chunk, event, events};

/// Where the output may panic under load, but for what ends its thread.
const OUTPUT: &str = "flush,round,deliver,idle,tick,woken,publish,log";
const FILTER: &str = "filter,enrich";
/// One time in so many.
const ONE_IN: u64 = 10;
/// Chunks on their way at a time.
const AT_ONCE: usize = 32;

/// The file that says where to panic, and the one that says where it did.
struct Wire {
    file: PathBuf,
    seed: u64,
}

impl Wire {
    fn new(folder: &Path) -> Wire {
        let seed = number_from("PANICS_SEED").unwrap_or_else(|| u64::from(std::process::id()));
        println!("PANICS={} PANICS_SEED={seed}", panics());
        Wire { file: folder.join("wire"), seed }
    }

    /// Replaced at once, as it is read all the time.
    fn set(&self, asked: &str) {
        let fresh = self.file.with_extension("new");
        fs::write(&fresh, asked).expect("written");
        fs::rename(&fresh, &self.file).expect("in place");
    }

    fn at_random(&self, places: &str) {
        self.set(&format!("{places} {ONE_IN} {}", self.seed));
    }

    fn off(&self) {
        self.set("");
    }

    /// How often each place has panicked.
    fn hits(&self) -> BTreeMap<String, usize> {
        let listed = fs::read_to_string(self.file.with_extension("hits")).unwrap_or_default();
        listed.lines().fold(BTreeMap::new(), |mut counts, place| {
            *counts.entry(place.to_owned()).or_default() += 1;
            counts
        })
    }
}

fn panics() -> usize {
    number_from("PANICS").unwrap_or(300)
}

fn total(hits: &BTreeMap<String, usize>) -> usize {
    hits.values().sum()
}

/// Has every chunk of `waiting` delivered, however often it comes back.
fn deliver(host: &mut MiniHost, waiting: &mut VecDeque<Vec<u8>>) {
    let mut under_way = VecDeque::new();
    while !waiting.is_empty() || !under_way.is_empty() {
        while under_way.len() < AT_ONCE
            && let Some(data) = waiting.pop_front()
        {
            under_way.push_back((host.flush("a", "t", &data), data));
        }
        let Some((flush, data)) = under_way.pop_front() else { break };
        match host.wait(flush) {
            Code::Ok => {}
            Code::Retry => waiting.push_back(data),
            code => panic!("a chunk was answered {code:?}"),
        }
    }
}

#[test]
fn panics_of_the_output_lose_nothing() {
    let (folder, gateway) = (tempfile::tempdir().expect("a folder"), TestGateway::start());
    let wire = Wire::new(folder.path());
    let mut dice = Dice(wire.seed);
    wire.off();
    let mut host = MiniHost::start_with(Build::V5_1_1, |command| {
        command.env("RUST_BACKTRACE", "1").env("EVENT_GATEWAY_PANIC", &wire.file);
    });
    let ledger = folder.path().join("ledger");
    host.set("a", "endpoint", gateway.url()).set("a", "state_file", ledger.as_os_str().as_encoded_bytes());
    host.set("a", "batch_events", "7");
    assert_eq!(host.init("a"), 1);

    let mut all: Vec<Vec<u8>> = Vec::new();
    let mut ids = Vec::new();
    let mut thread_ends = 0;
    for round in 0.. {
        if total(&wire.hits()) >= panics() && thread_ends > 0 {
            break;
        }
        wire.at_random(OUTPUT);
        let mut fresh = VecDeque::new();
        for _ in 0..AT_ONCE * 4 {
            let uids: Vec<_> = (0..=dice.below(4)).map(|n| format!("{}-{n}", all.len())).collect();
            ids.extend(uids.iter().map(|uid| format!("{uid}.1")));
            all.push(events(&uids));
            fresh.extend(all.last().cloned());
        }
        deliver(&mut host, &mut fresh);
        // From time to time all threads end, by a panic too, and the instance begins anew.
        if round % 8 == 0 {
            wire.set("thread");
            assert_eq!(host.deliver("a", "t", &events(["end"])), Code::Retry);
            for place in ["exit", "finish"] {
                wire.set(place);
                host.exit("a");
                wire.off();
                assert_eq!(host.init("a"), 1);
            }
            wire.set("publish,log");
            host.exit("a");
            wire.set("init");
            assert!(host.init("a") <= 0);
            wire.off();
            assert_eq!(host.init("a"), 1);
            thread_ends += 1;
        }
    }

    wire.off();
    let mut again = all.iter().cloned().collect();
    deliver(&mut host, &mut again);
    assert!(host.reload().ok);
    let requests = gateway.requests().len();
    let mut again = all.iter().cloned().collect();
    deliver(&mut host, &mut again);
    assert_eq!(gateway.requests().len(), requests, "the ledger has lost something");
    let mut accepted = gateway.accepted_ids();
    accepted.sort();
    ids.sort();
    assert!(accepted == ids, "{} ids were accepted of {}", accepted.len(), ids.len());
    let hits = wire.hits();
    println!("{} panics, {thread_ends} ends of all threads, {} records: {hits:?}", total(&hits), ids.len());
    // A timer comes ten times a second, and a short run may be over before the dice fall on it.
    for place in ["flush", "round", "deliver", "woken", "thread", "finish", "exit", "init"] {
        assert!(hits.contains_key(place), "nothing panicked in {place}");
    }
    assert_eq!(host.stderr(), [""; 0], "nothing goes to the host's descriptors");
    host.quit();
}

#[test]
fn panics_of_the_filter_lose_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let wire = Wire::new(folder.path());
    wire.off();
    let (mut host, _image) = loaded(Build::V5_1_1, |command| {
        command.env("RUST_BACKTRACE", "1").env("EVENT_GATEWAY_PANIC", &wire.file);
    });
    assert_eq!(host.init_filter("f"), 0);
    wire.at_random(FILTER);
    let mut number = 0;
    while total(&wire.hits()) < panics() / 3 {
        let place = if number % 2 == 0 { Place::Pipeline } else { Place::Processor };
        let data = chunk::of([&event(&format!("u{number}"), 1, 1)]);
        // The first call that does not panic knows nothing of it; from then on it is known.
        let outcomes: Vec<_> = (0..4).map(|_| host.filter("f", "t", &data, place).outcome).collect();
        assert_eq!(outcomes[0], Outcome::NoTouch, "nobody has seen it");
        for outcome in &outcomes {
            assert!(*outcome == Outcome::NoTouch || *outcome == Outcome::Modified(Vec::new()), "{outcome:?}");
        }
        number += 1;
    }
    wire.off();
    for number in 0..number {
        let data = chunk::of([&event(&format!("u{number}"), 1, 1)]);
        host.filter("f", "t", &data, Place::Pipeline);
        let known = host.filter("f", "t", &data, Place::Pipeline).outcome;
        assert_eq!(known, Outcome::Modified(Vec::new()));
    }
    println!("{number} events, {:?}", wire.hits());
    assert_eq!(host.stderr(), [""; 0], "nothing goes to the host's descriptors");
    host.quit();
}

#[test]
fn panics_with_a_failing_gateway_lose_nothing() {
    let (folder, gateway) = (tempfile::tempdir().expect("a folder"), TestGateway::start());
    let wire = Wire::new(folder.path());
    wire.off();
    let dice = std::sync::Mutex::new(Dice(wire.seed));
    gateway.respond_with(move |_| {
        if dice.lock().expect("dice").one_in(5) {
            Answer::status(503).header("Retry-After", "0")
        } else {
            Answer::ok()
        }
    });
    let mut host = MiniHost::start_with(Build::ALIGN8, |command| {
        command.env("EVENT_GATEWAY_PANIC", &wire.file);
    });
    host.set("a", "endpoint", gateway.url()).set("a", "batch_events", "3");
    assert_eq!(host.init("a"), 1);
    let mut ids = Vec::new();
    while total(&wire.hits()) < panics() / 3 {
        wire.at_random(OUTPUT);
        let first = ids.len();
        let mut fresh: VecDeque<_> = (first..first + AT_ONCE).map(|n| events([n])).collect();
        ids.extend((first..first + AT_ONCE).map(|n| format!("{n}.1")));
        deliver(&mut host, &mut fresh);
    }
    wire.off();
    let mut accepted = gateway.accepted_ids();
    accepted.sort();
    ids.sort();
    assert!(accepted == ids, "{} ids were accepted of {}", accepted.len(), ids.len());
    host.quit();
}
