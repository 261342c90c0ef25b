//! The ledger as one would write it without thinking of time or space: lists that are searched from end to end.
//!
//! A real one is held against it, and against the promise that needs no model: what passes for a repetition was
//! acknowledged.

use event_gateway::config::Updates;
use event_gateway::ledger::{Ticket, Verdict};
use event_gateway::record::identity::{Identity, Versioned};

pub const TTL_SECONDS: u64 = 100;

#[derive(Debug, Clone)]
pub struct Row {
    at_seconds: u64,
    records: Vec<Versioned>,
}

#[derive(Debug)]
pub struct Model {
    updates: Updates,
    max_entries: usize,
    /// The date less the ledger's time.
    pub behind_seconds: u64,
    rows: Vec<Row>,
    /// What is in the file, rows that memory has let go included until a commit writes it anew.
    pub file: Vec<Row>,
    /// The newest version of each event, and how many rows had been entered when it was.
    newest: Vec<(Versioned, usize)>,
    entered: usize,
    pub open: Vec<(Ticket, Versioned)>,
    /// All that was ever acknowledged, a crash or an expiry later or not.
    acknowledged: Vec<Versioned>,
    pub evicted: u64,
}

fn same(a: &Versioned, b: &Versioned) -> bool {
    (a.identity, a.version) == (b.identity, b.version)
}

fn is_newer(a: &Versioned, b: &Versioned) -> bool {
    a.version.is_newer_than(b.version)
}

impl Model {
    pub fn new(updates: Updates, max_entries: usize) -> Model {
        Model {
            updates,
            max_entries,
            behind_seconds: 0,
            rows: Vec::new(),
            file: Vec::new(),
            newest: Vec::new(),
            entered: 0,
            open: Vec::new(),
            acknowledged: Vec::new(),
            evicted: 0,
        }
    }

    /// The versions it remembers.
    pub fn len(&self) -> usize {
        self.rows.iter().map(|row| row.records.len()).sum()
    }

    fn known(&self, identity: Identity) -> Option<Versioned> {
        self.newest.iter().map(|(record, _)| *record).find(|record| record.identity == identity)
    }

    /// What the documentation of [`Verdict`] says; the ticket of a delivery is the ledger's to choose.
    pub fn expect(&self, record: Versioned, verdict: Verdict) {
        let of_event = || self.open.iter().filter(|(_, open)| open.identity == record.identity);
        let committed = self.known(record.identity);
        let begun =
            of_event().reduce(|newest, next| if is_newer(&next.1, &newest.1) { next } else { newest });
        let newest = begun.filter(|(_, begun)| committed.is_none_or(|known| is_newer(begun, &known)));
        // What was delivered once is counted once, even where versions have no order and counts fall.
        let counted = committed.map_or(0, |known| known.count);
        let base =
            newest.map(|(_, open)| Versioned { count: open.count.max(counted), ..*open }).or(committed);
        let is_repetition = self.rows.iter().flat_map(|row| &row.records).any(|old| same(old, &record));
        let is_fine = if let Some((on_its_way, _)) = of_event().find(|(_, open)| same(open, &record)) {
            verdict == Verdict::InFlight { ticket: *on_its_way }
        } else if is_repetition {
            verdict == Verdict::Duplicate
        } else if let Some(base) = base {
            let is_newer = record.version.is_newer_than(base.version);
            let is_wanted = match self.updates {
                Updates::Every => true,
                Updates::First => false,
                Updates::Doubling => is_newer && record.count >= base.count * 2,
            };
            let delta = if is_newer { record.count.saturating_sub(base.count) } else { 0 };
            if is_wanted {
                matches!(verdict, Verdict::Update { new_occurrences, .. } if new_occurrences == delta)
            } else {
                verdict == Verdict::Suppressed { behind: newest.map(|(ticket, _)| *ticket) }
            }
        } else {
            matches!(verdict, Verdict::New { .. })
        };
        assert!(is_fine, "{record:?} is {verdict:?} to {self:#?}");
        if verdict == Verdict::Duplicate {
            let is_it = |old: &Versioned| same(old, &record);
            assert!(self.acknowledged.iter().any(is_it), "{record:?} was never acknowledged");
        }
    }

    pub fn commit(&mut self, count: usize, now_seconds: u64) -> Vec<Ticket> {
        let done: Vec<_> = self.open.drain(..count.min(self.open.len())).collect();
        let records: Vec<_> = done.iter().map(|(_, record)| *record).collect();
        self.acknowledged.extend(&records);
        if !records.is_empty() {
            let now_seconds = now_seconds.saturating_sub(self.behind_seconds);
            self.file.push(Row { at_seconds: now_seconds, records: records.clone() });
            self.enter(Row { at_seconds: now_seconds, records });
            self.trim_file();
        }
        done.into_iter().map(|(ticket, _)| ticket).collect()
    }

    fn enter(&mut self, row: Row) {
        self.entered += 1;
        for record in &row.records {
            let known = self.newest.iter_mut().find(|(known, _)| known.identity == record.identity);
            match known {
                Some(known) if is_newer(record, &known.0) => {
                    let count = record.count.max(known.0.count);
                    *known = (Versioned { count, ..*record }, self.entered);
                }
                Some(_) => {}
                None => self.newest.push((*record, self.entered)),
            }
        }
        self.rows.push(row);
        while self.rows.len() > 1 && self.len() > self.max_entries {
            self.evicted += self.drop_oldest() as u64;
        }
    }

    fn drop_oldest(&mut self) -> usize {
        let place = self.entered - self.rows.len() + 1;
        self.newest.retain(|(_, entered)| *entered != place);
        self.rows.remove(0).records.len()
    }

    pub fn expire(&mut self, now_seconds: u64) {
        let now_seconds = now_seconds.saturating_sub(self.behind_seconds);
        while let Some(oldest) = self.rows.first_mut() {
            oldest.at_seconds = oldest.at_seconds.min(now_seconds);
            if oldest.at_seconds + TTL_SECONDS > now_seconds {
                break;
            }
            self.drop_oldest();
        }
    }

    fn trim_file(&mut self) {
        let gone = self.file.len() - self.rows.len();
        self.file.drain(..gone);
    }

    pub fn restart(&mut self, now_seconds: u64) {
        self.open.clear();
        self.newest.clear();
        self.entered = 0;
        self.rows.clear();
        // A stop makes nothing older.
        let newest = self.file.last().map(|row| row.at_seconds);
        self.behind_seconds = newest.map_or(0, |newest| now_seconds.saturating_sub(newest));
        for row in self.file.clone() {
            self.enter(row);
        }
        self.expire(now_seconds);
        self.trim_file();
        self.evicted = 0;
    }
}
