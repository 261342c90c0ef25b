//! The ledger's own time, by which it forgets versions. It reads no clock: the date is an argument.
//!
//! To forget too early is to deliver again; to forget late costs a little memory, which has a bound of its own. So this
//! time only goes on while the plugin runs: neither a stop nor a date that is set forward makes anything older. A
//! date that is set back makes what was committed since younger, and no more.

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
