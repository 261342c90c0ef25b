//! The totals of an instance, in one log line at its exit.

use super::{Metrics, Number};

impl Metrics {
    /// Every record is in at least one of these counts, or waits in the host: a record that waited is read again each
    /// time, and a dead letter with the reason `ambiguous` counts as both.
    #[must_use]
    pub fn totals(&self) -> String {
        let correlated = |word| self.correlated_records_total.of(&[word]).map_or(0, Number::get);
        format!(
            "delivered {} of {} records in {} batches; {} duplicates, {} suppressed, {} excluded, {} skipped, {} \
             dead-lettered, {} dropped, {} of these ambiguous; {} name Services, {} name none, {} are about unknown \
             objects, {} may be out of date, {} lie in another namespace than their objects, {} came before the \
             first look at the cluster; {} requests retried, {} chunks refused, {} writes of the ledger failed, which \
             holds {} versions",
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
            correlated("matched"),
            correlated("none"),
            correlated("unknown"),
            correlated("stale"),
            correlated("foreign"),
            correlated("not_ready"),
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
        ];
        let names = Metrics::DESCRIBED.iter().filter(|described| described.name.ends_with("records_total"));
        // The first has labels. The others count what happened to records on their way, and not what became of them.
        let left_out = [
            "correlated_records_total",
            "correlation_incomplete_records_total",
            "correlation_delayed_records_total",
            "correlation_not_delayed_records_total",
        ];
        let names = names.filter(|described| !left_out.contains(&described.name));
        assert_eq!(names.count(), of_records.len(), "a new count belongs in the totals, too");
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
        let by_label = metrics.correlated_records_total.each().map(|(_, number)| number);
        for (number, count) in of_records.into_iter().chain(others).chain(by_label).zip(1_001..) {
            number.set(count);
            expected.push(count);
        }
        let totals = metrics.totals();
        let mut shown: Vec<u64> = totals.split(' ').filter_map(|word| word.parse().ok()).collect();
        shown.sort_unstable();
        assert_eq!(shown, expected, "{totals}");
    }
}
