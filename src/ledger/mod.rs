//! The ledger: which version of each event was delivered. It advances only after the acknowledgement.
//!
//! ```text
//! begin  → New | Update        deliver, then commit (acknowledged) or abort (failed for now)
//!        → Duplicate           nothing to do
//!        → InFlight            share the fate of the delivery that is on its way
//!        → Suppressed          the `updates` setting does not want it
//! ```
//!
//! [`table`] holds it in memory and judges, [`store`] keeps it in a file, [`identity`] says what is the
//! same. When the file cannot be written, deliveries go on: memory still knows them, the rows wait and are
//! written as soon as the disk is back, and only a crash in between could repeat them, with equal ids.

pub mod identity;
pub mod store;
pub mod table;

use std::path::PathBuf;

use crate::config::{LedgerSettings, Updates};
use crate::time::Stamp;
use store::{Store, StoreError};
use table::{Row, Table};
pub use table::{Ticket, Verdict, Versioned};

/// Rows that wait for a disk that takes no writes; beyond it the oldest are given up.
const MAX_UNSAVED_ROWS: usize = 10_000;

#[derive(Debug)]
pub struct Ledger {
    table: Table,
    file: Option<File>,
    ttl_seconds: u64,
    updates: Updates,
}

#[derive(Debug)]
struct File {
    path: PathBuf,
    /// `None` after a write failed: redb wants to be opened again.
    store: Option<Store>,
    unsaved: Vec<Row>,
}

/// A damaged file that was moved out of the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MovedAside {
    pub to: PathBuf,
    pub why: String,
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
        let file = match &settings.state_file {
            None => None,
            Some(path) => {
                let file = File { path: path.clone(), store: None, unsaved: Vec::new() };
                let (store, rows) = match Store::open(path) {
                    Err(StoreError::Damaged(why)) => {
                        moved = Some(file.move_aside(why, now_seconds)?);
                        Store::open(path).map_err(|error| file.explain(&error))?
                    }
                    opened => opened.map_err(|error| file.explain(&error))?,
                };
                for row in &rows {
                    table.enter(row);
                }
                table.expire(now_seconds, ttl_seconds);
                table.take_evicted();
                let file = File { store: Some(store), ..file };
                if let (Some(store), true) =
                    (&file.store, table.oldest_row() > rows.first().map_or(0, |row| row.number))
                {
                    store.write(&[], table.oldest_row()).map_err(|error| file.explain(&error))?;
                }
                Some(file)
            }
        };
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
        let oldest = self.table.oldest_row();
        match &mut self.file {
            Some(file) => file.save(row, oldest),
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

    /// Entries that left early because the ledger was full, since the last call.
    pub fn take_evicted(&mut self) -> u64 {
        self.table.take_evicted()
    }
}

impl File {
    /// Writes the rows that wait and this one.
    fn save(&mut self, row: Option<Row>, oldest: u64) -> Result<(), String> {
        self.unsaved.extend(row);
        if self.unsaved.is_empty() {
            return Ok(());
        }
        let saved = self.write(oldest);
        match saved {
            Ok(()) => {
                self.unsaved.clear();
                Ok(())
            }
            Err(error) => {
                self.store = None;
                let excess = self.unsaved.len().saturating_sub(MAX_UNSAVED_ROWS);
                self.unsaved.drain(..excess);
                Err(self.explain(&error))
            }
        }
    }

    fn write(&mut self, oldest: u64) -> Result<(), StoreError> {
        let store = match self.store.take() {
            Some(store) => store,
            // Its rows are all in the table already.
            None => Store::open(&self.path)?.0,
        };
        let written = store.write(&self.unsaved, oldest);
        self.store = Some(store);
        written
    }

    fn move_aside(&self, why: String, now_seconds: u64) -> Result<MovedAside, String> {
        let time = Stamp::from_unix_seconds(now_seconds)
            .map_or_else(|| now_seconds.to_string(), |at| at.to_string());
        let mut name = self.path.clone().into_os_string();
        name.push(format!(".damaged-{}", time.replace([':', '-'], "")));
        let to = PathBuf::from(name);
        std::fs::rename(&self.path, &to).map_err(|error| {
            format!("{} is damaged ({why}) and cannot be moved aside ({error})", self.path.display())
        })?;
        Ok(MovedAside { to, why })
    }

    fn explain(&self, error: &StoreError) -> String {
        format!("{} {error}", self.path.display())
    }
}
