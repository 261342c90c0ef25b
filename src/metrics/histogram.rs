//! Durations, counted in buckets.
//!
//! An observation costs two additions. The cumulative buckets, the count and the sum that Prometheus expects are
//! computed when the histogram is read, so the count always equals the last bucket, whatever other threads add
//! meanwhile.

use std::marker::PhantomData;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use super::measure::{Measure, Reading, Snapshot};

/// The most buckets that a histogram has, including the last one, which has no bound.
const MOST_BUCKETS: usize = 16;

/// The upper bounds of a histogram's buckets in ascending order; the last bucket has none. A bound has at most six
/// digits, because hosts before 5.0 write `le` with six (cmetrics, `bucket_value_to_string`).
pub trait Bounds {
    /// The bounds, in seconds.
    const SECONDS: &'static [f64];
}

/// Counts durations by buckets; any thread may.
#[derive(Debug)]
pub struct Histogram<B> {
    buckets: [AtomicU64; MOST_BUCKETS],
    sum_micros: AtomicU64,
    bounds: PhantomData<fn() -> B>,
}

impl<B> Default for Histogram<B> {
    fn default() -> Self {
        Self { buckets: Default::default(), sum_micros: AtomicU64::default(), bounds: PhantomData }
    }
}

/// The longest duration that is observed. Kubernetes keeps an event for an hour, other stores for days.
const LONGEST: Duration = Duration::from_secs(30 * 86_400);

impl<B: Bounds> Histogram<B> {
    /// Counts one duration.
    pub fn observe(&self, took: Duration) {
        // A node without a clock dates its events 1970; a few thousand of them would overflow the sum.
        let took = took.min(LONGEST);
        const { assert!(B::SECONDS.len() < MOST_BUCKETS) };
        let seconds = took.as_secs_f64();
        let bucket = B::SECONDS.partition_point(|bound| *bound < seconds);
        if let Some(bucket) = self.buckets.get(bucket) {
            bucket.fetch_add(1, Relaxed);
        }
        self.sum_micros.fetch_add(u64::try_from(took.as_micros()).unwrap_or(u64::MAX), Relaxed);
    }

    /// The values now.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let mut below = 0;
        let cumulative = self.buckets.iter().take(B::SECONDS.len() + 1).map(|bucket| {
            below += bucket.load(Relaxed);
            below
        });
        let cumulative = cumulative.collect();
        #[expect(clippy::cast_precision_loss, reason = "the host keeps doubles")]
        let sum_seconds = self.sum_micros.load(Relaxed) as f64 / 1e6;
        Snapshot { cumulative, sum_seconds }
    }
}

impl<B: Bounds> Measure for Histogram<B> {
    const BOUNDS: &'static [f64] = B::SECONDS;

    fn read(&self) -> Reading {
        Reading::Histogram(self.snapshot())
    }
}

/// The bounds for requests to the gateway: from a fast local response to a long timeout.
#[derive(Debug)]
pub struct RequestBounds;

impl Bounds for RequestBounds {
    const SECONDS: &'static [f64] =
        &[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];
}

/// The bounds for the time from an event to its acknowledgement: most events have whole seconds, and the API server
/// keeps them for an hour.
#[derive(Debug)]
pub struct DeliveryBounds;

impl Bounds for DeliveryBounds {
    const SECONDS: &'static [f64] =
        &[0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0, 7200.0];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_belongs_to_its_bucket_and_every_bucket_holds_those_below() {
        let histogram = Histogram::<RequestBounds>::default();
        let millis = Duration::from_millis;
        for took in [Duration::ZERO, millis(5), millis(6), millis(60_000), millis(60_001), millis(1_000_000)]
        {
            histogram.observe(took);
        }
        let Snapshot { cumulative, sum_seconds } = histogram.snapshot();
        assert_eq!(cumulative, [2, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 4, 6]);
        assert_eq!(histogram.snapshot().count(), 6);
        assert!((sum_seconds - 1_120.012).abs() < 1e-9, "{sum_seconds}");
    }

    #[test]
    fn bounds_ascend_and_all_hosts_write_them_alike() {
        for bounds in [RequestBounds::SECONDS, DeliveryBounds::SECONDS] {
            assert!(bounds.windows(2).all(|pair| pair[0] < pair[1]), "{bounds:?}");
            // %g keeps six digits and writes exponents from 1e6 on and below 1e-4.
            for bound in bounds {
                let short = format!("{bound:?}");
                assert!(short.len() <= 7 && !short.contains('e') && *bound >= 1e-4, "{short}");
            }
        }
    }
}
