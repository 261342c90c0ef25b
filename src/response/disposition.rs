//! What became of a batch, and whether the gateway may have it although it did not acknowledge it.

use std::time::Duration;

/// What became of a batch, and what the caller does with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Disposition {
    /// 2xx: the gateway has the batch. The caller commits all records.
    Accepted {
        /// Bytes of the request.
        sent_bytes: u64,
    },
    /// 2xx, and the response names the outcome of each record, in order. The caller settles each record by its outcome.
    Partial {
        /// One for each record, in order.
        outcomes: Vec<RecordOutcome>,
        /// Bytes of the request.
        sent_bytes: u64,
    },
    /// 2xx, but so many records were rejected without being named. The caller dead-letters the whole batch and does not
    /// resend it.
    PartlyRejected {
        /// How many records were rejected.
        rejected: usize,
        /// The service's own words.
        answer: String,
        /// Bytes of the request.
        sent_bytes: u64,
    },
    /// No record is known to be delivered, and the same batch may succeed later. The caller closes the endpoint for a
    /// while. `after` is the gateway's `Retry-After`, at most ten minutes.
    Retry {
        /// The wait that the gateway asks for.
        after: Option<Duration>,
        /// The reason, for the log.
        why: String,
        /// Whether it may have the batch.
        doubt: Doubt,
    },
    /// The settings do not fit the gateway. The caller logs an ERROR for a person, and then does the same as for `Retry`.
    Refused {
        /// The HTTP status.
        status: u16,
        /// The reason, for the log.
        why: String,
        /// Whether it may have the batch.
        doubt: Doubt,
    },
    /// The gateway will never take this batch as it is. The caller splits it, or dead-letters a record that is alone.
    /// `answer` is at most [`KEPT_RESPONSE_BYTES`](super::KEPT_RESPONSE_BYTES) without control characters.
    Rejected {
        /// The HTTP status.
        status: u16,
        /// The service's own words.
        answer: String,
    },
}

/// What became of one record of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordOutcome {
    /// The gateway has the record.
    Accepted,
    /// The gateway may take the same record later. `why` is at most [`KEPT_RESPONSE_BYTES`](super::KEPT_RESPONSE_BYTES).
    Retry {
        /// The reason, for the log.
        why: String,
    },
    /// The gateway will never take the record. `answer` is at most [`KEPT_RESPONSE_BYTES`](super::KEPT_RESPONSE_BYTES).
    Rejected {
        /// The HTTP status.
        status: u16,
        /// The service's own words.
        answer: String,
    },
}

/// Whether the gateway may have taken a batch that it did not acknowledge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Doubt {
    /// It has not taken the batch.
    None,
    /// It reports an error, but not how far it came.
    Failed,
    /// There is no response that says it, or a proxy in front of the gateway does not know.
    Unanswered,
}

impl Doubt {
    /// The gateway has certainly not taken the batch after a 4xx except 408, a redirect except 303, or a 503. A 303
    /// follows a request that was carried out (RFC 9110, 15.4.4).
    pub(super) fn of(status: u16) -> Self {
        match status {
            300..=302 | 304..=407 | 409..=499 | 503 => Self::None,
            502 | 504 => Self::Unanswered,
            _ => Self::Failed,
        }
    }
}

impl Disposition {
    /// The request was not sent; a later one may be.
    #[must_use]
    pub fn not_sent(why: String) -> Self {
        Self::Retry { after: None, why, doubt: Doubt::None }
    }

    /// Whether the gateway may have the batch although it did not acknowledge it.
    #[must_use]
    pub fn doubt(&self) -> Doubt {
        match self {
            Self::Retry { doubt, .. } | Self::Refused { doubt, .. } => *doubt,
            _ => Doubt::None,
        }
    }

    /// Whether the gateway took at least one record.
    #[must_use]
    pub fn is_success(&self) -> bool {
        match self {
            Self::Accepted { .. } | Self::PartlyRejected { .. } => true,
            Self::Partial { outcomes, .. } => outcomes.contains(&RecordOutcome::Accepted),
            _ => false,
        }
    }

    /// Whether the gateway refuses this request but may take another one, for example because it holds the idempotency
    /// key locked. A refusal caused by the settings concerns every request; so does one whose status is not that of a
    /// refusal.
    #[must_use]
    pub fn is_about_this_request(&self) -> bool {
        let Self::Refused { status, .. } = self else { return false };
        !matches!(status, 200..=401 | 403..=407 | 410 | 411 | 415 | 421 | 426 | 431 | 501)
    }

    /// The same without doubt, for a batch whose body was not sent: the response is to the headers alone.
    #[must_use]
    pub fn certain(mut self) -> Self {
        if let Self::Retry { doubt, .. } | Self::Refused { doubt, .. } = &mut self {
            *doubt = Doubt::None;
        }
        self
    }

    /// The same with at least the doubt that an earlier try left.
    #[must_use]
    pub fn after(mut self, earlier: Doubt) -> Self {
        if let Self::Retry { doubt, .. } | Self::Refused { doubt, .. } = &mut self {
            *doubt = earlier.max(*doubt);
        }
        self
    }
}
