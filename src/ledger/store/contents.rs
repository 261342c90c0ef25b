//! [`Contents`]: all that a file of the ledger holds.

use crate::ledger::key::CheckKey;
use crate::ledger::verdict::{Commit, Intent};

/// What a file holds, oldest first.
#[derive(Debug, Default)]
pub struct Contents {
    /// What was acknowledged.
    pub commits: Vec<Commit>,
    /// What was about to be sent. After a start, its records are in doubt.
    pub intents: Vec<Intent>,
    /// `None` in files of older versions.
    pub key: Option<CheckKey>,
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
