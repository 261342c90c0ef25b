//! The handle of a followed cluster: start, access and stop.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use arc_swap::Guard;

use super::auth::Auth;
use super::client::Client;
use super::coordinator::Coordinator;
use super::numbers::Numbers;
use super::publisher::Publisher;
use super::reflector::{Reflector, buffer_bytes};
use super::snapshot_file;
use super::timing::Timing;
use crate::clock;
use crate::config::{ConfigError, TopologySettings};
use crate::failpoint;
use crate::log::HostLog;
use crate::net::stop::{StopSignal, Stopper};
use crate::topology::index::Index;
use crate::topology::kind::ObjectKind;
use crate::topology::watch::Watch;
use crate::topology::writer::IndexWriter;

/// Owns the threads that follow one cluster. Dropping it stops the threads and waits for them. The wait is
/// bounded, apart from connects in progress, which take at most 2 s and run in parallel.
pub struct Cluster {
    publisher: Arc<Publisher>,
    numbers: Arc<Numbers>,
    log: Arc<HostLog>,
    signal: Arc<StopSignal>,
    coordinator: Arc<Coordinator>,
    stoppers: Vec<Stopper>,
    threads: Vec<JoinHandle<()>>,
    /// Stopped last, so that it saves the final changes.
    snapshot_keeper: Mutex<Option<Keeper>>,
    /// When the snapshot file is first saved, and how often after that.
    first_save: Duration,
    save: Duration,
}

/// The thread that saves the snapshot file.
struct Keeper {
    signal: Arc<StopSignal>,
    /// Closed when the thread ends.
    ended: Receiver<()>,
    thread: JoinHandle<()>,
}

/// How long a stop waits for the last save. A disk may hang indefinitely, but the host must be able to exit.
/// The thread is then left behind; it shares nothing with the host.
const LAST_SAVE: Duration = Duration::from_secs(5);

impl Cluster {
    /// Opens the files, then starts the threads. `on_start` runs first on each thread; the border uses it to
    /// block the host's signals there.
    ///
    /// # Errors
    /// All errors in the files, or that a thread could not be started.
    pub fn start(
        settings: &TopologySettings,
        timing: &Timing,
        on_start: fn(),
    ) -> Result<Self, Vec<ConfigError>> {
        let log = Arc::new(HostLog::default());
        let auth = Arc::new(Auth::open(settings, &log)?);
        let numbers = Arc::new(Numbers::default());
        let mut writer = IndexWriter::new(settings.tombstone_ttl.as_secs());
        let now_seconds = clock::unix_seconds(clock::wall());
        writer.set_time(now_seconds);
        let publisher = Publisher::new(writer, Arc::clone(&numbers), Arc::clone(&log), timing);
        let mut cluster = Self {
            publisher: Arc::new(publisher),
            numbers,
            log,
            signal: Arc::default(),
            coordinator: Arc::new(Coordinator::new(timing.turn)),
            stoppers: Vec::new(),
            threads: Vec::new(),
            snapshot_keeper: Mutex::default(),
            first_save: timing.first_save,
            save: timing.save,
        };
        let restored =
            settings.snapshot_file.as_deref().map_or(Ok(()), |file| cluster.remember(file, on_start));
        // If one thread cannot be started, dropping `cluster` stops the others.
        restored.and_then(|()| cluster.start_threads(settings, timing, &auth, on_start)).map_err(
            |error| {
                vec![ConfigError {
                    key: "correlate",
                    problem: format!("no thread could be started ({error})"),
                    expected: "a host that allows some 20 more threads".to_owned(),
                }]
            },
        )?;
        Ok(cluster)
    }

    /// The latest snapshot. Never waits.
    #[must_use]
    pub fn current(&self) -> Guard<Arc<Index>> {
        self.publisher.current()
    }

    /// Whether every kind was listed or given up.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.current().is_ready()
    }

    /// The cluster's numbers, which every instance publishes as its own.
    #[must_use]
    pub fn numbers(&self) -> &Numbers {
        &self.numbers
    }

    /// The log lines of the cluster; any instance may write them to the host's log. The log outlives the
    /// cluster, because stopping may log too.
    #[must_use]
    pub fn log(&self) -> Arc<HostLog> {
        Arc::clone(&self.log)
    }

    /// Restores the objects from a snapshot file and saves to it from now on. Does nothing if a snapshot file
    /// is already in use.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn remember(&self, file: &Path, on_start: fn()) -> std::io::Result<()> {
        let mut keeper = self.snapshot_keeper.lock().unwrap_or_else(PoisonError::into_inner);
        if keeper.is_some() {
            return Ok(());
        }
        let now_seconds = clock::unix_seconds(clock::wall());
        self.publisher.write(|writer| {
            snapshot_file::restore(file, writer, now_seconds, &self.log);
            writer.expire();
        });
        let signal = Arc::<StopSignal>::default();
        let (publisher, numbers) = (Arc::clone(&self.publisher), Arc::clone(&self.numbers));
        let current = move || (numbers.snapshots.get(), Arc::clone(&publisher.current()));
        let (log, stop) = (Arc::clone(&self.log), Arc::clone(&signal));
        let (file, first, every) = (file.to_owned(), self.first_save, self.save);
        let (ending, ended) = sync_channel(1);
        let work = move || {
            snapshot_file::keep(&file, current, &log, &stop, first, every);
            drop(ending);
        };
        let thread = spawn("topology-snapshot".to_owned(), on_start, work)?;
        *keeper = Some(Keeper { signal, ended, thread });
        Ok(())
    }

    fn start_threads(
        &mut self,
        settings: &TopologySettings,
        timing: &Timing,
        auth: &Arc<Auth>,
        on_start: fn(),
    ) -> std::io::Result<()> {
        for kind in ObjectKind::ALL {
            let client =
                Client::new(buffer_bytes(kind), &settings.url, auth, timing, &self.signal, &self.log);
            let reflector = Reflector {
                kind,
                watch: Watch::new(kind, settings.annotations.clone()),
                stopper: client.stopper(),
                client,
                publisher: Arc::clone(&self.publisher),
                coordinator: Arc::clone(&self.coordinator),
                wakes: 0,
                restores: 0,
                numbers: Arc::clone(&self.numbers),
                log: Arc::clone(&self.log),
            };
            self.stoppers.push(reflector.stopper.clone());
            self.coordinator.register(kind, reflector.stopper.clone());
            // The kernel cuts thread names at 15 bytes; Rust keeps the whole name.
            let name = format!("topology-{}", kind.resource());
            self.threads.push(spawn(name, on_start, move || reflector.run())?);
        }
        let (publisher, log, tick) = (Arc::clone(&self.publisher), Arc::clone(&self.log), timing.tick);
        let clock = move || keep_time(&publisher, &log, tick);
        self.threads.push(spawn("topology-clock".to_owned(), on_start, clock)?);
        Ok(())
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.signal.set();
        for stopper in &self.stoppers {
            stopper.stop();
        }
        self.coordinator.stop();
        self.publisher.stop();
        for thread in self.threads.drain(..) {
            // A panic of the thread was already logged.
            let _ = thread.join();
        }
        let keeper = self.snapshot_keeper.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(Keeper { signal, ended, thread }) = keeper {
            signal.set();
            if ended.recv_timeout(LAST_SAVE) == Err(RecvTimeoutError::Disconnected) {
                let _ = thread.join();
            }
        }
    }
}

fn spawn(
    name: String,
    on_start: fn(),
    work: impl FnOnce() + Send + 'static,
) -> std::io::Result<JoinHandle<()>> {
    thread::Builder::new().name(name).spawn(move || {
        on_start();
        work();
    })
}

/// Publishes pending changes and erases expired tombstones.
fn keep_time(publisher: &Publisher, log: &HostLog, tick: Duration) {
    loop {
        let round = catch_unwind(AssertUnwindSafe(|| {
            failpoint::hit("clock");
            publisher.tick();
            publisher.publish_pending(clock::monotonic() + tick)
        }));
        match round {
            Ok(true) => {}
            Ok(false) => return,
            Err(_) => log.error(
                "tombstones panicked",
                "erasing deleted objects panicked, a fault of this plugin; it is tried again",
            ),
        }
    }
}
