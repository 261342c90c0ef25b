//! The metrics of one instance in the host's own registry (cmetrics), which the host publishes.
//!
//! Only the engine's thread may use it: the label maps take no lock before cmetrics 2.2. Its rules:
//! 1. Init creates every label set, with a first value of 0. Later only values change.
//! 2. A histogram is set as a whole, with cumulative buckets, as `cmt_histogram_observe` would leave it. The host's
//!    function reads one bucket more than there are bounds and checks nothing.
//! 3. A host that corrupts histograms ([`version::copies_histograms`]) gets the same samples as untyped metrics:
//!    `<name>_bucket` with the label `le`, `<name>_sum` and `<name>_count`.

use std::ffi::{CStr, CString, c_char, c_int, c_void};

use super::symbols::{self, BucketsCreate, HistogramCreate, HistogramSet, MetricCreate, MetricSet};
use super::version;
use crate::metrics::{Described, MetricType, Metrics, Reading};

/// The host's functions; all of 2.2 to 5.1 have them.
struct Cmetrics {
    counter: (MetricCreate, MetricSet),
    gauge: (MetricCreate, MetricSet),
    histogram: Histograms,
}

#[derive(Clone, Copy)]
enum Histograms {
    Whole(BucketsCreate, HistogramCreate, HistogramSet),
    /// As untyped metrics.
    InPieces(MetricCreate, MetricSet),
}

impl Cmetrics {
    fn find() -> Option<Self> {
        // SAFETY: the types of the host's headers, the same in 2.2 to 5.1.
        unsafe {
            let counter = (symbols::find(c"cmt_counter_create")?, symbols::find(c"cmt_counter_set")?);
            let gauge = (symbols::find(c"cmt_gauge_create")?, symbols::find(c"cmt_gauge_set")?);
            let histogram = if version::copies_histograms() {
                Histograms::Whole(
                    symbols::find(c"cmt_histogram_buckets_create_size")?,
                    symbols::find(c"cmt_histogram_create")?,
                    symbols::find(c"cmt_histogram_set_default")?,
                )
            } else {
                Histograms::InPieces(
                    symbols::find(c"cmt_untyped_create")?,
                    symbols::find(c"cmt_untyped_set")?,
                )
            };
            Some(Self { counter, gauge, histogram })
        }
    }
}

/// A metric of the host that has one number for each label set.
struct Value {
    metric: *mut c_void,
    set: MetricSet,
}

/// A metric in the host's registry.
enum Entry {
    One(Value),
    /// A metric with labels besides the name, and the combinations of their values.
    ByLabel(Value, Vec<Vec<CString>>),
    Histogram {
        metric: *mut c_void,
        set: HistogramSet,
    },
    /// A histogram as untyped metrics, and the values of `le`.
    Pieces {
        bucket: Value,
        sum: Value,
        count: Value,
        bounds: Vec<CString>,
    },
}

/// The metrics, in the order of [`Metrics::DESCRIBED`].
pub struct Registry {
    /// The instance's name, the value of the label that all metrics have.
    name: CString,
    entries: Vec<Entry>,
}

impl Registry {
    /// Creates all metrics. `None` if the host has no registry or lacks a function.
    ///
    /// # Safety
    /// `registry` must be the `struct cmt` of the instance, or null, and [`Registry::write`] may be called only while
    /// it lives. Both must be called on the engine's thread.
    pub unsafe fn fill(registry: *mut c_void, name: &CStr) -> Option<Self> {
        if registry.is_null() {
            return None;
        }
        let maker = Maker { registry, cmetrics: Cmetrics::find()? };
        let entries =
            Metrics::DESCRIBED.iter().map(|described| maker.entry(described)).collect::<Option<_>>()?;
        Some(Self { name: name.to_owned(), entries })
    }

    /// Writes values in the order of [`Metrics::DESCRIBED`].
    pub fn write(&self, readings: &[Reading], unix_nanos: u64) {
        for (entry, reading) in self.entries.iter().zip(readings) {
            match (entry, reading) {
                (Entry::One(value), Reading::One(now)) => self.set(value, &[], float(*now), unix_nanos),
                (Entry::ByLabel(value, sets), Reading::ByLabel(now)) => {
                    for (label, now) in sets.iter().zip(now) {
                        self.set(value, label, float(*now), unix_nanos);
                    }
                }
                (Entry::Histogram { metric, set }, Reading::Histogram(now)) => {
                    let labels = [self.name.as_ptr()];
                    // SAFETY: the metric was created in this registry with one label, and a snapshot has one bucket
                    // for each bound and one more; the host copies all of it.
                    unsafe {
                        set(
                            *metric,
                            unix_nanos,
                            now.cumulative.as_ptr(),
                            now.sum_seconds,
                            now.count(),
                            1,
                            labels.as_ptr(),
                        )
                    };
                }
                (Entry::Pieces { bucket, sum, count, bounds }, Reading::Histogram(now)) => {
                    for (bound, below) in bounds.iter().zip(&now.cumulative) {
                        self.set(bucket, std::slice::from_ref(bound), float(*below), unix_nanos);
                    }
                    self.set(sum, &[], now.sum_seconds, unix_nanos);
                    self.set(count, &[], float(now.count()), unix_nanos);
                }
                _ => {}
            }
        }
    }

    fn set(&self, value: &Value, labels: &[CString], now: f64, unix_nanos: u64) {
        let mut pointers = [self.name.as_ptr(); 1 + MOST_LABELS];
        for (pointer, label) in pointers[1..].iter_mut().zip(labels) {
            *pointer = label.as_ptr();
        }
        let count = label_count(labels.len());
        // SAFETY: the metric was created in this registry with this number of labels; the host copies them.
        unsafe { (value.set)(value.metric, unix_nanos, now, count, pointers.as_ptr()) };
    }
}

/// Creates the entries of one registry.
struct Maker {
    registry: *mut c_void,
    cmetrics: Cmetrics,
}

impl Maker {
    fn entry(&self, described: &Described) -> Option<Entry> {
        let functions = match (described.metric_type, self.cmetrics.histogram) {
            (MetricType::Counter, _) => self.cmetrics.counter,
            (MetricType::Gauge, _) => self.cmetrics.gauge,
            (MetricType::Histogram, Histograms::InPieces(create, set)) => {
                let piece = |suffix, labels: &[&str]| self.value((create, set), described, suffix, labels);
                return Some(Entry::Pieces {
                    bucket: piece("_bucket", &["le"])?,
                    sum: piece("_sum", &[])?,
                    count: piece("_count", &[])?,
                    bounds: bounds_as_text(described.bounds)?,
                });
            }
            (MetricType::Histogram, Histograms::Whole(buckets, create, set)) => {
                return self.histogram(described, buckets, create, set);
            }
        };
        let value = self.value(functions, described, "", described.labels)?;
        if described.labels.is_empty() {
            return Some(Entry::One(value));
        }
        let sets: Option<_> = described.label_values.iter().copied().map(c_strings).collect();
        Some(Entry::ByLabel(value, sets?))
    }

    fn value(
        &self,
        (create, set): (MetricCreate, MetricSet),
        described: &Described,
        suffix: &str,
        labels: &[&str],
    ) -> Option<Value> {
        let name = CString::new(format!("{}{suffix}", described.name)).ok()?;
        let help = CString::new(described.help).ok()?;
        let labels = c_strings(labels)?;
        let mut keys = [c"name".as_ptr(); 1 + MOST_LABELS];
        for (key, label) in keys[1..].iter_mut().zip(&labels) {
            *key = label.as_ptr();
        }
        let count = label_count(labels.len());
        // SAFETY: the registry is the host's own; all strings are C strings, which it copies.
        let metric = unsafe {
            create(
                self.registry,
                NAMESPACE.as_ptr(),
                c"".as_ptr(),
                name.as_ptr(),
                help.as_ptr(),
                count,
                keys.as_ptr(),
            )
        };
        (!metric.is_null()).then_some(Value { metric, set })
    }

    fn histogram(
        &self,
        described: &Described,
        buckets: BucketsCreate,
        create: HistogramCreate,
        set: HistogramSet,
    ) -> Option<Entry> {
        let name = CString::new(described.name).ok()?;
        let help = CString::new(described.help).ok()?;
        let keys: [*const c_char; 1] = [c"name".as_ptr()];
        // SAFETY: as in `value`; the host copies the bounds, and the histogram takes over the buckets.
        let metric = unsafe {
            let buckets = buckets(described.bounds.as_ptr(), described.bounds.len());
            if buckets.is_null() {
                return None;
            }
            create(
                self.registry,
                NAMESPACE.as_ptr(),
                c"".as_ptr(),
                name.as_ptr(),
                help.as_ptr(),
                buckets,
                1,
                keys.as_ptr(),
            )
        };
        (!metric.is_null()).then_some(Entry::Histogram { metric, set })
    }
}

const NAMESPACE: &CStr = c"event_gateway";

/// The most labels that a metric has besides the name.
const MOST_LABELS: usize = 2;

fn label_count(labels: usize) -> c_int {
    1 + c_int::try_from(labels.min(MOST_LABELS)).unwrap_or(0)
}

fn c_strings(texts: &[&str]) -> Option<Vec<CString>> {
    texts.iter().map(|text| CString::new(*text).ok()).collect()
}

/// The bounds as the host writes them in `le`: `0.5`, `1.0`, `+Inf`.
fn bounds_as_text(bounds: &[f64]) -> Option<Vec<CString>> {
    let texts = bounds.iter().map(|bound| format!("{bound:?}")).chain(["+Inf".to_owned()]);
    texts.map(|text| CString::new(text).ok()).collect()
}

/// The number as a double, which is what the host keeps.
#[expect(clippy::cast_precision_loss, reason = "exact up to 2^53, which no count here reaches")]
fn float(number: u64) -> f64 {
    number as f64
}
