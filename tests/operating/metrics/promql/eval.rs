//! An expression at a moment.

use super::{Expr, Labels, Series};

/// How long a sample counts; Prometheus' default.
const LOOKBACK: f64 = 300.0;

#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Scalar(f64),
    Vector(Vec<(Labels, f64)>),
}

pub fn eval(expr: &Expr, series: &[Series], now: f64) -> Value {
    match expr {
        Expr::Number(number) => Value::Scalar(*number),
        Expr::Time => Value::Scalar(now),
        Expr::Selector { range: Some(_), .. } => panic!("a range stands in a function"),
        Expr::Selector { offset, .. } => {
            let at = now - offset;
            let newest = |series: &Series| {
                let sample = series.samples.iter().rev().find(|(second, _)| *second <= at)?;
                (sample.0 > at - LOOKBACK).then_some(sample.1)
            };
            Value::Vector(
                selected(expr, series).filter_map(|s| Some((s.labels.clone(), newest(s)?))).collect(),
            )
        }
        Expr::Call { function, argument } if function == "increase" => increase(argument, series, now),
        Expr::Call { argument, .. } => match eval(argument, series, now) {
            Value::Vector(found) if found.is_empty() => Value::Vector(vec![(Labels::new(), 1.0)]),
            _ => Value::Vector(Vec::new()),
        },
        Expr::Aggregate { operator, by, argument } => {
            let Value::Vector(found) = eval(argument, series, now) else { panic!("a vector is aggregated") };
            let mut groups: Vec<(Labels, f64)> = Vec::new();
            for (labels, value) in found {
                let labels = only(&labels, by);
                match groups.iter_mut().find(|(group, _)| *group == labels) {
                    None => groups.push((labels, value)),
                    Some((_, so_far)) => {
                        *so_far = match &**operator {
                            "sum" => *so_far + value,
                            "max" => so_far.max(value),
                            _ => so_far.min(value),
                        }
                    }
                }
            }
            Value::Vector(groups)
        }
        Expr::Binary { operator, on, left, right } => {
            binary(operator, on.as_deref(), eval(left, series, now), eval(right, series, now))
        }
    }
}

fn selected<'s>(expr: &Expr, series: &'s [Series]) -> impl Iterator<Item = &'s Series> {
    let Expr::Selector { metric, matchers, .. } = expr else { panic!("a selector is asked for") };
    series.iter().filter(move |series| {
        series.metric == *metric && matchers.iter().all(|matcher| matcher.fits(&series.labels))
    })
}

fn increase(argument: &Expr, series: &[Series], now: f64) -> Value {
    let Expr::Selector { range: Some(range), offset, .. } = argument else { panic!("increase() of a range") };
    let (from, to) = (now - offset - range, now - offset);
    let of_one = |series: &Series| {
        let inside = series.samples.iter().filter(|(second, _)| *second > from && *second <= to);
        let values: Vec<f64> = inside.map(|(_, value)| *value).collect();
        // A counter that falls has begun again.
        let grown = values.windows(2).map(|pair| if pair[1] < pair[0] { pair[1] } else { pair[1] - pair[0] });
        (values.len() > 1).then(|| (series.labels.clone(), grown.sum()))
    };
    Value::Vector(selected(argument, series).filter_map(of_one).collect())
}

fn only(labels: &Labels, names: &[String]) -> Labels {
    names.iter().filter_map(|name| Some((name.clone(), labels.get(name)?.clone()))).collect()
}

fn binary(operator: &str, on: Option<&[String]>, left: Value, right: Value) -> Value {
    let key = |labels: &Labels| on.map_or_else(|| labels.clone(), |names| only(labels, names));
    match (left, right) {
        (Value::Scalar(a), Value::Scalar(b)) => Value::Scalar(number(operator, a, b).expect("arithmetic")),
        (Value::Vector(left), Value::Scalar(b)) => {
            let one = |(labels, a)| Some((labels, number(operator, a, b)?));
            Value::Vector(left.into_iter().filter_map(one).collect())
        }
        (Value::Scalar(a), Value::Vector(right)) => {
            let one = |(labels, b)| Some((labels, number(operator, a, b)?));
            Value::Vector(right.into_iter().filter_map(one).collect())
        }
        (Value::Vector(mut left), Value::Vector(right)) => {
            let is_there = |labels: &Labels| right.iter().any(|(other, _)| key(other) == key(labels));
            match operator {
                "and" => left.retain(|(labels, _)| is_there(labels)),
                "unless" => left.retain(|(labels, _)| !is_there(labels)),
                "or" => {
                    let more = right
                        .into_iter()
                        .filter(|(labels, _)| left.iter().all(|(l, _)| key(l) != key(labels)));
                    let more: Vec<_> = more.collect();
                    left.extend(more);
                }
                _ => {
                    left = left
                        .into_iter()
                        .filter_map(|(labels, a)| {
                            let mut partners = right.iter().filter(|(other, _)| key(other) == key(&labels));
                            let b = partners.next()?.1;
                            assert!(
                                partners.next().is_none(),
                                "{operator}: many on the right for {labels:?}"
                            );
                            Some((key(&labels), number(operator, a, b)?))
                        })
                        .collect();
                }
            }
            Value::Vector(left)
        }
    }
}

/// The result; of a comparison the left side, where it holds.
fn number(operator: &str, a: f64, b: f64) -> Option<f64> {
    match operator {
        "+" => Some(a + b),
        "-" => Some(a - b),
        "*" => Some(a * b),
        "/" => Some(a / b),
        "==" => (a == b).then_some(a),
        "!=" => (a != b).then_some(a),
        ">" => (a > b).then_some(a),
        "<" => (a < b).then_some(a),
        ">=" => (a >= b).then_some(a),
        "<=" => (a <= b).then_some(a),
        _ => panic!("{operator} wants vectors"),
    }
}
