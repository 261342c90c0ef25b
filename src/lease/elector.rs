//! [`Elector`]: the thread that does what the protocol says next, and its start and stop.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::api_error::{ApiError, Verb};
use super::client::{Client, Reply};
use super::lease_name::LeaseName;
use super::observer::{Observer, known};
use super::report::Report;
use super::watch::LeaseWatch;
use crate::cluster::Auth;
use crate::config::{ConfigError, TopologySettings};
use crate::failpoint;
use crate::log::HostLog;
use crate::net::stop::Stopper;
use crate::replicas::election::{Step, Timing};
use crate::replicas::shared::SharedReplica;

const AFTER_A_PANIC: Duration = Duration::from_secs(1);
/// How long a stop waits for the Lease to be released.
const RELEASE: Duration = Duration::from_secs(1);

/// Takes part in the election of one Lease. Dropping it sends nothing more and does not release the Lease;
/// [`Elector::stop`] does.
pub struct Elector {
    observer: Arc<Observer>,
    elector: Stopper,
    watch: Stopper,
    /// Closed when the elector's thread ends.
    ended: Receiver<()>,
    threads: Vec<JoinHandle<()>>,
}

impl Elector {
    /// Opens the files that `api` names, then starts the threads. `timing` is that of the machine in `replica`. `on_start`
    /// runs first on each thread.
    ///
    /// # Errors
    /// All errors in the files, or that a thread could not be started.
    pub fn start(
        replica: &Arc<SharedReplica>,
        api: &TopologySettings,
        lease: &LeaseName,
        timing: &Timing,
        log: &Arc<HostLog>,
        on_start: fn(),
    ) -> Result<Self, Vec<ConfigError>> {
        let auth = Arc::new(Auth::open(api, log)?);
        let retry = Duration::from_millis(timing.retry);
        // A renewal that has no answer is repeated at the next turn, and the answer must not come after that.
        let limit = retry / 5 * 4;
        let silence = retry * 5 / 2;
        let report = Report::new(lease.clone(), Arc::clone(log), timing.renew_deadline);
        let observer = Arc::new(Observer::new(Arc::clone(replica), report));
        let client = Client::new(lease, &api.url, &auth, limit, log);
        let watch_client = Client::for_watch(lease, &api.url, &auth, (limit, silence), log);
        let (ending, ended) = sync_channel(0);
        let mut elector = Self {
            observer: Arc::clone(&observer),
            elector: client.stopper(),
            watch: watch_client.stopper(),
            ended,
            threads: Vec::new(),
        };
        let watch = LeaseWatch {
            client: watch_client,
            stopper: elector.watch.clone(),
            observer: Arc::clone(&observer),
            retry,
            log: Arc::clone(log),
        };
        let stopper = elector.elector.clone();
        let work = Work { client, stopper, observer, log: Arc::clone(log) };
        let run = move || {
            work.run();
            drop(ending);
        };
        // If the second thread cannot be started, dropping `elector` stops the first.
        let started = spawn("lease-elector", on_start, run).and_then(|thread| {
            elector.threads.push(thread);
            spawn("lease-watch", on_start, move || watch.run())
        });
        let thread = started.map_err(|error| {
            vec![ConfigError {
                key: "replicas",
                problem: format!("no thread could be started ({error})"),
                expected: "a host that allows two more threads".to_owned(),
            }]
        })?;
        elector.threads.push(thread);
        Ok(elector)
    }

    /// Sends nothing from now on, releases the Lease, and waits for the threads: for a second at most, and then for a connect
    /// in progress.
    pub fn stop(self) {
        self.observer.stopping();
        let was_mine = self.observer.replica.change(|machine, _| {
            let was_mine = machine.election().is_mine() || machine.is_leading();
            machine.stop();
            was_mine
        });
        self.watch.stop();
        // It sends nothing and only ends.
        let _ = self.ended.recv_timeout(RELEASE);
        if was_mine {
            let is_released =
                !self.observer.replica.ask(|machine, _| machine.election().is_mine() || machine.is_leading());
            self.observer.released(is_released);
        }
    }
}

impl Drop for Elector {
    fn drop(&mut self) {
        self.elector.stop();
        self.watch.stop();
        self.observer.stopping();
        self.observer.replica.change(|machine, _| machine.stop());
        for thread in self.threads.drain(..) {
            // A panic of the thread was already logged.
            let _ = thread.join();
        }
    }
}

/// What the elector's thread owns.
struct Work {
    client: Client,
    stopper: Stopper,
    observer: Arc<Observer>,
    log: Arc<HostLog>,
}

impl Work {
    fn run(mut self) {
        while !self.stopper.is_stopped() {
            match catch_unwind(AssertUnwindSafe(|| self.round())) {
                Ok(true) => {}
                Ok(false) => return,
                Err(_) => {
                    self.client.connection().hang_up();
                    self.log.error(
                        "election panicked",
                        "the election of the leader panicked, a fault of this plugin; the Lease is read again",
                    );
                    // Whether a write was sent and stored is unknown.
                    self.observer.replica.change(|machine, now| machine.read_again(now));
                    self.stopper.pause(AFTER_A_PANIC);
                }
            }
        }
    }

    /// Takes one step; `false`: it was the last.
    fn round(&mut self) -> bool {
        failpoint::hit("elector");
        let (step, known, document) = self.observer.replica.wait(|machine, now| {
            let known = known(machine);
            if self.stopper.is_stopped() {
                return Ok((Step::Stopped, known, None));
            }
            self.observer.report(machine, now);
            let step = machine.next(now);
            let document = match step {
                Step::Wait(until) => return Err(until),
                Step::Update { version, .. } => self.observer.document(version),
                _ => None,
            };
            if let Step::Create(_) | Step::Update { .. } = step {
                // Before the request: nobody can see the write earlier than this.
                machine.sent(now);
            }
            Ok((step, known, document))
        });
        match step {
            Step::Read => {
                let answer = self.client.get();
                if !self.stopper.is_stopped() {
                    self.observer.read(&known, true, answer);
                }
            }
            Step::Create(content) => {
                let answer = self.client.create(&content);
                self.written(Verb::Create, answer);
            }
            Step::Update { content, .. } => {
                let answer = match document {
                    Some(document) => self.client.replace(&document, &content),
                    // It is read again: without the rest of the Lease nothing can replace it.
                    None => Ok(Reply::Conflict),
                };
                self.written(Verb::Update, answer);
            }
            Step::Wait(_) => {}
            Step::Stopped => return false,
        }
        true
    }

    fn written(&self, verb: Verb, answer: Result<Reply, ApiError>) {
        if !self.stopper.is_stopped() {
            self.observer.written(verb, answer);
        }
    }
}

fn spawn(
    name: &str,
    on_start: fn(),
    work: impl FnOnce() + Send + 'static,
) -> std::io::Result<JoinHandle<()>> {
    thread::Builder::new().name(name.to_owned()).spawn(move || {
        on_start();
        work();
    })
}
