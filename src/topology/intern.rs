//! Strings that many objects share are held once.

use std::collections::HashSet;
use std::sync::Arc;

use super::labels::{Label, Labels};
use super::object::{Owner, Owners};

/// Remembers what it made, and hands out the same again. One for each kind: labels, namespaces and owners
/// repeat within a kind.
#[derive(Debug, Default)]
pub struct Interner {
    strings: HashSet<Arc<str>>,
    label: HashSet<Arc<Label>>,
    labels: HashSet<Arc<Labels>>,
    owners: HashSet<Arc<Box<[Owner]>>>,
    /// Grown to this, it lets go of what nobody else holds any more.
    sweep_at: usize,
}

/// Below this a sweep is not worth it.
const LEAST_SWEPT: usize = 4_096;

impl Interner {
    pub fn text(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.strings.get(text) {
            return Arc::clone(known);
        }
        let new: Arc<str> = text.into();
        self.strings.insert(Arc::clone(&new));
        new
    }

    pub fn label(&mut self, name: &str, value: &str) -> Arc<Label> {
        let label = Label::new(self.text(name), self.text(value));
        if let Some(known) = self.label.get(&label) {
            return Arc::clone(known);
        }
        let new = Arc::new(label);
        self.label.insert(Arc::clone(&new));
        new
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

    pub fn owners(&mut self, owners: Vec<Owner>) -> Owners {
        if owners.is_empty() {
            return None;
        }
        let owners = owners.into_boxed_slice();
        if let Some(known) = self.owners.get(&owners) {
            return Some(Arc::clone(known));
        }
        let new = Arc::new(owners);
        self.owners.insert(Arc::clone(&new));
        Some(new)
    }

    /// Lets go of what nobody else holds. To be called now and then; most calls do nothing.
    pub fn sweep(&mut self) {
        if self.len() < self.sweep_at.max(LEAST_SWEPT) {
            return;
        }
        // Outside in: labels and owners hold strings.
        self.labels.retain(|one| Arc::strong_count(one) > 1);
        self.label.retain(|one| Arc::strong_count(one) > 1);
        self.owners.retain(|one| Arc::strong_count(one) > 1);
        self.strings.retain(|one| Arc::strong_count(one) > 1);
        self.sweep_at = 2 * self.len();
    }

    fn len(&self) -> usize {
        self.strings.len() + self.label.len() + self.labels.len() + self.owners.len()
    }
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
