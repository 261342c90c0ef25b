//! Label selectors with expressions, as in PodDisruptionBudgets (`metav1.LabelSelector`).

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::labels::Labels;

/// All conditions must hold. A selector without conditions selects everything.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Selector {
    /// `matchLabels`: the object has all of them.
    pub labels: Arc<Labels>,
    /// `matchExpressions`: all of them hold.
    pub expressions: Box<[Expression]>,
}

/// One of `matchExpressions`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expression {
    /// `key`: the name of the label.
    pub name: Arc<str>,
    /// How the label is compared with `values`.
    pub operator: Operator,
    /// Empty for `Exists` and `DoesNotExist`.
    pub values: Box<[Arc<str>]>,
}

/// The operators of `matchExpressions`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Operator {
    /// The label has one of the values.
    In,
    /// Also holds if the label is missing.
    NotIn,
    /// The label is there, with any value.
    Exists,
    /// The label is missing.
    DoesNotExist,
}

impl Selector {
    /// Upper bound of the comparisons with one pod's labels.
    #[must_use]
    pub fn pairs(&self) -> usize {
        self.labels.len()
            + self.expressions.iter().map(|expression| 1 + expression.values.len()).sum::<usize>()
    }

    /// Whether all of it matches these labels.
    #[must_use]
    pub fn selects(&self, labels: &Labels) -> bool {
        labels.hold_all(&self.labels) && self.expressions.iter().all(|expression| expression.holds(labels))
    }
}

impl Expression {
    fn holds(&self, labels: &Labels) -> bool {
        let value = labels.get(&self.name);
        let listed = |value: &str| self.values.iter().any(|one| **one == *value);
        match self.operator {
            Operator::In => value.is_some_and(listed),
            Operator::NotIn => !value.is_some_and(listed),
            Operator::Exists => value.is_some(),
            Operator::DoesNotExist => value.is_none(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topology::labels::Label;

    #[test]
    fn each_operator_with_and_without_the_label() {
        let with = Labels::new([Arc::new(Label::new("tier".into(), "front".into()))]);
        let without = Labels::default();
        for (operator, values, holds_with, holds_without) in [
            (Operator::In, &["front", "back"][..], true, false),
            (Operator::In, &["back"], false, false),
            (Operator::NotIn, &["front"], false, true),
            (Operator::NotIn, &["back"], true, true),
            (Operator::Exists, &[], true, false),
            (Operator::DoesNotExist, &[], false, true),
        ] {
            let values = values.iter().map(|value| Arc::from(*value)).collect();
            let expression = Expression { name: "tier".into(), operator, values };
            let selector = Selector { labels: Arc::default(), expressions: [expression].into() };
            assert_eq!(selector.selects(&with), holds_with, "{selector:?}");
            assert_eq!(selector.selects(&without), holds_without, "{selector:?}");
        }
        assert!(Selector::default().selects(&without));
    }
}
