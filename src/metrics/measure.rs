//! What the host needs to know of a metric, and its value.

/// The type of a metric, as Prometheus has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the variants are Prometheus' own words")]
pub enum MetricType {
    Counter,
    Gauge,
    Histogram,
}

/// What the host needs to create a metric.
#[derive(Debug, Clone, Copy)]
pub struct Described {
    /// Without the prefix `event_gateway_`, which `abi` adds.
    pub name: &'static str,
    /// Decides which of the host's types it becomes; a histogram becomes three metrics.
    pub metric_type: MetricType,
    /// The labels besides `name`, the instance's alias, which all metrics have.
    pub labels: &'static [&'static str],
    /// The combinations of label values; fixed, so that all time series exist from the start.
    pub label_values: &'static [&'static [&'static str]],
    /// The bounds of a histogram's buckets, without the last bucket, which has none.
    pub bounds: &'static [f64],
    /// One sentence for `# HELP`.
    pub help: &'static str,
}

/// The value of one metric now.
#[derive(Debug, Clone, PartialEq)]
pub enum Reading {
    /// The value of a counter or a gauge without labels.
    One(u64),
    /// A number for each combination of label values, in the order of [`Described::label_values`].
    ByLabel(Vec<u64>),
    /// All buckets, read at the same time.
    Histogram(Snapshot),
}

/// A value that can be published.
pub trait Measure {
    /// As [`Described::labels`].
    const LABELS: &'static [&'static str] = &[];
    /// As [`Described::label_values`].
    const LABEL_VALUES: &'static [&'static [&'static str]] = &[];
    /// As [`Described::bounds`].
    const BOUNDS: &'static [f64] = &[];

    /// The value now.
    fn read(&self) -> Reading;
}

/// The values of a histogram when it was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    /// A count for each bound and one more; each includes the counts below it.
    pub cumulative: Vec<u64>,
    /// The sum of all observed durations.
    pub sum_seconds: f64,
}

impl Snapshot {
    /// How many durations were observed.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.cumulative.last().copied().unwrap_or(0)
    }
}
