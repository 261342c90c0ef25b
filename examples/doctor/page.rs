//! A page of metrics, of the plugin and of Fluent Bit: lines of the form `<metric>{<label>="<value>",…} <value>`.
//!
//! Lines that cannot be parsed are ignored.

use std::collections::{BTreeMap, BTreeSet};

const OURS: &str = "event_gateway_";

#[derive(Debug, Default)]
pub struct Page {
    samples: BTreeMap<String, Vec<Sample>>,
    instances: BTreeSet<String>,
}

#[derive(Debug)]
struct Sample {
    labels: Vec<(String, String)>,
    value: f64,
}

impl Sample {
    fn label(&self, name: &str) -> Option<&str> {
        self.labels.iter().find(|(label, _)| label == name).map(|(_, value)| &**value)
    }
}

impl Page {
    pub fn read(text: &str) -> Self {
        let mut page = Self::default();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let Some((metric, sample)) = sample(line) else { continue };
            if metric.starts_with(OURS) {
                page.instances.extend(sample.label("name").map(str::to_owned));
            }
            page.samples.entry(metric.to_owned()).or_default().push(sample);
        }
        page
    }

    /// The outputs `event_gateway` of the host.
    pub fn instances(&self) -> &BTreeSet<String> {
        &self.instances
    }

    /// The value of one of the plugin's metrics that has no label besides `name`.
    pub fn figure(&self, instance: &str, figure: &str) -> Option<f64> {
        self.of(instance, figure).find(|sample| sample.labels.len() == 1).map(|sample| sample.value)
    }

    /// The values of a metric by its other labels.
    pub fn labelled<'p>(
        &'p self,
        instance: &'p str,
        figure: &str,
        labels: &'p [&'p str],
    ) -> Vec<(Vec<&'p str>, f64)> {
        let values = |sample: &'p Sample| {
            let values: Option<Vec<&str>> = labels.iter().map(|label| sample.label(label)).collect();
            Some((values?, sample.value))
        };
        self.of(instance, figure).filter_map(values).collect()
    }

    fn of<'p>(&'p self, instance: &'p str, figure: &str) -> impl Iterator<Item = &'p Sample> {
        let samples = self.samples.get(&format!("{OURS}{figure}"));
        samples.into_iter().flatten().filter(move |sample| sample.label("name") == Some(instance))
    }

    /// One of Fluent Bit's own metrics: each input or output that has it, and its value.
    pub fn of_host(&self, metric: &str) -> Vec<(&str, f64)> {
        let samples = self.samples.get(metric).into_iter().flatten();
        samples.map(|sample| (sample.label("name").unwrap_or_default(), sample.value)).collect()
    }

    /// The sum of the same over all inputs or outputs; `None` if the host does not publish it.
    pub fn sum_of_host(&self, metric: &str) -> Option<f64> {
        let of_host = self.of_host(metric);
        (!of_host.is_empty()).then(|| of_host.iter().map(|(_, value)| value).sum())
    }

    /// The same of one input or output; 0 if it is not published.
    pub fn host_figure(&self, instance: &str, metric: &str) -> f64 {
        self.of_host(metric).into_iter().find(|(name, _)| *name == instance).map_or(0.0, |(_, value)| value)
    }
}

/// The name of a metric, and the sample of its line.
fn sample(line: &str) -> Option<(&str, Sample)> {
    let end = line.find(['{', ' '])?;
    let (metric, rest) = line.split_at(end);
    let (labels, rest) = match rest.strip_prefix('{') {
        Some(rest) => labels(rest)?,
        None => (Vec::new(), rest),
    };
    let value = rest.split_whitespace().next()?.parse().ok()?;
    Some((metric, Sample { labels, value }))
}

/// The labels up to the closing brace, and the text after it. Values may contain commas, braces and escapes.
fn labels(mut rest: &str) -> Option<(Vec<(String, String)>, &str)> {
    let mut labels = Vec::new();
    loop {
        rest = rest.trim_start_matches([',', ' ']);
        if let Some(rest) = rest.strip_prefix('}') {
            return Some((labels, rest));
        }
        let (label, quoted) = rest.split_once("=\"")?;
        let mut value = String::new();
        let mut signs = quoted.char_indices();
        loop {
            match signs.next()? {
                (at, '"') => {
                    rest = &quoted[at + 1..];
                    break;
                }
                (_, '\\') => match signs.next()?.1 {
                    'n' => value.push('\n'),
                    sign => value.push(sign),
                },
                (_, sign) => value.push(sign),
            }
        }
        labels.push((label.to_owned(), value));
    }
}
