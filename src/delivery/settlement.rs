//! The outcomes of records: what each does to the ledger, to the dead letters and to the chunk that waits.

use std::ops::Range;
use std::time::SystemTime;

use xxhash_rust::xxh3::xxh3_128;

use super::{Delivery, Waiting, settle, tickets};
use crate::clock;
use crate::config::Guarantee;
use crate::format;
use crate::gateway::batch::Batch;
use crate::gateway::{DeadLetterError, DeadLetterFile, Letter, Letters};
use crate::job::Tally;
use crate::ledger::{Ledger, Ticket};
use crate::time::Stamp;

/// The reason of a record that the gateway may have and that nobody has acknowledged.
pub const AMBIGUOUS: &str = "ambiguous";

/// The reason of records among which some, and nobody says which, were rejected.
pub(super) const PARTLY: &str = "partly rejected by the gateway";

/// A record that the gateway will never take, or that it may have and must not be sent again.
#[derive(Debug, Clone, Copy)]
pub struct DeadLetterEntry<'a> {
    pub id: &'a str,
    pub body: &'a [u8],
    pub status: Option<u16>,
    pub reason: &'a str,
    /// The first bytes of the gateway's answer.
    pub answer: &'a str,
}

/// What it costs that the ledger's file cannot be used.
#[must_use]
pub const fn until_it_is_back(guarantee: Guarantee) -> &'static str {
    match guarantee {
        Guarantee::NoEventLoss => "until it is back, what was delivered may be delivered again",
        Guarantee::NoDuplicates => "until it is back, nothing is sent",
    }
}

impl Delivery {
    /// Counts a batch that the gateway has taken. When that was.
    pub(super) fn acknowledgement(&mut self, records: usize, sent_bytes: u64) -> SystemTime {
        self.answers();
        let now = clock::wall();
        self.metrics.batches_total.add(1);
        self.metrics.delivered_records_total.add(records as u64);
        self.metrics.sent_bytes_total.add(sent_bytes);
        self.metrics.last_acknowledgement_timestamp_seconds.set(clock::unix_seconds(now));
        now
    }

    /// These records, each by its place in the batch, were taken.
    pub(super) fn acknowledged(
        &mut self,
        batch: &Batch<Waiting<'_>>,
        places: impl ExactSizeIterator<Item = usize> + Clone,
        sent_bytes: u64,
        ledger: &mut Ledger,
        tallies: &mut [Tally],
    ) {
        let now = self.acknowledgement(places.len(), sent_bytes);
        self.committed(batch, places, now, ledger, tallies);
    }

    /// These records need not come again.
    pub(super) fn committed(
        &mut self,
        batch: &Batch<Waiting<'_>>,
        places: impl ExactSizeIterator<Item = usize> + Clone,
        now: SystemTime,
        ledger: &mut Ledger,
        tallies: &mut [Tally],
    ) {
        let now_seconds = clock::unix_seconds(now);
        let written = ledger.commit(&tickets(batch, places.clone()), now_seconds);
        self.advanced(written, ledger);
        for waiting in places.filter_map(|place| batch.note(place)) {
            self.metrics.adjusted_times_total.add(u64::from(waiting.adjusted.time));
            self.metrics.receiver_cuts_total.add(u64::from(waiting.adjusted.cut));
            self.metrics.adjusted_counts_total.add(u64::from(waiting.adjusted.count));
            if let Some(happened) = waiting.happened {
                // A clock ahead of ours is no reason to count an event as anything but prompt.
                let took = now.duration_since(happened).unwrap_or_default();
                self.metrics.event_to_acknowledgement_seconds.observe(took);
            }
            settle(waiting, true, tallies);
        }
    }

    pub(super) fn rejected(
        &mut self,
        batch: &Batch<Waiting<'_>>,
        place: usize,
        status: u16,
        answer: &str,
        ledger: &mut Ledger,
        tallies: &mut [Tally],
    ) {
        let Some(waiting) = batch.note(place) else { return };
        let entry = DeadLetterEntry {
            id: batch.id(place),
            body: waiting.body,
            status: Some(status),
            reason: "rejected by the gateway",
            answer,
        };
        let ok = self.dead_letter(&entry, waiting.ticket, ledger);
        settle(waiting, ok, tallies);
    }

    /// Puts a record away that can never be delivered. `false`: the dead letter file did not take it, so
    /// the host must bring it again.
    pub fn dead_letter(&mut self, entry: &DeadLetterEntry<'_>, ticket: Ticket, ledger: &mut Ledger) -> bool {
        self.dead_letter_all(&[(*entry, ticket)], ledger) == [true]
    }

    /// The same for records with one reason, in one write and one line of the log. What became of each.
    fn dead_letter_all(
        &mut self,
        entries: &[(DeadLetterEntry<'_>, Ticket)],
        ledger: &mut Ledger,
    ) -> Vec<bool> {
        let now_seconds = clock::unix_seconds(clock::wall());
        let (is_away, error) = match &mut self.dead_letters {
            None => (vec![true; entries.len()], None),
            Some(file) => written(file, entries, now_seconds),
        };
        let split = |away: bool| -> Vec<_> {
            entries
                .iter()
                .zip(&is_away)
                .filter(|(_, is_away)| **is_away == away)
                .map(|(one, _)| *one)
                .collect()
        };
        let (away, waiting) = (split(true), split(false));
        self.tell_of_waiting(&waiting, error);
        waiting.iter().for_each(|(_, ticket)| ledger.abort(*ticket));
        self.log_dead_letters(&away);
        let tickets: Vec<_> = away.iter().map(|(_, ticket)| *ticket).collect();
        let reason = away.first().map_or("", |(entry, _)| entry.reason);
        if reason == AMBIGUOUS {
            self.metrics.ambiguous_records_total.add(tickets.len() as u64);
        }
        if [AMBIGUOUS, PARTLY].contains(&reason) {
            // Their occurrences may have been delivered: better never again than twice.
            let written = ledger.commit(&tickets, now_seconds);
            self.advanced(written, ledger);
        } else {
            for ticket in tickets {
                let written = ledger.dead_letter(ticket, now_seconds);
                self.advanced(written, ledger);
            }
        }
        is_away
    }

    #[must_use]
    pub fn has_dead_letters(&self) -> bool {
        self.dead_letters.is_some()
    }

    /// Dead-letters records that could not be read, so that none of them has a ticket. `what` says which.
    /// `false`: the dead letter file did not take it.
    pub fn keep_unread(&mut self, what: &str, why: &str, record: &str, records: u64) -> bool {
        self.metrics.records_total.add(records);
        let Some(file) = &mut self.dead_letters else {
            self.metrics.skipped_records_total.add(records);
            let problem = format!("{what}; it is lost, as dead_letter_file is not set");
            self.log.error("record skipped", problem);
            return true;
        };
        let now = Stamp::from_unix_seconds(clock::unix_seconds(clock::wall()));
        let time = now.map(|now| now.to_string()).unwrap_or_default();
        let id = format!("{:032x}", xxh3_128(record.as_bytes()));
        let letter =
            Letter { time: &time, id: &id, status: None, reason: "it cannot be read", answer: why, record };
        match file.write(&letter) {
            Ok(()) => {
                self.metrics.dead_lettered_records_total.add(records);
                let problem = format!("{what}; it was written to dead_letter_file as it came");
                self.log.error("record skipped", problem);
                true
            }
            Err(error) => {
                self.metrics.dead_letter_failures_total.add(records);
                self.log.error("dead letter waits", format!("{what}; its chunk waits: {error}"));
                false
            }
        }
    }

    fn tell_of_waiting(&self, waiting: &[(DeadLetterEntry<'_>, Ticket)], error: Option<DeadLetterError>) {
        let (Some((DeadLetterEntry { id, .. }, _)), Some(error)) = (waiting.first(), error) else { return };
        self.metrics.dead_letter_failures_total.add(waiting.len() as u64);
        let others = others(waiting);
        self.log.error(
            "dead letter waits",
            format!("record {id} waits for a place among the dead letters{others}: {error}"),
        );
    }

    fn log_dead_letters(&self, away: &[(DeadLetterEntry<'_>, Ticket)]) {
        let Some((DeadLetterEntry { id, status, reason, answer, .. }, _)) = away.first() else { return };
        let status = status.map_or_else(String::new, |status| format!(" with {status}"));
        let others = others(away);
        if self.dead_letters.is_none() {
            self.metrics.dropped_records_total.add(away.len() as u64);
            self.log.error(
                "record dropped",
                format!("record {id} is lost{others}: {reason}{status} ({answer}), and dead_letter_file is not set"),
            );
        } else {
            self.metrics.dead_lettered_records_total.add(away.len() as u64);
            self.log.error(
                "record dead-lettered",
                format!("record {id} was put into dead_letter_file{others}: {reason}{status} ({answer})"),
            );
        }
    }

    /// Tells that so many records are lost, unless there are dead letters to put them into.
    pub(super) fn lost(&self, records: usize, why: &str) -> bool {
        if self.dead_letters.is_some() {
            return false;
        }
        self.metrics.dropped_records_total.add(records as u64);
        self.log.error(
            "record dropped",
            format!("{records} records are lost: {PARTLY} ({why}), and dead_letter_file is not set"),
        );
        true
    }

    pub(super) fn advanced(&self, written: Result<(), String>, ledger: &mut Ledger) {
        self.metrics.ledger_commits_total.add(1);
        self.metrics.ledger_evicted_entries_total.add(ledger.take_evicted());
        self.report(written);
    }

    fn report(&self, written: Result<(), String>) {
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

    /// Takes in what the ledger's file holds, where the start could not read it.
    pub fn recall(&self, ledger: &mut Ledger) {
        let Err(why) = ledger.recall(clock::unix_seconds(clock::wall())) else { return };
        let until = until_it_is_back(self.guarantee);
        self.log.error("state_file", format!("state_file: {why}; {until}; look at the disk"));
    }

    /// What was written down last has not arrived, for certain.
    pub(super) fn release(&self, ledger: &mut Ledger) {
        if self.guarantee == Guarantee::NoDuplicates {
            self.report(ledger.release(clock::unix_seconds(clock::wall())));
        }
    }

    /// Nobody knows whether these have arrived: they are dead-lettered, and never sent again.
    pub(super) fn doubted(
        &mut self,
        batch: &Batch<Waiting<'_>>,
        part: &Range<usize>,
        why: &str,
        ledger: &mut Ledger,
        tallies: &mut [Tally],
    ) {
        ledger.doubt();
        self.dead_letter_part(batch, part, AMBIGUOUS, why, ledger, tallies);
    }

    /// Puts a whole part away.
    pub(super) fn dead_letter_part(
        &mut self,
        batch: &Batch<Waiting<'_>>,
        part: &Range<usize>,
        reason: &str,
        why: &str,
        ledger: &mut Ledger,
        tallies: &mut [Tally],
    ) {
        let records = part.clone().filter_map(|index| Some((batch.id(index), batch.note(index)?)));
        let (entries, waiting): (Vec<_>, Vec<_>) = records
            .map(|(id, waiting)| {
                let Waiting { body, ticket, .. } = *waiting;
                ((DeadLetterEntry { id, body, status: None, reason, answer: why }, ticket), waiting)
            })
            .unzip();
        let is_away = self.dead_letter_all(&entries, ledger);
        for (waiting, ok) in waiting.into_iter().zip(is_away) {
            settle(waiting, ok, tallies);
        }
    }
}

/// Puts all into the file that it has room for. Which these are, and why not all.
fn written(
    file: &mut DeadLetterFile,
    entries: &[(DeadLetterEntry<'_>, Ticket)],
    now_seconds: u64,
) -> (Vec<bool>, Option<DeadLetterError>) {
    let time = Stamp::from_unix_seconds(now_seconds).map(|at| at.to_string()).unwrap_or_default();
    let mut letters = Letters::within(file.room_bytes());
    let mut is_away: Vec<_> = entries
        .iter()
        .map(|(DeadLetterEntry { id, body, status, reason, answer }, _)| {
            let record = format::original(id, body);
            let record = &String::from_utf8_lossy(&record);
            letters.add(&Letter { time: &time, id, status: *status, reason, answer, record })
        })
        .collect();
    let (written, error) = file.write_all(letters);
    is_away.iter_mut().filter(|is_away| **is_away).skip(written).for_each(|is_away| *is_away = false);
    (is_away, error)
}

/// How a line tells of more records than the one it names.
fn others(records: &[(DeadLetterEntry<'_>, Ticket)]) -> String {
    match records.len() {
        0 | 1 => String::new(),
        2 => ", and another with it".to_owned(),
        many => format!(", and {} others with it", many - 1),
    }
}
