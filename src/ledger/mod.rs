//! The ledger: which version of each event was delivered. It advances only after the acknowledgement.
//!
//! ```text
//! begin  → New | Update        deliver, then commit (acknowledged), abort (failed for now) or put_away
//!                              (can never be delivered)
//!        → Duplicate           this very version was acknowledged: nothing to do
//!        → InFlight            share the fate of the delivery that is on its way
//!        → Suppressed          the `updates` setting does not want it
//! ```
//!
//! [`table`] holds it in memory and judges, `file` and `store` keep it on the disk, [`identity`] says what
//! is the same.

mod file;
pub mod identity;
mod store;
pub mod table;

use crate::config::{LedgerSettings, Updates};
pub use file::{File, MovedAside};
use table::{Row, Table};
pub use table::{Ticket, Verdict, Versioned};

#[derive(Debug)]
pub struct Ledger {
    table: Table,
    file: Option<File>,
    ttl_seconds: u64,
    updates: Updates,
}

impl Ledger {
    /// Opens the ledger. A damaged file is moved aside to `<file>.damaged-<time>`, and work goes on with
    /// an empty one.
    ///
    /// # Errors
    /// When the file is in use, or cannot be opened, made or moved; text for a person.
    pub fn open(
        settings: &LedgerSettings,
        updates: Updates,
        now_seconds: u64,
    ) -> Result<(Self, Option<MovedAside>), String> {
        let mut table = Table::new(settings.max_entries);
        let ttl_seconds = settings.ttl.as_secs();
        let mut moved = None;
        let mut file = None;
        if let Some(path) = &settings.state_file {
            let (opened, rows, moved_aside) = File::open(path, now_seconds)?;
            for row in &rows {
                table.enter(row);
            }
            table.expire(now_seconds, ttl_seconds);
            // What the settings no longer have room for is not news.
            table.take_evicted();
            let first = rows.first().map_or(0, |row| row.number);
            if table.oldest_row() > first {
                opened.trim(table.oldest_row())?;
            }
            moved = moved_aside;
            file = Some(opened);
        }
        Ok((Self { table, file, ttl_seconds, updates }, moved))
    }

    /// Judges a record, and begins its delivery when it is to be delivered.
    pub fn begin(&mut self, record: Versioned) -> Verdict {
        self.table.begin(record, self.updates)
    }

    /// The deliveries were acknowledged.
    ///
    /// # Errors
    /// When the file could not be written. The ledger has them in memory and will try again; text for a
    /// person.
    pub fn commit(&mut self, tickets: &[Ticket], now_seconds: u64) -> Result<(), String> {
        let row = self.table.commit(tickets, now_seconds);
        self.save(row, now_seconds)
    }

    /// The record can never be delivered and lies elsewhere, or is lost and that was said.
    ///
    /// # Errors
    /// As [`Ledger::commit`].
    pub fn put_away(&mut self, ticket: Ticket, now_seconds: u64) -> Result<(), String> {
        let row = self.table.put_away(ticket, now_seconds);
        self.save(row, now_seconds)
    }

    /// Writes what the file has not taken yet, whether or not its pause is over.
    ///
    /// # Errors
    /// As [`Ledger::commit`].
    pub fn finish(&mut self, now_seconds: u64) -> Result<(), String> {
        if let Some(file) = &mut self.file {
            file.end_pause();
        }
        self.save(None, now_seconds)
    }

    fn save(&mut self, row: Option<Row>, now_seconds: u64) -> Result<(), String> {
        let oldest = self.table.oldest_row();
        match &mut self.file {
            Some(file) => file.save(row, oldest, now_seconds),
            None => Ok(()),
        }
    }

    /// The delivery failed for now.
    pub fn abort(&mut self, ticket: Ticket) {
        self.table.abort(ticket);
    }

    /// Aborts whatever has no fate yet, after a panic.
    pub fn abort_all(&mut self) {
        self.table.abort_all();
    }

    /// Lets go of what is older than the time to live.
    pub fn expire(&mut self, now_seconds: u64) {
        self.table.expire(now_seconds, self.ttl_seconds);
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.table.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.table.is_empty()
    }

    /// Versions that left early because the ledger was full, since the last call.
    pub fn take_evicted(&mut self) -> u64 {
        self.table.take_evicted()
    }
}
