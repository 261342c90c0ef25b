//! Which versions went through already: the table of the ledger, without acknowledgements.
//!
//! The output commits what the gateway took. A filter does not learn what becomes of a record, so here a version counts as
//! soon as its chunk is through. In memory that is harmless: a host that dies loses memory and chunk together. With a file
//! it is not: see [`super::seen_file`].

use std::io;
use std::sync::Arc;

use super::seen_file::SeenFile;
use crate::clock::{self, ForwardJumps};
use crate::config::{ConfigError, LedgerSettings, Updates};
use crate::disk::{folder_of, not_private};
use crate::ledger::ledger_clock::LedgerClock;
use crate::ledger::table::Table;
use crate::ledger::{File, Opened, Ticket, Verdict};
use crate::log::HostLog;
use crate::record::content::Content;
use crate::record::identity::versioned;

pub(super) struct SeenVersions {
    table: Table,
    clock: LedgerClock,
    leaps: ForwardJumps,
    ttl_seconds: u64,
    /// Those of the chunk at hand.
    tickets: Vec<Ticket>,
    file: Option<SeenFile>,
}

impl SeenVersions {
    pub(super) fn open(
        settings: &LedgerSettings,
        log: &Arc<HostLog>,
        on_start: fn(),
    ) -> Result<Self, Vec<ConfigError>> {
        let mut table = Table::new(settings.max_entries);
        let ttl_seconds = settings.ttl.as_secs();
        let mut file = None;
        let mut clock = LedgerClock::default();
        if let Some(path) = &settings.state_file {
            let refused = |problem: String| {
                let expected = "a file that this instance alone can write".to_owned();
                vec![ConfigError { key: "state_file", problem, expected }]
            };
            let no_thread =
                |error: io::Error| refused(format!("no thread could be started to write it ({error})"));
            let now_seconds = clock::unix_seconds(clock::wall());
            let opened = File::open(path, now_seconds).map_err(|error| refused(error.to_string()))?;
            let Opened { file: ledger_file, contents, moved } = opened;
            for commit in &contents.commits {
                table.enter(commit);
            }
            clock = LedgerClock::after(contents.newest_seconds(), now_seconds);
            table.expire(clock.at(now_seconds), ttl_seconds);
            if let Some(moved) = moved {
                log.error(
                    "state_file moved aside",
                    format!(
                        "state_file {moved}; what the source brings again goes through again; {}",
                        moved.advice()
                    ),
                );
            }
            if let Some(warning) = not_private(&[folder_of(path)]) {
                log.warn("folder not private", warning);
            }
            file = Some(SeenFile::start(ledger_file, log, on_start).map_err(no_thread)?);
        }
        Ok(Self { table, clock, leaps: ForwardJumps::from_now(), ttl_seconds, tickets: Vec::new(), file })
    }

    pub(super) fn begin_chunk(&mut self, now_seconds: u64) {
        // Only a panic leaves deliveries begun. The host got its chunk back as it was; if the records come again, they are
        // new.
        self.table.abort_all();
        self.tickets.clear();
        self.clock.leap(self.leaps.seconds());
        self.take_in();
        self.table.expire(self.clock.at(now_seconds), self.ttl_seconds);
    }

    /// Takes in what the start could not read of the file, once it was read.
    fn take_in(&mut self) {
        if let Some(commits) = self.file.as_ref().and_then(SeenFile::take_found) {
            self.table.enter_earlier(commits);
        }
    }

    /// Whether this version went through before, in this chunk or an earlier one.
    pub(super) fn has_seen(&mut self, content: &Content<'_, '_>, body: &[u8]) -> bool {
        let Some(versioned) = versioned(content, body) else { return false };
        match self.table.begin(versioned, Updates::Every) {
            Verdict::New { ticket } | Verdict::Update { ticket, .. } | Verdict::InDoubt { ticket } => {
                self.tickets.push(ticket);
                false
            }
            Verdict::Duplicate | Verdict::InFlight { .. } | Verdict::Suppressed { .. } => true,
        }
    }

    pub(super) fn end_chunk(&mut self, now_seconds: u64) {
        let commit = self.table.commit(&self.tickets, self.clock.at(now_seconds));
        self.tickets.clear();
        if let (Some(file), Some(commit)) = (&self.file, commit) {
            file.add(commit, &self.table);
        }
    }
}

impl Drop for SeenVersions {
    fn drop(&mut self) {
        self.take_in();
        if let Some(file) = &self.file {
            file.end(&self.table);
        }
    }
}
