//! The request on its way, kept so that it can be sent again just as it was.
//!
//! When a request has no clear answer, or the host dies before it, the gateway may have the batch all the same. Sent
//! again it should be recognised: the same bytes under the same `Idempotency-Key`. The records alone would not do, as
//! they come again in other company and make another batch. So the request itself lies in a file beside
//! `state_file` while it is on its way, and until it has a clear answer no other is sent.
//!
//! It is written without a sync, which costs microseconds: the file outlives the host, not the machine. After a power
//! loss it may not be whole; the records are then sent again in batches of their own.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::PathBuf;
use std::sync::Arc;

use xxhash_rust::xxh3::xxh3_64;

use super::kept::{Head, Kept};
use crate::config::{Guarantee, Settings};
use crate::gateway::Post;
use crate::journal::Journal;
use crate::ledger::{Ledger, Versioned};

/// `batch_bytes` is at most 64 MB, and one record 1 MiB; what is longer was not written by us.
const MOST_BYTES: u64 = 128 << 20;
/// A request that is sent again so often for nothing may itself be what the gateway dies of: it must not stand in
/// the way of all others for ever.
const MOST_FAILURES: u32 = 3;
/// Over the checksum and the lengths, the mark of a request that is settled.
const SETTLED: [u8; 24] = [0; 24];

pub struct InFlight {
    /// `None` where there is no `state_file`, or where nothing is ever sent again.
    path: Option<PathBuf>,
    /// `None` before the first request, and after a failure.
    file: Option<File>,
    target: u64,
    /// A request without a clear answer.
    unclear: Option<Kept>,
    /// How often it was sent again for nothing.
    failures: u32,
    journal: Arc<Journal>,
}

impl InFlight {
    /// Opens and reads nothing yet.
    #[must_use]
    pub fn new(settings: &Settings, journal: &Arc<Journal>) -> Self {
        let keeps = settings.guarantee == Guarantee::NoEventLoss;
        let target = format!("{} {:?}", settings.endpoint.url, settings.format);
        Self {
            path: settings.ledger.state_file.as_ref().filter(|_| keeps).map(|state_file| {
                let mut path = state_file.as_os_str().to_owned();
                path.push(".in-flight");
                path.into()
            }),
            file: None,
            target: xxh3_64(target.as_bytes()),
            unclear: None,
            failures: 0,
            journal: Arc::clone(journal),
        }
    }

    /// Takes up the request that an earlier life, or a round that panicked, left without an answer; unless it is of
    /// no use any more: for another endpoint or format, or acknowledged.
    pub fn take_up(&mut self, ledger: &Ledger) {
        let is_of_use = |kept: &Kept| {
            kept.head.target == self.target && !kept.records().iter().any(|record| ledger.holds(record))
        };
        self.unclear = self.found().filter(is_of_use);
    }

    fn found(&self) -> Option<Kept> {
        let mut bytes = Vec::new();
        let read =
            File::open(self.path.as_ref()?).and_then(|file| file.take(MOST_BYTES).read_to_end(&mut bytes));
        match read {
            Ok(_) => Kept::read(&bytes),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => {
                self.complain(&error);
                None
            }
        }
    }

    /// The request that has no clear answer yet, and that goes out before any other.
    #[must_use]
    pub fn unclear(&self) -> Option<&Kept> {
        self.unclear.as_ref()
    }

    /// A request is about to go out.
    pub fn begin(&mut self, post: &Post<'_>, records: &[Versioned]) {
        if self.path.is_none() {
            return;
        }
        let head = Head::new(self.target, post, records);
        let Some(before) = head.before(post.body.bytes) else { return };
        let written = self.file().and_then(|file| {
            file.write_all_at(&before, 0)?;
            file.write_all_at(post.body.bytes, before.len() as u64)
        });
        if let Err(error) = written {
            self.file = None;
            self.complain(&error);
        }
    }

    /// It has no clear answer.
    pub fn keep(&mut self, post: &Post<'_>, records: &[Versioned]) {
        let head = Head::new(self.target, post, records);
        self.unclear = Some(Kept { head, body: post.body.bytes.to_vec() });
    }

    /// It was sent again, and has no clear answer still.
    pub fn failed(&mut self) {
        self.failures += 1;
        if self.failures >= MOST_FAILURES {
            self.end();
        }
    }

    /// It has a clear answer.
    pub fn end(&mut self) {
        self.unclear = None;
        self.failures = 0;
        // Nothing is lost by a failure: what was acknowledged is in the ledger.
        if let Some(file) = &self.file
            && file.write_all_at(&SETTLED, 0).is_err()
        {
            self.file = None;
        }
    }

    fn file(&mut self) -> io::Result<&File> {
        let path = self.path.as_ref().ok_or(ErrorKind::NotFound)?;
        let opened = match self.file.take() {
            Some(file) => file,
            // Bodies hold what events hold, so they are for their owner only.
            None => OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)?,
        };
        Ok(self.file.insert(opened))
    }

    fn complain(&self, error: &io::Error) {
        let path = self.path.as_ref().map(|path| path.display().to_string()).unwrap_or_default();
        self.journal.warn(
            "request not kept",
            format!("{path} ({error}): should the host die now, the batch in flight is sent again under another key"),
        );
    }
}
