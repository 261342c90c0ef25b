//! What a state file holds while an instance has it open: a copy of it is read, again and again, until it is there.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::Duration;

use event_gateway::clock;
use event_gateway::config::{LedgerSettings, Updates};
use event_gateway::ledger::Ledger;

/// Beyond what any disk takes for a write.
const BOUND: Duration = Duration::from_secs(120);
const LOOK: Duration = Duration::from_millis(20);

/// How many events; none of a copy that was made in the middle of a write.
pub fn events(file: &Path) -> usize {
    let folder = tempfile::tempdir().expect("a folder");
    let copy = folder.path().join("copy");
    if fs::copy(file, &copy).is_err() {
        return 0;
    }
    let ttl = Duration::from_secs(10_800);
    let settings = LedgerSettings { state_file: Some(copy), ttl, max_entries: 100_000 };
    let now_seconds = clock::unix_seconds(clock::wall());
    Ledger::open(&settings, Updates::Every, now_seconds).map_or(0, |(ledger, _)| ledger.entries())
}

/// Waits until there are so many.
pub fn wait_for(file: &Path, count: usize) {
    let end = clock::monotonic() + BOUND;
    while events(file) < count {
        assert!(clock::monotonic() < end, "{} holds {} of {count} events", file.display(), events(file));
        thread::sleep(LOOK);
    }
}
