//! An alert, and when it fires: its expression has held at each evaluation for so long.

use super::eval::{Value, eval};
use super::parse::{duration, parse};
use super::{Expr, Labels, Series};

#[derive(Debug)]
pub struct Rule {
    pub name: String,
    pub expr: Expr,
    /// `for`, in seconds.
    pub hold: f64,
}

impl Rule {
    /// The block of an alert in the file, and its expression, by its name.
    pub fn read(name: &str, block: &str, expression: &str) -> Result<Self, String> {
        let expr = parse(expression).map_err(|why| format!("{name}: {why}"))?;
        let hold = block.split("\n          for: ").nth(1).and_then(|rest| rest.lines().next());
        let hold = hold.map_or(Some(0.0), duration).ok_or_else(|| format!("{name}: for is no time"))?;
        Ok(Self { name: name.to_owned(), expr, hold })
    }

    /// The labels for which it holds at this second.
    pub fn holds_for(&self, series: &[Series], now: f64) -> Vec<Labels> {
        match eval(&self.expr, series, now) {
            Value::Vector(found) => found.into_iter().map(|(labels, _)| labels).collect(),
            Value::Scalar(_) => panic!("{} is a number", self.name),
        }
    }

    /// When it first fires, evaluated first at this second and then this often up to the end.
    pub fn fires_at(&self, series: &[Series], first: f64, interval: f64, end: f64) -> Option<f64> {
        let mut pending: Vec<(Labels, f64)> = Vec::new();
        let mut now = first;
        while now <= end {
            let holds = self.holds_for(series, now);
            pending.retain(|(labels, _)| holds.contains(labels));
            for labels in holds {
                if pending.iter().all(|(known, _)| *known != labels) {
                    pending.push((labels, now));
                }
            }
            if pending.iter().any(|(_, since)| now - since >= self.hold) {
                return Some(now);
            }
            now += interval;
        }
        None
    }
}
