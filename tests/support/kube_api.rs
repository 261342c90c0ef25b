//! As much of the Kubernetes API as the `kubernetes_events` input of a real Fluent Bit asks for:
//! events, listed in pages and watched.
//!
//! The rules the input relies on hold here too. Versions only rise. The items of a list have
//! neither `kind` nor `apiVersion`, the objects of a watch have both. A watch from version N begins
//! with all that came after N. Hosts before 3.1 never watch, they only list again and again.

use std::collections::HashMap;
use std::io::{self, BufReader, Write};
use std::net::TcpStream;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use event_gateway::clock;
use serde_json::{Value, json};

use super::http;
use super::server::Server;

/// How often a silent watch looks whether its client is still there.
const WATCH_LOOK: Duration = Duration::from_millis(50);

#[derive(Clone)]
struct Change {
    version: u64,
    kind: &'static str,
    object: Value,
}

#[derive(Default)]
struct State {
    /// The newest version given out.
    version: u64,
    items: Vec<Value>,
    /// Everything that ever happened, for watches; a test is short.
    changes: Vec<Change>,
    /// The rest of a list of which a client has seen the first pages, by its `continue` token.
    pages: HashMap<String, (u64, Vec<Value>)>,
    requests: Vec<String>,
    watches: usize,
    /// Counts `close_watches`; a watch that began under another number ends.
    watch_era: usize,
    stopping: bool,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The server, on a port of its own of 127.0.0.1. Dropping it ends all connections and threads.
pub struct KubeApi {
    shared: Arc<Shared>,
    server: Server,
}

impl KubeApi {
    pub fn start() -> Self {
        Self::holding([])
    }

    /// A server that has these events from the start, with the versions that they carry.
    pub fn holding(events: impl IntoIterator<Item = Value>) -> Self {
        let shared = Arc::new(Shared::default());
        for event in events {
            let version = version_of(&event);
            put(&mut shared.lock(), "ADDED", event, version);
        }
        let server = Server::new("API server");
        let ours = Arc::clone(&shared);
        server.run(move |stream, _number| {
            // A client that breaks off is one that was killed: nothing to report.
            let _ = serve(&ours, stream);
        });
        KubeApi { shared, server }
    }

    /// For the option `kube_url`.
    pub fn url(&self) -> String {
        format!("http://{}", self.server.address())
    }

    /// Adds an event and tells the watches. An event whose version is not above all before it gets
    /// the next one, as the API server would give it; returned is the event as it is served.
    pub fn add(&self, event: Value) -> Value {
        self.change("ADDED", event)
    }

    /// The same for a new version of an event, known by its uid.
    pub fn modify(&self, event: Value) -> Value {
        self.change("MODIFIED", event)
    }

    pub fn delete(&self, event: Value) -> Value {
        self.change("DELETED", event)
    }

    fn change(&self, kind: &'static str, mut event: Value) -> Value {
        let mut state = self.shared.lock();
        let mut version = version_of(&event);
        if version <= state.version {
            version = state.version + 1;
            event["metadata"]["resourceVersion"] = version.to_string().into();
        }
        put(&mut state, kind, event.clone(), version);
        drop(state);
        self.shared.changed.notify_all();
        event
    }

    /// The targets of all requests so far, as `/api/v1/events?limit=500`.
    pub fn requests(&self) -> Vec<String> {
        self.shared.lock().requests.clone()
    }

    pub fn open_watches(&self) -> usize {
        self.shared.lock().watches
    }

    /// Ends all open watches in good order, as the API server does every few minutes.
    pub fn close_watches(&self) {
        self.shared.lock().watch_era += 1;
        self.shared.changed.notify_all();
    }

    /// Waits for a request whose target contains this text: `watch=1`, or the path of a list.
    pub fn wait_for_request(&self, text: &str, bound: Duration) {
        let waiting = |state: &mut State| !state.requests.iter().any(|request| request.contains(text));
        let waited = self.shared.changed.wait_timeout_while(self.shared.lock(), bound, waiting);
        let (state, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
        if timeout.timed_out() {
            let seen = state.requests.clone();
            drop(state);
            panic!("waited {bound:?} for a request with {text:?}; the API server saw {seen:?}");
        }
    }
}

impl Drop for KubeApi {
    fn drop(&mut self) {
        self.shared.lock().stopping = true;
        self.shared.changed.notify_all();
        self.server.stop();
    }
}

fn version_of(event: &Value) -> u64 {
    let version = event["metadata"]["resourceVersion"].as_str().and_then(|text| text.parse().ok());
    version.unwrap_or_else(|| panic!("an event without a resourceVersion: {event}"))
}

fn put(state: &mut State, kind: &'static str, mut event: Value, version: u64) {
    event["kind"] = "Event".into();
    event["apiVersion"] = "v1".into();
    let uid = &event["metadata"]["uid"];
    let known = state.items.iter().position(|item| &item["metadata"]["uid"] == uid);
    match (known, kind) {
        (Some(index), "DELETED") => drop(state.items.remove(index)),
        (None, "DELETED") => {}
        (Some(index), _) => state.items[index] = event.clone(),
        (None, _) => state.items.push(event.clone()),
    }
    state.version = state.version.max(version);
    state.changes.push(Change { version, kind, object: event });
}

/// One connection. The input lists and then watches on the same one.
fn serve(shared: &Shared, stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut stream = stream;
    while let Some(http::Head { path: target, .. }) = http::read_head(&mut reader)? {
        shared.lock().requests.push(target.clone());
        shared.changed.notify_all();
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        let parameter = |name: &str| {
            let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
        };
        let namespace = match path.strip_prefix("/api/v1/") {
            Some("events") => None,
            Some(rest) => rest.strip_prefix("namespaces/").and_then(|rest| rest.strip_suffix("/events")),
            None => None,
        };
        if path != "/api/v1/events" && namespace.is_none() {
            answer(&mut stream, 404, &status(404, "NotFound"))?;
        } else if matches!(parameter("watch"), Some("1" | "true")) {
            let after = parameter("resourceVersion").and_then(|text| text.parse().ok()).unwrap_or(0);
            let seconds = parameter("timeoutSeconds").and_then(|text| text.parse().ok()).unwrap_or(3600);
            shared.lock().watches += 1;
            let result = watch(shared, &mut stream, namespace, after, Duration::from_secs(seconds));
            shared.lock().watches -= 1;
            result?;
        } else {
            let limit = parameter("limit").and_then(|text| text.parse().ok()).filter(|limit| *limit > 0);
            match list(&mut shared.lock(), namespace, limit, parameter("continue")) {
                Some(page) => answer(&mut stream, 200, &page)?,
                None => answer(&mut stream, 410, &status(410, "Expired"))?,
            }
        }
    }
    Ok(())
}

fn in_namespace(event: &Value, namespace: Option<&str>) -> bool {
    namespace.is_none_or(|namespace| event["metadata"]["namespace"] == namespace)
}

/// One page. All pages of a list show the moment of the first one, whatever changed meanwhile.
fn list(
    state: &mut State,
    namespace: Option<&str>,
    limit: Option<usize>,
    token: Option<&str>,
) -> Option<Value> {
    let (version, mut items) = match token {
        Some(token) => state.pages.remove(token)?,
        None => {
            let items = state.items.iter().filter(|event| in_namespace(event, namespace));
            (state.version, items.cloned().collect())
        }
    };
    let mut metadata = json!({ "resourceVersion": version.to_string() });
    let rest = items.split_off(limit.unwrap_or(items.len()).min(items.len()));
    if !rest.is_empty() {
        // Digits only, as the input puts the token into its URL unescaped.
        let token = format!("{version}0{}", rest.len());
        metadata["continue"] = token.clone().into();
        metadata["remainingItemCount"] = rest.len().into();
        state.pages.insert(token, (version, rest));
    }
    for item in items.iter_mut().filter_map(Value::as_object_mut) {
        item.remove("kind");
        item.remove("apiVersion");
    }
    Some(json!({ "kind": "EventList", "apiVersion": "v1", "metadata": metadata, "items": items }))
}

fn watch(
    shared: &Shared,
    stream: &mut TcpStream,
    namespace: Option<&str>,
    after: u64,
    length: Duration,
) -> io::Result<()> {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
    stream.write_all(head.as_bytes())?;
    let (end, era, mut seen) = (clock::monotonic() + length, shared.lock().watch_era, 0);
    loop {
        let (changes, over) = {
            let silent =
                |state: &mut State| state.changes.len() == seen && !state.stopping && state.watch_era == era;
            let waited = shared.changed.wait_timeout_while(shared.lock(), WATCH_LOOK, silent);
            let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
            let changes = state.changes[seen..].to_vec();
            seen = state.changes.len();
            (changes, state.stopping || state.watch_era != era || clock::monotonic() >= end)
        };
        let wanted = |change: &&Change| change.version > after && in_namespace(&change.object, namespace);
        for change in changes.iter().filter(wanted) {
            let line = json!({ "type": change.kind, "object": change.object });
            let line = format!("{line}\n");
            stream.write_all(format!("{:x}\r\n{line}\r\n", line.len()).as_bytes())?;
        }
        if over {
            return stream.write_all(b"0\r\n\r\n");
        }
        if client_is_gone(stream)? {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}

fn client_is_gone(stream: &TcpStream) -> io::Result<bool> {
    stream.set_nonblocking(true)?;
    let peeked = stream.peek(&mut [0]);
    stream.set_nonblocking(false)?;
    Ok(peeked.map_or_else(|error| error.kind() != io::ErrorKind::WouldBlock, |count| count == 0))
}

fn status(code: u16, reason: &str) -> Value {
    json!({ "kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "code": code })
}

fn answer(stream: &mut TcpStream, status: u16, body: &Value) -> io::Result<()> {
    let body = body.to_string();
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status} Served\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    );
    stream.write_all(format!("{head}{body}").as_bytes())
}
