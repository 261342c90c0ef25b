//! The totals of one pass, as the plugin's own metrics tell them.

use std::collections::BTreeMap;
use std::time::Duration;

/// What a record's `correlation` may say.
pub const OUTCOMES: [&str; 6] = ["matched", "none", "unknown", "stale", "foreign", "not_ready"];

/// One pass of the recording through one process of the host.
#[derive(Clone, Copy, Debug)]
pub struct Pass {
    pub records: u64,
    pub duplicates: u64,
    pub delivered: u64,
    /// How many delivered ones say what in `correlation`, in the order of [`OUTCOMES`].
    pub correlated: [u64; OUTCOMES.len()],
    pub batches: u64,
    /// Size of the delivered batches, before compression.
    pub batch_bytes: u64,
    /// Size of the same, as they went over the wire.
    pub sent_bytes: u64,
    /// From the start of the host's process until the outcome of every record was known.
    pub took: Duration,
}

impl Pass {
    /// The metrics by their name with labels, as the host writes them.
    pub fn new(metrics: &BTreeMap<String, f64>, took: Duration) -> Pass {
        let number = |name: &str| counter(metrics, name).unwrap_or_else(|| panic!("no metric {name}"));
        Pass {
            records: number("records_total"),
            duplicates: number("duplicate_records_total"),
            delivered: number("delivered_records_total"),
            correlated: OUTCOMES.map(|word| {
                let is_word = |labels: &str| {
                    labels.split(|c: char| !c.is_alphanumeric() && c != '_').any(|it| it == word)
                };
                sum(metrics, "correlated_records_total", is_word).unwrap_or_default()
            }),
            batches: number("batches_total"),
            batch_bytes: number("batch_bytes_total"),
            sent_bytes: number("sent_bytes_total"),
            took,
        }
    }
}

/// Whether the plugin has read this many records and settled each. Counted as read comes first, so a look
/// in between says no.
pub fn settled(metrics: &BTreeMap<String, f64>, records: u64) -> bool {
    let outcomes = [
        "duplicate_records_total",
        "delivered_records_total",
        "excluded_records_total",
        "skipped_records_total",
        "dropped_records_total",
    ];
    let known: u64 = outcomes.iter().filter_map(|name| counter(metrics, name)).sum();
    known >= records && counter(metrics, "records_total").is_some_and(|read| read >= records)
}

fn counter(metrics: &BTreeMap<String, f64>, name: &str) -> Option<u64> {
    sum(metrics, name, |_| true)
}

/// The sum over all with that name and such labels; `None` where there are none.
fn sum(metrics: &BTreeMap<String, f64>, name: &str, fits: impl Fn(&str) -> bool) -> Option<u64> {
    let wanted = format!("event_gateway_{name}");
    let fitting = metrics.iter().filter(|(full, _)| {
        let (name, labels) = full.split_once('{').unwrap_or((full, ""));
        name == wanted && fits(labels)
    });
    let value = fitting.map(|(_, value)| *value).reduce(|all, one| all + one)?;
    // Counters below 2^53 stand exactly in the host's doubles; text is the way back without a cast.
    format!("{value:.0}").parse().ok()
}
