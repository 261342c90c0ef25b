//! Which object a name means: the one that is there, else the one that went last.

use super::index::Index;
use super::key::Key;

impl Index {
    /// From now on the name means this object. Who had it before is kept aside.
    pub(super) fn assign_name(&mut self, name: Key, uid: Key) {
        self.former.remove(name, uid);
        if let Some(before) = self.names.insert(name, uid).filter(|before| *before != uid) {
            self.former.insert(name, before);
        }
    }

    /// An object of an earlier run had this name. It means that one unless it means one that is there, or
    /// went later; `rank` is [`Object::rank`](super::object::Object::rank).
    pub(super) fn assign_former_name(&mut self, name: Key, uid: Key, rank: (bool, u64, u64)) {
        let known = self.names.get(&name).and_then(|uid| self.objects.get(uid));
        if known.is_some_and(|known| known.rank() > rank) {
            self.former.insert(name, uid);
        } else {
            self.assign_name(name, uid);
        }
    }

    /// The object is forgotten: the name means the next best.
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
