//! The table of the ledger in memory: what was delivered, and what is in flight.
//!
//! It knows versions, not only events: a repetition is a version that was itself acknowledged. An older version may come
//! after a newer one, if the host brings its chunk again. It is delivered too, without new occurrences, as they were counted
//! with the newer one.
//!
//! Pure: no I/O, no clock. Versions are kept by commit, in the order of commits. So the oldest are found without a search,
//! both for expiry and if the table is full.

use std::collections::VecDeque;

// Fast, and seeded: a client that chooses the uids of its events cannot easily make them collide here.
use foldhash::{HashMap, HashMapExt};

use super::begun::Begun;
use super::verdict::{Commit, Ticket, Verdict};
use crate::config::Updates;
use crate::record::identity::{Identity, Version, Versioned};

/// The newest version of an event that was acknowledged.
#[derive(Debug, Clone, Copy)]
struct Newest {
    version: Version,
    count: u32,
    commit: CommitMark,
}

/// The low half of a commit's number. Far fewer than 2³² commits are remembered at a time, so it distinguishes them.
type CommitMark = u32;

#[derive(Debug)]
struct CommitKeys {
    number: u64,
    at_seconds: u64,
    keys: Box<[(Identity, Version)]>,
}

/// What was delivered, up to a maximum of versions, and what is in flight.
#[derive(Debug)]
pub struct Table {
    max_entries: usize,
    newest: HashMap<Identity, Newest>,
    /// Acknowledged versions that are not the newest of their event. Few events are ever updated.
    older: HashMap<(Identity, Version), CommitMark>,
    /// All acknowledged versions, oldest commit first.
    commits: VecDeque<CommitKeys>,
    /// How many versions that are.
    len: usize,
    next_commit: u64,
    /// Begun deliveries by ticket, from `oldest_ticket` on; `None` for those with an outcome.
    begun: VecDeque<Option<Versioned>>,
    oldest_ticket: u64,
    begun_of: HashMap<Identity, Begun>,
    evicted: u64,
}

impl Table {
    /// An empty table. Above `max_entries` versions, it forgets the oldest commits.
    #[must_use]
    pub fn new(max_entries: usize) -> Self {
        Self {
            max_entries,
            newest: HashMap::new(),
            older: HashMap::new(),
            commits: VecDeque::new(),
            len: 0,
            next_commit: 0,
            begun: VecDeque::new(),
            oldest_ticket: 0,
            begun_of: HashMap::new(),
            evicted: 0,
        }
    }

    /// How many versions it remembers.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether it remembers no version; deliveries may still be in flight.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Versions that were forgotten because the table was full, since the last call.
    pub fn take_evicted(&mut self) -> u64 {
        std::mem::take(&mut self.evicted)
    }

    /// Decides what to do with a record, and begins its delivery if it is to be delivered.
    pub fn begin(&mut self, record: Versioned, updates: Updates) -> Verdict {
        let others = self.begun_of.get(&record.identity);
        let is_same =
            |ticket: &Ticket| self.begun(*ticket).is_some_and(|begun| begun.version == record.version);
        if let Some(ticket) = others.and_then(|others| others.all().find(is_same)) {
            return Verdict::InFlight { ticket };
        }
        if self.holds(&record) {
            return Verdict::Duplicate;
        }
        let committed = self.newest.get(&record.identity).copied();
        let newest_begun = others
            .and_then(|others| Some((others.newest, self.begun(others.newest)?)))
            // It may be an older version that came late.
            .filter(|(_, begun)| committed.is_none_or(|newest| begun.version.is_newer_than(newest.version)));
        let (known_version, known_count) = match (newest_begun, committed) {
            // A later version without an order may count fewer occurrences; none is counted twice.
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

    /// The record of a delivery without an outcome.
    #[must_use]
    pub fn begun(&self, ticket: Ticket) -> Option<Versioned> {
        *self.begun.get(usize::try_from(ticket.0.checked_sub(self.oldest_ticket)?).ok()?)?
    }

    fn start(&mut self, record: Versioned) -> Ticket {
        let ticket = Ticket(self.oldest_ticket + self.begun.len() as u64);
        self.begun.push_back(Some(record));
        match self.begun_of.get_mut(&record.identity) {
            None => {
                let alone = Begun { first: ticket, more: Vec::new(), newest: ticket };
                self.begun_of.insert(record.identity, alone);
            }
            Some(others) => {
                others.more.push(ticket);
                let newest = others.newest;
                if self.begun(newest).is_none_or(|newest| record.version.is_newer_than(newest.version))
                    && let Some(others) = self.begun_of.get_mut(&record.identity)
                {
                    others.newest = ticket;
                }
            }
        }
        ticket
    }

    /// A ticket for a record that the table does not remember.
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
        let Some(others) = self.begun_of.get_mut(&record.identity) else { return Some(record) };
        if others.first != ticket {
            others.more.retain(|other| *other != ticket);
        } else if others.more.is_empty() {
            self.begun_of.remove(&record.identity);
            return Some(record);
        } else {
            others.first = others.more.remove(0);
        }
        if others.newest == ticket {
            let left: Vec<_> = others.all().collect();
            let begun = left.into_iter().filter_map(|ticket| Some((ticket, self.begun(ticket)?.version)));
            let newest =
                begun.reduce(|newest, next| if next.1.is_newer_than(newest.1) { next } else { newest });
            if let (Some((newest, _)), Some(others)) = (newest, self.begun_of.get_mut(&record.identity)) {
                others.newest = newest;
            }
        }
        Some(record)
    }

    /// The deliveries were acknowledged. Returns the commit that a file has to keep; `None` if there is nothing to keep.
    pub fn commit(&mut self, tickets: &[Ticket], now_seconds: u64) -> Option<Commit> {
        let mut records = Vec::with_capacity(tickets.len());
        records.extend(tickets.iter().filter_map(|ticket| self.finish(*ticket)));
        self.enter_new(records, now_seconds)
    }

    /// The record was dead-lettered. Its version is settled, but the gateway got none of its occurrences, so the next version
    /// still counts them as new.
    pub fn dead_letter(&mut self, ticket: Ticket, now_seconds: u64) -> Option<Commit> {
        let record = self.finish(ticket)?;
        let sent = self.newest.get(&record.identity).map_or(0, |newest| newest.count);
        self.enter_new(vec![Versioned { count: sent, ..record }], now_seconds)
    }

    /// The delivery failed for now; the record will come again.
    pub fn abort(&mut self, ticket: Ticket) {
        self.finish(ticket);
    }

    /// Aborts all deliveries without an outcome, after a panic.
    pub fn abort_all(&mut self) {
        self.oldest_ticket += self.begun.len() as u64;
        self.begun.clear();
        self.begun_of.clear();
    }

    /// These were acknowledged without being begun: an earlier round or run sent them.
    pub fn commit_unbegun(&mut self, mut records: Vec<Versioned>, now_seconds: u64) -> Option<Commit> {
        records.retain(|record| !self.holds(record));
        self.enter_new(records, now_seconds)
    }

    fn enter_new(&mut self, records: Vec<Versioned>, now_seconds: u64) -> Option<Commit> {
        if records.is_empty() {
            return None;
        }
        let commit = Commit { number: self.next_commit, at_seconds: now_seconds, records };
        self.enter(&commit);
        Some(commit)
    }

    /// Enters a commit: a new one, or one that a start read from the file.
    pub fn enter(&mut self, commit: &Commit) {
        self.next_commit = self.next_commit.max(commit.number + 1);
        let mark = mark(commit.number);
        for record in &commit.records {
            let newest = Newest { version: record.version, count: record.count, commit: mark };
            match self.newest.get_mut(&record.identity) {
                None => drop(self.newest.insert(record.identity, newest)),
                Some(known) if record.version.is_newer_than(known.version) => {
                    let newest = Newest { count: newest.count.max(known.count), ..newest };
                    let overtaken = std::mem::replace(known, newest);
                    self.older.insert((record.identity, overtaken.version), overtaken.commit);
                }
                Some(_) => drop(self.older.insert((record.identity, record.version), mark)),
            }
        }
        let keys: Box<[_]> = commit.records.iter().map(|record| (record.identity, record.version)).collect();
        self.len += keys.len();
        self.commits.push_back(CommitKeys { number: commit.number, at_seconds: commit.at_seconds, keys });
        // A commit larger than the table stays whole, as it was just acknowledged. A batch is bounded, so this is too.
        while self.len > self.max_entries && self.commits.len() > 1 {
            self.evicted += self.drop_oldest_commit();
        }
    }

    /// Enters commits of an earlier run that could not be read before. They are older than all that the table remembers, so
    /// its own commits get new numbers behind theirs.
    pub fn enter_earlier(&mut self, mut commits: Vec<Commit>) {
        // A version that was committed again since stays with the younger commit.
        commits.iter_mut().for_each(|commit| commit.records.retain(|record| !self.holds(record)));
        commits.retain(|commit| !commit.records.is_empty());
        let next = commits.last().map_or(0, |commit| commit.number + 1);
        commits.extend((next..).zip(self.commits()).map(|(number, commit)| Commit { number, ..commit }));
        self.newest.clear();
        self.older.clear();
        self.commits.clear();
        self.len = 0;
        commits.iter().for_each(|commit| self.enter(commit));
    }

    /// Forgets the commits of `ttl_seconds` ago or earlier.
    pub fn expire(&mut self, now_seconds: u64, ttl_seconds: u64) {
        while let Some(oldest) = self.commits.front_mut() {
            // A commit from "the future", made by a clock that was wrong, ages from now on.
            oldest.at_seconds = oldest.at_seconds.min(now_seconds);
            if oldest.at_seconds.saturating_add(ttl_seconds) > now_seconds {
                break;
            }
            self.drop_oldest_commit();
        }
    }

    /// Commits below this number are forgotten, and need not be kept in a file.
    #[must_use]
    pub fn oldest_commit(&self) -> u64 {
        self.commits.front().map_or(self.next_commit, |commit| commit.number)
    }

    /// All that the table remembers, oldest commit first, for a file that has to be written anew. The count of a version that
    /// was overtaken is 0, as it is not read any more.
    #[must_use]
    pub fn commits(&self) -> Vec<Commit> {
        let record = |&(identity, version): &(Identity, Version)| {
            let newest = self.newest.get(&identity).filter(|newest| newest.version == version);
            Versioned { identity, version, count: newest.map_or(0, |newest| newest.count) }
        };
        let commit = |commit: &CommitKeys| Commit {
            number: commit.number,
            at_seconds: commit.at_seconds,
            records: commit.keys.iter().map(record).collect(),
        };
        self.commits.iter().map(commit).collect()
    }

    /// Returns how many versions it held.
    fn drop_oldest_commit(&mut self) -> u64 {
        let Some(commit) = self.commits.pop_front() else { return 0 };
        let mark = mark(commit.number);
        for (identity, version) in &commit.keys {
            if self
                .newest
                .get(identity)
                .is_some_and(|newest| newest.commit == mark && newest.version == *version)
            {
                self.newest.remove(identity);
            } else if self.older.get(&(*identity, *version)) == Some(&mark) {
                self.older.remove(&(*identity, *version));
            }
        }
        self.len -= commit.keys.len();
        commit.keys.len() as u64
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the point")]
fn mark(number: u64) -> CommitMark {
    number as CommitMark
}
