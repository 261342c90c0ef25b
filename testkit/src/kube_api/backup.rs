//! etcd restored from a backup: the objects and the resourceVersion go back, and the same versions are given again to
//! other changes.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::KubeApi;
use super::object::Object;
use super::resource::TABLE;
use super::store::Store;

/// All objects at one moment.
pub struct Backup {
    version: u64,
    collections: [Kept; TABLE.len()],
}

struct Kept {
    objects: BTreeMap<u64, Arc<Object>>,
    places: HashMap<String, u64>,
}

impl KubeApi {
    pub fn backup(&self) -> Backup {
        let state = self.replica.lock();
        let collections = state.store.collections.each_ref();
        let collections =
            collections.map(|one| Kept { objects: one.objects.clone(), places: one.places.clone() });
        Backup { version: state.store.version, collections }
    }

    /// Goes back to the backup, and restarts the server as an administrator does. Watches can begin at the version of
    /// the backup, not before. One from a version that is still to come is accepted, and silent until that has passed;
    /// so are those that are open on other servers over this store.
    pub fn restore(&self, backup: &Backup) {
        let runs = !self.replica.is_stopping(&self.replica.lock());
        if runs {
            self.stop();
        }
        {
            let mut state = self.replica.lock();
            backup.put_into(&mut state.store);
            state.pages.expire();
        }
        if runs {
            self.restart();
        }
    }
}

impl Backup {
    fn put_into(&self, store: &mut Store) {
        store.begin_at(self.version);
        for (collection, kept) in store.collections.iter_mut().zip(&self.collections) {
            collection.objects.clone_from(&kept.objects);
            collection.places.clone_from(&kept.places);
            collection.history.forget(self.version);
        }
    }
}
