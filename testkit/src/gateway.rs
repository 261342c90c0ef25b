//! An event gateway for tests: a small HTTP/1.1 server that remembers every request and answers
//! by a script, in all the ways in which a gateway can fail.
//!
//! Where an answer comes from: the queue (`answer`) first, then whatever was set last, a default
//! (`set_default`) or a function (`respond_with`).

mod answer;
mod connection;
mod request;

pub use super::certificates::{Certificates, TlsFiles};
pub use answer::Answer;
pub use connection::Welcome;
pub use request::Request;

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use event_gateway::clock;
use rustls::ServerConfig;
use serde_json::Value;

use super::http::Head;
use super::server::Server;
use connection::{Shared, State, serve};

/// How long the `wait_for_…` methods without a bound of their own wait before they panic.
pub const WAIT_BOUND: Duration = Duration::from_secs(120);

/// Longer than any test.
const ENDLESS: Duration = Duration::from_secs(24 * 3600);

/// The gateway. Dropping it closes every connection, ends every hang and joins its threads; it
/// panics then if a function given to `respond_with` has panicked.
pub struct TestGateway {
    shared: Arc<Shared>,
    server: Server,
    tls: Option<Arc<ServerConfig>>,
}

impl TestGateway {
    /// Listens on a port of its own of 127.0.0.1 and answers 200 with an empty body.
    pub fn start() -> Self {
        Self::with(Server::new("gateway"), None)
    }

    pub fn tls(files: TlsFiles) -> Self {
        Self::with(Server::new("gateway"), Some(files.server_config()))
    }

    /// On this address of loopback.
    pub fn tls_at(address: SocketAddr, files: TlsFiles) -> Self {
        Self::with(Server::at("gateway", address), Some(files.server_config()))
    }

    fn with(server: Server, tls: Option<Arc<ServerConfig>>) -> Self {
        let shared = Arc::new(Shared { state: Mutex::new(State::new()), changed: Condvar::new() });
        let gateway = TestGateway { shared, server, tls };
        gateway.restart();
        gateway
    }

    pub fn url(&self) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}/events", self.server.address())
    }

    pub fn port(&self) -> u16 {
        self.server.address().port()
    }

    /// Appends a one-shot answer to the queue.
    pub fn answer(&self, answer: Answer) {
        self.shared.lock().script.push_back(answer);
    }

    /// What is answered when the queue is empty; replaces a function.
    pub fn set_default(&self, answer: Answer) {
        let mut state = self.shared.lock();
        state.responder = None;
        state.default = answer;
    }

    /// Lets all go that are held now (`Answer::held`).
    pub fn release(&self) {
        self.shared.lock().releases += 1;
        self.shared.changed.notify_all();
    }

    /// Asks this function when the queue is empty, on the thread of the connection.
    pub fn respond_with(&self, respond: impl Fn(&Request) -> Answer + Send + Sync + 'static) {
        self.shared.lock().responder = Some(Arc::new(respond));
    }

    /// Asks this function when the headers of a request are there, with the request's number (1 for the first).
    /// What it answers is given without the body being read; `None` reads on. Whatever comes of the body all the
    /// same is taken for a request, and complained of.
    pub fn cut_with(&self, cut: impl Fn(&Head, usize) -> Option<Answer> + Send + Sync + 'static) {
        self.shared.lock().cutter = Some(Arc::new(cut));
    }

    /// Asks this function how to meet each connection, by its number (1 for the first).
    pub fn greet_with(&self, greet: impl Fn(usize) -> Welcome + Send + Sync + 'static) {
        self.shared.lock().greeter = Some(Arc::new(greet));
    }

    /// All requests whose body arrived whole, or that were answered without it.
    pub fn requests(&self) -> Vec<Arc<Request>> {
        self.shared.lock().requests.clone()
    }

    /// How many there are.
    pub fn request_count(&self) -> usize {
        self.shared.lock().requests.len()
    }

    /// Forgets the requests so far, so that a long run needs no memory for them.
    pub fn forget_requests(&self) {
        self.shared.lock().requests.clear();
    }

    pub fn accepted_records(&self) -> Vec<Value> {
        let requests = self.requests();
        requests.iter().filter(|request| request.accepted()).flat_map(|r| r.records()).collect()
    }

    /// The ids of all records in accepted requests, in order, repetitions included.
    pub fn accepted_ids(&self) -> Vec<String> {
        let requests = self.requests();
        requests.iter().filter(|r| r.accepted()).flat_map(|r| r.ids().to_vec()).collect()
    }

    pub fn connections(&self) -> usize {
        self.server.accepted()
    }

    /// Waits until no connection is open, and the other side can know of it.
    pub fn wait_until_all_are_closed(&self) {
        let end = clock::monotonic() + WAIT_BOUND;
        while self.server.open() > 0 {
            assert!(clock::monotonic() < end, "{} connections stay open", self.server.open());
            thread::sleep(Duration::from_millis(2));
        }
    }

    pub fn complaints(&self) -> Vec<String> {
        self.shared.lock().complaints.clone()
    }

    pub fn wait_for_requests(&self, count: usize) -> Vec<Arc<Request>> {
        let what = format!("{count} requests");
        self.wait_for(&what, WAIT_BOUND, |requests| requests.len() >= count);
        self.requests()
    }

    /// Waits until this many different ids have been accepted.
    pub fn wait_for_ids(&self, count: usize) -> Vec<String> {
        self.wait_for(&format!("{count} accepted ids"), WAIT_BOUND, |requests| {
            let accepted = requests.iter().filter(|request| request.accepted());
            accepted.flat_map(|request| request.ids()).collect::<HashSet<_>>().len() >= count
        });
        self.accepted_ids()
    }

    /// Waits for what `done` looks for; it must not call the gateway, whose lock is held.
    pub fn wait_for(&self, what: &str, bound: Duration, mut done: impl FnMut(&[Arc<Request>]) -> bool) {
        let waiting = |state: &mut State| !done(&state.requests);
        let waited = self.shared.changed.wait_timeout_while(self.shared.lock(), bound, waiting);
        let (state, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
        if timeout.timed_out() {
            let accepted = state.requests.iter().filter(|request| request.accepted()).count();
            let (seen, connections) = (state.requests.len(), self.server.accepted());
            let complaints = state.complaints.clone();
            drop(state);
            panic!(
                "waited {bound:?} for {what}; the gateway saw {seen} requests ({accepted} \
                 accepted) on {connections} connections; complaints: {complaints:?}"
            );
        }
    }

    /// Closes everything; until `restart` connections are refused, and the port stays ours.
    pub fn stop(&self) {
        self.shared.lock().stopping = true;
        self.shared.changed.notify_all();
        self.server.stop();
    }

    /// Listens again after `stop`, on the same port and with everything remembered.
    pub fn restart(&self) {
        self.shared.lock().stopping = false;
        let (shared, tls) = (Arc::clone(&self.shared), self.tls.clone());
        self.server.run(move |stream, number| {
            if let Err(error) = serve(&shared, stream, tls.clone(), number) {
                let mut state = shared.lock();
                if !state.stopping {
                    state.complaints.push(format!("connection {number}: {error}"));
                }
            }
        });
    }
}

impl Drop for TestGateway {
    fn drop(&mut self) {
        self.stop();
    }
}
