//! A watch: all changes after a version, a line each, until the client goes, its time is over, or it is asked
//! to end.

use std::io;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use event_gateway::clock;

use super::asked::Scope;
use super::object::Object;
use super::replica::Replica;
use super::request::{Form, Request};
use super::resource::Resource;
use super::shared::{OpenWatch, Shared, TooOld};
use super::status::Refusal;
use super::store::{Entry, Logged, Order};
use super::transport::{Body, Delivery, Wire, client_is_gone};

/// How often a watch that has nothing to send looks at the clock and at its client.
const LOOK: Duration = Duration::from_millis(50);

/// How many entries are written at once: enough for speed, few enough to be held in memory.
const BATCH: usize = 512;

/// A watch that does not say how long ends after 30 to 60 minutes on a real server.
const DEFAULT_SECONDS: u64 = 1_800;

/// Where a watch begins.
pub(super) struct Start {
    number: u64,
    position: u64,
    /// Only what is above this version is sent: after a restore the same versions come again.
    after: u64,
    silent: bool,
    /// What is sent as ADDED before: all there is, for a client that names no version.
    present: Vec<Arc<Object>>,
    /// Too old, which the stream says.
    error: Option<Refusal>,
}

/// By the table "resourceVersion for watch" of the API concepts.
pub(super) fn begin(replica: &Replica, resource: Resource, request: &Request) -> Result<Start, Refusal> {
    let mut state = replica.lock();
    let version = request.parameter("resourceVersion");
    let parsed = version.as_deref().map_or(Ok(0), str::parse::<u64>);
    let Ok(mut version) = parsed else {
        return Err(Refusal::bad_request("Invalid value for resourceVersion: no number"));
    };
    let mut present = Vec::new();
    if version == 0 {
        let view = replica.of(&mut state).view(resource);
        let snapshot = state.pages.cached(&state.store, view, &Scope::default());
        version = snapshot.version;
        present.extend(snapshot.objects.iter().map(|(_, object)| Arc::clone(object)));
    }
    let history = &state.store.of(resource).history;
    let (position, error) = match history.after(version) {
        Some(position) => (position, None),
        None if resource.has_watch_cache() => {
            (history.end(), Some(Refusal::too_old_to_watch(version, history.oldest)))
        }
        None => (history.end(), Some(Refusal::compacted())),
    };
    match error {
        // Etcd says so only once the watch has begun.
        Some(refusal) if state.too_old == TooOld::Status && resource.has_watch_cache() => Err(refusal),
        error => {
            let (number, silent) = (state.next_watch, state.faults[resource.0].silent);
            state.next_watch += 1;
            let sent = (!silent).then_some(position);
            state.watches.insert(number, OpenWatch { resource, sent });
            replica.seen.notify_all();
            Ok(Start { number, position, after: version, silent, present, error })
        }
    }
}

/// Takes a watch out of the count, however it ends.
struct Counted<'a>(&'a Shared, u64);

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.lock().watches.remove(&self.1);
        self.0.seen.notify_all();
    }
}

/// What came to pass since the last look.
struct News {
    entries: Vec<Arc<Logged>>,
    /// The newest version anywhere, when everything up to it is among the entries or was before.
    caught_up: Option<u64>,
    delivery: Delivery,
    bookmark_interval: Option<Duration>,
    stopping: bool,
}

fn next(replica: &Replica, resource: Resource, position: u64) -> Option<News> {
    let look_again = clock::monotonic() + LOOK;
    let mut state = replica.lock();
    let (moment, shown) = loop {
        let moment = replica.of(&mut state).moment(resource);
        let history = &state.store.of(resource).history;
        let shown = history.end_at(moment).max(position);
        let now = clock::monotonic();
        if shown > position || now >= look_again || replica.is_stopping(&state) {
            break (moment, shown);
        }
        // What has happened is shown when the cache is there.
        let hidden = history.from(position, 1)?.first().map(|logged| logged.happened);
        let due = hidden.and_then(|happened| replica.of(&mut state).shows(resource, happened));
        let wait = due.map_or(look_again, |due| due.min(look_again)).saturating_duration_since(now);
        let waited = replica.changed[resource.0].wait_timeout(state, wait);
        state = waited.unwrap_or_else(PoisonError::into_inner).0;
    };
    let history = &state.store.of(resource).history;
    let most = usize::try_from(shown - position).unwrap_or(BATCH).min(BATCH);
    let entries = history.from(position, most)?;
    let is_whole = position + entries.len() as u64 == shown;
    let caught_up = is_whole.then(|| state.store.version_at(moment));
    let (delivery, bookmark_interval) = (state.faults[resource.0].delivery, state.bookmark_interval);
    let stopping = replica.is_stopping(&state);
    Some(News { entries, caught_up, delivery, bookmark_interval, stopping })
}

pub(super) fn run(
    replica: &Replica,
    wire: &mut Wire,
    (resource, scope, form): (Resource, &Scope, Form),
    request: &Request,
    start: Start,
) -> io::Result<()> {
    let Start { number, mut position, mut after, mut silent, present, error } = start;
    let _counted = Counted(replica, number);
    let lines = Lines { resource, form };
    let seconds = request.parameter("timeoutSeconds").and_then(|text| text.parse().ok());
    let begun = clock::monotonic();
    let end = begun + Duration::from_secs(seconds.filter(|seconds| *seconds > 0).unwrap_or(DEFAULT_SECONDS));
    let mut last_bookmark: Instant = begun;
    // The watch cache makes them; etcd sends none.
    let bookmarks = matches!(request.parameter("allowWatchBookmarks").as_deref(), Some("1" | "true"))
        && resource.has_watch_cache();
    let pause = |pause| replica.pause(pause);

    let mut out = Body::new(wire.get_mut(), replica.lock().faults[resource.0].delivery, &pause);
    out.write_plain(
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n",
    )?;
    if let Some(refusal) = error {
        out.add(format!("{{\"type\":\"ERROR\",\"object\":{}}}\n", refusal.body).as_bytes())?;
        return out.end();
    }
    for object in present.iter().filter(|object| !silent && object.is_in(scope)) {
        out.add(&lines.change("ADDED", object))?;
        out.flush()?;
    }
    drop(present);

    let mut cut = false;
    loop {
        let Some(news) = next(replica, resource, position) else {
            // Real servers drop a watch, too, that cannot follow.
            return Body::new(wire.get_mut(), Delivery::Whole, &pause).end();
        };
        position += news.entries.len() as u64;
        let mut out = Body::new(wire.get_mut(), news.delivery, &pause);
        for logged in &news.entries {
            let line = match &logged.entry {
                Entry::Change { .. } if logged.version <= after => None,
                Entry::Change { kind, object, .. } => {
                    after = logged.version;
                    object.is_in(scope).then(|| lines.change(kind, object))
                }
                Entry::Order { watches_below, order } if number < *watches_below => match order {
                    Order::Bookmark => {
                        (bookmarks && logged.version >= after).then(|| lines.bookmark(logged.version))
                    }
                    Order::Line(line) => Some(line.to_vec()),
                    Order::Cut => {
                        cut = true;
                        None
                    }
                    Order::FallSilent => {
                        silent = true;
                        None
                    }
                    Order::End if silent => None,
                    Order::End => return out.end(),
                },
                _ => None,
            };
            match line {
                Some(line) if cut && !silent => {
                    out.add_half(&line)?;
                    out.flush()?;
                    return Err(io::ErrorKind::ConnectionAborted.into());
                }
                Some(line) if !silent => out.add(&line)?,
                _ => {}
            }
        }
        let now = clock::monotonic();
        if let (Some(version), Some(interval)) = (news.caught_up, news.bookmark_interval)
            && bookmarks
            && !silent
            && version >= after
            && now >= last_bookmark + interval
        {
            out.add(&lines.bookmark(version))?;
            last_bookmark = now;
        }
        out.flush()?;
        if let Some(watch) = replica.lock().watches.get_mut(&number) {
            watch.sent = (!silent).then_some(position);
        }
        if !news.entries.is_empty() {
            replica.seen.notify_all();
        }
        if news.stopping {
            return Err(io::ErrorKind::ConnectionAborted.into()); // as when the process dies
        }
        if now >= end && !silent {
            return out.end();
        }
        if news.entries.is_empty() && client_is_gone(wire)? {
            return Ok(());
        }
    }
}

struct Lines {
    resource: Resource,
    form: Form,
}

impl Lines {
    fn change(&self, kind: &str, object: &Object) -> Vec<u8> {
        let mut line = Vec::with_capacity(object.item().len() + 128);
        line.extend(b"{\"type\":\"");
        line.extend(kind.as_bytes());
        line.extend(b"\",\"object\":");
        object.write_alone(self.resource, self.form, &mut line);
        line.extend(b"}\n");
        line
    }

    /// An object of the watched kind of which only the version has a meaning.
    fn bookmark(&self, version: u64) -> Vec<u8> {
        let names = self.resource.names();
        let (kind, api_version) = match self.form {
            Form::Whole => (names.kind, names.api_version),
            Form::Metadata => ("PartialObjectMetadata", "meta.k8s.io/v1"),
        };
        format!(
            "{{\"type\":\"BOOKMARK\",\"object\":{{\"kind\":\"{kind}\",\"apiVersion\":\"{api_version}\",\
             \"metadata\":{{\"resourceVersion\":\"{version}\",\"creationTimestamp\":null}}}}}}\n"
        )
        .into_bytes()
    }
}
