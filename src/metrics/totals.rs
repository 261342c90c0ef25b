//! What an instance did, in one line for the log at its end.

use super::Metrics;

impl Metrics {
    /// Every record is in one of these, or waits with the host. One that waited was read again each time.
    #[must_use]
    pub fn totals(&self) -> String {
        format!(
            "delivered {} of {} records in {} batches; {} duplicates, {} suppressed, {} excluded, {} skipped, {} \
             dead-lettered, {} dropped, {} of these ambiguous; {} name Services, {} name none, {} came before the first look at the \
             cluster; {} requests made again, {} chunks refused, {} writes of the ledger failed, which holds {} \
             versions",
            self.delivered_records_total.get(),
            self.records_total.get(),
            self.batches_total.get(),
            self.duplicate_records_total.get(),
            self.suppressed_updates_total.get(),
            self.excluded_records_total.get(),
            self.skipped_records_total.get(),
            self.dead_lettered_records_total.get(),
            self.dropped_records_total.get(),
            self.ambiguous_records_total.get(),
            self.matched_records_total.get(),
            self.unmatched_records_total.get(),
            self.not_ready_records_total.get(),
            self.request_retries_total.get(),
            self.refused_chunks_total.get(),
            self.ledger_failed_writes_total.get(),
            self.ledger_entries.get(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::super::FailureClass;
    use super::*;

    #[test]
    fn the_totals_hold_every_count_of_records() {
        let metrics = Metrics::default();
        let of_records = [
            &metrics.delivered_records_total,
            &metrics.records_total,
            &metrics.duplicate_records_total,
            &metrics.excluded_records_total,
            &metrics.skipped_records_total,
            &metrics.dead_lettered_records_total,
            &metrics.dropped_records_total,
            &metrics.ambiguous_records_total,
            &metrics.matched_records_total,
            &metrics.unmatched_records_total,
            &metrics.not_ready_records_total,
        ];
        let names = Metrics::DESCRIBED.iter().filter(|described| described.name.ends_with("records_total"));
        assert_eq!(names.count(), of_records.len(), "a new count belongs into the totals, too");
        let others = [
            &metrics.batches_total,
            &metrics.suppressed_updates_total,
            &metrics.refused_chunks_total,
            &metrics.ledger_failed_writes_total,
            &metrics.ledger_entries,
        ];
        let mut expected = vec![2];
        for _ in 0..2 {
            metrics.request_retries_total.add(FailureClass::Tls);
        }
        for (number, count) in of_records.into_iter().chain(others).zip(1_001..) {
            number.set(count);
            expected.push(count);
        }
        let totals = metrics.totals();
        let mut told: Vec<u64> = totals.split(' ').filter_map(|word| word.parse().ok()).collect();
        told.sort_unstable();
        assert_eq!(told, expected, "{totals}");
    }
}
