//! Is a ledger that is sound for redb, and holds what no plugin has written, read or moved aside with an ERROR?
//!
//! Somebody with the group's rights has written it, or a disk that was repaired.

use std::path::Path;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use event_gateway::config::{LedgerSettings, Updates};
use event_gateway::ledger::{Ledger, Verdict};
use event_gateway::record::identity::{Identity, Version, Versioned};
use redb::{Database, MultimapTableDefinition, TableDefinition, WriteTransaction};
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::support::gateway::TestGateway;
use super::support::host::{Build, Code, MiniHost};
use super::support::{PATIENT, events};

const NOW_SECONDS: u64 = 1_800_000_000;
const BOUND: Duration = Duration::from_secs(120);
const COMMITS: &str = "commits";
const INTENTS: &str = "claims";

fn record(event: u128) -> Versioned {
    Versioned { identity: Identity(event), version: Version(1), count: 1 }
}

/// A row as the plugin writes it.
fn packed(number: u64, at_seconds: u64, records: &[Versioned]) -> Vec<u8> {
    let mut value = at_seconds.to_le_bytes().to_vec();
    for record in records {
        value.extend_from_slice(&record.identity.0.to_le_bytes());
        value.extend_from_slice(&record.version.0.to_le_bytes());
        value.extend_from_slice(&record.count.to_le_bytes());
    }
    checked(number, value)
}

fn checked(number: u64, mut value: Vec<u8>) -> Vec<u8> {
    let checksum = xxh3_64_with_seed(&value, number);
    value.extend_from_slice(&checksum.to_le_bytes());
    value
}

fn put(writing: &WriteTransaction, table: &str, number: u64, value: &[u8]) {
    let table: TableDefinition<'_, u64, &[u8]> = TableDefinition::new(table);
    writing.open_table(table).unwrap().insert(number, value).unwrap();
}

fn put_key(writing: &WriteTransaction, value: &[u8]) {
    let keys: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("keys");
    writing.open_table(keys).unwrap().insert("request", value).unwrap();
}

/// A table of this name with keys and values of other types, in place of the one that may be there.
fn of_other_types(writing: &WriteTransaction, name: &str) {
    let there: TableDefinition<'_, u64, &[u8]> = TableDefinition::new(name);
    let keys: TableDefinition<'_, &str, &[u8]> = TableDefinition::new(name);
    if writing.delete_table(there).is_err() {
        let _ = writing.delete_table(keys);
    }
    let other: TableDefinition<'_, (u8, &str), [u16; 3]> = TableDefinition::new(name);
    writing.open_table(other).unwrap().insert((1, "x"), [1, 2, 3]).unwrap();
}

fn with_several_values(writing: &WriteTransaction, name: &str) {
    let there: TableDefinition<'_, u64, &[u8]> = TableDefinition::new(name);
    let keys: TableDefinition<'_, &str, &[u8]> = TableDefinition::new(name);
    if writing.delete_table(there).is_err() {
        let _ = writing.delete_table(keys);
    }
    let other: MultimapTableDefinition<'_, u64, &[u8]> = MultimapTableDefinition::new(name);
    writing.open_multimap_table(other).unwrap().insert(1, &b"x"[..]).unwrap();
}

type Craft = fn(&WriteTransaction);

/// What it holds, and whether it is moved aside.
const CASES: &[(&str, bool, Craft)] = &[
    ("the last number", true, |w| put(w, COMMITS, u64::MAX, &packed(u64::MAX, NOW_SECONDS, &[record(7)]))),
    ("the last number of an intent", true, |w| {
        put(w, INTENTS, u64::MAX, &packed(u64::MAX, NOW_SECONDS, &[record(7)]));
    }),
    ("a number that is soon the last", true, |w| {
        put(w, COMMITS, u64::MAX - 2, &packed(u64::MAX - 2, NOW_SECONDS, &[record(7)]));
    }),
    ("the last time", false, |w| put(w, COMMITS, 9, &packed(9, u64::MAX, &[record(7)]))),
    ("the last time of an intent", false, |w| put(w, INTENTS, 9, &packed(9, u64::MAX, &[record(7)]))),
    ("the first time", false, |w| put(w, COMMITS, 9, &packed(9, 0, &[record(7)]))),
    ("no record", false, |w| put(w, COMMITS, 9, &packed(9, NOW_SECONDS, &[]))),
    ("no record in an intent", false, |w| put(w, INTENTS, 9, &packed(9, NOW_SECONDS, &[]))),
    ("one record many times", false, |w| {
        put(w, COMMITS, 9, &packed(9, NOW_SECONDS, &[record(7); 1_000]));
        put(w, COMMITS, 10, &packed(10, NOW_SECONDS, &[record(7); 1_000]));
        put(w, INTENTS, 9, &packed(9, NOW_SECONDS, &[record(8); 1_000]));
        put(w, INTENTS, 10, &packed(10, NOW_SECONDS, &[record(8); 1_000]));
    }),
    ("many rows of nothing", false, |w| {
        (10..100_000).for_each(|number| put(w, COMMITS, number, &packed(number, NOW_SECONDS, &[])));
    }),
    ("a row of no bytes", true, |w| put(w, COMMITS, 9, &[])),
    ("a row without a time", true, |w| put(w, COMMITS, 9, &checked(9, vec![0; 7]))),
    ("a row with half a record", true, |w| put(w, COMMITS, 9, &checked(9, vec![0; 8 + 28 + 1]))),
    ("a row of 64 MB", true, |w| put(w, COMMITS, 9, &vec![0; 64 << 20])),
    ("the row of another number", true, |w| put(w, COMMITS, 9, &packed(8, NOW_SECONDS, &[record(7)]))),
    ("no key", false, |w| put_key(w, &[])),
    ("a short key", false, |w| put_key(w, &[7; 31])),
    ("a long key", false, |w| put_key(w, &[7; 1 << 20])),
    ("commits of other types", true, |w| of_other_types(w, COMMITS)),
    ("intents of other types", true, |w| of_other_types(w, INTENTS)),
    ("keys of other types", true, |w| of_other_types(w, "keys")),
    ("commits with several values", true, |w| with_several_values(w, COMMITS)),
    ("intents with several values", true, |w| with_several_values(w, INTENTS)),
    ("keys with several values", true, |w| with_several_values(w, "keys")),
    ("a mark of other types", true, |w| of_other_types(w, "rows")),
    ("a mark with several values", true, |w| with_several_values(w, "rows")),
];

fn settings(path: &Path) -> LedgerSettings {
    let (state_file, ttl) = (Some(path.to_owned()), Duration::from_secs(3_600));
    LedgerSettings { state_file, ttl, max_entries: 1_000_000 }
}

fn open(path: &Path) -> (Ledger, bool) {
    let (ledger, moved) = Ledger::open(&settings(path), Updates::Every, NOW_SECONDS).unwrap();
    (ledger, moved.is_some())
}

fn deliver(ledger: &mut Ledger, event: u128) -> bool {
    let Verdict::New { ticket } = ledger.begin(record(event)) else { return false };
    ledger.commit(&[ticket], NOW_SECONDS).unwrap();
    true
}

/// A ledger that holds the event 1, and what was added to it.
fn crafted(path: &Path, craft: Craft) {
    let (mut ledger, _) = open(path);
    assert!(deliver(&mut ledger, 1));
    drop(ledger);
    let writing = Database::open(path).unwrap();
    let writing = writing.begin_write().unwrap();
    craft(&writing);
    writing.commit().unwrap();
}

#[test]
fn it_is_read_or_moved_aside_and_the_next_deliveries_are_known() {
    for (what, is_moved, craft) in CASES {
        let (sender, receiver) = channel();
        thread::spawn(move || {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("ledger");
            crafted(&path, *craft);
            let (mut ledger, moved) = open(&path);
            let knows_former = !deliver(&mut ledger, 1);
            for event in 100..110 {
                assert!(deliver(&mut ledger, event));
                let Verdict::New { ticket } = ledger.begin(record(event + 100)) else { panic!("{event}") };
                ledger.intend(&[ticket], NOW_SECONDS).unwrap();
                ledger.commit(&[ticket], NOW_SECONDS).unwrap();
            }
            drop(ledger);
            let (mut ledger, moved_again) = open(&path);
            let knows_all = (100..110).all(|event| !deliver(&mut ledger, event));
            ledger.expire(NOW_SECONDS + 10_000);
            let _ = sender.send((moved, knows_former, moved_again, knows_all));
        });
        let found =
            receiver.recv_timeout(BOUND).unwrap_or_else(|_| panic!("{what}: it hangs, or has panicked"));
        assert_eq!(found, (*is_moved, !is_moved, false, true), "{what}");
    }
}

/// The line, once.
#[test]
fn a_host_starts_with_an_error_that_says_where_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger");
    crafted(&path, CASES[0].2);
    let gateway = TestGateway::start();
    let mut host = MiniHost::start(Build::V5_1_1);
    host.set("a", "endpoint", gateway.url()).set("a", "state_file", path.to_str().unwrap());
    for (key, value) in PATIENT {
        host.set("a", key, value);
    }
    assert_eq!(host.init("a"), 1);
    assert_eq!(host.deliver("a", "t", &events(["u1"])), Code::Ok);
    let line = host.wait_log("is damaged");
    assert!(line.level == 1 && line.text.contains("was moved to"), "{line:?}");
    host.quit();
}
