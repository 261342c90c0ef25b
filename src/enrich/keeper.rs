//! The thread that keeps the memory in a file, so that the host's thread never waits for a disk.
//!
//! What a filter has seen is not what an output has delivered: a host that dies in between takes the chunk
//! with it, and with a file the event is not let through again. So the file is not the default; it is for
//! those who would rather lose such an event than see the others twice after a restart.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::clock;
use crate::failpoint;
use crate::ledger::table::{Row, Table};
use crate::ledger::{Contents, File};
use crate::log::HostLog;

/// Versions that may wait for a disk that is slow or away, about 5 MB. Beyond that they are known in memory
/// only.
const MOST_WAITING: usize = 100_000;
/// What the disk gets at the exit for what still waits.
const LAST_WRITE: Duration = Duration::from_secs(3);
/// Rows of a disk that failed are tried again after so long, even if no new ones come.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

pub(super) struct Keeper {
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
    rows: Vec<Row>,
    /// In all of them.
    versions: usize,
    /// Rows below this number are remembered no more.
    oldest: u64,
    /// The file has to be made anew, of everything.
    wants_all: bool,
    all: Option<Contents>,
    /// What the file turned out to hold, which the start could not read.
    found: Option<Vec<Row>>,
    is_stopping: bool,
    has_ended: bool,
}

impl Keeper {
    /// # Errors
    /// When no thread can be started; text for a person.
    pub(super) fn start(file: File, log: &Arc<HostLog>, on_start: fn()) -> Result<Self, String> {
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
        let thread = thread.map_err(|error| format!("no thread could be started to write it ({error})"))?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Hands a row over that was entered into the table. Never waits for the disk.
    pub(super) fn keep(&self, row: Row, table: &Table) {
        let mut queue = self.shared.lock();
        queue.oldest = table.oldest_row();
        if queue.has_ended {
            // Its end was logged when it happened.
            return;
        }
        // Without what was found it would not be all.
        if queue.wants_all && queue.found.is_none() {
            queue.hand_over_all(table);
            drop(queue);
            self.shared.changed.notify_all();
            return;
        }
        if queue.versions + row.records.len() > MOST_WAITING {
            drop(queue);
            self.shared.log.warn(
                "state_file behind",
                format!(
                    "the disk of state_file is too slow: {} versions are known until the next restart only",
                    row.records.len()
                ),
            );
            return;
        }
        queue.versions += row.records.len();
        queue.rows.push(row);
        drop(queue);
        self.shared.changed.notify_all();
    }

    /// What the file turned out to hold late, once: it goes into the table, before what that has.
    pub(super) fn take_found(&self) -> Option<Vec<Row>> {
        self.shared.lock().found.take()
    }

    /// Hands everything over if the file needs it: the last chance of an instance that ends.
    pub(super) fn end(&self, table: &Table) {
        let mut queue = self.shared.lock();
        if queue.wants_all {
            queue.hand_over_all(table);
        }
    }
}

impl Queue {
    fn find(&mut self, contents: Contents) {
        self.found = Some(contents.rows);
        self.wants_all = true;
    }

    /// A copy of the table, which takes the host's thread some milliseconds: once for each time that a file is
    /// lost.
    fn hand_over_all(&mut self, table: &Table) {
        self.wants_all = false;
        self.all = Some(Contents { rows: table.rows(), ..Contents::default() });
        // It has these, too.
        self.rows.clear();
        self.versions = 0;
    }
}

impl Drop for Keeper {
    /// Has what waits written, and joins the thread, unless the disk hangs: then both are left behind.
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
    let say = |why: String| {
        shared.log.error(
            "state_file",
            format!("state_file: {why}; until it is back, events may go through again; look at the disk"),
        );
    };
    if let Some(why) = file.take_trouble() {
        say(why);
    }
    loop {
        let Queue { rows, oldest, all, is_stopping: is_last, .. } = next(shared);
        failpoint::hit("keep");
        if is_last {
            file.end_pause();
        }
        let now_seconds = clock::unix_seconds(clock::wall());
        // At the end nobody would come for it.
        let recalled = if is_last { Ok(None) } else { file.recall(now_seconds) };
        match recalled {
            Ok(None) => {}
            Ok(Some(contents)) => shared.lock().find(contents),
            Err(why) => say(why),
        }
        let anew = all.map_or(Ok(()), |all| file.save_all(&all, now_seconds));
        // What came after a copy of everything was made is not in it.
        if let Err(why) = anew.and_then(|()| file.save(merged(rows), oldest, now_seconds)) {
            say(why);
        }
        if is_last {
            return;
        }
        shared.lock().wants_all = file.wants_all(now_seconds);
    }
}

/// Waits for rows and takes all that are there, with the oldest that is still remembered, and whether these
/// are the last.
fn next(shared: &Shared) -> Queue {
    let mut queue = shared.lock();
    if queue.rows.is_empty() && queue.all.is_none() && !queue.is_stopping {
        queue = shared.changed.wait_timeout(queue, LOOK_AGAIN).unwrap_or_else(PoisonError::into_inner).0;
    }
    let (rows, all) = (std::mem::take(&mut queue.rows), queue.all.take());
    queue.versions = 0;
    Queue { rows, all, oldest: queue.oldest, is_stopping: queue.is_stopping, ..Queue::default() }
}

/// One row of many, as the file syncs once a row: `kubernetes_events` brings one event a chunk. It has the
/// last one's number, and so leaves the file no earlier than any of them.
fn merged(rows: Vec<Row>) -> Option<Row> {
    rows.into_iter().reduce(|mut all, row| {
        all.records.extend(row.records);
        Row { records: all.records, ..row }
    })
}
