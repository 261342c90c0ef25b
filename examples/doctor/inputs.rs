//! The inputs that read events, and which of them have read nothing since the first page.
//!
//! Fluent Bit names an input `kubernetes_events.0`, or by its alias. An input with an alias must be named with `--input`,
//! because the counters of other inputs say nothing about it.

use std::collections::BTreeMap;

use super::page::Page;

const OF_EVENTS: &str = "kubernetes_events";
const RECORDS: &str = "fluentbit_input_records_total";

/// Inputs that have read nothing since the first page, each with its counter.
#[derive(Debug, PartialEq)]
pub struct Silent(BTreeMap<String, f64>);

impl Silent {
    /// All inputs that read events: the named ones, or, without names, those called `kubernetes_events`.
    ///
    /// # Errors
    /// Says why they cannot be determined.
    pub fn on(page: &Page, named: &[String]) -> Result<Self, String> {
        let all = page.of_host(RECORDS);
        if let Some(missing) = named.iter().find(|name| all.iter().all(|(other, _)| other != name)) {
            let there: Vec<&str> = all.iter().map(|(name, _)| *name).collect();
            return Err(format!("the page has no input {missing}, but {}", there.join(", ")));
        }
        let is_one =
            |name: &str| named.iter().any(|n| n == name) || named.is_empty() && name.starts_with(OF_EVENTS);
        let inputs: BTreeMap<String, f64> = all
            .into_iter()
            .filter(|(name, _)| is_one(name))
            .map(|(name, records)| (name.to_owned(), records))
            .collect();
        if inputs.is_empty() {
            return Err(format!(
                "it is not known which input reads events: none is named {OF_EVENTS}; give --input NAME"
            ));
        }
        Ok(Self(inputs))
    }

    /// Removes the inputs that have read something. A counter that fell was reset.
    pub fn look_at(&mut self, page: &Page) {
        for (name, records) in page.of_host(RECORDS) {
            if self.0.get(name).is_some_and(|before| records > *before) {
                self.0.remove(name);
            } else if let Some(before) = self.0.get_mut(name) {
                *before = records;
            }
        }
    }

    pub fn names(&self) -> Vec<String> {
        self.0.keys().cloned().collect()
    }
}
