//! Which object a name means: the live one, or the last one deleted.

use super::index::Index;
use super::key::Key;

impl Index {
    /// Gives the name to this object. The object that had the name moves to `former`.
    pub(super) fn assign_name(&mut self, name: Key, uid: Key) {
        self.former.remove(name, uid);
        if let Some(before) = self.names.insert(name, uid).filter(|before| *before != uid) {
            self.former.insert(name, before);
        }
    }

    /// Adds an object of an earlier run that had this name. The name means this object unless a live one or
    /// one deleted later has the name; `rank` is [`Object::rank`](super::object::Object::rank).
    pub(super) fn assign_former_name(&mut self, name: Key, uid: Key, rank: (bool, u64, u64)) {
        let known = self.names.get(&name).and_then(|uid| self.objects.get(uid));
        if known.is_some_and(|known| known.rank() > rank) {
            self.former.insert(name, uid);
        } else {
            self.assign_name(name, uid);
        }
    }

    /// Removes an object. The name then means the next best of its former holders.
    pub(super) fn forget_name(&mut self, name: Key, uid: Key) {
        self.former.remove(name, uid);
        if self.names.get(&name) != Some(&uid) {
            return;
        }
        let rank = |uid: &Key| self.objects.get(uid).map(|object| object.rank());
        match self.former.of(name).max_by_key(rank) {
            Some(next) => {
                self.former.remove(name, next);
                self.names.insert(name, next);
            }
            None => drop(self.names.remove(&name)),
        }
    }
}
