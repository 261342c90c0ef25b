//! The ledger as deliveries use it. If its file cannot be written, that is counted and logged here, so that no caller has
//! to.

use std::sync::Arc;
use std::time::SystemTime;

use super::settled::SettledVersions;
use crate::clock::{self, ForwardJumps};
use crate::config::{ConfigError, Guarantee, Settings};
use crate::ledger::{Ledger, LedgerError, MovedAside, Ticket, Verdict};
use crate::log::HostLog;
use crate::metrics::Metrics;
use crate::record::identity::Versioned;

/// The ledger, with the metrics and the log of its instance.
pub struct LoggedLedger {
    ledger: Ledger,
    leaps: ForwardJumps,
    guarantee: Guarantee,
    /// The damaged or newer file that the start moved aside, until it is logged.
    moved: Option<MovedAside>,
    settled: SettledVersions,
    /// Records that were left out because of a delivery that is under way, and are settled with it.
    left_out: Vec<(Ticket, Versioned)>,
    metrics: Arc<Metrics>,
    log: Arc<HostLog>,
}

impl LoggedLedger {
    /// As [`Ledger::open`]. Logs nothing yet, as the other settings may still be wrong.
    ///
    /// # Errors
    /// If another instance uses the file, or the path cannot be one of a file.
    pub fn open(
        settings: &Settings,
        metrics: &Arc<Metrics>,
        log: &Arc<HostLog>,
    ) -> Result<Self, ConfigError> {
        let opened = Ledger::open(&settings.ledger, settings.updates, unix_now());
        let (ledger, moved) = opened.map_err(|error| ConfigError {
            key: "state_file",
            problem: error.to_string(),
            expected: "a file that this instance alone can write".to_owned(),
        })?;
        Ok(Self {
            ledger,
            leaps: ForwardJumps::from_now(),
            guarantee: settings.guarantee,
            moved,
            settled: SettledVersions::default(),
            left_out: Vec::new(),
            metrics: Arc::clone(metrics),
            log: Arc::clone(log),
        })
    }

    /// Logs what the start found wrong with the file. With `no_event_loss`, what an earlier run left in doubt is then
    /// delivered again.
    pub fn start(&mut self) {
        if let Some(moved) = self.moved.take() {
            self.log.error(
                "state_file moved aside",
                format!(
                    "state_file {moved}; events that the source brings again are delivered again; {}",
                    moved.advice()
                ),
            );
        }
        if let Some(why) = self.ledger.take_trouble() {
            self.log_unusable(&why);
        }
        if self.guarantee == Guarantee::NoEventLoss {
            self.ledger.forget_doubts();
        }
    }

    /// For questions. Everything that changes the ledger goes through the methods here.
    #[must_use]
    pub fn read(&self) -> &Ledger {
        &self.ledger
    }

    /// Reports from now on what is settled.
    pub fn report_to(&mut self, settled: SettledVersions) {
        self.settled = settled;
    }

    /// Whether anybody asks for what is settled.
    #[must_use]
    pub fn wants_settled(&self) -> bool {
        self.settled.are_wanted()
    }

    /// A record is settled without a delivery of its own: excluded, a repetition, or not wanted.
    pub fn settled_without_delivery(&self, record: Versioned) {
        self.settled.report([record]);
    }

    /// A record is not wanted because of this delivery, and is settled with it.
    pub fn settled_with(&mut self, ticket: Ticket, record: Versioned) {
        if self.settled.are_wanted() {
            self.left_out.push((ticket, record));
        }
    }

    fn report_settled(&mut self, tickets: &[Ticket]) {
        if self.settled.are_wanted() {
            let delivered = self.ledger.begun(tickets).into_iter().flatten();
            let with_them = self.left_out.extract_if(.., |(ticket, _)| tickets.contains(ticket));
            self.settled.report(delivered.chain(with_them.map(|(_, record)| record)));
        }
    }

    /// Forgets what is too old, and reads the file if the start could not and it can be read now.
    pub fn begin_round(&mut self) {
        self.ledger.leap(self.leaps.seconds());
        self.ledger.expire(unix_now());
        if let Err(why) = self.ledger.recall(unix_now()) {
            self.log_unusable(&why);
        }
    }

    /// As [`Ledger::begin`].
    pub fn begin(&mut self, record: Versioned) -> Verdict {
        self.ledger.begin(record)
    }

    /// As [`Ledger::begin_unnamed`].
    pub fn begin_unnamed(&mut self) -> Ticket {
        self.ledger.begin_unnamed()
    }

    /// As [`Ledger::abort`].
    pub fn abort(&mut self, ticket: Ticket) {
        self.left_out.retain(|(behind, _)| *behind != ticket);
        self.ledger.abort(ticket);
    }

    /// As [`Ledger::abort_all`].
    pub fn abort_all(&mut self) {
        self.left_out.clear();
        self.ledger.abort_all();
    }

    /// With `no_duplicates`, writes down what is about to be sent. `false`: it must not be sent.
    pub(super) fn intend(&mut self, tickets: impl FnOnce() -> Vec<Ticket>) -> bool {
        if self.guarantee == Guarantee::NoEventLoss {
            return true;
        }
        let written = self.ledger.intend(&tickets(), unix_now());
        self.is_written_first(written)
    }

    /// With `no_duplicates`, ends the intent of a request whose records may be sent again.
    pub(super) fn release(&mut self) {
        if self.guarantee == Guarantee::NoDuplicates {
            let written = self.ledger.release(unix_now());
            self.report(written);
        }
    }

    /// Any of these may have arrived. If they come again they are dead-lettered, and not sent.
    pub(super) fn doubt(&mut self, tickets: &[Ticket], now: SystemTime) {
        if self.guarantee == Guarantee::NoDuplicates {
            // They are those of the intent.
            self.ledger.doubt();
        } else {
            let named = self.ledger.begun(tickets).into_iter().flatten().collect();
            self.doubt_unbegun(named, now);
        }
    }

    /// The same for records of a request that an earlier round or run sent.
    pub(super) fn doubt_unbegun(&mut self, records: Vec<Versioned>, now: SystemTime) {
        let written = self.ledger.doubt_unbegun(records, clock::unix_seconds(now));
        self.advanced(written);
    }

    /// The same for records of a request that an earlier run sent under the other guarantee. `false`: that could not be
    /// written down.
    pub(super) fn doubt_found(&mut self, records: Vec<Versioned>) -> bool {
        let written = self.ledger.doubt_unbegun(records, unix_now());
        self.is_written_first(written)
    }

    /// These were acknowledged, or may have been and are dead letters now.
    pub(super) fn commit(&mut self, tickets: &[Ticket], now: SystemTime) {
        self.report_settled(tickets);
        let written = self.ledger.commit(tickets, clock::unix_seconds(now));
        self.advanced(written);
    }

    /// These were acknowledged in a request that an earlier round or run sent.
    pub(super) fn commit_unbegun(&mut self, records: Vec<Versioned>, now: SystemTime) {
        self.settled.report(records.iter().copied());
        let written = self.ledger.commit_unbegun(records, clock::unix_seconds(now));
        self.advanced(written);
    }

    /// The record will never be delivered: it is a dead letter, or lost and logged.
    pub(super) fn dead_letter(&mut self, ticket: Ticket, now: SystemTime) {
        self.report_settled(&[ticket]);
        let written = self.ledger.dead_letter(ticket, clock::unix_seconds(now));
        self.advanced(written);
    }

    /// Writes what the file has not taken yet: there will be no other round.
    pub fn finish(&mut self) {
        if let Err(why) = self.ledger.finish(unix_now()) {
            self.metrics.ledger_failed_writes_total.add(1);
            self.log.error(
                "state_file",
                format!(
                    "state_file: {why}; the next start will deliver some records again; look at the disk"
                ),
            );
        }
    }

    fn advanced(&mut self, written: Result<(), LedgerError>) {
        self.metrics.ledger_commits_total.add(1);
        self.metrics.ledger_evicted_entries_total.add(self.ledger.take_evicted());
        self.report(written);
    }

    fn report(&self, written: Result<(), LedgerError>) {
        let Err(why) = written else { return };
        self.metrics.ledger_failed_writes_total.add(1);
        let restart = match self.guarantee {
            Guarantee::NoEventLoss => "deliver again what was delivered since",
            Guarantee::NoDuplicates => "take the last request for ambiguous",
        };
        self.log.error(
            "state_file",
            format!("state_file: {why}; a restart now would {restart}; look at the disk"),
        );
    }

    fn is_written_first(&self, written: Result<(), LedgerError>) -> bool {
        let Err(why) = written else { return true };
        self.metrics.ledger_failed_writes_total.add(1);
        self.log.error(
            "state_file first",
            format!(
                "state_file: {why}; with guarantee no_duplicates nothing is sent that is not written down first, and \
                 records wait; look at the disk"
            ),
        );
        false
    }

    fn log_unusable(&self, why: &LedgerError) {
        let until = match self.guarantee {
            Guarantee::NoEventLoss => "until it is back, what was delivered may be delivered again",
            Guarantee::NoDuplicates => "until it is back, nothing is sent",
        };
        self.log.error("state_file", format!("state_file: {why}; {until}; look at the disk"));
    }
}

fn unix_now() -> u64 {
    clock::unix_seconds(clock::wall())
}
