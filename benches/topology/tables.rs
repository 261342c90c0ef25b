//! The topology's table beside the hash map of `imbl`: both share what did not change with their copies.

use std::hash::{BuildHasherDefault, Hasher};
use std::hint::black_box;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use event_gateway::clock;
use event_gateway::topology::key::Key;
use event_gateway::topology::table::Table;

pub const FLAG: &str = "--table";
const ENTRIES: u64 = 100_000;
const CHANGES: u64 = 20_000;
const RUNS: usize = 5;

/// What the index keeps for most keys: a pointer.
type Value = Arc<u64>;
type Map = imbl::GenericHashMap<u64, Value, BuildHasherDefault<AsItIs>, imbl::shared_ptr::DefaultSharedPtr>;

/// The keys are hashes already; the table uses their bits as they are, too.
#[derive(Default)]
struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {}

    fn write_u64(&mut self, key: u64) {
        self.0 = key;
    }
}

/// Either table.
trait Tabular: Clone + Default {
    fn insert(&mut self, number: u64, value: &Value);
    fn has(&self, number: u64) -> bool;
}

impl Tabular for Table<Value> {
    fn insert(&mut self, number: u64, value: &Value) {
        self.insert(Key::of_bytes(&number.to_le_bytes()), Arc::clone(value));
    }

    fn has(&self, number: u64) -> bool {
        self.contains_key(&Key::of_bytes(&number.to_le_bytes()))
    }
}

impl Tabular for Map {
    fn insert(&mut self, number: u64, value: &Value) {
        self.insert(hash(number), Arc::clone(value));
    }

    fn has(&self, number: u64) -> bool {
        self.contains_key(&hash(number))
    }
}

/// As [`Key`] makes it, so that both have the same work.
fn hash(number: u64) -> u64 {
    xxhash_rust::xxh3::xxh3_64_with_seed(&number.to_le_bytes(), 1)
}

pub fn compare() {
    println!("tables: {ENTRIES} entries of a key and a pointer");
    println!(
        "  {:<12}{:>14}{:>14}{:>28}{:>16}",
        "", "insert, ns", "get, ns", "change and snapshot, ns", "bytes each"
    );
    row::<Table<Value>>("ours");
    row::<Map>("imbl");
}

fn row<T: Tabular>(name: &str) {
    let value = Value::default();
    let table = filled::<T>(&value);
    let insert = best(ENTRIES, || {
        black_box(filled::<T>(&value));
    });
    let get = best(ENTRIES, || {
        for number in 0..ENTRIES {
            // An order that defeats the caches.
            assert!(table.has(black_box(number * 7_919 % ENTRIES)));
        }
    });
    let change = best(CHANGES, || {
        let (mut table, mut snapshot) = (table.clone(), table.clone());
        for number in 0..CHANGES {
            table.insert(number * 7_919 % ENTRIES, &value);
            snapshot = table.clone();
        }
        black_box(snapshot);
    });
    let program = std::env::current_exe().expect("the path of this program");
    let holder = Command::new(program).args([FLAG, name]).output().expect("this program");
    let bytes = String::from_utf8_lossy(&holder.stdout).trim().to_owned();
    println!("  {name:<12}{insert:>14.0}{get:>14.0}{change:>28.0}{bytes:>16}");
}

/// Prints what an entry takes, in a process that does nothing else.
pub fn hold(name: &str, resident_bytes: fn() -> usize) {
    let value = Value::default();
    let before = resident_bytes();
    if name == "ours" {
        black_box(std::mem::ManuallyDrop::new(filled::<Table<Value>>(&value)));
    } else {
        black_box(std::mem::ManuallyDrop::new(filled::<Map>(&value)));
    }
    println!("{:.0}", resident_bytes().saturating_sub(before) as f64 / ENTRIES as f64);
}

fn filled<T: Tabular>(value: &Value) -> T {
    let mut table = T::default();
    (0..ENTRIES).for_each(|number| table.insert(number, value));
    table
}

/// Nanoseconds for each of `count`, in the best of some runs.
fn best(count: u64, mut run: impl FnMut()) -> f64 {
    let times = (0..RUNS).map(|_| {
        let start = clock::monotonic();
        run();
        start.elapsed()
    });
    times.min().unwrap_or(Duration::MAX).as_nanos() as f64 / count as f64
}
