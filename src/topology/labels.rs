//! Labels: sorted pairs, shared by all objects that have the same set.

use std::sync::Arc;

use serde::{Deserialize, Serialize, Serializer};

use super::key::Key;

/// Labels or annotations, sorted by name. Each pair has the key that selector look-ups use.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(from = "Vec<Arc<Label>>")]
pub struct Labels {
    pairs: Box<[Arc<Label>]>,
    /// Total length of names and values; kept here because the pairs are elsewhere in memory.
    bytes: usize,
}

/// Up to this many labels, comparing every pair with every other is cheap.
const FEW: usize = 32;

/// A name and a value, with the key of both.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "Pair")]
pub struct Label {
    /// With its prefix, such as `app.kubernetes.io/name`.
    pub name: Arc<str>,
    /// May be empty.
    pub value: Box<str>,
    /// Key of name and value. Valid in this process only.
    #[serde(skip_serializing)]
    pub key: Key,
}

/// A label as it is stored.
#[derive(Deserialize)]
struct Pair {
    name: Arc<str>,
    value: Box<str>,
}

impl From<Pair> for Label {
    fn from(pair: Pair) -> Self {
        Self::new(pair.name, pair.value)
    }
}

impl Label {
    /// Names are shared by many labels, values rarely.
    #[must_use]
    pub fn new(name: Arc<str>, value: Box<str>) -> Self {
        let key = Self::key_of(&name, &value);
        Self { name, value, key }
    }

    /// The key that a label of this name and value has.
    #[must_use]
    pub fn key_of(name: &str, value: &str) -> Key {
        Key::of(name).with(Key::of(value))
    }
}

impl From<Vec<Arc<Label>>> for Labels {
    fn from(pairs: Vec<Arc<Label>>) -> Self {
        let bytes = pairs.iter().map(|label| label.name.len() + label.value.len()).sum();
        Self { pairs: pairs.into(), bytes }
    }
}

impl Serialize for Labels {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.pairs.serialize(serializer)
    }
}

impl Labels {
    /// Builds the set from labels in any order. If a name occurs twice, the last value counts, as in JSON.
    #[must_use]
    pub fn new(labels: impl IntoIterator<Item = Arc<Label>>) -> Self {
        let mut labels: Vec<Arc<Label>> = labels.into_iter().collect();
        labels.reverse();
        labels.sort_by(|a, b| a.name.cmp(&b.name));
        labels.dedup_by(|next, kept| next.name == kept.name);
        labels.into()
    }

    /// The value of a name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let at = self.pairs.binary_search_by(|label| (*label.name).cmp(name)).ok()?;
        Some(&self.pairs[at].value)
    }

    /// In the order of their names.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Label> {
        self.pairs.iter().map(|label| &**label)
    }

    /// Number of labels.
    #[must_use]
    pub fn len(&self) -> usize {
        self.pairs.len()
    }

    /// Total length of all names and values.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether there is no label.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    /// Whether every pair of `wanted` is in this set.
    #[must_use]
    pub fn hold_all(&self, wanted: &Self) -> bool {
        if wanted.len() > FEW || self.len() > FEW {
            // Anybody who may write a pod and a Service may give each 100,000 labels, so a quadratic
            // comparison would be an attack.
            return wanted.len() <= self.len()
                && wanted.iter().all(|want| self.get(&want.name).is_some_and(|value| *value == *want.value));
        }
        // Compares keys: the strings are elsewhere in memory, and both sets are small.
        wanted.pairs.iter().all(|want| self.pairs.iter().any(|label| label.key == want.key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub fn labels(pairs: &[(&str, &str)]) -> Labels {
        Labels::new(pairs.iter().map(|(name, value)| Arc::new(Label::new((*name).into(), (*value).into()))))
    }

    #[test]
    fn pairs_are_sorted_and_the_last_of_a_name_counts() {
        let labels = labels(&[("b", "1"), ("a", "2"), ("b", "3")]);
        assert_eq!((labels.get("a"), labels.get("b"), labels.get("c")), (Some("2"), Some("3"), None));
        assert_eq!(labels.iter().len(), 2);
    }

    #[test]
    fn all_of_the_wanted_must_be_there() {
        let pod = labels(&[("app", "cart"), ("tier", "front"), ("zone", "1")]);
        for (wanted, held) in [
            (labels(&[("app", "cart")]), true),
            (labels(&[("app", "cart"), ("zone", "1")]), true),
            (labels(&[("app", "web")]), false),
            (labels(&[("app", "cart"), ("b", "1")]), false),
            (labels(&[("zzz", "1")]), false),
            (labels(&[]), true),
        ] {
            assert_eq!(pod.hold_all(&wanted), held, "{wanted:?}");
        }
        let many = |from: usize, to: usize, value: &str| {
            let names: Vec<String> = (from..to).map(|number| format!("l{number}")).collect();
            labels(&names.iter().map(|name| (&**name, value)).collect::<Vec<_>>())
        };
        let pod = many(0, 1_000, "a");
        for (wanted, held) in [(many(0, 1_000, "a"), true), (many(5, 6, "a"), true), (many(5, 6, "b"), false)]
        {
            assert_eq!(pod.hold_all(&wanted), held);
        }
        assert!(!pod.hold_all(&many(500, 1_001, "a")) && !many(0, 2, "a").hold_all(&pod));
    }
}
