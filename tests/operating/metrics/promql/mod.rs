//! As much of PromQL as the alerts use, over series that a test writes: what `promtool test rules` would say, where
//! nobody has it.
//!
//! - `parse`: a text to an expression; what it does not know is refused, so that no alert is half understood
//! - `eval`: an expression at a moment
//! - `rule`: an alert, and when it fires
//!
//! `increase` takes the difference of the samples without extrapolation to the ends of the range.

pub mod eval;
pub mod parse;
pub mod rule;

use std::collections::BTreeMap;

pub type Labels = BTreeMap<String, String>;

/// Samples of a metric with these labels, by second.
#[derive(Debug, Clone)]
pub struct Series {
    pub metric: String,
    pub labels: Labels,
    pub samples: Vec<(f64, f64)>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Expr {
    Number(f64),
    Time,
    Selector { metric: String, matchers: Vec<Matcher>, range: Option<f64>, offset: f64 },
    Call { function: String, argument: Box<Expr> },
    Aggregate { operator: String, by: Vec<String>, argument: Box<Expr> },
    Binary { operator: String, on: Option<Vec<String>>, left: Box<Expr>, right: Box<Expr> },
}

#[derive(Debug, Clone, PartialEq)]
pub struct Matcher {
    pub label: String,
    pub operator: String,
    pub value: String,
}

impl Matcher {
    pub fn fits(&self, labels: &Labels) -> bool {
        let value = labels.get(&self.label).map_or("", |value| value);
        let equal = value == self.value;
        let like = self.value.split('|').any(|pattern| match pattern.strip_suffix(".*") {
            Some(beginning) => value.starts_with(beginning),
            None => value == pattern,
        });
        match &*self.operator {
            "=" => equal,
            "!=" => !equal,
            "=~" => like,
            _ => !like,
        }
    }
}

impl Expr {
    /// Each metric that is read, with the labels that are matched.
    pub fn selectors(&self) -> Vec<(&str, &[Matcher])> {
        match self {
            Self::Number(_) | Self::Time => Vec::new(),
            Self::Selector { metric, matchers, .. } => vec![(metric, matchers)],
            Self::Call { argument, .. } | Self::Aggregate { argument, .. } => argument.selectors(),
            Self::Binary { left, right, .. } => [left.selectors(), right.selectors()].concat(),
        }
    }
}
