//! Where records go that cannot be delivered: into `dead_letter_file`, or, if that is not set, nowhere, with an ERROR.

use std::sync::Arc;

use xxhash_rust::xxh3::xxh3_128;

use super::LoggedLedger;
use crate::clock;
use crate::config::{ConfigError, Settings};
use crate::format;
use crate::gateway::{DeadLetterError, DeadLetterFile, DeadLetterLine, DeadLetterLines};
use crate::ledger::Ticket;
use crate::log::HostLog;
use crate::metrics::Metrics;
use crate::time::Stamp;

/// Dead-letter reason of a record that may have arrived and was never acknowledged.
pub const AMBIGUOUS: &str = "ambiguous";

/// Dead-letter reason of a request that was partly rejected without naming the records.
pub(super) const PARTLY: &str = "partly rejected by the gateway";

/// A record that the gateway will never take, or that may have arrived and must not be resent.
#[derive(Debug, Clone, Copy)]
pub struct DeadLetterEntry<'a> {
    /// The id that the rendered record has too.
    pub id: &'a str,
    /// MessagePack, after the redaction. The file has it as JSON.
    pub body: &'a [u8],
    /// The HTTP status, of the response or of this record in it; `None` if no status rejects this very record.
    pub status: Option<u16>,
    /// Why it is dead-lettered: one of few fixed texts, such as [`AMBIGUOUS`].
    pub reason: &'a str,
    /// The first bytes of the gateway's response, or the plugin's own words if it is not a response that says why.
    /// `answer` in the file.
    pub details: &'a str,
}

/// An entry with its delivery, which ends with it.
pub(super) type Ticketed<'a> = (DeadLetterEntry<'a>, Ticket);

pub(super) struct DeadLetterSink {
    file: Option<DeadLetterFile>,
    metrics: Arc<Metrics>,
    log: Arc<HostLog>,
}

impl DeadLetterSink {
    /// As [`DeadLetterFile::open`]. Logs nothing yet, as the other settings may still be wrong.
    pub(super) fn open(
        settings: &Settings,
        metrics: &Arc<Metrics>,
        log: &Arc<HostLog>,
    ) -> Result<Self, ConfigError> {
        let file = DeadLetterFile::open(&settings.dead_letters)?;
        Ok(Self { file, metrics: Arc::clone(metrics), log: Arc::clone(log) })
    }

    /// Logs why the file could not be opened, if so.
    pub(super) fn start(&mut self) {
        if let Some(trouble) = self.file.as_mut().and_then(DeadLetterFile::take_trouble) {
            self.log.error(
                "dead_letter_file",
                format!(
                    "{trouble}; records that belong there wait until it can be written; look at the disk"
                ),
            );
        }
    }

    pub(super) fn is_set(&self) -> bool {
        self.file.is_some()
    }

    /// Dead-letters records that have the same reason, in one write and one log line. Says of each whether it is settled;
    /// if not, the file has not taken it and the host must bring it again.
    pub(super) fn settle(&mut self, entries: &[Ticketed<'_>], ledger: &mut LoggedLedger) -> Vec<bool> {
        let now = clock::wall();
        let (is_settled, error) = match &mut self.file {
            None => (vec![true; entries.len()], None),
            Some(file) => write(file, entries, clock::unix_seconds(now)),
        };
        let those = |settled: bool| -> Vec<_> {
            let pairs = entries.iter().zip(&is_settled);
            pairs.filter(|(_, is_settled)| **is_settled == settled).map(|(entry, _)| *entry).collect()
        };
        let (settled, waiting) = (those(true), those(false));
        self.log_waiting(&waiting, error);
        waiting.iter().for_each(|(_, ticket)| ledger.abort(*ticket));
        self.log_settled(&settled);
        let tickets: Vec<_> = settled.iter().map(|(_, ticket)| *ticket).collect();
        let reason = settled.first().map_or("", |(entry, _)| entry.reason);
        if reason == AMBIGUOUS {
            self.metrics.ambiguous_records_total.add(tickets.len() as u64);
        }
        if [AMBIGUOUS, PARTLY].contains(&reason) {
            // Their occurrences may have been delivered: better never again than twice.
            ledger.commit(&tickets, now);
        } else {
            tickets.into_iter().for_each(|ticket| ledger.dead_letter(ticket, now));
        }
        is_settled
    }

    /// Dead-letters records that could not be read, so that none of them has a ticket. `what` says which.
    /// `false`: the file has not taken it.
    pub(super) fn dead_letter_unread(&mut self, what: &str, why: &str, record: &str, records: u64) -> bool {
        self.metrics.records_total.add(records);
        let Some(file) = &mut self.file else {
            self.metrics.skipped_records_total.add(records);
            let problem = format!("{what}; it is lost, as dead_letter_file is not set");
            self.log.error("record skipped", problem);
            return true;
        };
        let time = shown_time(clock::unix_seconds(clock::wall()));
        let id = format!("{:032x}", xxh3_128(record.as_bytes()));
        let letter = DeadLetterLine {
            time: &time,
            id: &id,
            status: None,
            reason: "it cannot be read",
            answer: why,
            record,
        };
        match file.write(&letter) {
            Ok(()) => {
                self.metrics.dead_lettered_records_total.add(records);
                let problem = format!("{what}; it was written to dead_letter_file as it came");
                self.log.error("record skipped", problem);
                true
            }
            Err(error) => {
                self.metrics.dead_letter_failures_total.add(records);
                self.log.error("dead letter waits", format!("{error}; records that wait: {records}, {what}"));
                false
            }
        }
    }

    /// Without a dead letter file, logs that this many records are lost, and returns `true`.
    pub(super) fn are_lost(&self, records: usize, why: &str) -> bool {
        if self.is_set() {
            return false;
        }
        self.metrics.dropped_records_total.add(records as u64);
        self.log.error(
            "record dropped",
            format!("{records} records are lost: {PARTLY} ({why}), and dead_letter_file is not set"),
        );
        true
    }

    fn log_waiting(&self, waiting: &[Ticketed<'_>], error: Option<DeadLetterError>) {
        let (Some((DeadLetterEntry { id, .. }, _)), Some(error)) = (waiting.first(), error) else { return };
        self.metrics.dead_letter_failures_total.add(waiting.len() as u64);
        let count = waiting.len();
        self.log
            .error("dead letter waits", format!("{error}; records that wait: {count}, the first is {id}"));
    }

    fn log_settled(&self, settled: &[Ticketed<'_>]) {
        let Some((DeadLetterEntry { id, status, reason, details, .. }, _)) = settled.first() else { return };
        let status = status.map_or_else(String::new, |status| format!(" with {status}"));
        let others = others(settled);
        if self.is_set() {
            self.metrics.dead_lettered_records_total.add(settled.len() as u64);
            self.log.error(
                "record dead-lettered",
                format!("record {id} was put into dead_letter_file{others}: {reason}{status} ({details})"),
            );
        } else {
            self.metrics.dropped_records_total.add(settled.len() as u64);
            self.log.error(
                "record dropped",
                format!("record {id} is lost{others}: {reason}{status} ({details}), and dead_letter_file is not set"),
            );
        }
    }
}

/// Writes those entries that the file has room for. Says of each whether it is written, and why not all are.
fn write(
    file: &mut DeadLetterFile,
    entries: &[Ticketed<'_>],
    now_seconds: u64,
) -> (Vec<bool>, Option<DeadLetterError>) {
    let time = shown_time(now_seconds);
    let mut letters = DeadLetterLines::within(file.room_bytes());
    let mut is_written: Vec<_> = entries
        .iter()
        .map(|(DeadLetterEntry { id, body, status, reason, details }, _)| {
            let record = format::original(id, body);
            let record = &String::from_utf8_lossy(&record);
            letters.add(&DeadLetterLine { time: &time, id, status: *status, reason, answer: details, record })
        })
        .collect();
    let (written, error) = file.write_all(letters);
    let added = is_written.iter_mut().filter(|is_written| **is_written);
    added.skip(written).for_each(|is_written| *is_written = false);
    (is_written, error)
}

fn shown_time(unix_seconds: u64) -> String {
    Stamp::from_unix_seconds(unix_seconds).map(|at| at.to_string()).unwrap_or_default()
}

/// How a line that names one record mentions the others.
fn others(records: &[Ticketed<'_>]) -> String {
    match records.len() {
        0 | 1 => String::new(),
        2 => ", and another with it".to_owned(),
        many => format!(", and {} others with it", many - 1),
    }
}
