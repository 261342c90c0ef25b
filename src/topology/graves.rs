//! What was deleted is remembered for a while, in the order in which it went, and not without a bound.

use std::collections::BTreeSet;

use super::key::Key;

/// Deleted objects, oldest first.
#[derive(Debug, Default)]
pub struct Graves {
    by_time: BTreeSet<(u64, Key)>,
}

impl Graves {
    pub fn dig(&mut self, uid: Key, deleted_seconds: u64) {
        self.by_time.insert((deleted_seconds, uid));
    }

    pub fn open(&mut self, uid: Key, deleted_seconds: u64) {
        self.by_time.remove(&(deleted_seconds, uid));
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.by_time.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_time.is_empty()
    }

    /// Takes the oldest, with the time at which it went, if that was at `until` or before.
    pub fn take_until(&mut self, until_seconds: u64) -> Option<(u64, Key)> {
        let (deleted_seconds, _) = self.by_time.first()?;
        if *deleted_seconds > until_seconds {
            return None;
        }
        self.by_time.pop_first()
    }

    /// Takes the oldest, if there are more than `most`.
    pub fn take_above(&mut self, most: usize) -> Option<(u64, Key)> {
        if self.by_time.len() <= most {
            return None;
        }
        self.by_time.pop_first()
    }
}
