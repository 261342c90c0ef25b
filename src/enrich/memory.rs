//! Which versions went through already: the ledger's table, without acknowledgements.
//!
//! The output commits what the gateway took. A filter learns nothing of what becomes of a record, so here
//! a version is settled as soon as its chunk is through; in memory that is harmless, as a host that dies
//! takes memory and chunk with it. With a file it is not: see [`super::keeper`].

use std::sync::Arc;

use super::keeper::Keeper;
use crate::clock::{self, Leaps};
use crate::config::{ConfigError, LedgerSettings, Updates};
use crate::disk::{folder_of, not_private};
use crate::ledger::age::Age;
use crate::ledger::table::Table;
use crate::ledger::{File, Opened, Ticket, Verdict};
use crate::log::HostLog;
use crate::record::content::Content;
use crate::record::identity::versioned;

pub(super) struct Memory {
    table: Table,
    age: Age,
    leaps: Leaps,
    ttl_seconds: u64,
    /// Of the chunk that is being looked at.
    tickets: Vec<Ticket>,
    keeper: Option<Keeper>,
}

impl Memory {
    pub(super) fn open(
        settings: &LedgerSettings,
        log: &Arc<HostLog>,
        on_start: fn(),
    ) -> Result<Self, Vec<ConfigError>> {
        let mut table = Table::new(settings.max_entries);
        let ttl_seconds = settings.ttl.as_secs();
        let mut keeper = None;
        let mut age = Age::default();
        if let Some(path) = &settings.state_file {
            let error = |problem: String| {
                let expected = "a file that this instance alone can write".to_owned();
                vec![ConfigError { key: "state_file", problem, expected }]
            };
            let now_seconds = clock::unix_seconds(clock::wall());
            let Opened { file, contents, moved } = File::open(path, now_seconds).map_err(error)?;
            for row in &contents.rows {
                table.enter(row);
            }
            age = Age::after(contents.rows.last(), now_seconds);
            table.expire(age.at(now_seconds), ttl_seconds);
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
            keeper = Some(Keeper::start(file, log, on_start).map_err(error)?);
        }
        Ok(Self { table, age, leaps: Leaps::from_now(), ttl_seconds, tickets: Vec::new(), keeper })
    }

    pub(super) fn begin_chunk(&mut self, now_seconds: u64) {
        // Left over only by a panic, whose chunk the host got back as it was: its records come again, if
        // they do, as new ones.
        self.table.abort_all();
        self.tickets.clear();
        self.age.leap(self.leaps.seconds());
        self.take_in();
        self.table.expire(self.age.at(now_seconds), self.ttl_seconds);
    }

    /// What a start could not read of the file, as soon as it can be read.
    fn take_in(&mut self) {
        if let Some(rows) = self.keeper.as_ref().and_then(Keeper::take_found) {
            self.table.enter_earlier(rows);
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
        let row = self.table.commit(&self.tickets, self.age.at(now_seconds));
        self.tickets.clear();
        if let (Some(keeper), Some(row)) = (&self.keeper, row) {
            keeper.keep(row, &self.table);
        }
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        self.take_in();
        if let Some(keeper) = &self.keeper {
            keeper.end(&self.table);
        }
    }
}
