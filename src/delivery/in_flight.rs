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
//! A request that somebody else puts there must not go out under our credentials. So it carries a check by a key that lies
//! in the ledger's file ([`kept`](super::kept)), and for whom it was made ([`binding`](super::binding)). What does not fit
//! is not sent, and a line says what that may cost; so it is with requests of versions that added no check. The file of a
//! newer version is not understood, and is ignored with a line.
//!
//! Where nothing may arrive twice nothing is kept, but what an earlier life has left, under the other guarantee, is read.

use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::binding::Binding;
use super::kept::{Found, Head, Kept, LONGEST_FRONT_BYTES, Why};
use crate::clock;
use crate::config::{Guarantee, Settings};
use crate::disk::{self, Access, is_refused, with_suffix};
use crate::gateway::Post;
use crate::ledger::{Key, Ledger};
use crate::log::HostLog;
use crate::record::identity::Versioned;

/// A request that is sent again so often for nothing may itself be what the gateway dies of: it must not stand in
/// the way of all others indefinitely.
const MOST_FAILURES: u32 = 3;
/// Over the checksum and the lengths, the mark of a request that is settled.
const SETTLED: [u8; 24] = [0; 24];

pub struct InFlight {
    /// `None` where there is no `state_file`.
    path: Option<PathBuf>,
    /// Whether requests are kept, and sent again.
    keeps: bool,
    /// Whether the file may hold a request that is not marked as settled.
    is_written: bool,
    binding: Binding,
    /// A request without a clear answer.
    unclear: Option<Kept>,
    /// How often it was sent again for nothing, or a round panicked over it.
    failures: u32,
    log: Arc<HostLog>,
}

impl InFlight {
    /// Opens and reads nothing yet.
    #[must_use]
    pub fn new(settings: &Settings, log: &Arc<HostLog>) -> Self {
        let path = settings.ledger.state_file.as_ref().map(|file| with_suffix(file, ".in-flight"));
        Self {
            path,
            keeps: settings.guarantee == Guarantee::NoEventLoss,
            is_written: false,
            binding: Binding::of(settings),
            unclear: None,
            failures: 0,
            log: Arc::clone(log),
        }
    }

    /// Takes up the request that an earlier life, or a round that panicked, left without an answer; unless it is of
    /// no use any more: for another endpoint or format, too old, or acknowledged.
    pub fn take_up(&mut self, ledger: &Ledger) {
        let is_new = |kept: &Kept| !kept.named().iter().any(|record| ledger.holds(record));
        if let Some(kept) = self.unclear.take() {
            self.unclear = Some(kept).filter(is_new);
            // It may be what the round panicked over.
            self.failed();
        } else {
            let found = self.found(ledger).and_then(|left| left.request);
            self.unclear = found.filter(is_new).filter(|kept| self.is_for_us(kept, ledger));
            self.failures = 0;
        }
    }

    /// Whether it may go out now as it was. Somebody may have kept a request of ours, and put it back long after: what
    /// the ledger would have forgotten is not sent again.
    fn is_for_us(&self, kept: &Kept, ledger: &Ledger) -> bool {
        let (path, then) = (self.shown(), self.then());
        if Some(kept.head.target) != ledger.key().and_then(|key| self.binding.target(key)) {
            self.log.warn(
                "saved request outdated",
                format!(
                    "{path} holds a request for another endpoint, format, tenant, credentials, selection or redaction \
                     than are set now; it is not sent, and {then}"
                ),
            );
        } else if ledger.has_forgotten(kept.head.made_seconds, now_seconds()) {
            self.log.warn(
                "saved request too old",
                format!(
                    "{path} holds a request that is older than ledger_ttl, so that nobody knows whether it was \
                     delivered; it is not sent, and {then}"
                ),
            );
        } else {
            return true;
        }
        false
    }

    /// What an earlier life left without an answer, whoever it was for.
    pub fn found(&mut self, ledger: &Ledger) -> Option<Left> {
        let found = match read(self.path.as_ref()?, ledger.key()) {
            Ok(found) => found,
            Err(error) if error.kind() == ErrorKind::NotFound => return None,
            Err(error) => {
                self.complain(&error);
                return None;
            }
        };
        self.is_written = matches!(found, Found::Request(_) | Found::Unproven(..));
        match found {
            Found::Request(kept) => Some(Left { records: kept.named(), request: Some(kept) }),
            Found::Unproven(why, records) => {
                if !records.iter().any(|record| ledger.holds(record)) || why == Why::Foreign {
                    self.tell_of_unproven(why);
                }
                Some(Left { records, request: None })
            }
            Found::Newer { version, rules } => {
                self.ignore(version, rules);
                None
            }
            Found::Nothing => None,
        }
    }

    /// The request that has no clear answer yet, and that goes out before any other.
    #[must_use]
    pub fn unclear(&self) -> Option<&Kept> {
        self.unclear.as_ref()
    }

    /// A request is about to go out.
    pub fn begin(&mut self, post: &Post<'_>, records: &[Option<Versioned>], ledger: &Ledger) {
        if !self.keeps || self.path.is_none() {
            return;
        }
        let made_seconds = ledger.time(now_seconds());
        let before = ledger.key().and_then(|key| {
            let head = Head::new(self.binding.target(key)?, made_seconds, post, records);
            head.before(key, post.body.bytes)
        });
        let Some(before) = before else {
            self.complain(&io::Error::other("there is no key for its check"));
            return;
        };
        self.is_written = true;
        let written = self.write(true, &[&before, post.body.bytes]);
        if let Err(error) = written {
            self.complain(&error);
        }
    }

    /// It has no clear answer. In memory nobody else can put another in its place.
    pub fn keep(&mut self, post: &Post<'_>, records: &[Option<Versioned>]) {
        let head = Head::new([0; 32], 0, post, records);
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
        let open = if makes { disk::existing_or_new } else { disk::existing };
        let file = open(path, Access::Write)?;
        let mut at = 0;
        for part in parts {
            file.write_all_at(part, at)?;
            at += part.len() as u64;
        }
        Ok(())
    }

    /// It stays as it is until a request of this version takes its place.
    fn ignore(&self, version: u32, rules: u32) {
        self.log.warn(
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

    fn tell_of_unproven(&self, why: Why) {
        let (path, then) = (self.shown(), self.then());
        match why {
            Why::Unchecked => self.log.warn(
                "saved request unchecked",
                format!(
                    "{path} holds a request of an older version of this plugin, which added no check to it; it is not \
                     sent, and {then}"
                ),
            ),
            Why::Foreign => self.log.error(
                "saved request not sent",
                format!(
                    "{path} holds a request that does not fit the key in state_file: another file is in the place of \
                     state_file, state_file cannot be read, or somebody else wrote the request; it is not sent, and \
                     {then}; look who else writes into its folder"
                ),
            ),
        }
    }

    /// What becomes of the records of a request that is not sent.
    fn then(&self) -> &'static str {
        if self.keeps {
            "its records come again in other requests, and may arrive twice"
        } else {
            "its records count as in doubt: as soon as they come again they are put into dead_letter_file"
        }
    }

    fn complain(&self, error: &io::Error) {
        let path = self.shown();
        let then = "should the host die now, the batch in flight is sent again under another key";
        if is_refused(error) {
            self.log.error("saved request refused", format!("{path} is not used ({error}); {then}"));
        } else {
            self.log.warn("request not kept", format!("{path} ({error}): {then}"));
        }
    }
}

/// What an earlier life left without an answer.
pub struct Left {
    /// Those of its records that have an identity.
    pub records: Vec<Versioned>,
    /// `None` when it is not to be sent.
    request: Option<Kept>,
}

fn now_seconds() -> u64 {
    clock::unix_seconds(clock::wall())
}

fn read(path: &Path, key: Option<&Key>) -> io::Result<Found> {
    let mut file = disk::existing(path, Access::Read)?;
    let mut bytes = Vec::new();
    file.by_ref().take(LONGEST_FRONT_BYTES as u64).read_to_end(&mut bytes)?;
    let left = Kept::len_bytes(&bytes).saturating_sub(bytes.len());
    file.take(left as u64).read_to_end(&mut bytes)?;
    Ok(Kept::read(&bytes, key))
}
