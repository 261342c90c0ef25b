//! Stores strings shared by many objects once.
//!
//! Repetitions are close together: a list has the pods of one ReplicaSet next to each other. So the interner
//! stays small and forgets everything when it is full. A later state of an object takes over what it shares
//! with the earlier one ([`Object::share`](super::object::Object::share)).

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::key::{BuildIdentityHasher, Key};
use super::labels::{Label, Labels};
use super::object::{Owner, Owners};

/// Returns the same allocation for equal values. Each kind has its own interner, because labels, namespaces
/// and owners repeat within a kind.
#[derive(Debug, Default)]
pub struct Interner {
    strings: HashSet<Arc<str>>,
    label: HashMap<Key, Arc<Label>, BuildIdentityHasher>,
    labels: HashSet<Arc<Labels>>,
    owners: HashSet<Arc<Box<[Owner]>>>,
}

/// Maximum number of entries in all tables together.
const MOST: usize = 4_096;

impl Interner {
    /// The shared copy of a text.
    pub fn text(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.strings.get(text) {
            return Arc::clone(known);
        }
        let new: Arc<str> = text.into();
        self.strings.insert(Arc::clone(&new));
        new
    }

    /// The shared copy of a label.
    pub fn label(&mut self, name: &str, value: &str) -> Arc<Label> {
        let key = Label::key_of(name, value);
        if let Some(known) = self.label.get(&key)
            && (&*known.name, &*known.value) == (name, value)
        {
            return Arc::clone(known);
        }
        let new = Arc::new(Label::new(self.text(name), value.into()));
        self.label.insert(key, Arc::clone(&new));
        new
    }

    /// The shared copy of a set of labels.
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

    /// The shared copy of a list of owners.
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

    /// Call this between two objects: it clears the interner when it is full.
    pub fn bound(&mut self) {
        if self.strings.len() + self.label.len() + self.labels.len() + self.owners.len() > MOST {
            // A new interner, because a cleared table keeps its capacity.
            *self = Self::default();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_text_is_the_same_string_and_little_is_remembered() {
        let mut interner = Interner::default();
        let kept = interner.text("kept");
        interner.bound();
        assert!(Arc::ptr_eq(&kept, &interner.text("kept")));
        for n in 0..=MOST {
            interner.text(&n.to_string());
        }
        interner.bound();
        assert!(interner.strings.is_empty());
        assert!(!Arc::ptr_eq(&kept, &interner.text("kept")));
    }
}
