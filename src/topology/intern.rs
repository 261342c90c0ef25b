//! Strings that many objects share are held once.

use std::collections::HashSet;
use std::hash::Hash;
use std::sync::Arc;

use super::labels::Labels;
use super::object::Owner;

/// Remembers what it made, and hands out the same again. One for each kind: labels, namespaces and owners
/// repeat within a kind.
#[derive(Debug, Default)]
pub struct Interner {
    strings: HashSet<Arc<str>>,
    labels: HashSet<Arc<Labels>>,
    owners: HashSet<Arc<[Owner]>>,
    names: HashSet<Arc<[Arc<str>]>>,
    /// Grown to this, it lets go of what nobody else holds any more.
    sweep_at: usize,
}

/// Below this a sweep is not worth it.
const LEAST_SWEPT: usize = 4_096;

impl Interner {
    pub fn text(&mut self, text: &str) -> Arc<str> {
        shared(&mut self.strings, text)
    }

    pub fn labels(&mut self, labels: Labels) -> Arc<Labels> {
        match self.labels.get(&labels) {
            Some(known) => Arc::clone(known),
            None => {
                let new = Arc::new(labels);
                self.labels.insert(Arc::clone(&new));
                new
            }
        }
    }

    pub fn owners(&mut self, owners: &[Owner]) -> Arc<[Owner]> {
        shared(&mut self.owners, owners)
    }

    pub fn names(&mut self, names: &[Arc<str>]) -> Arc<[Arc<str>]> {
        shared(&mut self.names, names)
    }

    /// Lets go of what nobody else holds. To be called now and then; most calls do nothing.
    pub fn sweep(&mut self) {
        if self.len() < self.sweep_at.max(LEAST_SWEPT) {
            return;
        }
        // Outside in: labels and owners hold strings.
        self.labels.retain(|one| Arc::strong_count(one) > 1);
        self.owners.retain(|one| Arc::strong_count(one) > 1);
        self.names.retain(|one| Arc::strong_count(one) > 1);
        self.strings.retain(|one| Arc::strong_count(one) > 1);
        self.sweep_at = 2 * self.len();
    }

    fn len(&self) -> usize {
        self.strings.len() + self.labels.len() + self.owners.len() + self.names.len()
    }
}

fn shared<T>(set: &mut HashSet<Arc<T>>, value: &T) -> Arc<T>
where
    T: ?Sized + Hash + Eq,
    for<'v> Arc<T>: From<&'v T>,
{
    if let Some(known) = set.get(value) {
        return Arc::clone(known);
    }
    let new = Arc::from(value);
    set.insert(Arc::clone(&new));
    new
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_text_is_the_same_string_and_what_is_unused_goes() {
        let mut interner = Interner::default();
        let kept = interner.text("kept");
        assert!(Arc::ptr_eq(&kept, &interner.text("kept")));
        for n in 0..2 * LEAST_SWEPT {
            interner.text(&n.to_string());
        }
        interner.sweep();
        assert_eq!(interner.len(), 1);
        assert!(Arc::ptr_eq(&kept, &interner.text("kept")));
    }
}
