//! One kind's thread: it asks what its list and watch want asked, and hands over what comes of it.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use ureq::Body;
use ureq::http::Response;
use ureq::http::header::{DATE, HeaderValue, RETRY_AFTER};

use super::board::Board;
use super::client::{Client, buffer_bytes};
use super::numbers::Numbers;
use crate::clock;
use crate::journal::{Journal, Level};
use crate::net::agent::{BODY_READ_BYTES, beginning};
use crate::net::retry_after::retry_after;
use crate::net::stop::Stopper;
use crate::topology::kind::Kind;
use crate::topology::watch::{Ask, Step, Watch};
use crate::trip;

/// The API server sends each change by itself. To wake up for every single one costs more than to read it; so
/// a feeder that is not behind gives them a moment to gather.
const GATHER: Duration = Duration::from_millis(5);
const AFTER_A_PANIC: Duration = Duration::from_secs(1);

pub(super) struct Feeder {
    pub kind: Kind,
    pub watch: Watch,
    pub client: Client,
    pub stopper: Stopper,
    pub board: Arc<Board>,
    pub numbers: Arc<Numbers>,
    pub journal: Arc<Journal>,
}

impl Feeder {
    /// Until there is a stop.
    pub(super) fn run(mut self) {
        let mut buffer = vec![0; buffer_bytes(self.kind)]; // all lines in one read are one batch
        while !self.stopper.is_stopped() {
            let round = catch_unwind(AssertUnwindSafe(|| self.round(&mut buffer)));
            if round.is_err() {
                self.client.hang_up();
                self.watch.take();
                self.watch.start_over(clock::monotonic(), chance());
                let resource = self.kind.resource();
                self.journal.error(
                    "watch panicked",
                    format!("following {resource} panicked, a fault of this plugin; they are listed anew"),
                );
                // A panic before the first wait would come at once again.
                self.stopper.pause(AFTER_A_PANIC);
            }
        }
    }

    fn round(&mut self, buffer: &mut [u8]) {
        trip::wire("feeder");
        let now = clock::monotonic();
        match self.watch.next(now, chance()) {
            Step::Wait(until) => {
                self.stopper.pause(until.saturating_duration_since(now));
            }
            Step::Ask(ask) => self.exchange(&ask, buffer),
        }
        self.hand_over();
    }

    fn exchange(&mut self, ask: &Ask, buffer: &mut [u8]) {
        match self.client.get(ask) {
            Ok(answer) => {
                self.heard();
                self.answer(answer, buffer);
            }
            // A stop looks like a failure, and is none.
            Err(_) if self.stopper.is_stopped() => {}
            Err(why) => self.watch.failed(&why, clock::monotonic(), chance()),
        }
    }

    fn answer(&mut self, answer: Response<Body>, buffer: &mut [u8]) {
        let (head, body) = answer.into_parts();
        let text = |name| head.headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
        let wish = text(RETRY_AFTER).and_then(|value| retry_after(value, text(DATE), clock::wall()));
        if !self.watch.answered(head.status.as_u16(), wish, clock::monotonic(), chance()) {
            // Read, so that the connection can be used again.
            drop(beginning(body, BODY_READ_BYTES));
            return;
        }
        let mut body = body.into_reader();
        let cut = loop {
            match self.client.read(&mut body, buffer) {
                Ok(0) => break None,
                Ok(count) => {
                    self.heard();
                    let goes_on = self.watch.body(&buffer[..count]);
                    self.hand_over();
                    if !goes_on {
                        self.client.hang_up();
                        break None;
                    }
                    if count < buffer.len() / 2 {
                        self.stopper.pause(GATHER);
                    }
                }
                Err(why) => break Some(why),
            }
        };
        if !self.stopper.is_stopped() {
            self.watch.ended(cut.as_deref(), clock::monotonic(), chance());
        }
    }

    fn heard(&self) {
        self.numbers.last_message_seconds[self.kind.index()].set(clock::unix_seconds(clock::wall()));
    }

    fn hand_over(&mut self) {
        let output = self.watch.take();
        self.board.apply(self.kind, output.changes);
        self.numbers.skipped_objects.add(output.skipped);
        if output.skipped > 0 {
            let (count, resource) = (output.skipped, self.kind.resource());
            self.journal.warn(
                "objects left out",
                format!(
                    "{count} {resource} were left out, larger than 4 MiB, too deep, or not as Kubernetes writes them; \
                     events about them may name no Services"
                ),
            );
        }
        self.numbers.watch_restarts.add(output.restarts);
        for note in output.notes {
            match note.level {
                Level::Error => self.journal.error(note.about, note.text),
                Level::Warn => self.journal.warn(note.about, note.text),
                Level::Info => self.journal.info(note.about, note.text),
                Level::Debug => self.journal.debug(note.about, note.text),
            }
        }
    }
}

/// Any number: the standard library seeds its hash maps with as much.
fn chance() -> u64 {
    RandomState::new().build_hasher().finish()
}
