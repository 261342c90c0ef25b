//! [`Election`]: who leads, as client-go judges it, with time as an argument.
//!
//! ```text
//! standby ──(the Lease is released, or did not change or exist for its duration)── writes it ──► leader
//! leader  ──(renew_deadline after the last renewal that succeeded was sent, or another holder)──► standby
//! ```
//! A Lease is expired if it has not changed for its duration **by the own monotonic clock**: no wall clocks are compared. A
//! leader counts from the moment before its last successful renewal was sent, as nobody can have seen the write earlier.
//! Each write names the version that it replaces, so of two candidates one fails.

use super::Millis;
use super::lease::{LeaseContent, LeaseRecord};

/// The settings of an election.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Timing {
    /// `lease_duration`: a standby takes over after the Lease did not change for so long.
    pub lease: Millis,
    /// `renew_deadline`: a leader that has not renewed for so long sends nothing.
    pub renew_deadline: Millis,
    /// `retry_period`: between two renewals, and between two tries.
    pub retry: Millis,
    /// `watermark_interval`: least time between two writes.
    pub watermark: Millis,
}

impl Timing {
    /// How long after a renewal was sent its leader's last request ends. Two clocks, one a tenth slow and the other a tenth
    /// fast, differ by a factor of 0.82.
    #[must_use]
    pub fn last_request(&self) -> Millis {
        self.lease / 5 * 4
    }
}

/// The holder may run with a longer `lease_duration` than this replica, but nobody leads longer than this without a write.
const LONGEST_LEASE: Millis = 300_000;

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Read the Lease, from etcd and not from a cache.
    Read,
    /// Make the Lease.
    Create(LeaseContent),
    /// Replace this version of the Lease.
    Update {
        /// Its resourceVersion: if it is another one by now, the write fails.
        version: u64,
        /// What takes its place.
        content: LeaseContent,
    },
    /// Nothing until this time, if nothing is observed earlier.
    Wait(Millis),
    /// The Lease is released, or it is not ours: nothing is left to do after a stop.
    Stopped,
}

/// How a write ended.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Written {
    /// The API server has it as this record.
    Stored(LeaseRecord),
    /// Another write came first, or the Lease was made or deleted meanwhile.
    Conflict,
    /// It is unknown whether it was stored.
    Unknown,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Observed {
    record: Option<LeaseRecord>,
    /// When this replica saw it change.
    since: Millis,
}

/// A write on its way.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Pending {
    sent: Millis,
    /// Which Lease it replaces, by uid; `None`: it makes one.
    lease: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Leading {
    /// The version of the Lease with which this run took over.
    epoch: u64,
    /// When the last successful renewal was sent.
    renewed: Millis,
}

/// One replica's part in the election.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Election {
    me: String,
    timing: Timing,
    /// `None`: has to be read first.
    observed: Option<Observed>,
    pending: Option<Pending>,
    leading: Option<Leading>,
    last_sent: Option<Millis>,
    not_before: Millis,
    is_stopping: bool,
}

impl Election {
    /// Nothing is known of the Lease yet.
    #[must_use]
    pub fn new(me: String, timing: Timing) -> Self {
        Self {
            me,
            timing,
            observed: None,
            pending: None,
            leading: None,
            last_sent: None,
            not_before: 0,
            is_stopping: false,
        }
    }

    /// How the Lease names this run when it holds it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.me
    }

    /// The Lease as it was last observed.
    #[must_use]
    pub fn record(&self) -> Option<&LeaseRecord> {
        self.observed.as_ref()?.record.as_ref()
    }

    /// A read or the watch shows the Lease; `None`: there is none. `is_consistent`: it comes from etcd. From a cache an
    /// older state than the known one may come, which says nothing.
    pub fn observe(&mut self, record: Option<LeaseRecord>, is_consistent: bool, now: Millis) {
        let known = self.record();
        let is_older = match (&record, known) {
            (Some(new), Some(known)) => new.uid == known.uid && new.version < known.version,
            _ => false,
        };
        if is_older && !is_consistent {
            return;
        }
        if self.observed.as_ref().is_some_and(|observed| observed.record == record) {
            return;
        }
        // A leader whose Lease was deleted makes it again, and no other replica does before the leader's time is over.
        if record.as_ref().is_some_and(|record| record.content.holder != self.me) {
            self.leading = None;
        }
        self.observed = Some(Observed { record, since: now });
    }

    /// The next step. `content` is what a leader writes: `wants_write` asks for a write before the next renewal is due.
    pub fn next(&self, wants_write: bool, now: Millis) -> Step {
        if self.pending.is_some() {
            return Step::Wait(now + self.timing.retry);
        }
        if now < self.not_before {
            return Step::Wait(self.not_before);
        }
        let Some(observed) = &self.observed else { return Step::Read };
        let Some(record) = &observed.record else {
            let expires = observed.since + self.timing.lease;
            return match () {
                () if self.is_stopping => Step::Stopped,
                // It may have been deleted just now, and its holder does not know that yet.
                () if self.may_send(now).is_none() && now < expires => Step::Wait(expires),
                () => Step::Create(self.content(None)),
            };
        };
        let content = self.content(Some(&record.content));
        let update = Step::Update { version: record.version, content };
        if record.content.holder == self.me {
            let pause =
                if wants_write || self.is_stopping { self.timing.watermark } else { self.timing.retry };
            let due = self.last_sent.map_or(now, |sent| sent + pause);
            return if now >= due || self.is_stopping { update } else { Step::Wait(due) };
        }
        if self.is_stopping {
            return Step::Stopped;
        }
        let duration = record.content.duration.clamp(self.timing.lease, self.timing.lease.max(LONGEST_LEASE));
        let expires = observed.since + duration;
        if record.content.holder.is_empty() || now >= expires { update } else { Step::Wait(expires) }
    }

    /// A step of [`Election::next`] that writes was sent at this time.
    pub fn sent(&mut self, now: Millis) {
        self.pending = Some(Pending { sent: now, lease: self.record().map(|record| record.uid.clone()) });
        self.last_sent = Some(now);
    }

    /// The write ended. Returns whether this run took over with it, or went on without having led.
    pub fn written(&mut self, written: Written, now: Millis) -> bool {
        let Some(pending) = self.pending.take() else { return false };
        let record = match written {
            Written::Stored(record) => record,
            Written::Conflict => {
                self.observed = None;
                return false;
            }
            Written::Unknown => {
                self.read_again(now);
                return false;
            }
        };
        let is_mine = record.content.holder == self.me;
        let is_same = pending.lease.as_ref() == Some(&record.uid);
        let version = record.version;
        self.observed = Some(Observed { record: Some(record), since: now });
        if !is_mine {
            self.leading = None;
            return false;
        }
        // A Lease that was made anew after the leader's time was over may have had another holder meanwhile.
        let deadline = self.timing.renew_deadline;
        let is_in_time = |leading: &Leading| pending.sent < leading.renewed + deadline;
        let goes_on = self.leading.as_ref().is_some_and(|leading| is_same || is_in_time(leading));
        let epoch = self.leading.as_ref().filter(|_| is_same).map_or(version, |leading| leading.epoch);
        self.leading = Some(Leading { epoch, renewed: pending.sent });
        !goes_on
    }

    /// A read failed, or nothing is known any more: the next step reads, after a pause.
    pub fn read_again(&mut self, now: Millis) {
        self.pending = None;
        self.not_before = now + self.timing.retry;
        if !self.is_mine() {
            return;
        }
        // The record may have a newer version by now, which a renewal has to name.
        self.observed = None;
    }

    /// How long a request may take from now on; `None`: nothing may be sent.
    #[must_use]
    pub fn may_send(&self, now: Millis) -> Option<Millis> {
        let renewed = self.leading.as_ref().filter(|_| !self.is_stopping)?.renewed;
        let is_in_time = now < renewed + self.timing.renew_deadline;
        is_in_time.then(|| (renewed + self.timing.last_request()).saturating_sub(now))
    }

    /// Whether this run holds the Lease as far as it knows; it need not be allowed to send.
    #[must_use]
    pub fn is_mine(&self) -> bool {
        self.record().is_some_and(|record| record.content.holder == self.me)
    }

    /// The version of the Lease with which this run took over, while it leads.
    #[must_use]
    pub fn epoch(&self) -> Option<u64> {
        self.leading.as_ref().map(|leading| leading.epoch)
    }

    /// Sends nothing from now on, and releases the Lease with the next step.
    pub fn stop(&mut self) {
        self.is_stopping = true;
        self.not_before = 0;
    }

    fn content(&self, before: Option<&LeaseContent>) -> LeaseContent {
        let is_new = before.is_none_or(|before| before.holder != self.me);
        LeaseContent {
            holder: if self.is_stopping { String::new() } else { self.me.clone() },
            duration: if self.is_stopping { 0 } else { self.timing.lease },
            transitions: before.map_or(0, |before| before.transitions.saturating_add(u32::from(is_new))),
            renewals: before.map_or(0, |before| before.renewals.wrapping_add(1)),
            watermark: before.and_then(|before| before.watermark.clone()),
            announced: before.map_or_else(Vec::new, |before| before.announced.clone()),
        }
    }
}
