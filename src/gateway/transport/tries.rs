//! The quick tries of one batch, and the pauses between them.
//!
//! They stay well below the host's grace. The host and the [`Backoff`](crate::gateway::Backoff) do the longer waits.

use std::time::{Duration, Instant};

use crate::clock;
use crate::net::stop::Stopper;

const PAUSES: [Duration; 2] = [Duration::from_millis(200), Duration::from_millis(400)];
/// No further try begins later than this after the first one.
const QUICK: Duration = Duration::from_secs(2);

/// The tries of one batch.
pub struct Tries {
    began: Instant,
    pauses: std::array::IntoIter<Duration, 2>,
}

impl Tries {
    /// Begins the first try now.
    #[must_use]
    pub fn begin() -> Self {
        Self { began: clock::monotonic(), pauses: PAUSES.into_iter() }
    }

    /// Waits before another try; `false` if there will be none.
    pub fn another(&mut self, stopper: &Stopper) -> bool {
        let Some(pause) = self.pauses.next() else { return false };
        let spent = clock::monotonic().saturating_duration_since(self.began);
        spent + pause < QUICK && stopper.pause(pause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tries_are_over_well_before_the_hosts_grace() {
        assert!(PAUSES.iter().sum::<Duration>() < QUICK && QUICK < Duration::from_secs(5));
    }
}
