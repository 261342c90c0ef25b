//! Leases as a test reads and writes them from outside: without the rules of the API, as an administrator or another
//! program could have left them, and without a request.

use std::time::Duration;

use serde_json::{Value, json};

use super::KubeApi;
use super::asked::Scope;
use super::resource::Resource;
use super::store::Store;

impl KubeApi {
    /// The Lease as it is now.
    pub fn lease(&self, namespace: &str, name: &str) -> Option<Value> {
        read(&self.replica.lock().store, &scope(namespace, name))
    }

    /// Puts a Lease there, whatever was there before, under the uid of that. Damaged ones are taken, too.
    pub fn put_lease(&self, namespace: &str, name: &str, mut lease: Value) -> Value {
        let mut state = self.replica.lock();
        let found = read(&state.store, &scope(namespace, name)).unwrap_or_default();
        let uid = found["metadata"]["uid"].as_str().map(str::to_owned);
        lease["metadata"]["namespace"] = namespace.into();
        lease["metadata"]["name"] = name.into();
        lease["metadata"]["uid"] = uid.unwrap_or_else(|| state.store.next_uid()).into();
        state.store.put_next(leases(), &mut lease);
        drop(state);
        self.lease_changed();
        lease
    }

    /// Changes the Lease that is there, at once and whatever others do meanwhile.
    pub fn edit_lease(&self, namespace: &str, name: &str, edit: impl FnOnce(&mut Value)) -> Value {
        let mut state = self.replica.lock();
        let found = read(&state.store, &scope(namespace, name));
        let mut lease = found.unwrap_or_else(|| panic!("there is no Lease {namespace}/{name}"));
        edit(&mut lease);
        state.store.put_next(leases(), &mut lease);
        drop(state);
        self.lease_changed();
        lease
    }

    /// Holds the Lease under this name, with a renewal of now; the rest of it stays.
    pub fn hold_lease(&self, namespace: &str, name: &str, holder: &str, renew_time: &str) -> Value {
        self.edit_lease(namespace, name, |lease| {
            lease["spec"]["holderIdentity"] = holder.into();
            lease["spec"]["renewTime"] = renew_time.into();
            let transitions = lease["spec"]["leaseTransitions"].as_i64().unwrap_or_default();
            lease["spec"]["leaseTransitions"] = json!(transitions + 1);
        })
    }

    /// Deletes it; whoever makes it anew gives it another uid.
    pub fn delete_lease(&self, namespace: &str, name: &str) {
        let mut state = self.replica.lock();
        if let Some(mut lease) = read(&state.store, &scope(namespace, name)) {
            state.store.delete(leases(), &mut lease);
        }
        drop(state);
        self.lease_changed();
    }

    /// Waits until the Lease is there and `done` says yes of it; returns it as it was then.
    pub fn wait_for_lease(
        &self,
        (namespace, name): (&str, &str),
        what: &str,
        bound: Duration,
        mut done: impl FnMut(&Value) -> bool,
    ) -> Value {
        let (scope, mut found) = (scope(namespace, name), None);
        self.wait(&format!("the Lease {namespace}/{name}: {what}"), bound, |state| {
            found = read(&state.store, &scope).filter(&mut done);
            found.is_some()
        });
        found.expect("the wait is over")
    }

    fn lease_changed(&self) {
        self.replica.changed[leases().0].notify_all();
        self.replica.seen.notify_all();
    }
}

fn leases() -> Resource {
    Resource::named("leases")
}

fn scope(namespace: &str, name: &str) -> Scope {
    Scope { namespace: Some(namespace.to_owned()), name: Some(name.to_owned()) }
}

fn read(store: &Store, scope: &Scope) -> Option<Value> {
    store.find(leases(), scope).map(|object| object.value(leases()))
}
