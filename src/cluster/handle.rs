//! The handle of a cluster: its start, what it tells, and its stop.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use arc_swap::Guard;

use super::auth::Auth;
use super::client::Client;
use super::numbers::Numbers;
use super::publisher::Publisher;
use super::reflector::Reflector;
use super::snapshot_file;
use super::timing::Timing;
use super::turns::Turns;
use crate::clock;
use crate::config::{ConfigError, TopologySettings};
use crate::failpoint;
use crate::log::HostLog;
use crate::net::stop::{StopSignal, Stopper};
use crate::topology::index::Index;
use crate::topology::kind::Kind;
use crate::topology::watch::Watch;
use crate::topology::writer::Writer;

/// The owner of the threads that follow one cluster. Dropped, it stops them and waits for them: bounded but
/// for connects in progress, which take 2 s at most and run side by side.
pub struct Cluster {
    publisher: Arc<Publisher>,
    numbers: Arc<Numbers>,
    log: Arc<HostLog>,
    signal: Arc<StopSignal>,
    turns: Arc<Turns>,
    stoppers: Vec<Stopper>,
    threads: Vec<JoinHandle<()>>,
    /// Stopped last, so that it saves what the others brought.
    memory: Mutex<Option<Keeper>>,
    /// When and how often it saves.
    first_save: Duration,
    save: Duration,
}

/// The thread that keeps the memory file.
struct Keeper {
    signal: Arc<StopSignal>,
    /// Closed when it ends.
    ended: Receiver<()>,
    thread: JoinHandle<()>,
}

/// So long a stop waits for the last save. A disk may hang indefinitely, and the host's exit must not; the thread
/// is then left behind, with nothing but its own.
const LAST_SAVE: Duration = Duration::from_secs(5);

impl Cluster {
    /// Opens the files, then starts the threads. `on_start` runs first on each of them; the border blocks
    /// the signals there, which are the host's.
    ///
    /// # Errors
    /// All errors found in the files that the settings name, or that a thread could not be started.
    pub fn start(
        settings: &TopologySettings,
        timing: &Timing,
        on_start: fn(),
    ) -> Result<Self, Vec<ConfigError>> {
        let log = Arc::new(HostLog::default());
        let auth = Arc::new(Auth::open(settings, &log)?);
        let numbers = Arc::new(Numbers::default());
        let mut writer = Writer::new(settings.tombstone_ttl.as_secs());
        let now_seconds = clock::unix_seconds(clock::wall());
        writer.set_time(now_seconds);
        let publisher = Publisher::new(writer, Arc::clone(&numbers), Arc::clone(&log), timing);
        let mut cluster = Self {
            publisher: Arc::new(publisher),
            numbers,
            log,
            signal: Arc::default(),
            turns: Arc::new(Turns::new(timing.turn)),
            stoppers: Vec::new(),
            threads: Vec::new(),
            memory: Mutex::default(),
            first_save: timing.first_save,
            save: timing.save,
        };
        let memory =
            settings.snapshot_file.as_deref().map_or(Ok(()), |file| cluster.remember(file, on_start));
        // What was started is stopped again if something cannot be.
        memory.and_then(|()| cluster.start_threads(settings, timing, &auth, on_start)).map_err(|error| {
            vec![ConfigError {
                key: "correlate",
                problem: format!("no thread could be started ({error})"),
                expected: "a host with room for some more threads".to_owned(),
            }]
        })?;
        Ok(cluster)
    }

    /// The cluster as it is now. Never waits.
    #[must_use]
    pub fn current(&self) -> Guard<Arc<Index>> {
        self.publisher.current()
    }

    /// Whether every kind was listed, or given up.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.current().is_ready()
    }

    #[must_use]
    pub fn numbers(&self) -> &Numbers {
        &self.numbers
    }

    /// What is to be said of it; of several instances whichever comes first says it. It outlives the cluster,
    /// whose end may have something to say, too.
    #[must_use]
    pub fn log(&self) -> Arc<HostLog> {
        Arc::clone(&self.log)
    }

    /// Takes over what a file remembers, and keeps the file from now on, unless another one is kept already.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn remember(&self, file: &Path, on_start: fn()) -> std::io::Result<()> {
        let mut keeper = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
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
        let thread = spawn("topology-memory".to_owned(), on_start, work)?;
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
        for kind in Kind::ALL {
            let client = Client::new(kind, &settings.url, auth, timing, &self.signal, &self.log);
            let reflector = Reflector {
                kind,
                watch: Watch::new(kind, settings.annotations.clone()),
                stopper: client.stopper(),
                client,
                publisher: Arc::clone(&self.publisher),
                turns: Arc::clone(&self.turns),
                wakes: 0,
                restores: 0,
                numbers: Arc::clone(&self.numbers),
                log: Arc::clone(&self.log),
            };
            self.stoppers.push(reflector.stopper.clone());
            self.turns.register(kind, reflector.stopper.clone());
            // The kernel cuts names at 15 bytes; debuggers and ours do not.
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
        self.turns.stop();
        self.publisher.stop();
        for thread in self.threads.drain(..) {
            // A panic of the thread was logged when it happened.
            let _ = thread.join();
        }
        let keeper = self.memory.get_mut().unwrap_or_else(PoisonError::into_inner).take();
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

/// Shows what waits for it, and forgets what has been gone for long.
fn keep_time(publisher: &Publisher, log: &HostLog, tick: Duration) {
    loop {
        let round = catch_unwind(AssertUnwindSafe(|| {
            failpoint::hit("clock");
            publisher.tick();
            publisher.show_waiting(clock::monotonic() + tick)
        }));
        match round {
            Ok(true) => {}
            Ok(false) => return,
            Err(_) => log.error(
                "tombstones panicked",
                "forgetting what is gone from the cluster panicked, a fault of this plugin; it is tried again",
            ),
        }
    }
}
