//! What became of a batch, and whether the gateway may have it all the same.

use std::time::Duration;

/// What became of a batch, and so what the caller does with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Disposition {
    /// 2xx: the gateway has the batch. Commit.
    Accepted { sent_bytes: u64 },
    /// 2xx, and the answer tells of each record, in order.
    Partial { outcomes: Vec<RecordOutcome>, sent_bytes: u64 },
    /// 2xx, and so many records were rejected for good; nobody knows which. The batch must not be sent again.
    PartlyRejected { rejected: usize, answer: String, sent_bytes: u64 },
    /// Nothing is known to be delivered; the same batch may succeed later. `after` is the gateway's own
    /// wish (`Retry-After`), never more than ten minutes.
    Retry { after: Option<Duration>, why: String, doubt: Doubt },
    /// The settings do not fit the gateway: an ERROR that a person can act on, then the same as `Retry`.
    Refused { status: u16, why: String, doubt: Doubt },
    /// The gateway will never take this batch as it is: split it, or dead-letter the record that stands alone.
    /// `answer` is at most [`ANSWER_KEPT_BYTES`](super::ANSWER_KEPT_BYTES) of text without control characters.
    Rejected { status: u16, answer: String },
}

/// What became of one record of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordOutcome {
    Accepted,
    /// The same record may be taken later; at most [`ANSWER_KEPT_BYTES`](super::ANSWER_KEPT_BYTES) of why it was not now.
    Retry {
        why: String,
    },
    /// It will never be; at most [`ANSWER_KEPT_BYTES`](super::ANSWER_KEPT_BYTES) of why.
    Rejected {
        status: u16,
        answer: String,
    },
}

/// Whether the gateway may have taken a batch all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Doubt {
    /// It has not.
    None,
    /// It says that it failed, and not how far it came.
    Failed,
    /// It says nothing that is known, or a proxy before it does not know.
    Unanswered,
}

impl Doubt {
    /// Certain are the 4xx but 408, which say that the request was not carried out, the redirects that ask to send it
    /// elsewhere, and a gateway that is unavailable; 303 is the redirect after a request that was carried out
    /// (RFC 9110, 15.4.4).
    pub(super) fn of(status: u16) -> Self {
        match status {
            300..=302 | 304..=407 | 409..=499 | 503 => Self::None,
            502 | 504 => Self::Unanswered,
            _ => Self::Failed,
        }
    }
}

impl Disposition {
    /// Nothing went out; later it may.
    #[must_use]
    pub fn not_sent(why: String) -> Self {
        Self::Retry { after: None, why, doubt: Doubt::None }
    }

    /// Whether the gateway may have the batch all the same.
    #[must_use]
    pub fn doubt(&self) -> Doubt {
        match self {
            Self::Retry { doubt, .. } | Self::Refused { doubt, .. } => *doubt,
            _ => Doubt::None,
        }
    }

    /// Whether some of the records, or all, were taken.
    #[must_use]
    pub fn is_success(&self) -> bool {
        match self {
            Self::Accepted { .. } | Self::PartlyRejected { .. } => true,
            Self::Partial { outcomes, .. } => outcomes.contains(&RecordOutcome::Accepted),
            _ => false,
        }
    }

    /// Whether the gateway refuses this request, and may take another: a key that it holds locked, say. What the
    /// settings are to blame for, it says to all; so it does where a status that means something else was found to be
    /// a refusal.
    #[must_use]
    pub fn is_about_this_request(&self) -> bool {
        let Self::Refused { status, .. } = self else { return false };
        !matches!(status, 200..=401 | 403..=407 | 410 | 411 | 415 | 421 | 426 | 431 | 501)
    }

    /// The same, of a batch of which nothing went out: the answer is one to the headers, whatever it says.
    #[must_use]
    pub fn certain(mut self) -> Self {
        if let Self::Retry { doubt, .. } | Self::Refused { doubt, .. } = &mut self {
            *doubt = Doubt::None;
        }
        self
    }

    /// The same, of a batch that an earlier try has left in doubt.
    #[must_use]
    pub fn after(mut self, earlier: Doubt) -> Self {
        if let Self::Retry { doubt, .. } | Self::Refused { doubt, .. } = &mut self {
            *doubt = earlier.max(*doubt);
        }
        self
    }
}
