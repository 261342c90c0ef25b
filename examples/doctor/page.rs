//! Our own lines of a page of metrics: `event_gateway_<figure>{name="<output>",…} <value>`.
//!
//! Whatever else is on the page, or cannot be read, is passed over.

use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug, Default)]
pub struct Page {
    /// By figure and output; the labels besides `name` make further ones: `request_retries_total tls`.
    figures: BTreeMap<(String, String), f64>,
    instances: BTreeSet<String>,
}

impl Page {
    pub fn read(text: &str) -> Self {
        let mut page = Self::default();
        for line in text.lines() {
            if let Some((figure, instance, value)) = sample(line) {
                page.instances.insert(instance.clone());
                page.figures.insert((figure, instance), value);
            }
        }
        page
    }

    /// The outputs of the host.
    pub fn instances(&self) -> &BTreeSet<String> {
        &self.instances
    }

    pub fn figure(&self, instance: &str, name: &str) -> Option<f64> {
        self.figures.get(&(name.to_owned(), instance.to_owned())).copied()
    }

    /// The values of a figure's second label that are above 0, the highest first.
    pub fn counted(&self, instance: &str, name: &str) -> Vec<(&str, f64)> {
        let of_it = self.figures.iter().filter(|((_, of), value)| of == instance && **value > 0.0);
        let mut found: Vec<(&str, f64)> = of_it
            .filter_map(|((figure, _), value)| Some((figure.strip_prefix(name)?.strip_prefix(' ')?, *value)))
            .collect();
        found.sort_by(|a, b| b.1.total_cmp(&a.1));
        found
    }
}

/// Figure, output and value of one line.
fn sample(line: &str) -> Option<(String, String, f64)> {
    let (figure, rest) = line.strip_prefix("event_gateway_")?.split_once('{')?;
    let (labels, rest) = labels(rest)?;
    let value = rest.split_whitespace().next()?.parse().ok()?;
    let mut figure = figure.to_owned();
    let mut instance = None;
    for (label, text) in labels {
        if label == "name" {
            instance = Some(text);
        } else {
            figure += &format!(" {text}");
        }
    }
    Some((figure, instance?, value))
}

/// The labels up to the closing brace, and what follows it. Values may hold commas, braces and escapes.
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
