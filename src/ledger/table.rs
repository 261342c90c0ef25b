//! The table of the ledger in memory: what was delivered, what is on its way, what is still owed.
//!
//! Pure: no I/O, no clock. Entries sit in rows, one per commit, in the order of commits; so the oldest are
//! found without a search, both for expiry and when the table is full.

use std::collections::{HashMap, HashSet, VecDeque};

use super::identity::{Identity, Version};
use crate::config::Updates;

/// One state of one event, as the ledger sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Versioned {
    pub identity: Identity,
    pub version: Version,
    /// Occurrences so far. Kubernetes counts in an int32.
    pub count: u32,
}

/// A delivery that was begun; its fate is told by `commit` or `abort`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ticket(u64);

/// What is to be done with a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Deliver: nothing is known of this event.
    New { ticket: Ticket },
    /// Deliver: the event is known, this state of it is not.
    Update { ticket: Ticket, new_occurrences: u32 },
    /// Nothing to do: this version or a newer one was acknowledged.
    Duplicate,
    /// Nothing to do but to share the fate of a delivery that is on its way.
    InFlight { ticket: Ticket },
    /// Not wanted by the `updates` setting. With a ticket, the version that made it unwanted is itself
    /// still on its way.
    Suppressed { behind: Option<Ticket> },
}

/// One commit: when, and what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    pub number: u64,
    /// Unix time of the commit, in seconds.
    pub at_seconds: u64,
    pub records: Vec<Versioned>,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    version: Version,
    count: u32,
    /// The low half of the number of the row it was committed in.
    row: u32,
}

#[derive(Debug)]
pub struct Table {
    max_entries: usize,
    entries: HashMap<Identity, Entry>,
    /// The rows that `entries` came from, oldest first; only the identities.
    rows: VecDeque<(u64, u64, Box<[Identity]>)>,
    /// All identities in `rows`, entries that were committed again since included.
    listed: usize,
    next_row: u64,
    next_ticket: u64,
    begun: HashMap<Ticket, Versioned>,
    /// The begun deliveries of one event, in the order of their begin.
    ahead: HashMap<Identity, Vec<Ticket>>,
    owed: Owed,
    evicted: u64,
}

impl Table {
    #[must_use]
    pub fn new(max_entries: usize) -> Self {
        Self {
            max_entries,
            entries: HashMap::new(),
            rows: VecDeque::new(),
            listed: 0,
            next_row: 0,
            next_ticket: 0,
            begun: HashMap::new(),
            ahead: HashMap::new(),
            owed: Owed::default(),
            evicted: 0,
        }
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Entries that left because the table was full, since the last call.
    pub fn take_evicted(&mut self) -> u64 {
        std::mem::take(&mut self.evicted)
    }

    /// Judges a record, and begins its delivery when it is to be delivered.
    pub fn begin(&mut self, record: Versioned, updates: Updates) -> Verdict {
        let ahead = self.ahead.get(&record.identity).map_or(&[][..], Vec::as_slice);
        let begun = |ticket: &Ticket| self.begun.get(ticket).copied();
        if let Some(ticket) =
            ahead.iter().find(|ticket| begun(ticket).is_some_and(|other| other.version == record.version))
        {
            return Verdict::InFlight { ticket: *ticket };
        }
        let committed = self.entries.get(&record.identity).copied();
        // Not the last one begun: that may be an owed version, begun again behind a newer one.
        let newest_begun =
            ahead.iter().filter_map(|ticket| Some((*ticket, begun(ticket)?))).reduce(|newest, next| {
                if next.1.version.is_newer_than(newest.1.version) { next } else { newest }
            });
        let ahead_of_all = newest_begun
            .filter(|(_, newest)| committed.is_none_or(|entry| newest.version.is_newer_than(entry.version)));
        let (known_version, known_count) = match (ahead_of_all, committed) {
            (Some((_, newest)), _) => (newest.version, newest.count),
            (None, Some(entry)) => (entry.version, entry.count),
            (None, None) => return Verdict::New { ticket: self.start(record) },
        };
        if record.version.is_newer_than(known_version) {
            if wants(updates, record.count, known_count) {
                let new_occurrences = record.count.saturating_sub(known_count);
                return Verdict::Update { ticket: self.start(record), new_occurrences };
            }
            return Verdict::Suppressed { behind: ahead_of_all.map(|(ticket, _)| ticket) };
        }
        if self.owed.holds(&record) {
            // A newer version overtook it; its occurrences were counted with that one.
            return Verdict::Update { ticket: self.start(record), new_occurrences: 0 };
        }
        match ahead_of_all {
            Some((ticket, _))
                if committed.is_none_or(|entry| record.version.is_newer_than(entry.version)) =>
            {
                Verdict::InFlight { ticket }
            }
            _ => Verdict::Duplicate,
        }
    }

    fn start(&mut self, record: Versioned) -> Ticket {
        let ticket = Ticket(self.next_ticket);
        self.next_ticket += 1;
        self.begun.insert(ticket, record);
        self.ahead.entry(record.identity).or_default().push(ticket);
        ticket
    }

    fn finish(&mut self, ticket: Ticket) -> Option<Versioned> {
        let record = self.begun.remove(&ticket)?;
        if let Some(ahead) = self.ahead.get_mut(&record.identity) {
            ahead.retain(|other| *other != ticket);
            if ahead.is_empty() {
                self.ahead.remove(&record.identity);
            }
        }
        Some(record)
    }

    /// The deliveries were acknowledged: they enter the table as one row, which is also what a file has
    /// to keep. `None` when there was nothing to enter.
    pub fn commit(&mut self, tickets: &[Ticket], now_seconds: u64) -> Option<Row> {
        let mut records: Vec<_> = tickets.iter().filter_map(|ticket| self.finish(*ticket)).collect();
        for record in &records {
            self.owed.forget(record);
        }
        // An overtaken version was acknowledged too, but the newer one is what to remember.
        records.retain(|record| {
            self.entries.get(&record.identity).is_none_or(|entry| record.version.is_newer_than(entry.version))
        });
        if records.is_empty() {
            return None;
        }
        let row = Row { number: self.next_row, at_seconds: now_seconds, records };
        self.enter(&row);
        Some(row)
    }

    /// The delivery failed for now; the record will come again.
    pub fn abort(&mut self, ticket: Ticket) {
        if let Some(record) = self.finish(ticket) {
            self.owed.note(record);
        }
    }

    /// Aborts whatever was begun and has no fate yet: after a panic nobody else would.
    pub fn abort_all(&mut self) {
        let tickets: Vec<_> = self.begun.keys().copied().collect();
        for ticket in tickets {
            self.abort(ticket);
        }
    }

    /// Enters a row: one just committed, or one read from a file at start.
    pub fn enter(&mut self, row: &Row) {
        self.next_row = self.next_row.max(row.number + 1);
        let mark = low_half(row.number);
        for record in &row.records {
            let known = self.entries.get(&record.identity);
            if known.is_none_or(|entry| record.version.is_newer_than(entry.version)) {
                let entry = Entry { version: record.version, count: record.count, row: mark };
                self.entries.insert(record.identity, entry);
            }
        }
        let identities: Box<[_]> = row.records.iter().map(|record| record.identity).collect();
        self.listed += identities.len();
        self.rows.push_back((row.number, row.at_seconds, identities));
        // The second bound keeps a few events with very many updates from growing `rows` for ever.
        while self.entries.len() > self.max_entries || self.listed > 2 * self.max_entries {
            if self.rows.len() == 1 {
                // One commit larger than the table: keep it whole rather than forget what was just
                // acknowledged. A batch is bounded, so this is too.
                break;
            }
            self.evicted += self.drop_oldest_row().unwrap_or(0);
        }
    }

    /// Removes the rows committed `ttl_seconds` ago or earlier.
    pub fn expire(&mut self, now_seconds: u64, ttl_seconds: u64) {
        while let Some((_, at_seconds, _)) = self.rows.front_mut() {
            // Made "in the future" by a clock that was wrong: it leaves like one made now. Else it would
            // stay for as long as the clock was wrong, and all rows behind it too.
            *at_seconds = now_seconds.min(*at_seconds);
            if at_seconds.saturating_add(ttl_seconds) > now_seconds {
                break;
            }
            self.drop_oldest_row();
        }
    }

    /// Rows below this number are gone and need not be kept in a file.
    #[must_use]
    pub fn oldest_row(&self) -> u64 {
        self.rows.front().map_or(self.next_row, |(number, _, _)| *number)
    }

    /// How many entries left with it; those committed again since stay.
    fn drop_oldest_row(&mut self) -> Option<u64> {
        let (number, _, identities) = self.rows.pop_front()?;
        let mark = low_half(number);
        let mut left = 0;
        for identity in &identities {
            if self.entries.get(identity).is_some_and(|entry| entry.row == mark) {
                self.entries.remove(identity);
                left += 1;
            }
        }
        self.listed -= identities.len();
        Some(left)
    }
}

/// Whether an update is wanted, by the count last delivered.
fn wants(updates: Updates, count: u32, delivered: u32) -> bool {
    match updates {
        Updates::Every => true,
        Updates::First => false,
        Updates::Doubling => u64::from(count) >= 2 * u64::from(delivered),
    }
}

/// Rows alive at one time are far fewer than 2³², so the low half tells them apart.
#[expect(clippy::cast_possible_truncation, reason = "the point")]
fn low_half(number: u64) -> u32 {
    number as u32
}

/// Versions whose delivery failed and that the host will bring again. A newer version of the same event
/// may be acknowledged meanwhile; without this note the older would then pass for a repetition.
#[derive(Debug, Default)]
struct Owed {
    records: HashSet<(Identity, Version)>,
    order: VecDeque<(Identity, Version)>,
}

/// More than the host can hold back in chunks of one instance.
const MAX_OWED: usize = 65_536;

impl Owed {
    fn holds(&self, record: &Versioned) -> bool {
        self.records.contains(&(record.identity, record.version))
    }

    fn note(&mut self, record: Versioned) {
        if self.records.insert((record.identity, record.version)) {
            self.order.push_back((record.identity, record.version));
        }
        while self.order.len() > MAX_OWED {
            if let Some(oldest) = self.order.pop_front() {
                self.records.remove(&oldest);
            }
        }
    }

    fn forget(&mut self, record: &Versioned) {
        // Its place in `order` stays until its turn comes; that is bounded, too.
        self.records.remove(&(record.identity, record.version));
    }
}
