//! The request on its way, saved so that it can be resent unchanged.
//!
//! If a response does not say whether a batch arrived, or the host dies before it comes, the gateway may have the batch.
//! It recognises a request that is resent as the same bytes under the same `Idempotency-Key`. Records that come again
//! come in other chunks and make other batches, so the request itself is saved, in a file beside `state_file`. No other
//! request is sent until its response is clear.
//!
//! The file is written without a sync, which costs microseconds: it outlives the host, not the machine. After a power
//! loss it may be cut; its records are then sent again in other batches.
//!
//! Another process may put a request into that file, which would be sent under our credentials. So it carries a check made
//! with a key from the ledger's file ([`saved_request`](super::saved_request)) and says for whom it was made
//! ([`binding`](super::binding)). A request that does not match, or has no check, is not sent, and a log line says
//! what that may cost. A file of a newer version is ignored, with a log line.
//!
//! With `no_duplicates` nothing is saved. A request that an earlier run saved under the other guarantee is still read.

use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::binding::Binding;
use super::saved_request::{Found, Head, LONGEST_FRONT_BYTES, SavedRequest, Unproven};
use crate::clock;
use crate::config::{Guarantee, Settings};
use crate::disk::{self, Access, is_refused, with_suffix};
use crate::gateway::Post;
use crate::ledger::{CheckKey, Ledger};
use crate::log::HostLog;
use crate::record::identity::Versioned;

/// A request that failed this often may be what crashes the gateway: it must not hold up all others without end.
const MOST_FAILURES: u32 = 3;
/// Written over checksum and lengths: the request is settled.
const SETTLED: [u8; 24] = [0; 24];

pub(super) struct InFlight {
    /// `None` where there is no `state_file`.
    path: Option<PathBuf>,
    /// Whether requests are saved and resent: with `no_event_loss`.
    saves: bool,
    /// Whether the file may hold a request that is not marked as settled.
    is_written: bool,
    binding: Binding,
    /// A request whose response did not say whether it arrived.
    in_doubt: Option<SavedRequest>,
    /// How often resending it failed, or a round panicked over it.
    failures: u32,
    log: Arc<HostLog>,
}

impl InFlight {
    /// Opens and reads nothing yet.
    pub(super) fn new(settings: &Settings, log: &Arc<HostLog>) -> Self {
        let path = settings.ledger.state_file.as_ref().map(|file| with_suffix(file, ".in-flight"));
        Self {
            path,
            saves: settings.guarantee == Guarantee::NoEventLoss,
            is_written: false,
            binding: Binding::of(settings),
            in_doubt: None,
            failures: 0,
            log: Arc::clone(log),
        }
    }

    /// Takes up the request that an earlier run, or a round that panicked, left in doubt, unless it is of no use any more:
    /// for another endpoint or format, too old, or acknowledged.
    pub(super) fn take_up(&mut self, ledger: &Ledger) {
        let is_new = |saved: &SavedRequest| !saved.named().iter().any(|record| ledger.holds(record));
        if let Some(saved) = self.in_doubt.take() {
            self.in_doubt = Some(saved).filter(is_new);
            // The round may have panicked over it.
            self.failed();
        } else {
            let found = self.find(ledger).and_then(|left| left.request);
            self.in_doubt = found.filter(is_new).filter(|saved| self.is_for_us(saved, ledger));
            self.failures = 0;
        }
    }

    /// The records of the request that an earlier run left in doubt, whoever it was for.
    pub(super) fn find_records(&mut self, ledger: &Ledger) -> Option<Vec<Versioned>> {
        self.find(ledger).map(|left| left.records)
    }

    /// Whether it may be resent unchanged. A request of ours may have been copied and put back long after, so one that is
    /// older than what the ledger remembers is not.
    fn is_for_us(&self, saved: &SavedRequest, ledger: &Ledger) -> bool {
        let (path, then) = (self.shown(), self.then());
        if Some(saved.head.target) != ledger.key().and_then(|key| self.binding.target(key)) {
            self.log.warn(
                "saved request outdated",
                format!(
                    "{path} holds a request for another endpoint, format, tenant, credentials, selection or redaction \
                     than are set now; it is not sent, and {then}"
                ),
            );
        } else if ledger.has_forgotten(saved.head.made_seconds, now_seconds()) {
            self.log.warn(
                "saved request too old",
                format!(
                    "{path} holds a request that is older than ledger_ttl, so that it is unknown whether it was \
                     delivered; it is not sent, and {then}"
                ),
            );
        } else {
            return true;
        }
        false
    }

    fn find(&mut self, ledger: &Ledger) -> Option<Left> {
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
            Found::Request(saved) => Some(Left { records: saved.named(), request: Some(saved) }),
            Found::Unproven(why, records) => {
                if !records.iter().any(|record| ledger.holds(record)) || why == Unproven::Foreign {
                    self.log_unproven(why);
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

    /// The request in doubt, which is resent before any other is sent.
    pub(super) fn in_doubt(&self) -> Option<&SavedRequest> {
        self.in_doubt.as_ref()
    }

    /// A request is about to be sent: saves it.
    pub(super) fn begin(&mut self, post: &Post<'_>, records: &[Option<Versioned>], ledger: &Ledger) {
        if !self.saves || self.path.is_none() {
            return;
        }
        let made_seconds = ledger.time(now_seconds());
        let before = ledger.key().and_then(|key| {
            let head = Head::new(self.binding.target(key)?, made_seconds, post, records);
            head.bytes_before_body(key, post.body.bytes)
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

    /// Its response did not say whether it arrived. It is kept in memory too, where no other process can replace it.
    pub(super) fn doubt(&mut self, post: &Post<'_>, records: &[Option<Versioned>]) {
        let head = Head::new([0; 32], 0, post, records);
        self.in_doubt = Some(SavedRequest { head, body: post.body.bytes.to_vec() });
    }

    /// It was resent, and is still in doubt.
    pub(super) fn failed(&mut self) {
        self.failures += 1;
        if self.failures >= MOST_FAILURES {
            self.end();
        }
    }

    /// It is in doubt no more.
    pub(super) fn end(&mut self) {
        self.in_doubt = None;
        self.failures = 0;
        if std::mem::take(&mut self.is_written) {
            // A failure loses nothing: what was acknowledged is in the ledger.
            let _ = self.write(false, &[&SETTLED]);
        }
    }

    /// Opens the file each time: if it was removed, the next request is saved in a new one.
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

    /// The file stays as it is until a request of this version replaces it.
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

    fn log_unproven(&self, why: Unproven) {
        let (path, then) = (self.shown(), self.then());
        match why {
            Unproven::Unchecked => self.log.warn(
                "saved request unchecked",
                format!(
                    "{path} holds a request of an older version of this plugin, which added no check to it; it is not \
                     sent, and {then}"
                ),
            ),
            Unproven::Foreign => self.log.error(
                "saved request not sent",
                format!(
                    "{path} holds a request that does not fit the key in state_file: another file is in the place of \
                     state_file, state_file cannot be read, or another process wrote the request; it is not sent, and \
                     {then}; look who else writes into its folder"
                ),
            ),
        }
    }

    /// What becomes of the records of a request that is not resent.
    fn then(&self) -> &'static str {
        if self.saves {
            "its records come again in other requests, and may arrive twice"
        } else {
            "its records count as in doubt: as soon as they come again they are put into dead_letter_file"
        }
    }

    fn complain(&self, error: &io::Error) {
        let path = self.shown();
        let then =
            "if Fluent Bit is killed now, the batch in flight is sent again under another Idempotency-Key";
        if is_refused(error) {
            self.log.error("saved request refused", format!("{path} is not used ({error}); {then}"));
        } else {
            self.log.warn("request not saved", format!("{path} ({error}): {then}"));
        }
    }
}

/// A request that an earlier run left in doubt.
struct Left {
    /// Those of its records that have an identity.
    records: Vec<Versioned>,
    /// `None` if it must not be resent.
    request: Option<SavedRequest>,
}

fn now_seconds() -> u64 {
    clock::unix_seconds(clock::wall())
}

fn read(path: &Path, key: Option<&CheckKey>) -> io::Result<Found> {
    let mut file = disk::existing(path, Access::Read)?;
    let mut bytes = Vec::new();
    file.by_ref().take(LONGEST_FRONT_BYTES as u64).read_to_end(&mut bytes)?;
    let left = SavedRequest::len_bytes(&bytes).saturating_sub(bytes.len());
    file.take(left as u64).read_to_end(&mut bytes)?;
    Ok(SavedRequest::read(&bytes, key))
}
