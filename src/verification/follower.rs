//! The thread that watches: sends the requests of the list and the watch, and feeds the replica.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use ureq::Body;
use ureq::http::Response;
use ureq::http::header::{DATE, HeaderValue, RETRY_AFTER};

use super::change::apply;
use super::lag::Totals;
use super::loss::Losses;
use super::watch::{Output, Step, Watch};
use crate::clock;
use crate::cluster::{Client, Cut, chance, shown};
use crate::failpoint;
use crate::log::HostLog;
use crate::net::stop::Stopper;
use crate::replicas::shared::SharedReplica;
use crate::response::retry_after::retry_after;
use crate::topology::watch::{ApiRequest, RequestKind, Restored, WatchStatus};

/// Busy clusters have some hundred changes of events a second, of about 1 KiB each.
pub(super) const BUFFER_BYTES: usize = 32 << 10;
/// A thread that has caught up lets lines gather for a moment: waking up for each costs more than reading it.
const GATHER: Duration = Duration::from_millis(5);
const AFTER_A_PANIC: Duration = Duration::from_secs(1);

pub(super) struct Follower {
    pub watch: Watch,
    pub client: Client,
    pub stopper: Stopper,
    pub shared: Arc<SharedReplica>,
    pub totals: Arc<Totals>,
    pub losses: Losses,
    pub log: Arc<HostLog>,
    /// Up to where the Lease's word went when the last request was sent.
    pub said: Option<u64>,
}

impl Follower {
    /// Runs until the stop.
    pub(super) fn run(mut self) {
        let mut buffer = vec![0; BUFFER_BYTES];
        while !self.stopper.is_stopped() {
            let round = catch_unwind(AssertUnwindSafe(|| self.round(&mut buffer)));
            if round.is_err() {
                self.client.hang_up();
                self.watch.take();
                self.watch.start_over(clock::monotonic(), chance());
                self.log.error(
                    "verification panicked",
                    "watching the metadata of events panicked, a fault of this plugin; nothing was lost; they are \
                     listed again",
                );
                self.stopper.pause(AFTER_A_PANIC);
            }
        }
    }

    fn round(&mut self, buffer: &mut [u8]) {
        failpoint::hit("verification");
        match self.watch.next(clock::monotonic(), chance()) {
            Step::Wait(until) => {
                self.stopper.pause(until.saturating_duration_since(clock::monotonic()));
            }
            Step::Request(request) => self.exchange(&request, buffer),
        }
        self.hand_over();
    }

    fn exchange(&mut self, request: &ApiRequest, buffer: &mut [u8]) {
        self.said = self.shared.lock().seen().said_through();
        match self.client.get(request) {
            Ok(response) => self.response(response, request.kind, buffer),
            // A stop looks like a failure.
            Err(_) if self.stopper.is_stopped() => {}
            Err(why) => self.watch.no_response(&why.to_string(), clock::monotonic(), chance()),
        }
    }

    fn response(&mut self, response: Response<Body>, kind: RequestKind, buffer: &mut [u8]) {
        let (head, body) = response.into_parts();
        let text = |name| head.headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
        let wait = text(RETRY_AFTER).and_then(|value| retry_after(value, text(DATE), clock::wall()));
        if !self.watch.response(head.status.as_u16(), wait, clock::monotonic(), chance()) {
            // The body may be endless. The next connection may reach another API server.
            drop(body);
            self.client.hang_up();
            return;
        }
        // Now rather than with the first bytes: quiet events are followed from here on.
        self.hand_over();
        let mut body = body.into_reader();
        let ended = loop {
            match self.client.read(&mut body, buffer) {
                Ok(0) => break None,
                Ok(count) => {
                    let goes_on = self.watch.body(&buffer[..count]);
                    self.hand_over();
                    if !goes_on {
                        self.client.hang_up();
                        break None;
                    }
                    if kind == RequestKind::Watch && count < buffer.len() / 2 {
                        self.stopper.pause(GATHER);
                    }
                }
                Err(cut) => break Some(cut),
            }
        };
        // A stop looks like a broken connection.
        if self.stopper.is_stopped() {
            return;
        }
        let now = clock::monotonic();
        match ended {
            None => self.watch.body_ended(None, now, chance()),
            Some(Cut::Failed(why)) => self.watch.body_ended(Some(&why), now, chance()),
            Some(Cut::Silent) => self.watch.fell_silent(now, chance()),
        }
    }

    fn hand_over(&mut self) {
        let Output { changes, mut status, restored, skipped, unordered, restarts, dead } = self.watch.take();
        if !changes.is_empty() {
            let now = self.shared.now_ms();
            let applied = apply(&changes, &mut self.shared.lock(), self.said, now);
            self.shared.changed.notify_all();
            self.totals.seen.add(applied.seen);
            self.totals.forgotten.add(applied.forgotten);
        }
        self.totals.skipped.add(skipped + unordered);
        self.totals.restarts.add(restarts);
        self.totals.dead.add(dead);
        if let Some(WatchStatus::Lost { why, .. }) = &mut status {
            *why = shown(&self.log.secrets().hide_in(std::mem::take(why)));
        }
        self.losses.note(status, clock::monotonic(), &self.log);
        if let Some(Restored { known, found }) = restored {
            self.log.warn(
                "events restored",
                format!(
                    "the API server's events are older than what was seen (resourceVersion {found}, after {known}), as \
                     after a restore of etcd; nothing is lost; what the Lease says of delivered versions no longer \
                     counts, so some may be delivered again"
                ),
            );
        }
        if unordered > 0 {
            self.log.warn(
                "versions without order",
                format!(
                    "{unordered} resourceVersions of events are no numbers; nothing is lost, but such versions are \
                     not verified, and each replica delivers them; look at what stores the API server's events"
                ),
            );
        }
    }
}
