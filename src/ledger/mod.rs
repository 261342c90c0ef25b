//! The ledger: which version of each event was delivered. It advances only after the acknowledgement.
//!
//! ```text
//! begin  → New | Update        deliver, then commit (acknowledged), abort (failed for now) or dead_letter
//!                              (can never be delivered)
//!        → Duplicate           this version was acknowledged: do nothing
//!        → InFlight            share the outcome of the delivery that is in flight
//!        → Suppressed          the `updates` setting does not want it
//!        → InDoubt             it may have arrived: dead-letter it, then commit or abort
//! ```
//! With `no_duplicates` it also knows what is about to be sent: intend before the request, then commit, release (to be sent
//! again) or doubt (it may have arrived). A record in doubt is never sent again.
//!
//! ```text
//! table, intents   in memory: what was delivered, what is about to be sent; they decide
//!   └─ file        keeps both through a full, absent or damaged disk; moves a bad file aside, makes a new one
//!        └─ store  one file: a redb database of commits, intents and the key
//!             └─ disk   the open file below redb, and whether a sync of it failed
//! ```
//! [`ledger_clock`] says what is too old. [`identity`](crate::record::identity) says which records are the same.

mod begun;
mod disk;
mod error;
mod file;
mod intents;
pub mod key;
pub mod ledger_clock;
mod packing;
mod store;
pub mod table;
mod unusable;
mod verdict;

use crate::config::{LedgerSettings, Updates};
use crate::record::identity::Versioned;
pub use error::LedgerError;
pub use file::{File, Opened};
use intents::Intents;
pub use key::CheckKey;
use ledger_clock::LedgerClock;
pub use store::Contents;
use table::Table;
pub use unusable::{MovedAside, Unusable};
pub use verdict::{Commit, Intent, Ticket, Verdict};

/// Decides which records are delivered, and remembers what was.
#[derive(Debug)]
pub struct Ledger {
    table: Table,
    intents: Intents,
    file: Option<File>,
    clock: LedgerClock,
    ttl_seconds: u64,
    updates: Updates,
    max_entries: usize,
    /// What an earlier run left in doubt is delivered again.
    forgets_doubts: bool,
}

impl Ledger {
    /// Opens the ledger. A damaged file is moved aside to `<file>.damaged-<time>`, one of a newer version of this plugin to
    /// `<file>.newer-<time>`, and the ledger begins empty. For a disk that is away see [`Ledger::take_trouble`].
    ///
    /// # Errors
    /// [`LedgerError::Store`], if another instance uses the file or the path cannot be one of a file.
    pub fn open(
        settings: &LedgerSettings,
        updates: Updates,
        now_seconds: u64,
    ) -> Result<(Self, Option<MovedAside>), LedgerError> {
        let mut table = Table::new(settings.max_entries);
        let mut intents = Intents::new();
        let ttl_seconds = settings.ttl.as_secs();
        let (mut moved, mut file, mut clock) = (None, None, LedgerClock::default());
        if let Some(path) = &settings.state_file {
            let mut opened = File::open(path, now_seconds)?;
            for commit in &opened.contents.commits {
                table.enter(commit);
            }
            for intent in &opened.contents.intents {
                intents.enter(intent);
            }
            clock = LedgerClock::after(opened.contents.newest_seconds(), now_seconds);
            table.expire(clock.at(now_seconds), ttl_seconds);
            opened.file.end_intents(intents.expire(clock.at(now_seconds), ttl_seconds));
            // What a smaller `ledger_max_entries` leaves out is no eviction that a person has to know of.
            table.take_evicted();
            let first = opened.contents.commits.first().map_or(0, |commit| commit.number);
            if table.oldest_commit() > first {
                opened.file.trim(table.oldest_commit());
            }
            moved = opened.moved;
            file = Some(opened.file);
        }
        let max_entries = settings.max_entries;
        let ledger =
            Self { table, intents, file, clock, ttl_seconds, updates, max_entries, forgets_doubts: false };
        Ok((ledger, moved))
    }

    /// Takes in what the file holds, if the start could not read it and it can be read now. Does nothing while deliveries
    /// are begun, as they were decided without it.
    ///
    /// # Errors
    /// If it still cannot be read, was damaged and moved aside, or cannot be written anew.
    pub fn recall(&mut self, now_seconds: u64) -> Result<(), LedgerError> {
        let Some(file) = self.file.as_mut().filter(|_| !self.table.has_begun()) else { return Ok(()) };
        let Some(found) = file.recall(now_seconds)? else { return Ok(()) };
        self.table.enter_earlier(found.commits);
        found.intents.into_iter().for_each(|intent| self.intents.enter_late(intent));
        if self.forgets_doubts {
            self.forget_doubts();
        }
        self.expire(now_seconds);
        self.save(None, now_seconds)
    }

    /// The key of what is written beside the ledger's file; `None` without a file.
    #[must_use]
    pub fn key(&self) -> Option<&CheckKey> {
        self.file.as_ref().and_then(File::key)
    }

    /// Decides what to do with a record, and begins its delivery if it is to be delivered.
    pub fn begin(&mut self, record: Versioned) -> Verdict {
        if !self.intents.is_in_doubt(&record) {
            let verdict = self.table.begin(record, self.updates);
            return self.counted_once(verdict, &record);
        }
        // The `updates` setting wanted this version when it was sent, and it must not stay in doubt.
        match self.table.begin(record, Updates::Every) {
            Verdict::New { ticket } | Verdict::Update { ticket, .. } => Verdict::InDoubt { ticket },
            verdict => verdict,
        }
    }

    /// The same verdict, without the occurrences of versions of the same event that are in doubt: the gateway may have them.
    /// Those versions may never come again, as the source may have only the newest.
    fn counted_once(&self, verdict: Verdict, record: &Versioned) -> Verdict {
        let (ticket, new_occurrences) = match verdict {
            Verdict::New { ticket } => (ticket, record.count),
            Verdict::Update { ticket, new_occurrences } => (ticket, new_occurrences),
            verdict => return verdict,
        };
        let Some(count) = self.intents.count_in_doubt(record.identity) else { return verdict };
        let new_occurrences = new_occurrences.min(record.count.saturating_sub(count));
        Verdict::Update { ticket, new_occurrences }
    }

    /// Begins the delivery of a record without an identity, which is delivered as often as it comes.
    pub fn begin_unnamed(&mut self) -> Ticket {
        self.table.start_unnamed()
    }

    /// Whether this version was acknowledged.
    #[must_use]
    pub fn holds(&self, record: &Versioned) -> bool {
        self.table.holds(record)
    }

    /// The records of these deliveries, in order; `None` is a record without an identity.
    #[must_use]
    pub fn begun(&self, tickets: &[Ticket]) -> Vec<Option<Versioned>> {
        tickets.iter().map(|ticket| self.table.begun(*ticket)).collect()
    }

    /// Writes down that these deliveries are about to be sent.
    ///
    /// # Errors
    /// If that could not be written, or there is no file: a crash would leave no trace of them. And if more records are in
    /// doubt than the ledger may remember. The caller must not send.
    pub fn intend(&mut self, tickets: &[Ticket], now_seconds: u64) -> Result<(), LedgerError> {
        if self.intents.len() >= self.max_entries {
            return Err(LedgerError::TooManyInDoubt { records: self.intents.len() });
        }
        let records = self.begun(tickets).into_iter().flatten().collect();
        let written = self.intend_records(records, now_seconds);
        if written.is_err() {
            self.intents.end();
        }
        written
    }

    fn intend_records(&mut self, records: Vec<Versioned>, now_seconds: u64) -> Result<(), LedgerError> {
        let intent = self.intents.begin(records, self.clock.at(now_seconds));
        let Some(file) = &mut self.file else { return Err(LedgerError::NoFile) };
        if !file.wants_all(now_seconds) {
            let written = file.intend(intent, self.table.oldest_commit(), now_seconds);
            // It may just have turned out that the file is gone.
            if written.is_ok() || !file.wants_all(now_seconds) {
                return written;
            }
        }
        file.save_all(&contents(&self.table, &self.intents), now_seconds)
    }

    /// The records of the last intent may be sent again.
    ///
    /// # Errors
    /// As [`Ledger::commit`].
    pub fn release(&mut self, now_seconds: u64) -> Result<(), LedgerError> {
        let ended = self.intents.end();
        self.end_intents(ended);
        self.save(None, now_seconds)
    }

    /// The records of the last intent may have arrived. Each must be committed when it is dead-lettered, or aborted; when it
    /// comes again it is [`Verdict::InDoubt`].
    pub fn doubt(&mut self) {
        self.intents.doubt();
    }

    /// These may have arrived in a request that an earlier run saved, and wrote no intent for.
    ///
    /// # Errors
    /// As [`Ledger::intend`]; only memory knows of them then.
    pub fn doubt_unbegun(&mut self, records: Vec<Versioned>, now_seconds: u64) -> Result<(), LedgerError> {
        let written = self.intend_records(records, now_seconds);
        self.intents.doubt();
        // Without a file only memory knows anything.
        if self.file.is_some() { written } else { Ok(()) }
    }

    /// Delivers again what an earlier run left in doubt: for `no_event_loss`.
    pub fn forget_doubts(&mut self) {
        self.forgets_doubts = true;
        let ended = self.intents.forget();
        self.end_intents(ended);
    }

    fn end_intents(&mut self, numbers: impl IntoIterator<Item = u64>) {
        if let Some(file) = &mut self.file {
            file.end_intents(numbers);
        }
    }

    /// The deliveries were acknowledged.
    ///
    /// # Errors
    /// If the file could not be written. The ledger has them in memory and will try again.
    pub fn commit(&mut self, tickets: &[Ticket], now_seconds: u64) -> Result<(), LedgerError> {
        let commit = self.table.commit(tickets, self.clock.at(now_seconds));
        let ended = self.intents.end();
        self.end_intents(ended);
        if let Some(commit) = &commit {
            let settled = self.intents.settle(&commit.records);
            self.end_intents(settled);
        }
        self.save(commit, now_seconds)
    }

    /// These were acknowledged in a request that an earlier round or run sent.
    ///
    /// # Errors
    /// As [`Ledger::commit`].
    pub fn commit_unbegun(&mut self, records: Vec<Versioned>, now_seconds: u64) -> Result<(), LedgerError> {
        let commit = self.table.commit_unbegun(records, self.clock.at(now_seconds));
        self.save(commit, now_seconds)
    }

    /// The record can never be delivered, and is dead-lettered, or lost and logged.
    ///
    /// # Errors
    /// As [`Ledger::commit`].
    pub fn dead_letter(&mut self, ticket: Ticket, now_seconds: u64) -> Result<(), LedgerError> {
        let commit = self.table.dead_letter(ticket, self.clock.at(now_seconds));
        self.save(commit, now_seconds)
    }

    /// Why the file could not be used at the start, once. Until the disk is back only memory knows what was delivered. If
    /// this is not called, the next commit returns it.
    pub fn take_trouble(&mut self) -> Option<LedgerError> {
        self.file.as_mut().and_then(File::take_trouble)
    }

    /// Writes what is not in the file yet, whether or not its pause is over.
    ///
    /// # Errors
    /// As [`Ledger::commit`].
    pub fn finish(&mut self, now_seconds: u64) -> Result<(), LedgerError> {
        // The first try may only find out what has to be done.
        self.try_at_once(now_seconds).or_else(|_| self.try_at_once(now_seconds))
    }

    fn try_at_once(&mut self, now_seconds: u64) -> Result<(), LedgerError> {
        self.file.iter_mut().for_each(File::end_pause);
        self.recall(now_seconds)?;
        self.save(None, now_seconds)
    }

    fn save(&mut self, commit: Option<Commit>, now_seconds: u64) -> Result<(), LedgerError> {
        let Some(file) = &mut self.file else { return Ok(()) };
        if file.wants_all(now_seconds) {
            return file.save_all(&contents(&self.table, &self.intents), now_seconds);
        }
        file.save(commit, self.table.oldest_commit(), now_seconds)
    }

    /// The delivery failed for now.
    pub fn abort(&mut self, ticket: Ticket) {
        self.table.abort(ticket);
    }

    /// Aborts all deliveries without an outcome, after a panic.
    pub fn abort_all(&mut self) {
        self.intents.doubt();
        self.table.abort_all();
    }

    /// Forgets what is older than `ledger_ttl`.
    pub fn expire(&mut self, now_seconds: u64) {
        self.table.expire(self.clock.at(now_seconds), self.ttl_seconds);
        let expired = self.intents.expire(self.clock.at(now_seconds), self.ttl_seconds);
        self.end_intents(expired);
    }

    /// Its own time at a date.
    #[must_use]
    pub fn time(&self, now_seconds: u64) -> u64 {
        self.clock.at(now_seconds)
    }

    /// Whether what was committed at this time of its own is too old to be remembered.
    #[must_use]
    pub fn has_forgotten(&self, at_seconds: u64, now_seconds: u64) -> bool {
        at_seconds.saturating_add(self.ttl_seconds) <= self.clock.at(now_seconds)
    }

    /// The date was set forward, which makes nothing older.
    pub fn leap(&mut self, seconds: u64) {
        self.clock.leap(seconds);
    }

    /// How many delivered versions it remembers.
    #[must_use]
    pub fn entries(&self) -> usize {
        self.table.len()
    }

    /// Versions that were forgotten early because the ledger was full, since the last call.
    pub fn take_evicted(&mut self) -> u64 {
        self.table.take_evicted()
    }
}

/// All that a new file must hold.
fn contents(table: &Table, intents: &Intents) -> Contents {
    Contents { commits: table.commits(), intents: intents.all(), key: None }
}
