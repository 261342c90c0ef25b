//! Timeouts and intervals of the verification. Tests use shorter ones.

use std::time::Duration;

use crate::cluster;

/// How long the verification waits, for what.
#[derive(Debug, Clone, Copy)]
pub struct Timing {
    /// The limits of requests, as those of the reflectors. `silence` is shorter: what a dead watch costs is that
    /// time, in which nothing settles that the leader has settled.
    pub requests: cluster::Timing,
    /// How often it looks at what is owed.
    pub tick: Duration,
    /// An event that has been gone for about so long is forgotten: no source reads it any more.
    pub forget: Duration,
    /// Between two WARNs while the source lags.
    pub warn: Duration,
    /// A WARN is logged for a loss of the watch that lasts this long.
    pub quiet: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            requests: cluster::Timing { silence: Duration::from_secs(30), ..cluster::Timing::default() },
            tick: Duration::from_secs(1),
            // The API server deletes an event after an hour by default.
            forget: Duration::from_secs(3_600),
            warn: Duration::from_secs(60),
            quiet: Duration::from_secs(30),
        }
    }
}
