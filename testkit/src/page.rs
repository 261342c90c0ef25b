//! A page of metrics in Prometheus text, read by a strict parser: one wrong line fails the test.
use std::collections::BTreeMap;

use event_gateway::metrics::{Described, FailureClass, MetricType, Metrics};
use openmetrics_parser::prometheus::parse_prometheus;
use openmetrics_parser::{HistogramValue, PrometheusType, PrometheusValue};

/// The labels of a sample, by name.
type Labels = BTreeMap<String, String>;

/// All samples of a page. The parts of a histogram are samples with the names that they have in the text.
#[derive(Debug)]
pub struct Page {
    samples: Vec<(String, Labels, f64)>,
    types: BTreeMap<String, &'static str>,
    helps: BTreeMap<String, String>,
}

impl Page {
    #[track_caller]
    pub fn parse(text: &str) -> Page {
        let parsed = parse_prometheus(text).unwrap_or_else(|error| panic!("{error:?} in:\n{text}"));
        let mut page = Page { samples: Vec::new(), types: BTreeMap::new(), helps: BTreeMap::new() };
        for (name, family) in &parsed.families {
            page.types.insert(name.clone(), type_name(&family.family_type));
            page.helps.insert(name.clone(), family.help.clone());
            for sample in family.iter_samples() {
                let labels = sample.get_labelset().expect("labels of a sample");
                let labels = labels.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
                page.add(name, &labels, &sample.value);
            }
        }
        page
    }

    fn add(&mut self, name: &str, labels: &Labels, value: &PrometheusValue) {
        let mut push =
            |name: String, labels: &Labels, value| self.samples.push((name, labels.clone(), value));
        match value {
            PrometheusValue::Unknown(number) | PrometheusValue::Gauge(number) => {
                push(name.to_owned(), labels, number.as_f64());
            }
            PrometheusValue::Counter(counter) => push(name.to_owned(), labels, counter.value.as_f64()),
            PrometheusValue::Histogram(HistogramValue { sum, count, buckets, .. }) => {
                for bucket in buckets {
                    let mut labels = labels.clone();
                    labels.insert("le".to_owned(), bucket.upper_bound.to_string());
                    push(format!("{name}_bucket"), &labels, bucket.count.as_f64());
                }
                push(format!("{name}_sum"), labels, sum.as_ref().expect("a sum").as_f64());
                push(format!("{name}_count"), labels, count.expect("a count") as f64);
            }
            PrometheusValue::Summary(_) => {}
        }
    }

    /// One of our metrics of one instance, without a further label.
    #[track_caller]
    pub fn of(&self, instance: &str, name: &str) -> f64 {
        self.of_all(instance, name, |labels| labels.len() == 1)
    }

    /// The requests that failed in one way.
    #[track_caller]
    pub fn retries(&self, instance: &str, class: FailureClass) -> f64 {
        self.of_all(instance, "request_retries_total", |labels| labels["class"] == class.name())
    }

    #[track_caller]
    fn of_all(&self, instance: &str, name: &str, wanted: impl Fn(&Labels) -> bool) -> f64 {
        let full = format!("event_gateway_{name}");
        let is_it =
            |labels: &Labels| labels.get("name").is_some_and(|name| name == instance) && wanted(labels);
        let found: Vec<f64> = self
            .samples
            .iter()
            .filter(|(name, labels, _)| *name == full && is_it(labels))
            .map(|(_, _, value)| *value)
            .collect();
        assert_eq!(found.len(), 1, "{full} of {instance}");
        found[0]
    }

    /// Everything of the code's table is there for this instance, with its type, help and labels, and every
    /// histogram is whole, as the host's type or in pieces.
    #[track_caller]
    pub fn assert_complete(&self, instance: &str, histograms_are_whole: bool) {
        for described in Metrics::DESCRIBED {
            let full = format!("event_gateway_{}", described.name);
            let kind = match described.metric_type {
                MetricType::Counter => "counter",
                MetricType::Gauge => "gauge",
                MetricType::Histogram => {
                    self.assert_histogram(instance, described, histograms_are_whole);
                    continue;
                }
            };
            assert_eq!(self.types.get(&full), Some(&kind), "{full}");
            assert_eq!(self.helps[&full], described.help, "{full}");
            if described.labels.is_empty() {
                self.of(instance, described.name);
            }
            for values in described.label_values {
                self.of_all(instance, described.name, |labels| {
                    described.labels.iter().zip(*values).all(|(label, value)| labels[*label] == *value)
                });
            }
        }
    }

    #[track_caller]
    fn assert_histogram(&self, instance: &str, described: &Described, is_whole: bool) {
        let full = format!("event_gateway_{}", described.name);
        if is_whole {
            assert_eq!(self.types.get(&full), Some(&"histogram"), "{full}");
        } else {
            for piece in ["_bucket", "_sum", "_count"] {
                assert_eq!(self.types.get(&format!("{full}{piece}")), Some(&"untyped"), "{full}{piece}");
            }
        }
        let mut below = 0.0;
        for bound in described.bounds.iter().chain([&f64::INFINITY]) {
            let bucket = self.of_all(instance, &format!("{}_bucket", described.name), |labels| {
                // As a number: `1.0` and `1` are one bound, but `le` must be one.
                labels["le"].parse::<f64>().expect("a number in le").total_cmp(bound).is_eq()
            });
            assert!(bucket >= below, "{full}: {bucket} up to {bound}, {below} before");
            below = bucket;
        }
        assert_eq!(self.of(instance, &format!("{}_count", described.name)), below, "{full}: count and +Inf");
        let sum = self.of(instance, &format!("{}_sum", described.name));
        assert!(sum >= 0.0 && (below > 0.0 || sum == 0.0), "{full}: {below} observations of {sum} s");
    }
}

fn type_name(kind: &PrometheusType) -> &'static str {
    match kind {
        PrometheusType::Counter => "counter",
        PrometheusType::Gauge => "gauge",
        PrometheusType::Histogram => "histogram",
        PrometheusType::Summary => "summary",
        PrometheusType::Unknown => "untyped",
    }
}
