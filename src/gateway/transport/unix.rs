//! Lines into a Unix stream socket: a record is one line, and a batch is accepted when all its bytes are written.
//!
//! Its rules:
//! 1. A written byte may have been read. A batch that was written in part is therefore in doubt; one that was not written
//!    at all is not.
//! 2. A connection on which a batch was cut is closed, because the next line would continue the cut one.
//! 3. Nothing waits for longer than `timeout`, or after a stop, whatever the reader does.
//! 4. Bytes that the reader sends are read and ignored, so that such a reader does not block.
//!
//! A batch that is resent uses a new connection and begins at its first line.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::tries::Tries;
use super::{Post, Transport};
use crate::clock;
use crate::log::HostLog;
use crate::metrics::{FailureClass, Metrics};
use crate::net::stop::Stopper;
use crate::net::unix_socket::{Stream, StreamState};
use crate::response::{Disposition, Doubt};

/// The reader, and the connection to it.
pub struct Lines {
    socket: PathBuf,
    timeout: Duration,
    /// `None` before the first batch, and after each error.
    connection: Option<Stream>,
    stopper: Stopper,
    metrics: Arc<Metrics>,
    log: Arc<HostLog>,
}

impl Lines {
    /// Makes no connection yet.
    #[must_use]
    pub fn new(socket: &Path, timeout: Duration, metrics: Arc<Metrics>, log: Arc<HostLog>) -> Self {
        let stopper = Stopper::new(Arc::default());
        Self { socket: socket.to_owned(), timeout, connection: None, stopper, metrics, log }
    }

    fn one_try(&mut self, bytes: &[u8]) -> Disposition {
        if self.stopper.is_stopped() {
            return Disposition::not_sent("the plugin is stopping".into());
        }
        self.metrics.requests_total.add(1);
        let began = clock::monotonic();
        let mut written = 0;
        let result = self.write(bytes, began + self.timeout, &mut written);
        self.metrics.request_duration_seconds.observe(clock::monotonic().saturating_duration_since(began));
        let Err((class, why)) = result else {
            return Disposition::Accepted { sent_bytes: bytes.len() as u64 };
        };
        self.connection = None;
        let (class, why) = if self.stopper.is_stopped() {
            (FailureClass::Other, "the plugin is stopping".to_owned())
        } else {
            (class, why)
        };
        self.metrics.request_retries_total.add(class);
        let doubt = if written > 0 { Doubt::Unanswered } else { Doubt::None };
        Disposition::Retry { after: None, why, doubt }
    }

    /// Writes all bytes, over a new connection if necessary, and counts the written ones.
    fn write(
        &mut self,
        bytes: &[u8],
        deadline: Instant,
        written: &mut usize,
    ) -> Result<(), (FailureClass, String)> {
        self.connection = self.connection.take().filter(|connection| self.is_of_use(connection));
        let stopper = self.stopper.clone();
        let connection = match &mut self.connection {
            Some(connection) => connection,
            closed => {
                let connected = Stream::connect(&self.socket, deadline, |pause| stopper.pause(pause));
                closed.insert(connected.map_err(|error| (FailureClass::Connect, not_connected(&error)))?)
            }
        };
        while let Some(rest) = bytes.get(*written..).filter(|rest| !rest.is_empty()) {
            let sent = connection.write(rest, deadline, || !stopper.is_stopped());
            let sent = sent.map_err(|error| match error.kind() {
                io::ErrorKind::TimedOut => (
                    FailureClass::Timeout,
                    format!("the reader took {written} of {} bytes within {:?}", bytes.len(), self.timeout),
                ),
                _ => (FailureClass::Cut, format!("the reader hung up ({error})")),
            })?;
            *written += sent;
        }
        Ok(())
    }

    /// Whether the reader is still there. A reader that closed with bytes unread has lost them.
    fn is_of_use(&self, connection: &Stream) -> bool {
        match connection.state() {
            StreamState::Open => true,
            StreamState::Closed => false,
            StreamState::ClosedUnread => {
                self.log.error(
                    "stream unread",
                    "the reader of the socket hung up with records unread, which were accepted when they were \
                     written; look at what ended it",
                );
                false
            }
        }
    }
}

fn not_connected(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::TimedOut => "the reader accepts no connection in time".to_owned(),
        _ => format!("no connection to the reader ({error})"),
    }
}

impl Transport for Lines {
    fn post(&mut self, post: &Post<'_>) -> Disposition {
        let mut tries = Tries::begin();
        loop {
            let disposition = self.one_try(post.body.bytes);
            let may_come_again = matches!(disposition, Disposition::Retry { doubt: Doubt::None, .. });
            if !may_come_again || !tries.another(&self.stopper) {
                return disposition;
            }
        }
    }

    fn stopper(&self) -> Stopper {
        self.stopper.clone()
    }
}
