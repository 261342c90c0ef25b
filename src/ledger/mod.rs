//! The ledger: which version of each event was delivered. It advances only after the acknowledgement.
//!
//! ```text
//! begin  → New | Update        deliver, then commit (acknowledged), abort (failed for now) or dead_letter
//!                              (can never be delivered)
//!        → Duplicate           this very version was acknowledged: nothing to do
//!        → InFlight            share the outcome of the delivery that is on its way
//!        → Suppressed          the `updates` setting does not want it
//!        → InDoubt             it may have arrived: put it away, then commit or abort
//! ```
//!
//! Where nothing may arrive twice, it also knows what is about to be sent: claim before the request, then
//! commit, release (not taken) or doubt (nobody knows). What is in doubt is never delivered again.
//!
//! [`table`] holds it in memory and judges, `claims` holds what is about to be sent, `file`, `store`
//! and `disk` keep both on the disk, and [`age`] says what is old. What is the same record is said in
//! [`identity`](crate::record::identity).

pub mod age;
mod ahead;
mod claims;
mod disk;
mod file;
pub mod key;
mod packing;
mod store;
pub mod table;
mod verdict;

use crate::config::{LedgerSettings, Updates};
use crate::record::identity::Versioned;
use age::Age;
use claims::Claims;
pub use disk::{MovedAside, Unusable};
pub use file::{File, Opened};
pub use key::Key;
pub use store::Contents;
use table::{Row, Table};
pub use table::{Ticket, Verdict};

#[derive(Debug)]
pub struct Ledger {
    table: Table,
    claims: Claims,
    file: Option<File>,
    age: Age,
    ttl_seconds: u64,
    updates: Updates,
    max_entries: usize,
    /// What an earlier life left in doubt is delivered again.
    forgets_doubts: bool,
}

impl Ledger {
    /// Opens the ledger. A damaged file is moved aside to `<file>.damaged-<time>`, one of a newer version of this
    /// plugin to `<file>.newer-<time>`, and work goes on with an empty one; for a disk that is away see
    /// [`Ledger::take_trouble`].
    ///
    /// # Errors
    /// When the file is in use, or the path is none for a file; text for a person.
    pub fn open(
        settings: &LedgerSettings,
        updates: Updates,
        now_seconds: u64,
    ) -> Result<(Self, Option<MovedAside>), String> {
        let mut table = Table::new(settings.max_entries);
        let mut claims = Claims::new();
        let ttl_seconds = settings.ttl.as_secs();
        let mut moved = None;
        let mut file = None;
        let mut age = Age::default();
        if let Some(path) = &settings.state_file {
            let mut opened = File::open(path, now_seconds)?;
            for row in &opened.contents.rows {
                table.enter(row);
            }
            for claim in &opened.contents.claims {
                claims.enter(claim);
            }
            age = Age::after(opened.contents.newest(), now_seconds);
            table.expire(age.at(now_seconds), ttl_seconds);
            opened.file.end_claims(claims.expire(age.at(now_seconds), ttl_seconds));
            // What the settings no longer have room for is not news.
            table.take_evicted();
            let first = opened.contents.rows.first().map_or(0, |row| row.number);
            if table.oldest_row() > first {
                opened.file.trim(table.oldest_row());
            }
            moved = opened.moved;
            file = Some(opened.file);
        }
        let max_entries = settings.max_entries;
        let forgets_doubts = false;
        Ok((Self { table, claims, file, age, ttl_seconds, updates, max_entries, forgets_doubts }, moved))
    }

    /// Takes in what the file holds, if the start could not read it and it can be read now. While something is
    /// begun nothing happens: that was judged without it.
    ///
    /// # Errors
    /// When it still cannot be read, was damaged and moved aside, or cannot be written anew; text for a person.
    pub fn recall(&mut self, now_seconds: u64) -> Result<(), String> {
        let Some(file) = self.file.as_mut().filter(|_| !self.table.has_begun()) else { return Ok(()) };
        let Some(found) = file.recall(now_seconds)? else { return Ok(()) };
        self.table.enter_earlier(found.rows);
        found.claims.into_iter().for_each(|claim| self.claims.enter_late(claim));
        if self.forgets_doubts {
            self.forget_doubts();
        }
        self.expire(now_seconds);
        self.save(None, now_seconds)
    }

    /// The key of what is written beside the ledger's file; `None` without a file.
    #[must_use]
    pub fn key(&self) -> Option<&Key> {
        self.file.as_ref().and_then(File::key)
    }

    /// Judges a record, and begins its delivery when it is to be delivered.
    pub fn begin(&mut self, record: Versioned) -> Verdict {
        if !self.claims.is_in_doubt(&record) {
            let verdict = self.table.begin(record, self.updates);
            return self.counted_once(verdict, &record);
        }
        // It was wanted when it was sent.
        match self.table.begin(record, Updates::Every) {
            Verdict::New { ticket } | Verdict::Update { ticket, .. } => Verdict::InDoubt { ticket },
            verdict => verdict,
        }
    }

    /// The same verdict, without the occurrences of a version in doubt of the same event: the gateway may have them.
    /// That version need not come again, as the source may have only the newest.
    fn counted_once(&self, verdict: Verdict, record: &Versioned) -> Verdict {
        let (ticket, new_occurrences) = match verdict {
            Verdict::New { ticket } => (ticket, record.count),
            Verdict::Update { ticket, new_occurrences } => (ticket, new_occurrences),
            verdict => return verdict,
        };
        let Some(count) = self.claims.count_in_doubt(record.identity) else { return verdict };
        let new_occurrences = new_occurrences.min(record.count.saturating_sub(count));
        Verdict::Update { ticket, new_occurrences }
    }

    /// Begins the delivery of a record that has no identity: it is delivered as often as it comes.
    pub fn begin_unnamed(&mut self) -> Ticket {
        self.table.start_unnamed()
    }

    /// Whether this version was acknowledged.
    #[must_use]
    pub fn holds(&self, record: &Versioned) -> bool {
        self.table.holds(record)
    }

    /// What these deliveries carry, in order; `None` is a record without an identity.
    #[must_use]
    pub fn begun(&self, tickets: &[Ticket]) -> Vec<Option<Versioned>> {
        tickets.iter().map(|ticket| self.table.begun(*ticket)).collect()
    }

    /// The deliveries are about to go out.
    ///
    /// # Errors
    /// When that could not be written, or there is no file: a crash would leave no trace of them. And when
    /// more records are in doubt than are remembered of any. Text for a person.
    pub fn claim(&mut self, tickets: &[Ticket], now_seconds: u64) -> Result<(), String> {
        if self.claims.len() >= self.max_entries {
            return Err(format!("{} records wait to be dead-lettered", self.claims.len()));
        }
        let records = self.begun(tickets).into_iter().flatten().collect();
        let written = self.claim_records(records, now_seconds);
        if written.is_err() {
            self.claims.end();
        }
        written
    }

    fn claim_records(&mut self, records: Vec<Versioned>, now_seconds: u64) -> Result<(), String> {
        let claim = self.claims.begin(records, self.age.at(now_seconds));
        let Some(file) = &mut self.file else { return Err("there is no file".to_owned()) };
        let mut written = Err(String::new());
        if !file.wants_all(now_seconds) {
            written = file.claim(claim, self.table.oldest_row(), now_seconds);
        }
        // Also when that has just found out that the file is gone.
        if written.is_err() && file.wants_all(now_seconds) {
            let contents = contents(&self.table, &self.claims);
            written = file.save_all(&contents, now_seconds);
        }
        written
    }

    /// What was claimed last has not arrived, for certain.
    ///
    /// # Errors
    /// As [`Ledger::commit`].
    pub fn release(&mut self, now_seconds: u64) -> Result<(), String> {
        let ended = self.claims.end();
        self.end_claims(ended);
        self.save(None, now_seconds)
    }

    /// What was claimed last may have arrived. Each of its records now wants to be committed when it is put
    /// away, or aborted; its next coming is judged [`Verdict::InDoubt`].
    pub fn doubt(&mut self) {
        self.claims.doubt();
    }

    /// These may have arrived, in a request of which an earlier life has left another trace than a claim.
    ///
    /// # Errors
    /// As [`Ledger::claim`]; memory alone knows of them then.
    pub fn doubt_unbegun(&mut self, records: Vec<Versioned>, now_seconds: u64) -> Result<(), String> {
        let written = self.claim_records(records, now_seconds);
        self.claims.doubt();
        // Without a file memory alone knows of anything.
        if self.file.is_some() { written } else { Ok(()) }
    }

    /// Delivers again what an earlier life left in doubt: for those who want nothing lost.
    pub fn forget_doubts(&mut self) {
        self.forgets_doubts = true;
        let ended = self.claims.forget();
        self.end_claims(ended);
    }

    fn end_claims(&mut self, numbers: impl IntoIterator<Item = u64>) {
        if let Some(file) = &mut self.file {
            file.end_claims(numbers);
        }
    }

    /// The deliveries were acknowledged.
    ///
    /// # Errors
    /// When the file could not be written. The ledger has them in memory and will try again; text for a
    /// person.
    pub fn commit(&mut self, tickets: &[Ticket], now_seconds: u64) -> Result<(), String> {
        let row = self.table.commit(tickets, self.age.at(now_seconds));
        let ended = self.claims.end();
        self.end_claims(ended);
        if let Some(row) = &row {
            let settled = self.claims.settle(&row.records);
            self.end_claims(settled);
        }
        self.save(row, now_seconds)
    }

    /// These were acknowledged in a request that an earlier round, or life, had begun.
    ///
    /// # Errors
    /// As [`Ledger::commit`].
    pub fn commit_unbegun(&mut self, records: Vec<Versioned>, now_seconds: u64) -> Result<(), String> {
        let row = self.table.commit_unbegun(records, self.age.at(now_seconds));
        self.save(row, now_seconds)
    }

    /// The record can never be delivered and lies elsewhere, or is lost and that was said.
    ///
    /// # Errors
    /// As [`Ledger::commit`].
    pub fn dead_letter(&mut self, ticket: Ticket, now_seconds: u64) -> Result<(), String> {
        let row = self.table.dead_letter(ticket, self.age.at(now_seconds));
        self.save(row, now_seconds)
    }

    /// Why the file could not be used at the start, once; text for a person. Until the disk is back memory
    /// alone knows what is delivered. If nobody asks, the next commit says it.
    pub fn take_trouble(&mut self) -> Option<String> {
        self.file.as_mut().and_then(File::take_trouble)
    }

    /// Writes what the file has not taken yet, whether or not its pause is over.
    ///
    /// # Errors
    /// As [`Ledger::commit`].
    pub fn finish(&mut self, now_seconds: u64) -> Result<(), String> {
        // The first try may but find out what has to be done.
        self.try_at_once(now_seconds).or_else(|_| self.try_at_once(now_seconds))
    }

    fn try_at_once(&mut self, now_seconds: u64) -> Result<(), String> {
        if let Some(file) = &mut self.file {
            file.end_pause();
        }
        self.recall(now_seconds)?;
        self.save(None, now_seconds)
    }

    fn save(&mut self, row: Option<Row>, now_seconds: u64) -> Result<(), String> {
        let Some(file) = &mut self.file else { return Ok(()) };
        if file.wants_all(now_seconds) {
            let contents = contents(&self.table, &self.claims);
            return file.save_all(&contents, now_seconds);
        }
        file.save(row, self.table.oldest_row(), now_seconds)
    }

    /// The delivery failed for now.
    pub fn abort(&mut self, ticket: Ticket) {
        self.table.abort(ticket);
    }

    /// Aborts whatever has no outcome yet, after a panic.
    pub fn abort_all(&mut self) {
        self.claims.doubt();
        self.table.abort_all();
    }

    /// Lets go of what is older than the time to live.
    pub fn expire(&mut self, now_seconds: u64) {
        self.table.expire(self.age.at(now_seconds), self.ttl_seconds);
        let expired = self.claims.expire(self.age.at(now_seconds), self.ttl_seconds);
        self.end_claims(expired);
    }

    /// The date was set forward: nothing is older for it.
    pub fn leap(&mut self, seconds: u64) {
        self.age.leap(seconds);
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

/// All that a new file is to hold.
fn contents(table: &Table, claims: &Claims) -> Contents {
    Contents { rows: table.rows(), claims: claims.rows(), key: None }
}
