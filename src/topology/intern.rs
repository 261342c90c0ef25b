//! Strings that many objects share are held once.
//!
//! What repeats, repeats soon: a list has the pods of one ReplicaSet next to each other. So little is
//! remembered, and all of it forgotten when there is too much; a later state of an object takes over what it
//! has in common with the one before ([`Object::share`](super::object::Object::share)).

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::key::{BuildIdentityHasher, Key};
use super::labels::{Label, Labels};
use super::object::{Owner, Owners};

/// Remembers what it made, and hands out the same again. One for each kind: labels, namespaces and owners
/// repeat within a kind.
#[derive(Debug, Default)]
pub struct Interner {
    strings: HashSet<Arc<str>>,
    label: HashMap<Key, Arc<Label>, BuildIdentityHasher>,
    labels: HashSet<Arc<Labels>>,
    owners: HashSet<Arc<Box<[Owner]>>>,
}

/// Entries of all tables.
const MOST: usize = 4_096;

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

    /// To be called between two objects: starts anew when there is too much.
    pub fn bound(&mut self) {
        if self.strings.len() + self.label.len() + self.labels.len() + self.owners.len() > MOST {
            // Not emptied but made anew: tables keep their size.
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
