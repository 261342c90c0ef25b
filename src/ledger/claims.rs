//! What is about to be sent, written down before the request goes out: for those who want nothing twice.
//!
//! ```text
//! begin   a request is about to go out      → end     its answer says what became of it
//!                                           → doubt   it does not: its records are in doubt
//! enter   a claim that a start finds in the file: a crash came before the answer, so it is in doubt
//! enter_late  the same where the start could not read it
//! settle  a record in doubt was dead-lettered; with the last one its claim leaves the file
//! ```
//! Deliveries go out one at a time, so there is one request at most that has a claim and no answer.
//!
//! Pure: no I/O, no clock.

use std::collections::BTreeMap;

use super::table::Row;
use crate::record::identity::{Identity, Version, Versioned};

#[derive(Debug)]
pub struct Claims {
    next: u64,
    on_its_way: Option<Row>,
    /// Records of which nobody knows whether the gateway has them, each with its claim.
    in_doubt: BTreeMap<(Identity, Version), InDoubt>,
    /// The claims of these.
    open: BTreeMap<u64, Open>,
}

#[derive(Debug, Clone, Copy)]
struct InDoubt {
    claim: u64,
    count: u32,
}

#[derive(Debug)]
struct Open {
    at_seconds: u64,
    /// Records that are still in doubt.
    left: usize,
}

impl Claims {
    #[must_use]
    pub fn new() -> Self {
        Self { next: 0, on_its_way: None, in_doubt: BTreeMap::new(), open: BTreeMap::new() }
    }

    /// These are about to go out. What a file has to hold before they do.
    pub fn begin(&mut self, records: Vec<Versioned>, now_seconds: u64) -> &Row {
        let number = self.next;
        self.next += 1;
        self.on_its_way.insert(Row { number, at_seconds: now_seconds, records })
    }

    /// The answer is there, and clear. The claim that may leave the file.
    pub fn end(&mut self) -> Option<u64> {
        self.on_its_way.take().map(|claim| claim.number)
    }

    /// No answer, or none that says whether the gateway has them.
    pub fn doubt(&mut self) {
        if let Some(claim) = self.on_its_way.take() {
            self.enter(&claim);
        }
    }

    /// Takes up a claim without an answer.
    pub fn enter(&mut self, claim: &Row) {
        self.next = self.next.max(claim.number + 1);
        for record in &claim.records {
            let in_doubt = InDoubt { claim: claim.number, count: record.count };
            let before = self.in_doubt.insert((record.identity, record.version), in_doubt);
            // Each record has one claim, so that the last of a claim is known.
            if let Some(before) = before.and_then(|before| self.open.get_mut(&before.claim)) {
                before.left -= 1;
            }
        }
        let open = Open { at_seconds: claim.at_seconds, left: claim.records.len() };
        self.open.insert(claim.number, open);
    }

    /// Takes up a claim of an earlier life when this one may have made some already, under a number of its own.
    pub fn enter_late(&mut self, claim: Row) {
        self.enter(&Row { number: self.next, ..claim });
    }

    /// All that is in doubt or on its way, for a file that has to be written anew.
    #[must_use]
    pub fn rows(&self) -> Vec<Row> {
        let empty = |(number, open): (&u64, &Open)| {
            (*number, Row { number: *number, at_seconds: open.at_seconds, records: Vec::new() })
        };
        let mut rows: BTreeMap<u64, Row> = self.open.iter().map(empty).collect();
        for (&(identity, version), &InDoubt { claim, count }) in &self.in_doubt {
            if let Some(row) = rows.get_mut(&claim) {
                row.records.push(Versioned { identity, version, count });
            }
        }
        rows.into_values().chain(self.on_its_way.clone()).collect()
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

    /// The highest count of a version of this event that is in doubt: the gateway may have so many occurrences.
    #[must_use]
    pub fn count_in_doubt(&self, identity: Identity) -> Option<u32> {
        if self.in_doubt.is_empty() {
            return None;
        }
        let versions = (identity, Version(0))..=(identity, Version(u64::MAX));
        self.in_doubt.range(versions).map(|(_, in_doubt)| in_doubt.count).max()
    }

    /// These have their outcome. The claims that may leave the file.
    pub fn settle(&mut self, records: &[Versioned]) -> Vec<u64> {
        if self.in_doubt.is_empty() {
            return Vec::new();
        }
        for record in records {
            let settled = self.in_doubt.remove(&(record.identity, record.version));
            if let Some(claim) = settled.and_then(|settled| self.open.get_mut(&settled.claim)) {
                claim.left -= 1;
            }
        }
        self.take_empty()
    }

    /// Lets go of claims that were made `ttl_seconds` ago or earlier, as the table does of its rows.
    pub fn expire(&mut self, now_seconds: u64, ttl_seconds: u64) -> Vec<u64> {
        let open = &mut self.open;
        self.in_doubt.retain(|_, in_doubt| {
            let Some(claim) = open.get_mut(&in_doubt.claim) else { return false };
            // One from "the future", made by a clock that was wrong, ages from now on.
            claim.at_seconds = claim.at_seconds.min(now_seconds);
            let stays = claim.at_seconds.saturating_add(ttl_seconds) > now_seconds;
            claim.left -= usize::from(!stays);
            stays
        });
        self.take_empty()
    }

    /// Doubts nothing any more. The claims that may leave the file.
    pub fn forget(&mut self) -> Vec<u64> {
        self.in_doubt.clear();
        std::mem::take(&mut self.open).into_keys().collect()
    }

    fn take_empty(&mut self) -> Vec<u64> {
        self.open.extract_if(.., |_, claim| claim.left == 0).map(|(number, _)| number).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_of_two_lives_are_distinguished() {
        let record = |event| Versioned { identity: Identity(event), version: Version(1), count: 1 };
        let mut claims = Claims::new();
        claims.begin(vec![record(1)], 10);
        claims.doubt();
        claims.enter_late(Row { number: 0, at_seconds: 5, records: vec![record(2), record(3)] });
        assert_eq!(claims.len(), 3);
        let rows: Vec<_> = claims.rows().iter().map(|row| (row.number, row.records.len())).collect();
        assert_eq!(rows, [(0, 1), (1, 2)]);
        assert_eq!(claims.settle(&[record(1), record(2)]), [0]);
        assert_eq!(claims.settle(&[record(3)]), [1]);
    }
}
