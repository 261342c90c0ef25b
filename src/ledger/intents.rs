//! Intents: the records of a request, written down before it is sent, for `no_duplicates`.
//!
//! ```text
//! begin       a request is about to be sent   → end     its response says what became of the records
//!                                             → doubt   it does not: the records are in doubt
//! enter       a start finds an intent in the file: the process ended before the response, so it is in doubt
//! enter_late  the same if the start could not read the file
//! settle      a record in doubt was dead-lettered; with the last one its intent leaves the file
//! ```
//! Requests are sent one at a time, so at most one has an intent and no response.
//!
//! Pure: no I/O, no clock.

use std::collections::BTreeMap;

use super::verdict::Intent;
use crate::record::identity::{Identity, Version, Versioned};

#[derive(Debug)]
pub struct Intents {
    next: u64,
    in_flight: Option<Intent>,
    /// Records that may have arrived, each with its intent.
    in_doubt: BTreeMap<(Identity, Version), InDoubt>,
    /// Their intents.
    open: BTreeMap<u64, Open>,
}

#[derive(Debug, Clone, Copy)]
struct InDoubt {
    intent: u64,
    count: u32,
}

#[derive(Debug)]
struct Open {
    at_seconds: u64,
    /// Records that are still in doubt.
    left: usize,
}

impl Intents {
    #[must_use]
    pub fn new() -> Self {
        Self { next: 0, in_flight: None, in_doubt: BTreeMap::new(), open: BTreeMap::new() }
    }

    /// These are about to be sent. Returns the intent that must be in the file before they are.
    pub fn begin(&mut self, records: Vec<Versioned>, now_seconds: u64) -> &Intent {
        let number = self.next;
        self.next += 1;
        self.in_flight.insert(Intent { number, at_seconds: now_seconds, records })
    }

    /// The response says what became of the records. Returns the intent that may leave the file.
    pub fn end(&mut self) -> Option<u64> {
        self.in_flight.take().map(|intent| intent.number)
    }

    /// There is no response, or it does not say whether the records arrived.
    pub fn doubt(&mut self) {
        if let Some(intent) = self.in_flight.take() {
            self.enter(&intent);
        }
    }

    /// Adds an intent whose records are in doubt.
    pub fn enter(&mut self, intent: &Intent) {
        self.next = self.next.max(intent.number + 1);
        for record in &intent.records {
            let in_doubt = InDoubt { intent: intent.number, count: record.count };
            let before = self.in_doubt.insert((record.identity, record.version), in_doubt);
            // It counts for its newest intent only, so that each intent ends with the last of its records.
            if let Some(before) = before.and_then(|before| self.open.get_mut(&before.intent)) {
                before.left -= 1;
            }
        }
        let open = Open { at_seconds: intent.at_seconds, left: intent.records.len() };
        self.open.insert(intent.number, open);
    }

    /// Adds an intent of an earlier run, under a new number, as this run may have used the old one.
    pub fn enter_late(&mut self, intent: Intent) {
        self.enter(&Intent { number: self.next, ..intent });
    }

    /// All that are in doubt or in flight, for a file that has to be written anew.
    #[must_use]
    pub fn all(&self) -> Vec<Intent> {
        let empty = |(number, open): (&u64, &Open)| {
            (*number, Intent { number: *number, at_seconds: open.at_seconds, records: Vec::new() })
        };
        let mut intents: BTreeMap<u64, Intent> = self.open.iter().map(empty).collect();
        for (&(identity, version), &InDoubt { intent, count }) in &self.in_doubt {
            if let Some(intent) = intents.get_mut(&intent) {
                intent.records.push(Versioned { identity, version, count });
            }
        }
        intents.into_values().chain(self.in_flight.clone()).collect()
    }

    /// How many records are in doubt.
    #[must_use]
    pub fn len(&self) -> usize {
        self.in_doubt.len()
    }

    #[must_use]
    pub fn is_in_doubt(&self, record: &Versioned) -> bool {
        !self.in_doubt.is_empty() && self.in_doubt.contains_key(&(record.identity, record.version))
    }

    /// The highest count among the versions of this event that are in doubt: the gateway may have that many occurrences.
    #[must_use]
    pub fn count_in_doubt(&self, identity: Identity) -> Option<u32> {
        if self.in_doubt.is_empty() {
            return None;
        }
        let versions = (identity, Version(0))..=(identity, Version(u64::MAX));
        self.in_doubt.range(versions).map(|(_, in_doubt)| in_doubt.count).max()
    }

    /// These have their outcome. Returns the intents that may leave the file.
    pub fn settle(&mut self, records: &[Versioned]) -> Vec<u64> {
        if self.in_doubt.is_empty() {
            return Vec::new();
        }
        for record in records {
            let settled = self.in_doubt.remove(&(record.identity, record.version));
            if let Some(intent) = settled.and_then(|settled| self.open.get_mut(&settled.intent)) {
                intent.left -= 1;
            }
        }
        self.take_empty()
    }

    /// Drops intents that were made `ttl_seconds` ago or earlier, as the table drops its commits.
    pub fn expire(&mut self, now_seconds: u64, ttl_seconds: u64) -> Vec<u64> {
        let open = &mut self.open;
        self.in_doubt.retain(|_, in_doubt| {
            let Some(intent) = open.get_mut(&in_doubt.intent) else { return false };
            // An intent from "the future", made by a clock that was wrong, ages from now on.
            intent.at_seconds = intent.at_seconds.min(now_seconds);
            let stays = intent.at_seconds.saturating_add(ttl_seconds) > now_seconds;
            intent.left -= usize::from(!stays);
            stays
        });
        self.take_empty()
    }

    /// Drops all doubts. Returns the intents that may leave the file.
    pub fn forget(&mut self) -> Vec<u64> {
        self.in_doubt.clear();
        std::mem::take(&mut self.open).into_keys().collect()
    }

    fn take_empty(&mut self) -> Vec<u64> {
        self.open.extract_if(.., |_, intent| intent.left == 0).map(|(number, _)| number).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intents_of_two_runs_are_distinguished() {
        let record = |event| Versioned { identity: Identity(event), version: Version(1), count: 1 };
        let mut intents = Intents::new();
        intents.begin(vec![record(1)], 10);
        intents.doubt();
        intents.enter_late(Intent { number: 0, at_seconds: 5, records: vec![record(2), record(3)] });
        assert_eq!(intents.len(), 3);
        let all: Vec<_> = intents.all().iter().map(|intent| (intent.number, intent.records.len())).collect();
        assert_eq!(all, [(0, 1), (1, 2)]);
        assert_eq!(intents.settle(&[record(1), record(2)]), [0]);
        assert_eq!(intents.settle(&[record(3)]), [1]);
    }
}
