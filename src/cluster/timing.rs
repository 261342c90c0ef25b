//! Timeouts and intervals. Tests use shorter ones.

use std::time::Duration;

/// How long a reflector waits, for what.
#[derive(Debug, Clone, Copy)]
pub struct Timing {
    /// For the name look-up and for the connect, each.
    pub connect: Duration,
    /// Until the head of a response to a watch or a probe arrives.
    pub head: Duration,
    /// Until the head of a list's response arrives; the API server itself gives a list up after a minute.
    pub list_head: Duration,
    /// Without a byte in a body. Bookmarks are not guaranteed, so a silent watch proves nothing and a probe
    /// follows.
    pub silence: Duration,
    /// Between two tries while the API server is away.
    pub turn: Duration,
    /// How long a reopened watch may need to catch up.
    pub settle: Duration,
    /// A watch that ended normally reopens within this time; otherwise the kind is not followed.
    pub reopening: Duration,
    /// A kind that is lost for longer is stale.
    pub stale: Duration,
    /// A WARN is logged for a loss that lasts this long.
    pub quiet: Duration,
    /// Minimum time between snapshots, and maximum wait of a change for one.
    pub publication: Duration,
    /// How often expired tombstones are erased.
    pub tick: Duration,
    /// The snapshot file is saved this long after the first lists are complete,
    pub first_save: Duration,
    /// and then this often if something changed.
    pub save: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(2),
            head: Duration::from_secs(10),
            list_head: Duration::from_secs(30),
            silence: Duration::from_secs(120),
            turn: Duration::from_secs(1),
            settle: Duration::from_millis(500),
            reopening: Duration::from_secs(1),
            stale: Duration::from_secs(5),
            quiet: Duration::from_secs(30),
            publication: Duration::from_millis(5),
            tick: Duration::from_secs(1),
            first_save: Duration::from_secs(2),
            save: Duration::from_secs(60),
        }
    }
}
