//! A chunk in the plugin, and the result that the host waits for.

use std::fmt;
use std::time::Duration;

use crate::sync::{Arc, Condvar, Mutex, PoisonError};

/// Wakes the engine when a result is there. May be called on any thread, and takes next to no time.
pub type Wake = Arc<dyn Fn() + Send + Sync>;

/// What the host is to do with the chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HostResult {
    /// Drop it: every record is acknowledged, a repetition, excluded, in the dead letter file, or, where none is set,
    /// dropped with an ERROR.
    Ok,
    /// Bring it again later.
    Retry,
}

/// A chunk: copied, because the host's bytes are valid only until its callback returns.
#[derive(Debug)]
pub struct Job {
    /// For log lines only. Invalid UTF-8 in it is replaced.
    pub tag: String,
    /// Records in the framing of the host, see `record::chunk`.
    pub data: Vec<u8>,
    /// Takes the result of the chunk.
    pub reply: Reply,
}

/// Sends the result. If it is dropped before, the result is RETRY: whatever goes wrong, even a panic, the host keeps the
/// chunk.
#[derive(Debug)]
pub struct Reply {
    slot: Arc<Slot>,
}

/// Waits for the result.
#[derive(Debug, Clone)]
pub struct Pending {
    slot: Arc<Slot>,
}

struct Slot {
    result: Mutex<Option<HostResult>>,
    ready: Condvar,
    wake: Wake,
}

impl fmt::Debug for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slot").field("result", &self.result).finish_non_exhaustive()
    }
}

/// Both ends for one chunk. `wake` is called when the result is there.
#[must_use]
pub fn reply(wake: Wake) -> (Reply, Pending) {
    let slot = Arc::new(Slot { result: Mutex::default(), ready: Condvar::new(), wake });
    (Reply { slot: Arc::clone(&slot) }, Pending { slot })
}

impl Slot {
    fn put(&self, result: HostResult) {
        let mut slot = self.result.lock().unwrap_or_else(PoisonError::into_inner);
        // It was sent, and now the reply is dropped.
        if slot.is_some() {
            return;
        }
        *slot = Some(result);
        drop(slot);
        self.ready.notify_all();
        (self.wake)();
    }
}

impl Reply {
    /// Hands over the result and wakes the host's thread that waits for it.
    pub fn send(self, result: HostResult) {
        self.slot.put(result);
    }
}

impl Drop for Reply {
    fn drop(&mut self) {
        self.slot.put(HostResult::Retry);
    }
}

impl Pending {
    /// The result, if it is there.
    #[must_use]
    pub fn poll(&self) -> Option<HostResult> {
        *self.slot.result.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Blocks until the result is there.
    #[must_use]
    pub fn wait(&self) -> HostResult {
        let mut result = self.slot.result.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(result) = *result {
                return result;
            }
            result = self
                .slot
                .ready
                .wait_timeout(result, Duration::from_secs(60))
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }
}

/// Counts the records of one chunk that have no outcome yet, and sends its result as soon as all have one.
#[derive(Debug)]
pub struct Tally {
    reply: Option<Reply>,
    /// Records that are deferred or in a batch.
    open: usize,
    failed: bool,
    read_whole: bool,
}

impl Tally {
    /// No record waits yet. The result is not sent before the chunk was decoded to its end.
    #[must_use]
    pub fn new(reply: Reply) -> Self {
        Self { reply: Some(reply), open: 0, failed: false, read_whole: false }
    }

    /// One more record of this chunk waits for its outcome.
    pub fn wait_for_one(&mut self) {
        self.open += 1;
    }

    /// A record that the chunk waited for is acknowledged, dead-lettered or dropped (`ok`), or has to come again.
    pub fn settle_one(&mut self, ok: bool) {
        self.open = self.open.saturating_sub(1);
        self.failed |= !ok;
        self.send_if_settled();
    }

    /// A record that the chunk does not wait for has to come again.
    pub fn fail(&mut self) {
        self.failed = true;
    }

    /// All records of the chunk were decoded.
    pub fn finish_reading(&mut self) {
        self.read_whole = true;
        self.send_if_settled();
    }

    fn send_if_settled(&mut self) {
        if self.read_whole
            && self.open == 0
            && let Some(reply) = self.reply.take()
        {
            reply.send(if self.failed { HostResult::Retry } else { HostResult::Ok });
        }
    }
}
