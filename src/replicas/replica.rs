//! [`Replica`]: one replica's part in the protocol. It decides, and does nothing itself.
//!
//! ```text
//! the Lease as observed ──► Election ──► who may send, and what to write
//!          │ watermark, announced versions
//!          ▼
//! the verification ───────► Seen ──────► what is settled ──► the watermark of the next write
//!                             ▲
//! records that were settled ──┘
//! ```
//! A standby holds a record until the leader has settled it. A leader delivers. Both trust the Lease only for versions that
//! their own verification has shown.

use std::collections::BTreeSet;

use super::election::{Election, Step, Timing, Written};
use super::lease::LeaseRecord;
use super::seen::{Bounds, Seen, Standing};
use super::{Event, Millis};

/// What a replica does with a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Gate {
    /// It goes through the other stages.
    Deliver,
    /// It waits, and the gate is asked again.
    Hold,
    /// It is settled by another replica, or a newer version of it is.
    Settled,
    /// A former leader announced it and may have sent it: with `no_duplicates` it is dead-lettered.
    InDoubt,
}

/// One replica.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Replica {
    election: Election,
    seen: Seen,
    /// In which history of etcd the seen versions are.
    history: u32,
    /// The Lease whose word counts, by uid.
    lease: Option<String>,
    /// What is to be announced before it is sent.
    announcing: Vec<u64>,
    /// What the stored Lease announces for this run. It stays announced until the stored watermark covers it.
    announced: BTreeSet<u64>,
    /// What former leaders announced, and no watermark covers.
    in_doubt: BTreeSet<u64>,
    /// Whether something was settled or announced since the last write.
    has_news: bool,
}

impl Replica {
    /// `me` names this run, and no other run has the same name.
    #[must_use]
    pub fn new(me: String, timing: Timing, bounds: Bounds) -> Self {
        Self {
            election: Election::new(me, timing),
            seen: Seen::new(bounds),
            history: 0,
            lease: None,
            announcing: Vec::new(),
            announced: BTreeSet::new(),
            in_doubt: BTreeSet::new(),
            has_news: false,
        }
    }

    /// A replica that takes no part in an election: nothing but what is seen and settled matters.
    #[must_use]
    pub fn alone(bounds: Bounds) -> Self {
        Self::new(String::new(), Timing { lease: 0, renew_deadline: 0, retry: 0, watermark: 0 }, bounds)
    }

    /// Who leads, and until when.
    #[must_use]
    pub fn election(&self) -> &Election {
        &self.election
    }

    /// What the verification has shown.
    #[must_use]
    pub fn seen(&self) -> &Seen {
        &self.seen
    }

    /// As [`Election::observe`].
    pub fn observe(&mut self, record: Option<LeaseRecord>, is_consistent: bool, now: Millis) {
        self.election.observe(record, is_consistent, now);
        self.listen();
    }

    /// As [`Election::next`], with the content that a leader writes.
    pub fn next(&self, now: Millis) -> Step {
        let mut step = self.election.next(self.has_news, now);
        if let Step::Create(content) | Step::Update { content, .. } = &mut step
            && self.is_leading()
        {
            // Until the word of the former leader is confirmed, it is handed on as it is.
            if !self.seen.wants_confirmation() {
                content.watermark = self.seen.watermark(self.history);
            }
            content.announced = self.announced_next();
        }
        step
    }

    /// The write of the last step was sent at this time.
    pub fn sent(&mut self, now: Millis) {
        self.election.sent(now);
        self.has_news = false;
    }

    /// As [`Election::written`].
    pub fn written(&mut self, written: Written, now: Millis) -> bool {
        let is_stored = matches!(written, Written::Stored(_));
        let took_over = self.election.written(written, now);
        if let Some(record) = self.election.record().filter(|_| is_stored) {
            let announced = record.content.announced.iter().copied();
            let Self { announced: mine, in_doubt, seen, .. } = self;
            if took_over {
                mine.clear();
                *in_doubt = announced.collect();
            } else {
                mine.extend(announced.filter(|version| !in_doubt.contains(version)));
            }
            if let Some(watermark) = &record.content.watermark {
                let is_open = |version: &u64| {
                    seen.event_of(*version).is_none_or(|event| !watermark.covers(event, *version))
                };
                mine.retain(is_open);
                in_doubt.retain(is_open);
            }
        }
        self.listen();
        took_over
    }

    /// As [`Election::read_again`].
    pub fn read_again(&mut self, now: Millis) {
        self.election.read_again(now);
    }

    /// As [`Election::stop`].
    pub fn stop(&mut self) {
        self.election.stop();
    }

    /// Whether this run took the Lease over and nobody else has it, although it may not be allowed to send.
    #[must_use]
    pub fn is_leading(&self) -> bool {
        self.election.epoch().is_some()
    }

    /// A list of all events begins, read from etcd, which shows the state at this version.
    pub fn begin_list(&mut self, version: u64) {
        let said = self.said_history();
        if self.seen.through().is_some_and(|through| version < through) {
            self.history = said.max(self.history + u32::from(said <= self.history));
            self.seen.forget();
            self.in_doubt.clear();
        } else if said > self.history {
            self.history = said;
            self.seen.forget();
        }
        self.listen();
        self.seen.begin_list();
    }

    /// As [`Seen::end_list`].
    pub fn end_list(&mut self, version: u64) {
        self.seen.end_list(version);
        self.has_news = true;
        self.listen();
    }

    /// The watch shows a version of an event, and with it everything before it.
    pub fn see(&mut self, event: Event, version: u64, now: Millis) {
        self.seen.see(event, version, now);
    }

    /// As [`Seen::advance`].
    pub fn advance(&mut self, version: u64) {
        self.seen.advance(version);
        self.has_news = true;
    }

    /// As [`Seen::delete`].
    pub fn delete(&mut self, event: Event) {
        self.seen.delete(event);
    }

    /// As [`Seen::expire`].
    pub fn expire(&mut self, before: Millis) {
        self.seen.expire(before);
    }

    /// As [`Seen::confirm`].
    pub fn confirm(&mut self, version: u64) -> bool {
        self.seen.confirm(version)
    }

    /// This replica settled a version: delivered, dead-lettered or excluded.
    pub fn settle(&mut self, event: Event, version: u64) {
        self.seen.settle(event, version);
        self.announcing.retain(|announced| *announced != version);
        self.has_news = true;
    }

    /// Asks the next write to announce these versions, instead of others that it has not announced yet.
    pub fn announce(&mut self, versions: Vec<u64>) {
        self.has_news |= self.announcing != versions;
        self.announcing = versions;
    }

    /// Whether the Lease announces these versions, and they may be sent.
    #[must_use]
    pub fn is_announced(&self, versions: &[u64], now: Millis) -> bool {
        let has = |version: &u64| self.announced.contains(version);
        self.election.may_send(now).is_some() && versions.iter().all(has)
    }

    /// What to do with a version of an event now.
    #[must_use]
    pub fn gate(&self, event: Event, version: u64, now: Millis) -> Gate {
        let standing = self.seen.standing(event, version);
        let may_send = self.election.may_send(now).is_some();
        match standing {
            Standing::Settled => Gate::Settled,
            Standing::Foreign => Gate::Deliver,
            Standing::Unsettled | Standing::NotYet if !may_send => Gate::Hold,
            Standing::Unsettled if self.in_doubt.contains(&version) => Gate::InDoubt,
            // It may be settled: the verification has to come so far first.
            Standing::NotYet if self.seen.may_be_said(event, version) => Gate::Hold,
            Standing::Unsettled if self.seen.may_be_said(event, version) => Gate::Hold,
            Standing::Unsettled | Standing::NotYet => Gate::Deliver,
        }
    }

    fn announced_next(&self) -> Vec<u64> {
        let known = self.in_doubt.iter().chain(&self.announced).chain(&self.announcing);
        known.collect::<BTreeSet<_>>().into_iter().copied().collect()
    }

    /// The history that the Lease's watermark is of.
    fn said_history(&self) -> u32 {
        let record = self.election.record();
        record.and_then(|record| Some(record.content.watermark.as_ref()?.history)).unwrap_or(0)
    }

    /// Takes the word of another holder. What this run wrote itself it knows better.
    fn listen(&mut self) {
        let Some(record) = self.election.record() else { return };
        if self.is_leading() {
            return;
        }
        let is_same = self.lease.as_ref() == Some(&record.uid);
        let word = record.content.watermark.clone();
        if !is_same {
            // A Lease that was made again knows nothing, and what the former one said counts no more.
            self.lease = Some(record.uid.clone());
        }
        self.seen.accept(word.filter(|word| word.history == self.history));
    }
}
