//! The ledger's own time, by which versions are forgotten.
//!
//! To forget too early is to deliver again, and to forget late costs a little memory, which has a bound of its
//! own. So this time goes on only while the plugin runs: neither a stop nor a date that somebody sets forward
//! makes anything older. A date that is set back makes what was committed since younger, and no more.

use super::Ledger;
use super::store::Contents;
use super::table::Row;

/// How far the ledger's time is behind the date.
#[derive(Debug, Clone, Copy, Default)]
pub struct Age {
    behind_seconds: u64,
}

impl Age {
    /// Goes on where the newest row was committed.
    #[must_use]
    pub fn after(newest: Option<&Row>, now_seconds: u64) -> Self {
        Self { behind_seconds: newest.map_or(0, |row| now_seconds.saturating_sub(row.at_seconds)) }
    }

    /// The date was set forward.
    pub fn leap(&mut self, seconds: u64) {
        self.behind_seconds = self.behind_seconds.saturating_add(seconds);
    }

    /// The ledger's time at a date.
    #[must_use]
    pub fn at(self, now_seconds: u64) -> u64 {
        now_seconds.saturating_sub(self.behind_seconds)
    }
}

impl Ledger {
    /// Its own time at a date, which only goes on while the plugin runs.
    #[must_use]
    pub fn time(&self, now_seconds: u64) -> u64 {
        self.age.at(now_seconds)
    }

    /// Whether what was committed at this time, its own, is too old to be remembered.
    #[must_use]
    pub fn has_forgotten(&self, at_seconds: u64, now_seconds: u64) -> bool {
        at_seconds.saturating_add(self.ttl_seconds) <= self.age.at(now_seconds)
    }
}

impl Contents {
    /// Of rows and claims.
    #[must_use]
    pub fn newest(&self) -> Option<&Row> {
        let newest = [self.rows.last(), self.claims.last()];
        newest.into_iter().flatten().max_by_key(|row| row.at_seconds)
    }

    /// As if the newest had been committed then, by the ledger's time of a life that began then: the stop
    /// before it makes nothing older.
    #[must_use]
    pub fn carried_over(mut self, to_seconds: u64) -> Self {
        let stop_seconds = self.newest().map_or(0, |row| to_seconds.saturating_sub(row.at_seconds));
        for row in self.rows.iter_mut().chain(&mut self.claims) {
            row.at_seconds = row.at_seconds.saturating_add(stop_seconds);
        }
        self
    }
}
