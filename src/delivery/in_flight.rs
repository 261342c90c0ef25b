//! The request on its way, kept so that it can be sent again just as it was.
//!
//! When a request has no clear answer, or the host dies before it, the gateway may have the batch all the same. Sent
//! again it should be recognised: the same bytes under the same `Idempotency-Key`. The records alone would not do, as
//! they come again in other company and make another batch. So the request itself lies in a file beside
//! `state_file` while it is on its way, and until it has a clear answer no other is sent.
//!
//! It is written without a sync, which costs microseconds: the file outlives the host, not the machine. After a power
//! loss it may not be whole; the records are then sent again in batches of their own.
//!
//! The file says which version of this plugin wrote it, see `kept`: an older one's is sent again as well, a newer one's is
//! not understood, and is ignored with a line that says what that may cost.
//!
//! Where nothing may arrive twice nothing is kept, but what an earlier life has left, under the other guarantee, is read.

use std::fs::OpenOptions;
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::PathBuf;
use std::sync::Arc;

use xxhash_rust::xxh3::xxh3_64;

use super::kept::{Found, Head, Kept};
use crate::config::{Guarantee, Settings};
use crate::gateway::Post;
use crate::journal::Journal;
use crate::ledger::{Ledger, Versioned};

/// `batch_bytes` is at most 64 MB, and one record 1 MiB; what is longer was not written by us.
const MOST_BYTES: u64 = 128 << 20;
/// A request that is sent again so often for nothing may itself be what the gateway dies of: it must not stand in
/// the way of all others for ever.
const MOST_FAILURES: u32 = 3;
/// Should a pipe lie there, it is an error and no wait for whoever is at its other end.
const NEVER_WAIT: i32 = libc::O_NONBLOCK;
/// Over the checksum and the lengths, the mark of a request that is settled.
const SETTLED: [u8; 24] = [0; 24];

pub struct InFlight {
    /// `None` where there is no `state_file`.
    path: Option<PathBuf>,
    /// Whether requests are kept, and sent again.
    keeps: bool,
    /// Whether the file may hold a request that is not marked as settled.
    is_written: bool,
    target: u64,
    /// A request without a clear answer.
    unclear: Option<Kept>,
    /// How often it was sent again for nothing, or a round panicked over it.
    failures: u32,
    journal: Arc<Journal>,
}

impl InFlight {
    /// Opens and reads nothing yet.
    #[must_use]
    pub fn new(settings: &Settings, journal: &Arc<Journal>) -> Self {
        let target = format!("{} {:?}", settings.endpoint.url, settings.render.format);
        let path = settings.ledger.state_file.as_ref().map(|state_file| {
            let mut path = state_file.as_os_str().to_owned();
            path.push(".in-flight");
            path.into()
        });
        Self {
            path,
            keeps: settings.guarantee == Guarantee::NoEventLoss,
            is_written: false,
            target: xxh3_64(target.as_bytes()),
            unclear: None,
            failures: 0,
            journal: Arc::clone(journal),
        }
    }

    /// Takes up the request that an earlier life, or a round that panicked, left without an answer; unless it is of
    /// no use any more: for another endpoint or format, or acknowledged.
    pub fn take_up(&mut self, ledger: &Ledger) {
        if let Some(kept) = self.unclear.take() {
            self.unclear = Some(kept).filter(|kept| self.is_of_use(kept, ledger));
            // It may be what the round panicked over.
            self.failed();
        } else {
            self.unclear = self.found().filter(|kept| self.is_of_use(kept, ledger));
            self.failures = 0;
        }
    }

    fn is_of_use(&self, kept: &Kept, ledger: &Ledger) -> bool {
        kept.head.target == self.target && !kept.named().iter().any(|record| ledger.holds(record))
    }

    /// What an earlier life left without an answer, whoever it was for.
    pub fn found(&mut self) -> Option<Kept> {
        let mut bytes = Vec::new();
        let opened = OpenOptions::new().read(true).custom_flags(NEVER_WAIT).open(self.path.as_ref()?);
        match opened.and_then(|file| file.take(MOST_BYTES).read_to_end(&mut bytes)) {
            Ok(_) => {
                let found = Kept::read(&bytes);
                self.is_written = matches!(found, Found::Request(_));
                match found {
                    Found::Request(kept) => return Some(kept),
                    Found::Newer { version, rules } => self.ignore(version, rules),
                    Found::Nothing => {}
                }
                None
            }
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
    pub fn begin(&mut self, post: &Post<'_>, records: &[Option<Versioned>]) {
        if !self.keeps || self.path.is_none() {
            return;
        }
        let head = Head::new(self.target, post, records);
        let Some(before) = head.before(post.body.bytes) else { return };
        self.is_written = true;
        let written = self.write(true, &[&before, post.body.bytes]);
        if let Err(error) = written {
            self.complain(&error);
        }
    }

    /// It has no clear answer.
    pub fn keep(&mut self, post: &Post<'_>, records: &[Option<Versioned>]) {
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
        if std::mem::take(&mut self.is_written) {
            // Nothing is lost by a failure: what was acknowledged is in the ledger.
            let _ = self.write(false, &[&SETTLED]);
        }
    }

    /// Opened each time: should the file be removed, the next request is kept in a new one.
    fn write(&self, makes: bool, parts: &[&[u8]]) -> io::Result<()> {
        let path = self.path.as_ref().ok_or(ErrorKind::NotFound)?;
        let mut options = OpenOptions::new();
        // Bodies hold what events hold, so they are for their owner only.
        options.write(true).create(makes).truncate(false).mode(0o600).custom_flags(NEVER_WAIT);
        let file = options.open(path)?;
        let mut at = 0;
        for part in parts {
            file.write_all_at(part, at)?;
            at += part.len() as u64;
        }
        Ok(())
    }

    /// It stays as it is until a request of this version takes its place.
    fn ignore(&self, version: u32, rules: u32) {
        self.journal.warn(
            "request ignored",
            format!(
                "{} was written by a newer version of this plugin (version {version}, identity rules {rules}) and is \
                 ignored; if it holds a request without an answer, its records come again in other requests, and may \
                 arrive twice",
                self.shown()
            ),
        );
    }

    fn shown(&self) -> String {
        self.path.as_ref().map(|path| path.display().to_string()).unwrap_or_default()
    }

    fn complain(&self, error: &io::Error) {
        let path = self.shown();
        self.journal.warn(
            "request not kept",
            format!("{path} ({error}): should the host die now, the batch in flight is sent again under another key"),
        );
    }
}
