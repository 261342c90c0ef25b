//! The table of the ledger in memory: what was delivered, and what is on its way.
//!
//! It knows versions, not just events: a repetition is a version that was itself acknowledged. An older
//! state of an event that comes late, because the host brought its chunk again after a newer one had gone
//! through, is delivered like any other, with no new occurrences, as they were counted with the newer.
//!
//! Pure: no I/O, no clock. Versions sit in rows, one per commit, in the order of commits; so the oldest are
//! found without a search, both for expiry and when the table is full.

use std::collections::VecDeque;

// Fast, and seeded: whoever makes up uids does not easily make them collide here.
use foldhash::{HashMap, HashMapExt};

use super::ahead::Ahead;
pub use super::verdict::{Row, Ticket, Verdict};
use crate::config::Updates;
use crate::record::identity::{Identity, Version, Versioned};

/// The newest version of an event that was acknowledged.
#[derive(Debug, Clone, Copy)]
struct Newest {
    version: Version,
    count: u32,
    row: RowMark,
}

/// The low half of a row's number. Rows alive at one time are far fewer than 2³², so it tells them apart.
type RowMark = u32;

#[derive(Debug)]
struct RowOfKeys {
    number: u64,
    at_seconds: u64,
    keys: Box<[(Identity, Version)]>,
}

#[derive(Debug)]
pub struct Table {
    max_entries: usize,
    newest: HashMap<Identity, Newest>,
    /// Acknowledged versions that are not the newest of their event. Few events are ever updated.
    older: HashMap<(Identity, Version), RowMark>,
    /// All acknowledged versions, oldest commit first.
    rows: VecDeque<RowOfKeys>,
    /// How many these are.
    len: usize,
    next_row: u64,
    /// Begun deliveries by ticket, from `oldest_ticket` on; `None` for those that have their outcome.
    begun: VecDeque<Option<Versioned>>,
    oldest_ticket: u64,
    ahead: HashMap<Identity, Ahead>,
    evicted: u64,
}

impl Table {
    #[must_use]
    pub fn new(max_entries: usize) -> Self {
        Self {
            max_entries,
            newest: HashMap::new(),
            older: HashMap::new(),
            rows: VecDeque::new(),
            len: 0,
            next_row: 0,
            begun: VecDeque::new(),
            oldest_ticket: 0,
            ahead: HashMap::new(),
            evicted: 0,
        }
    }

    /// How many versions it remembers.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Versions that left because the table was full, since the last call.
    pub fn take_evicted(&mut self) -> u64 {
        std::mem::take(&mut self.evicted)
    }

    /// Judges a record, and begins its delivery when it is to be delivered.
    pub fn begin(&mut self, record: Versioned, updates: Updates) -> Verdict {
        let ahead = self.ahead.get(&record.identity);
        let is_same =
            |ticket: &Ticket| self.begun(*ticket).is_some_and(|begun| begun.version == record.version);
        if let Some(ticket) = ahead.and_then(|ahead| ahead.all().find(is_same)) {
            return Verdict::InFlight { ticket };
        }
        if self.holds(&record) {
            return Verdict::Duplicate;
        }
        let committed = self.newest.get(&record.identity).copied();
        let newest_begun = ahead
            .and_then(|ahead| Some((ahead.newest, self.begun(ahead.newest)?)))
            // It may be an older version that came late.
            .filter(|(_, begun)| committed.is_none_or(|newest| begun.version.is_newer_than(newest.version)));
        let (known_version, known_count) = match (newest_begun, committed) {
            // Versions without an order may count fewer occurrences later; none is counted twice.
            (Some((_, begun)), committed) => {
                (begun.version, begun.count.max(committed.map_or(0, |newest| newest.count)))
            }
            (None, Some(newest)) => (newest.version, newest.count),
            (None, None) => return Verdict::New { ticket: self.start(record) },
        };
        let is_newer = record.version.is_newer_than(known_version);
        let is_wanted = match updates {
            Updates::Every => true,
            Updates::First => false,
            Updates::Doubling => is_newer && u64::from(record.count) >= 2 * u64::from(known_count),
        };
        if !is_wanted {
            return Verdict::Suppressed { behind: newest_begun.map(|(ticket, _)| ticket) };
        }
        let new_occurrences = if is_newer { record.count.saturating_sub(known_count) } else { 0 };
        Verdict::Update { ticket: self.start(record), new_occurrences }
    }

    /// Whether this version was acknowledged.
    #[must_use]
    pub fn holds(&self, record: &Versioned) -> bool {
        let newest = self.newest.get(&record.identity);
        newest.is_some_and(|newest| newest.version == record.version)
            || self.older.contains_key(&(record.identity, record.version))
    }

    /// Whether a delivery was begun that has no outcome yet.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        !self.begun.is_empty()
    }

    /// What was begun under this ticket and has no outcome yet.
    #[must_use]
    pub fn begun(&self, ticket: Ticket) -> Option<Versioned> {
        *self.begun.get(usize::try_from(ticket.0.checked_sub(self.oldest_ticket)?).ok()?)?
    }

    fn start(&mut self, record: Versioned) -> Ticket {
        let ticket = Ticket(self.oldest_ticket + self.begun.len() as u64);
        self.begun.push_back(Some(record));
        match self.ahead.get_mut(&record.identity) {
            None => {
                let alone = Ahead { first: ticket, more: Vec::new(), newest: ticket };
                self.ahead.insert(record.identity, alone);
            }
            Some(ahead) => {
                ahead.more.push(ticket);
                let newest = ahead.newest;
                if self.begun(newest).is_none_or(|newest| record.version.is_newer_than(newest.version))
                    && let Some(ahead) = self.ahead.get_mut(&record.identity)
                {
                    ahead.newest = ticket;
                }
            }
        }
        ticket
    }

    /// A ticket for a record that nothing is remembered of.
    pub fn start_unnamed(&mut self) -> Ticket {
        let ticket = Ticket(self.oldest_ticket + self.begun.len() as u64);
        self.begun.push_back(None);
        self.forget_finished();
        ticket
    }

    fn forget_finished(&mut self) {
        while let Some(None) = self.begun.front() {
            self.begun.pop_front();
            self.oldest_ticket += 1;
        }
    }

    fn finish(&mut self, ticket: Ticket) -> Option<Versioned> {
        let record = self.begun(ticket)?;
        let place = usize::try_from(ticket.0 - self.oldest_ticket).ok()?;
        self.begun[place] = None;
        self.forget_finished();
        let Some(ahead) = self.ahead.get_mut(&record.identity) else { return Some(record) };
        if ahead.first != ticket {
            ahead.more.retain(|other| *other != ticket);
        } else if ahead.more.is_empty() {
            self.ahead.remove(&record.identity);
            return Some(record);
        } else {
            ahead.first = ahead.more.remove(0);
        }
        if ahead.newest == ticket {
            let left: Vec<_> = ahead.all().collect();
            let begun = left.into_iter().filter_map(|ticket| Some((ticket, self.begun(ticket)?.version)));
            let newest =
                begun.reduce(|newest, next| if next.1.is_newer_than(newest.1) { next } else { newest });
            if let (Some((newest, _)), Some(ahead)) = (newest, self.ahead.get_mut(&record.identity)) {
                ahead.newest = newest;
            }
        }
        Some(record)
    }

    /// The deliveries were acknowledged: they enter the table as one row, which is also what a file has
    /// to keep. `None` when there was nothing to enter.
    pub fn commit(&mut self, tickets: &[Ticket], now_seconds: u64) -> Option<Row> {
        let mut records = Vec::with_capacity(tickets.len());
        records.extend(tickets.iter().filter_map(|ticket| self.finish(*ticket)));
        self.enter_new(records, now_seconds)
    }

    /// The record can never be delivered and was dead-lettered: its version is settled, but the gateway was
    /// sent none of its occurrences, so the next version still counts them as new.
    pub fn dead_letter(&mut self, ticket: Ticket, now_seconds: u64) -> Option<Row> {
        let record = self.finish(ticket)?;
        let sent = self.newest.get(&record.identity).map_or(0, |newest| newest.count);
        self.enter_new(vec![Versioned { count: sent, ..record }], now_seconds)
    }

    /// The delivery failed for now; the record will come again.
    pub fn abort(&mut self, ticket: Ticket) {
        self.finish(ticket);
    }

    /// Aborts whatever was begun and has no outcome yet: after a panic nobody else would.
    pub fn abort_all(&mut self) {
        self.oldest_ticket += self.begun.len() as u64;
        self.begun.clear();
        self.ahead.clear();
    }

    /// These were acknowledged, and nobody had begun them: a request of an earlier life carried them.
    pub fn commit_unbegun(&mut self, mut records: Vec<Versioned>, now_seconds: u64) -> Option<Row> {
        records.retain(|record| !self.holds(record));
        self.enter_new(records, now_seconds)
    }

    fn enter_new(&mut self, records: Vec<Versioned>, now_seconds: u64) -> Option<Row> {
        if records.is_empty() {
            return None;
        }
        let row = Row { number: self.next_row, at_seconds: now_seconds, records };
        self.enter(&row);
        Some(row)
    }

    /// Enters a row: one just committed, or one read from a file at start.
    pub fn enter(&mut self, row: &Row) {
        self.next_row = self.next_row.max(row.number + 1);
        let mark = mark(row.number);
        for record in &row.records {
            let newest = Newest { version: record.version, count: record.count, row: mark };
            match self.newest.get_mut(&record.identity) {
                None => drop(self.newest.insert(record.identity, newest)),
                Some(known) if record.version.is_newer_than(known.version) => {
                    let newest = Newest { count: newest.count.max(known.count), ..newest };
                    let overtaken = std::mem::replace(known, newest);
                    self.older.insert((record.identity, overtaken.version), overtaken.row);
                }
                Some(_) => drop(self.older.insert((record.identity, record.version), mark)),
            }
        }
        let keys: Box<[_]> = row.records.iter().map(|record| (record.identity, record.version)).collect();
        self.len += keys.len();
        self.rows.push_back(RowOfKeys { number: row.number, at_seconds: row.at_seconds, keys });
        // A single commit larger than the table stays whole: what was just acknowledged must not be
        // forgotten. A batch is bounded, so this is too.
        while self.len > self.max_entries && self.rows.len() > 1 {
            self.evicted += self.drop_oldest_row();
        }
    }

    /// Enters rows of an earlier life that could not be read before. They are older than all it remembers, so
    /// its own rows get new numbers behind theirs.
    pub fn enter_earlier(&mut self, mut rows: Vec<Row>) {
        // What was committed again since is younger for it.
        rows.iter_mut().for_each(|row| row.records.retain(|record| !self.holds(record)));
        rows.retain(|row| !row.records.is_empty());
        let next = rows.last().map_or(0, |row| row.number + 1);
        rows.extend((next..).zip(self.rows()).map(|(number, row)| Row { number, ..row }));
        self.newest.clear();
        self.older.clear();
        self.rows.clear();
        self.len = 0;
        rows.iter().for_each(|row| self.enter(row));
    }

    /// Removes the rows committed `ttl_seconds` ago or earlier.
    pub fn expire(&mut self, now_seconds: u64, ttl_seconds: u64) {
        while let Some(oldest) = self.rows.front_mut() {
            // A row from "the future", made by a clock that was wrong, ages from now on.
            oldest.at_seconds = oldest.at_seconds.min(now_seconds);
            if oldest.at_seconds.saturating_add(ttl_seconds) > now_seconds {
                break;
            }
            self.drop_oldest_row();
        }
    }

    /// Rows below this number are gone and need not be kept in a file.
    #[must_use]
    pub fn oldest_row(&self) -> u64 {
        self.rows.front().map_or(self.next_row, |row| row.number)
    }

    /// All it remembers, oldest commit first, for a file that has to be written anew. The count of a version
    /// that was overtaken is 0: nobody asks for it any more.
    #[must_use]
    pub fn rows(&self) -> Vec<Row> {
        let record = |&(identity, version): &(Identity, Version)| {
            let newest = self.newest.get(&identity).filter(|newest| newest.version == version);
            Versioned { identity, version, count: newest.map_or(0, |newest| newest.count) }
        };
        let row = |row: &RowOfKeys| Row {
            number: row.number,
            at_seconds: row.at_seconds,
            records: row.keys.iter().map(record).collect(),
        };
        self.rows.iter().map(row).collect()
    }

    /// How many versions left with it.
    fn drop_oldest_row(&mut self) -> u64 {
        let Some(row) = self.rows.pop_front() else { return 0 };
        let mark = mark(row.number);
        for (identity, version) in &row.keys {
            if self
                .newest
                .get(identity)
                .is_some_and(|newest| newest.row == mark && newest.version == *version)
            {
                self.newest.remove(identity);
            } else if self.older.get(&(*identity, *version)) == Some(&mark) {
                self.older.remove(&(*identity, *version));
            }
        }
        self.len -= row.keys.len();
        row.keys.len() as u64
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the point")]
fn mark(number: u64) -> RowMark {
    number as RowMark
}
