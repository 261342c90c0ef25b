//! The thread that watches the Lease, so that a release is seen at once.
//!
//! Each watch begins with a consistent read, which shows what was missed and where to begin. A leader renews its Lease, so a
//! watch that is silent for longer than that is broken, or nobody leads: it begins anew. If the watch does not work, the
//! reads take its place.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;
use ureq::Body;
use ureq::http::Response;

use super::api_error::ApiError;
use super::client::Client;
use super::document::Document;
use super::observer::Observer;
use crate::clock;
use crate::failpoint;
use crate::log::HostLog;
use crate::net::stop::Stopper;
use crate::topology::line_splitter::LineSplitter;

const AFTER_A_PANIC: Duration = Duration::from_secs(1);
const BUFFER_BYTES: usize = 8 << 10;

pub(super) struct LeaseWatch {
    pub(super) client: Client,
    pub(super) stopper: Stopper,
    pub(super) observer: Arc<Observer>,
    /// Least time between two beginnings.
    pub(super) retry: Duration,
    pub(super) log: Arc<HostLog>,
}

/// A line of a watch.
#[derive(Deserialize)]
struct Line {
    #[serde(rename = "type")]
    what: String,
    object: Value,
}

impl LeaseWatch {
    pub(super) fn run(mut self) {
        while !self.stopper.is_stopped() {
            let began = clock::monotonic();
            let round = catch_unwind(AssertUnwindSafe(|| self.round()));
            let mut pause = self.retry.saturating_sub(clock::monotonic().saturating_duration_since(began));
            if round.is_err() {
                self.client.connection().hang_up();
                self.log.error(
                    "lease watch panicked",
                    "watching the Lease panicked, a fault of this plugin; it is watched again",
                );
                pause = AFTER_A_PANIC;
            }
            self.stopper.pause(pause);
        }
    }

    fn round(&mut self) {
        failpoint::hit("lease_watch");
        let before = self.observer.known();
        let read = self.client.get();
        // A stop looks like a failure.
        if self.stopper.is_stopped() {
            return;
        }
        let version = read.as_ref().ok().map(|found| found.as_ref().map(|document| document.record.version));
        self.observer.read(&before, false, read);
        let Some(version) = version else { return };
        match self.client.watch(version) {
            Ok(response) => {
                self.observer.watch(Ok(()));
                self.follow(response);
            }
            Err(_) if self.stopper.is_stopped() => {}
            Err(error) => self.observer.watch(Err(&error)),
        }
    }

    /// Reads the lines until the watch ends, breaks off or falls silent. All are followed by a read.
    fn follow(&mut self, response: Response<Body>) {
        let (mut lines, mut buffer) = (LineSplitter::default(), vec![0; BUFFER_BYTES]);
        let mut body = response.into_body().into_reader();
        while let Ok(count) = self.client.connection().read(&mut body, &mut buffer) {
            let mut is_over = count == 0;
            lines.feed(&buffer[..count], |line| is_over |= !self.line(line));
            if is_over {
                break;
            }
        }
        // What is left of the body would come before the next response.
        self.client.connection().hang_up();
    }

    /// Whether the watch goes on.
    fn line(&self, line: &[u8]) -> bool {
        let Ok(Line { what, object }) = serde_json::from_slice(line) else { return false };
        match &*what {
            "BOOKMARK" => return true,
            "ADDED" | "MODIFIED" | "DELETED" => {}
            // A version that is too old, and what else ends a watch.
            _ => return false,
        }
        match Document::read(object) {
            Ok(document) if what == "DELETED" => self.observer.deleted(&document),
            Ok(document) => self.observer.changed(document),
            Err(why) => {
                self.observer.watch(Err(&ApiError::Unusable(why)));
                return false;
            }
        }
        true
    }
}
