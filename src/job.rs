//! A chunk on its way through the plugin, and the answer that the host waits for.

use std::fmt;
use std::time::Duration;

use crate::sync::{Arc, Condvar, Mutex, PoisonError};

/// Tells the engine that an answer has come; may be called on any thread, and takes next to no time.
pub type Wake = Arc<dyn Fn() + Send + Sync>;

/// What the host does with the chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Release it: every record is acknowledged, a repetition, excluded, or in the dead letter file.
    Ok,
    /// Bring it again later.
    Retry,
}

/// A chunk: copied, because the host's bytes are valid only until its callback returns.
#[derive(Debug)]
pub struct Job {
    pub tag: String,
    pub data: Vec<u8>,
    pub reply: Reply,
}

/// The answering end. Dropped without an answer, it says RETRY: whatever goes wrong in between, a panic
/// included, the host keeps the chunk.
#[derive(Debug)]
pub struct Reply {
    slot: Arc<Slot>,
}

/// The waiting end.
#[derive(Debug, Clone)]
pub struct Pending {
    slot: Arc<Slot>,
}

struct Slot {
    answer: Mutex<Option<Answer>>,
    answered: Condvar,
    wake: Wake,
}

impl fmt::Debug for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slot").field("answer", &self.answer).finish_non_exhaustive()
    }
}

/// Both ends of a new answer, which wakes the engine when it is there.
#[must_use]
pub fn reply(wake: Wake) -> (Reply, Pending) {
    let slot = Arc::new(Slot { answer: Mutex::default(), answered: Condvar::new(), wake });
    (Reply { slot: Arc::clone(&slot) }, Pending { slot })
}

impl Slot {
    fn put(&self, answer: Answer) {
        let mut slot = self.answer.lock().unwrap_or_else(PoisonError::into_inner);
        // Sent, and now dropped.
        if slot.is_some() {
            return;
        }
        *slot = Some(answer);
        drop(slot);
        self.answered.notify_all();
        (self.wake)();
    }
}

impl Reply {
    pub fn send(self, answer: Answer) {
        self.slot.put(answer);
    }
}

impl Drop for Reply {
    fn drop(&mut self) {
        self.slot.put(Answer::Retry);
    }
}

impl Pending {
    /// The answer, when it is there.
    #[must_use]
    pub fn poll(&self) -> Option<Answer> {
        *self.slot.answer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Blocks until the answer is there.
    #[must_use]
    pub fn wait(&self) -> Answer {
        let mut answer = self.slot.answer.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(answer) = *answer {
                return answer;
            }
            answer = self
                .slot
                .answered
                .wait_timeout(answer, Duration::from_secs(60))
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }
}

/// What one chunk of a round still waits for. It answers by itself as soon as nothing is left.
#[derive(Debug)]
pub struct Tally {
    reply: Option<Reply>,
    /// Records on their way to the gateway.
    open: usize,
    failed: bool,
    read_whole: bool,
}

impl Tally {
    #[must_use]
    pub fn new(reply: Reply) -> Self {
        Self { reply: Some(reply), open: 0, failed: false, read_whole: false }
    }

    /// One more record of this chunk waits for its outcome.
    pub fn wait_for_one(&mut self) {
        self.open += 1;
    }

    /// A record that was waited for is acknowledged (or safely dead-lettered), or has to come again.
    pub fn settle_one(&mut self, ok: bool) {
        self.open = self.open.saturating_sub(1);
        self.failed |= !ok;
        self.answer_if_settled();
    }

    /// A record that is not even waited for has to come again.
    pub fn fail(&mut self) {
        self.failed = true;
    }

    /// All records of the chunk have been looked at.
    pub fn finish_reading(&mut self) {
        self.read_whole = true;
        self.answer_if_settled();
    }

    fn answer_if_settled(&mut self) {
        if self.read_whole
            && self.open == 0
            && let Some(reply) = self.reply.take()
        {
            reply.send(if self.failed { Answer::Retry } else { Answer::Ok });
        }
    }
}
