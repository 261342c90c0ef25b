//! How long things take at most. Tests are in more of a hurry.

use std::time::Duration;

#[derive(Debug, Clone, Copy)]
pub struct Timing {
    /// Looking the name up, and connecting, each.
    pub connect: Duration,
    /// Until an answer's head is there. The API server itself gives a list up after a minute.
    pub head: Duration,
    /// Without a byte in a body. The API server sends bookmarks about once a minute (KEP-956), so a
    /// watch that is silent for longer hangs on a connection that is gone.
    pub silence: Duration,
    /// Snapshots come no faster than this; a change waits no longer for one.
    pub publication: Duration,
    /// What is gone for long is looked for so often.
    pub tick: Duration,
    /// The memory file is written so often, if something changed.
    pub save: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            head: Duration::from_secs(60),
            silence: Duration::from_secs(150),
            publication: Duration::from_millis(5),
            tick: Duration::from_secs(1),
            save: Duration::from_secs(60),
        }
    }
}
