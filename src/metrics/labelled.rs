//! A number for each of a fixed set of label values, so that all time series exist from the start.

use std::marker::PhantomData;

use super::measure::{Measure, Reading};
use super::number::Number;

/// The labels of a metric besides `name`, and their combinations of values.
pub trait LabelSet {
    /// Names of the labels.
    const LABELS: &'static [&'static str];
    /// The combinations, each with one value for each of [`LabelSet::LABELS`].
    const VALUES: &'static [&'static [&'static str]];
}

/// Rows of label values as [`LabelSet::VALUES`] holds them.
pub const fn slices<const ROWS: usize, const LABELS: usize>(
    rows: &'static [[&'static str; LABELS]; ROWS],
) -> [&'static [&'static str]; ROWS] {
    let mut slices: [&'static [&'static str]; ROWS] = [&[]; ROWS];
    let mut place = 0;
    while place < ROWS {
        slices[place] = &rows[place];
        place += 1;
    }
    slices
}

/// A number for each combination of values.
#[derive(Debug)]
pub struct Labelled<L> {
    numbers: Box<[Number]>,
    set: PhantomData<L>,
}

impl<L: LabelSet> Default for Labelled<L> {
    fn default() -> Self {
        Self { numbers: L::VALUES.iter().map(|_| Number::default()).collect(), set: PhantomData }
    }
}

impl<L: LabelSet> Labelled<L> {
    /// The number for these label values; `None` if they are not in the set.
    #[must_use]
    pub fn of(&self, values: &[&str]) -> Option<&Number> {
        let place = L::VALUES.iter().position(|known| *known == values)?;
        self.numbers.get(place)
    }

    /// All label values with their numbers, in the order of the set.
    pub fn each(&self) -> impl Iterator<Item = (&'static [&'static str], &Number)> {
        L::VALUES.iter().copied().zip(&self.numbers)
    }

    /// The sum of all numbers.
    #[must_use]
    pub fn sum(&self) -> u64 {
        self.numbers.iter().map(Number::get).sum()
    }
}

impl<L: LabelSet> Measure for Labelled<L> {
    const LABELS: &'static [&'static str] = L::LABELS;
    const LABEL_VALUES: &'static [&'static [&'static str]] = L::VALUES;

    fn read(&self) -> Reading {
        Reading::ByLabel(self.numbers.iter().map(Number::get).collect())
    }
}
