//! How long things take at most. Tests are in more of a hurry.

use std::time::Duration;

#[derive(Debug, Clone, Copy)]
pub struct Timing {
    /// Looking the name up, and connecting, each.
    pub connect: Duration,
    /// Until the head of the response to a watch or a probe is there.
    pub head: Duration,
    /// Until that of a list is there, which may be long; the API server itself gives one up after a minute.
    pub list_head: Duration,
    /// Without a byte in a body. Bookmarks are not guaranteed, so a silent watch proves nothing; a probe does then.
    pub silence: Duration,
    /// Between two tries while the API server is away.
    pub turn: Duration,
    /// A watch that was lost and is open again may not have caught up for so long.
    pub settle: Duration,
    /// A watch that ended as it should is open again in less than this; else it is not followed.
    pub reopening: Duration,
    /// A kind that is lost for longer is stale.
    pub stale: Duration,
    /// After this long a WARN says so.
    pub quiet: Duration,
    /// Snapshots come no faster than this; a change waits no longer for one.
    pub publication: Duration,
    /// What is gone for long is looked for so often.
    pub tick: Duration,
    /// The memory file is written so soon after the first lists are complete,
    pub first_save: Duration,
    /// and then so often, if something changed.
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
