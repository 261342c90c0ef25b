//! A model of the followed kinds for tests: time passes, and log lines are collected.

use std::time::{Duration, Instant};

use super::followed_kinds::FollowedKinds;
use super::log_decision::LogLine;
use super::timing::Timing;
use crate::clock;
use crate::topology::freshness::Freshness;
use crate::topology::kind::ObjectKind;
use crate::topology::watch::{LossReason, WatchStatus};

pub const SECOND: Duration = Duration::from_secs(1);

pub struct Model {
    pub followed: FollowedKinds,
    pub now: Instant,
}

impl Model {
    pub fn new() -> Self {
        let mut model = Self { followed: FollowedKinds::new(&Timing::default()), now: clock::monotonic() };
        model.followed(ObjectKind::ALL);
        model
    }

    pub fn followed(&mut self, kinds: impl IntoIterator<Item = ObjectKind>) {
        kinds.into_iter().for_each(|kind| self.followed.set_status(kind, WatchStatus::Followed, self.now));
    }

    pub fn lost(
        &mut self,
        kinds: impl IntoIterator<Item = ObjectKind>,
        reason: LossReason,
        is_refused: bool,
    ) {
        for kind in kinds {
            let why = reason.name().to_owned();
            self.followed.set_status(kind, WatchStatus::Lost { reason, why, is_refused }, self.now);
        }
    }

    /// Lets time pass as the clock thread does, and returns the log lines.
    pub fn pass(&mut self, time: Duration) -> Vec<String> {
        let end = self.now + time;
        let mut lines = Vec::new();
        loop {
            lines.extend(self.followed.line(self.now).map(|line| match line {
                LogLine::NotFollowed(text) => format!("WARN {text}"),
                LogLine::FollowedAgain(text) => format!("INFO {text}"),
            }));
            assert_eq!(self.followed.line(self.now), None, "once");
            match self.followed.next_change(self.now).filter(|next| *next <= end) {
                Some(next) => self.now = next,
                None => break,
            }
        }
        self.now = end;
        lines
    }

    pub fn freshness(&self, kind: ObjectKind) -> Freshness {
        self.followed.freshness(kind, self.now)
    }
}
