//! The file of the versions that went through, and the thread that writes it: the host's thread never waits for a disk.
//!
//! A version that went through the filter need not have been delivered. If the host dies in between it loses the chunk, and
//! with a file the event does not go through again. So there is no file by default: it is for those who would rather lose
//! such an event than see others twice after a restart.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::clock;
use crate::failpoint;
use crate::ledger::table::Table;
use crate::ledger::{Commit, Contents, File, LedgerError};
use crate::log::HostLog;

/// Versions that may wait for a disk that is slow or away, about 5 MB. More are known in memory only.
const MOST_WAITING: usize = 100_000;
/// How long the exit waits for the disk.
const LAST_WRITE: Duration = Duration::from_secs(3);
/// How long until a failed write is tried again if no new commit comes.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

pub(super) struct SeenFile {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    queue: Mutex<Queue>,
    changed: Condvar,
    log: Arc<HostLog>,
}

#[derive(Default)]
struct Queue {
    commits: Vec<Commit>,
    /// How many versions these are.
    versions: usize,
    /// Commits below this number are forgotten.
    oldest: u64,
    /// The file has to be made anew, of all that is remembered.
    wants_all: bool,
    all: Option<Contents>,
    /// What the start could not read of the file, and what was read since.
    found: Option<Vec<Commit>>,
    is_stopping: bool,
    has_ended: bool,
}

impl SeenFile {
    /// # Errors
    /// If no thread can be started.
    pub(super) fn start(file: File, log: &Arc<HostLog>, on_start: fn()) -> io::Result<Self> {
        let shared =
            Arc::new(Shared { queue: Mutex::default(), changed: Condvar::new(), log: Arc::clone(log) });
        let for_thread = Arc::clone(&shared);
        let thread = thread::Builder::new().name("service_impact".to_owned()).spawn(move || {
            on_start();
            let worked = catch_unwind(AssertUnwindSafe(|| work(&for_thread, file)));
            if worked.is_err() {
                for_thread.log.error(
                    "state_file ended",
                    "the thread that writes state_file ended by a panic, a fault of this plugin: what is seen from \
                     now on is known until the next restart only",
                );
            }
            for_thread.lock().has_ended = true;
            for_thread.changed.notify_all();
        });
        Ok(Self { shared, thread: Some(thread?) })
    }

    /// Hands over a commit that was entered into the table. Never waits for the disk.
    pub(super) fn add(&self, commit: Commit, table: &Table) {
        let mut queue = self.shared.lock();
        queue.oldest = table.oldest_commit();
        if queue.has_ended {
            // That was logged when it happened.
            return;
        }
        // What was found is not in the table yet, so a copy of that would not be all.
        if queue.wants_all && queue.found.is_none() {
            queue.hand_over_all(table);
            drop(queue);
            self.shared.changed.notify_all();
            return;
        }
        if queue.versions + commit.records.len() > MOST_WAITING {
            drop(queue);
            self.shared.log.warn(
                "state_file behind",
                format!(
                    "the disk of state_file is too slow: {} versions are known until the next restart only",
                    commit.records.len()
                ),
            );
            return;
        }
        queue.versions += commit.records.len();
        queue.commits.push(commit);
        drop(queue);
        self.shared.changed.notify_all();
    }

    /// What was read of the file late, once. It is older than all in the table.
    pub(super) fn take_found(&self) -> Option<Vec<Commit>> {
        self.shared.lock().found.take()
    }

    /// Hands over all that is remembered if the file has to be made anew: the last chance of an instance that ends.
    pub(super) fn end(&self, table: &Table) {
        let mut queue = self.shared.lock();
        if queue.wants_all {
            queue.hand_over_all(table);
        }
    }
}

impl Queue {
    fn find(&mut self, contents: Contents) {
        self.found = Some(contents.commits);
        self.wants_all = true;
    }

    /// Copies the table, which takes the host's thread some milliseconds. That happens once each time a file is lost.
    fn hand_over_all(&mut self, table: &Table) {
        self.wants_all = false;
        self.all = Some(Contents { commits: table.commits(), ..Contents::default() });
        // The copy has these, too.
        self.commits.clear();
        self.versions = 0;
    }
}

impl Drop for SeenFile {
    /// Lets the thread write what waits, and joins it, unless the disk hangs: then both are left behind.
    fn drop(&mut self) {
        let deadline = clock::monotonic() + LAST_WRITE;
        let mut queue = self.shared.lock();
        queue.is_stopping = true;
        self.shared.changed.notify_all();
        while !queue.has_ended {
            let left = deadline.saturating_duration_since(clock::monotonic());
            if left.is_zero() {
                self.shared.log.warn(
                    "state_file hangs",
                    "the disk of state_file did not answer in time at the exit: the next start lets some events \
                     through again",
                );
                return;
            }
            queue = self.shared.changed.wait_timeout(queue, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        drop(queue);
        if let Some(thread) = self.thread.take() {
            // A panic of the thread was logged when it happened.
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn work(shared: &Shared, mut file: File) {
    let report = |why: LedgerError| {
        shared.log.error(
            "state_file",
            format!("state_file: {why}; until it is back, events may go through again; look at the disk"),
        );
    };
    if let Some(why) = file.take_trouble() {
        report(why);
    }
    loop {
        let Queue { commits, oldest, all, is_stopping: is_last, .. } = next(shared);
        failpoint::hit("keep");
        if is_last {
            file.end_pause();
        }
        let now_seconds = clock::unix_seconds(clock::wall());
        // At the end nobody would take what was read.
        let recalled = if is_last { Ok(None) } else { file.recall(now_seconds) };
        match recalled {
            Ok(None) => {}
            Ok(Some(contents)) => shared.lock().find(contents),
            Err(why) => report(why),
        }
        let anew = all.map_or(Ok(()), |all| file.save_all(&all, now_seconds));
        // Commits that came after the copy was made are not in it.
        if let Err(why) = anew.and_then(|()| file.save(merged(commits), oldest, now_seconds)) {
            report(why);
        }
        if is_last {
            return;
        }
        shared.lock().wants_all = file.wants_all(now_seconds);
    }
}

/// Waits for commits and takes all that are there, with the oldest that is still remembered, and whether these are the
/// last.
fn next(shared: &Shared) -> Queue {
    let mut queue = shared.lock();
    if queue.commits.is_empty() && queue.all.is_none() && !queue.is_stopping {
        queue = shared.changed.wait_timeout(queue, LOOK_AGAIN).unwrap_or_else(PoisonError::into_inner).0;
    }
    let (commits, all) = (std::mem::take(&mut queue.commits), queue.all.take());
    queue.versions = 0;
    Queue { commits, all, oldest: queue.oldest, is_stopping: queue.is_stopping, ..Queue::default() }
}

/// Merges commits into one, as each costs a sync and `kubernetes_events` brings one event a chunk. It has the number of the
/// last one, and so leaves the file no earlier than any of them.
fn merged(commits: Vec<Commit>) -> Option<Commit> {
    commits.into_iter().reduce(|mut all, commit| {
        all.records.extend(commit.records);
        Commit { records: all.records, ..commit }
    })
}
