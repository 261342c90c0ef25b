//! The ledger's own time, by which it forgets versions. It reads no clock: the date is an argument.
//!
//! To forget too early is to deliver again; to forget late costs a little memory, which has a bound of its own. So this
//! time only goes on while the plugin runs: neither a stop nor a date that is set forward makes anything older. A
//! date that is set back makes what was committed since younger, and no more.

use super::Ledger;
use super::store::Contents;

/// Turns a date into the ledger's time, which is behind it.
#[derive(Debug, Clone, Copy, Default)]
pub struct LedgerClock {
    behind_seconds: u64,
}

impl LedgerClock {
    /// Goes on from the ledger's time of the newest commit or intent.
    #[must_use]
    pub fn after(newest_seconds: Option<u64>, now_seconds: u64) -> Self {
        Self { behind_seconds: newest_seconds.map_or(0, |newest| now_seconds.saturating_sub(newest)) }
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
}

impl Contents {
    /// When the newest commit or intent was made.
    #[must_use]
    pub fn newest_seconds(&self) -> Option<u64> {
        let commit = self.commits.last().map(|commit| commit.at_seconds);
        let intent = self.intents.last().map(|intent| intent.at_seconds);
        commit.max(intent)
    }

    /// Moves all times so that the newest is this one, by the ledger's time of the run that reads it: the stop before
    /// that run makes nothing older.
    #[must_use]
    pub fn carried_over(mut self, to_seconds: u64) -> Self {
        let stop_seconds = self.newest_seconds().map_or(0, |newest| to_seconds.saturating_sub(newest));
        let commits = self.commits.iter_mut().map(|commit| &mut commit.at_seconds);
        let intents = self.intents.iter_mut().map(|intent| &mut intent.at_seconds);
        commits.chain(intents).for_each(|at_seconds| *at_seconds = at_seconds.saturating_add(stop_seconds));
        self
    }
}
