//! The thread of one kind: sends the requests of its list and watch, and hands over the results.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ureq::Body;
use ureq::http::Response;
use ureq::http::header::{DATE, HeaderValue, RETRY_AFTER};

use super::client::Client;
use super::connection::Cut;
use super::coordinator::Coordinator;
use super::numbers::Numbers;
use super::publisher::Publisher;
use crate::clock;
use crate::failpoint;
use crate::log::HostLog;
use crate::net::stop::Stopper;
use crate::response::retry_after::retry_after;
use crate::secrets::plain::plain;
use crate::topology::kind::ObjectKind;
use crate::topology::watch::{ApiRequest, RequestKind, Restored, Step, Watch, WatchStatus};

/// The API server sends each change separately. Waking up for each costs more than reading it, so a reflector
/// that has caught up lets changes gather for a moment.
const GATHER: Duration = Duration::from_millis(5);
const AFTER_A_PANIC: Duration = Duration::from_secs(1);
/// How much of the API server's own text a log line includes.
const REASON_BYTES: usize = 200;

/// Pods and slices make up nearly all changes, and a larger buffer saves them system calls. The other kinds
/// would waste it.
pub(super) const fn buffer_bytes(kind: ObjectKind) -> usize {
    match kind {
        ObjectKind::Pod | ObjectKind::EndpointSlice => 32 << 10,
        _ => 8 << 10,
    }
}

pub(super) struct Reflector {
    pub kind: ObjectKind,
    pub watch: Watch,
    pub client: Client,
    pub stopper: Stopper,
    pub publisher: Arc<Publisher>,
    pub coordinator: Arc<Coordinator>,
    /// The coordinator's counts that this kind has seen.
    pub wakes: u64,
    pub restores: u64,
    pub numbers: Arc<Numbers>,
    pub log: Arc<HostLog>,
}

impl Reflector {
    /// Runs until the stop.
    pub(super) fn run(mut self) {
        let mut buffer = vec![0; buffer_bytes(self.kind)]; // all lines in one read are one batch
        while !self.stopper.is_stopped() {
            let round = catch_unwind(AssertUnwindSafe(|| self.round(&mut buffer)));
            if round.is_err() {
                self.client.hang_up();
                self.watch.take();
                self.watch.start_over(clock::monotonic(), chance());
                let resource = self.kind.resource();
                self.log.error(
                    "watch panicked",
                    format!("following {resource} panicked, a fault of this plugin; they are listed again"),
                );
                // A panic before the first wait would repeat at once.
                self.stopper.pause(AFTER_A_PANIC);
            }
        }
    }

    fn round(&mut self, buffer: &mut [u8]) {
        failpoint::hit("reflector");
        let restores = self.coordinator.restores();
        if restores != self.restores {
            self.restores = restores;
            self.watch.list_again();
        }
        let now = clock::monotonic();
        match self.watch.next(now, chance()) {
            Step::Wait { until, wakes: true } => {
                if self.coordinator.wait_until(until, self.wakes) {
                    self.watch.wake();
                }
            }
            Step::Wait { until, wakes: false } => self.pause(until),
            Step::Turn => {
                self.coordinator.wait_for_turn(self.wakes);
                self.watch.wake();
            }
            Step::Request(request) => {
                self.wakes = self.coordinator.wakes();
                self.exchange(&request, buffer);
            }
        }
        self.hand_over();
    }

    fn pause(&self, until: Instant) {
        self.stopper.pause(until.saturating_duration_since(clock::monotonic()));
    }

    fn exchange(&mut self, request: &ApiRequest, buffer: &mut [u8]) {
        match self.client.get(request) {
            Ok(response) => self.response(response, request.kind == RequestKind::Watch, buffer),
            // A stop looks like a failure.
            Err(_) if self.stopper.is_stopped() => {}
            Err(why) => {
                self.watch.no_response(&why.to_string());
            }
        }
    }

    fn response(&mut self, response: Response<Body>, is_watch: bool, buffer: &mut [u8]) {
        let (head, body) = response.into_parts();
        let status = head.status.as_u16();
        let text = |name| head.headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
        let retry_after_wait =
            text(RETRY_AFTER).and_then(|value| retry_after(value, text(DATE), clock::wall()));
        self.watch.compare(self.coordinator.others(self.kind));
        if !self.watch.response(status, retry_after_wait, clock::monotonic(), chance()) {
            // The body may be endless. If several API servers share the address, the next connection may
            // reach another one.
            drop(body);
            self.client.hang_up();
            return;
        }
        self.note_message();
        self.coordinator.served(self.kind);
        // Now rather than with the first bytes, because a quiet kind is followed from here on.
        self.hand_over();
        let mut body = body.into_reader();
        let ended = loop {
            match self.client.read(&mut body, buffer) {
                Ok(0) => break Ended::Itself,
                Ok(count) => {
                    if is_watch {
                        self.note_message();
                    }
                    let goes_on = self.watch.body(&buffer[..count]);
                    self.hand_over();
                    if !goes_on {
                        self.client.hang_up();
                        break Ended::Itself;
                    }
                    if count < buffer.len() / 2 {
                        self.stopper.pause(GATHER);
                    }
                }
                Err(Cut::Silent) => break Ended::Silent,
                Err(Cut::Failed(why)) => break Ended::Cut(why),
            }
        };
        // A stop looks like a broken connection.
        if self.stopper.is_stopped() {
            return;
        }
        self.watch.compare(self.coordinator.others(self.kind));
        let now = clock::monotonic();
        match ended {
            Ended::Itself => self.watch.body_ended(None, now, chance()),
            Ended::Cut(why) => self.watch.body_ended(Some(&why), now, chance()),
            Ended::Silent => self.watch.fell_silent(now, chance()),
        }
    }

    fn note_message(&self) {
        self.numbers.last_message_seconds[self.kind.index()].set(clock::unix_seconds(clock::wall()));
    }

    fn hand_over(&mut self) {
        let mut output = self.watch.take();
        if let Some(WatchStatus::Lost { why, .. }) = &mut output.following {
            *why = shown(&self.log.secrets().hide_in(std::mem::take(why)));
        }
        if let Some(following) = &output.following {
            self.coordinator.set_status(self.kind, following);
        }
        self.publisher.apply(self.kind, output.changes, output.following);
        if output.got_through {
            self.coordinator.wake_all();
        }
        if let Some(restored) = output.restored {
            self.restored(&restored);
        }
        self.numbers.skipped_objects.add(output.skipped);
        if output.skipped > 0 {
            let (count, resource) = (output.skipped, self.kind.resource());
            self.log.warn(
                "objects left out",
                format!(
                    "{count} {resource} were left out because they are larger than 4 MiB, too deep or not valid; events \
                     about them may name no Services"
                ),
            );
        }
        self.numbers.watch_restarts.add(output.restarts);
    }

    /// All kinds list again: etcd reuses its versions, so a version above ours no longer proves anything.
    fn restored(&mut self, Restored { known, found }: &Restored) {
        if self.coordinator.restored(self.kind, self.restores) {
            self.restores += 1;
            let resource = self.kind.resource();
            self.log.warn(
                "topology restored",
                format!(
                    "the API server's data is older than what was seen (resourceVersion {found} of {resource}, after \
                     {known}), as after a restore of etcd; the cluster is listed again"
                ),
            );
        }
    }
}

/// How a body ended.
enum Ended {
    Itself,
    Silent,
    Cut(String),
}

/// The part of a reason that is shown. It may quote the API server, a proxy or a library.
pub(crate) fn shown(why: &str) -> String {
    let why = plain(why);
    match why.floor_char_boundary(REASON_BYTES) {
        cut if cut < why.len() => format!("{}…", &why[..cut]),
        _ => why.into_owned(),
    }
}

/// A random number, from the seed of the standard library's hash maps.
pub(crate) fn chance() -> u64 {
    RandomState::new().build_hasher().finish()
}
