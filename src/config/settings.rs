//! The settings of the output, read from their keys and checked.

use std::path::{Path, PathBuf};
use std::time::Duration;

use ureq::http::header::{HeaderName, HeaderValue};

use super::credentials::{self, Credentials};
use super::endpoint::{self, Scheme};
use super::format::{Compress, FormatName};
use super::reader::Reader;
use super::reconcile::{self, ReconcileSettings};
use super::redaction::{self, Redaction};
use super::remote::{self, Endpoint, Tls};
use super::selection::{self, Selection};
use super::services::{self, ServiceSettings};
use super::template::{self, TemplateSettings};
use super::topology::{self, CorrelationSettings};
use super::units::DAY;
use super::{headers, units};
use crate::disk::folder_of;

/// An event never waits longer than a minute, because it would be old then.
const MOST_CORRELATE_WAIT: Duration = Duration::from_secs(60);

/// All settings of one instance of the output.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where batches are sent; `scheme` says over which transport.
    pub endpoint: Endpoint,
    /// The transport, chosen by the scheme of `endpoint`.
    pub scheme: Scheme,
    /// The format of a record's text, with the settings that only formats use.
    pub render: RenderSettings,
    /// How bodies and files are compressed; always `None` with `unix://`, which takes plain lines.
    pub compress: Compress,
    /// The most records in one request.
    pub batch_events: usize,
    /// The most bytes in one request, before compression.
    pub batch_bytes: usize,
    /// The time limit of one request, including connecting.
    pub timeout: Duration,
    /// Added to every request.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// How requests authenticate; `Credentials::None` without requests (`unix://`, `file://`).
    pub credentials: Credentials,
    /// For https:// only.
    pub tls: Tls,
    /// How long delivered versions are remembered, how many, and in which file.
    pub ledger: LedgerSettings,
    /// Which later versions of a delivered event are sent too.
    pub updates: Updates,
    /// `NoDuplicates` implies that `ledger.state_file` and `dead_letters.file` are set.
    pub guarantee: Guarantee,
    /// The file for records that the gateway will never accept.
    pub dead_letters: DeadLetters,
    /// Records that it leaves out are dropped and count as settled.
    pub selection: Selection,
    /// For records of unknown kind, to which `selection` does not apply.
    pub others: Others,
    /// Applied before a record is rendered, so it holds for every format.
    pub redaction: Redaction,
    /// Without a topology in it, correlation is off.
    pub correlation: CorrelationSettings,
    /// How long an event waits for an object that the topology does not know yet.
    pub correlate_wait: Duration,
    /// `None`: the source is not verified.
    pub reconcile: Option<ReconcileSettings>,
}

impl Settings {
    /// The folders into which files are written.
    #[must_use]
    pub fn written_folders(&self) -> Vec<&Path> {
        let files = self.ledger.state_file.iter().chain(&self.dead_letters.file).map(|file| folder_of(file));
        let endpoint = match &self.scheme {
            Scheme::File(files) => Some(&*files.folder),
            _ => None,
        };
        files.chain(endpoint).collect()
    }
}

/// How a record is rendered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenderSettings {
    /// Decides which parts of `services` are used, and whether there is a `template`.
    pub format: FormatName,
    /// Empty when unset.
    pub cluster_name: String,
    /// Whether a native audit record contains the bodies of request and response.
    pub audit_bodies: bool,
    /// For single formats.
    pub services: ServiceSettings,
    /// For format template.
    pub template: Option<TemplateSettings>,
}

/// Where the ledger is kept, how long and how much it remembers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerSettings {
    /// `None`: the ledger is in memory only and is empty after a restart.
    pub state_file: Option<PathBuf>,
    /// How long a delivered version is remembered; a repetition after that is delivered again.
    pub ttl: Duration,
    /// The most delivered versions that are remembered.
    pub max_entries: usize,
}

/// Which updates of a known event are delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Updates {
    /// All of them.
    Every,
    /// None of them: only events not seen before.
    First,
    /// Those whose count is at least twice the last delivered count.
    Doubling,
}

/// What happens to records of unknown kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Others {
    /// They are delivered unchanged, each time they come, because a repetition cannot be recognised.
    Pass,
    /// They are dropped with a WARN, unless they contain an `auditID`: these are delivered.
    Drop,
    /// They are dead-lettered. `dead_letter_file` is then set.
    DeadLetter,
}

/// What happens to a batch if a fault leaves it unknown whether the gateway has taken it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guarantee {
    /// It is sent again. The ledger advances only after the acknowledgement.
    NoEventLoss,
    /// It is dead-lettered. The ledger's file records each request before it is sent.
    NoDuplicates,
}

/// Where dead letters are written, and how many bytes of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetters {
    /// `None`: records that would be dead-lettered are dropped with an ERROR.
    pub file: Option<PathBuf>,
    /// A full file takes no more; records that do not fit wait until there is room.
    pub max_bytes: u64,
}

/// `None` if there was an error; it reads all keys in any case.
pub(super) fn read(from: &mut Reader<'_>) -> Option<Settings> {
    let destination = endpoint::read(from);
    let format = from.parsed("format", |text| units::choice(text, FormatName::WORDS));
    let template = template::read(from, format);
    let cluster_name = from.text("cluster_name").unwrap_or_default();
    let compress = compress(from, format);
    let services = services::read(from);
    let batch_events = from.parsed("batch_events", |text| units::count(text, 1, 10_000));
    let batch_bytes = from.parsed("batch_bytes", |text| units::size(text, 1_000, 64_000_000));
    let timeout = from.parsed("timeout", |text| units::time(text, Duration::from_millis(100), DAY / 24));
    let headers = headers::read(from);
    let credentials = credentials::read(from, format);
    let tls = remote::tls(from);
    let ledger = ledger(from);
    check_own_files(from);
    let updates = from.parsed("updates", |text| {
        units::choice(
            text,
            &[("every", Updates::Every), ("first", Updates::First), ("doubling", Updates::Doubling)],
        )
    });
    let guarantee = guarantee(from);
    let dead_letter_file = from.own_file("dead_letter_file");
    let dead_letter_max_bytes =
        from.parsed("dead_letter_max_bytes", |text| units::size(text, 1_000, 1_000_000_000_000));
    let selection = selection::read(from);
    let others = others(from);
    let audit_bodies = from.parsed("audit_bodies", units::switch);
    let state_file = ledger.as_ref().and_then(|ledger| ledger.state_file.clone());
    let mut correlation = topology::read(from, state_file.as_deref());
    let correlate_wait =
        from.parsed("correlate_wait", |text| units::time(text, Duration::ZERO, MOST_CORRELATE_WAIT));
    let reconcile = reconcile::read(from, correlation.as_ref());
    let redaction = redaction::read(from, correlation.as_mut());
    let (endpoint, scheme) = destination?;
    // A stream consists of plain lines.
    let compress = if scheme.uses("compress") { compress? } else { Compress::None };
    Some(Settings {
        endpoint,
        scheme,
        render: RenderSettings {
            format: format?,
            cluster_name,
            audit_bodies: audit_bodies?,
            template: template?,
            services: services?,
        },
        compress,
        batch_events: batch_events?,
        batch_bytes: usize::try_from(batch_bytes?).ok()?,
        timeout: timeout?,
        headers: headers?,
        credentials: credentials?,
        tls: tls?,
        ledger: ledger?,
        updates: updates?,
        guarantee: guarantee?,
        dead_letters: DeadLetters { file: dead_letter_file, max_bytes: dead_letter_max_bytes? },
        selection: selection?,
        others: others?,
        redaction: redaction?,
        correlation: correlation?,
        correlate_wait: correlate_wait?,
        reconcile: reconcile?,
    })
}

fn compress(from: &mut Reader<'_>, format: Option<FormatName>) -> Option<Compress> {
    let compress = from.parsed("compress", |text| {
        units::choice(text, &[("gzip", Compress::Gzip), ("none", Compress::None)])
    });
    if compress == Some(Compress::Gzip) && format.is_some_and(FormatName::takes_no_gzip) {
        from.refuse("compress", "is gzip, which the service of this format cannot decompress", "none");
        return None;
    }
    compress
}

fn guarantee(from: &mut Reader<'_>) -> Option<Guarantee> {
    let guarantee = from.parsed("guarantee", |text| {
        units::choice(
            text,
            &[("no_event_loss", Guarantee::NoEventLoss), ("no_duplicates", Guarantee::NoDuplicates)],
        )
    });
    if guarantee == Some(Guarantee::NoDuplicates) {
        // Without state_file a crash would forget the intents that are kept for just that case; without
        // dead_letter_file records in doubt would be lost.
        for key in ["state_file", "dead_letter_file"] {
            if from.text(key).is_none() {
                from.refuse(key, "is not set", "a file, since guarantee is no_duplicates");
            }
        }
    }
    guarantee
}

fn others(from: &mut Reader<'_>) -> Option<Others> {
    let others = from.parsed("other", |text| {
        units::choice(
            text,
            &[("pass", Others::Pass), ("drop", Others::Drop), ("dead_letter", Others::DeadLetter)],
        )
    });
    if others == Some(Others::DeadLetter) && from.text("dead_letter_file").is_none() {
        from.refuse("dead_letter_file", "is not set", "a file, since other is dead_letter");
    }
    others
}

/// A file that the plugin writes must have no other use, because its content would be overwritten.
fn check_own_files(from: &mut Reader<'_>) {
    const OWN: [&str; 2] = ["state_file", "dead_letter_file"];
    const READ: [&str; 9] = [
        "template_file",
        "bearer_token_file",
        "api_key_file",
        "basic_password_file",
        "ca_file",
        "client_cert_file",
        "client_key_file",
        "kube_ca_file",
        "kube_token_file",
    ];
    for (index, own) in OWN.into_iter().enumerate() {
        let Some(path) = from.text(own).map(PathBuf::from) else { continue };
        for other in OWN.into_iter().skip(index + 1).chain(READ) {
            // Compared as paths, which ignores doubled slashes and single dots.
            if from.text(other).map(PathBuf::from).as_ref() == Some(&path) {
                from.refuse(own, format!("names the same file as {other}"), "a file of its own");
            }
        }
    }
}

pub(super) fn ledger(from: &mut Reader<'_>) -> Option<LedgerSettings> {
    let state_file = from.own_file("state_file");
    let ttl = from.parsed("ledger_ttl", |text| units::time(text, Duration::from_secs(1), DAY * 365));
    let max_entries = from.parsed("ledger_max_entries", |text| units::count(text, 1, 50_000_000));
    Some(LedgerSettings { state_file, ttl: ttl?, max_entries: max_entries? })
}
