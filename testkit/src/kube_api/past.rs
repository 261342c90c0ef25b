//! Time travel: after a reconnect a server shows an older state than before. A client that reaches another API server
//! sees that, if the cache of that one is behind; it is the "stale state" of Sieve (OSDI '22).

use std::time::Duration;

use super::KubeApi;
use super::resource::Resource;

/// What is of the past.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Past {
    /// Watches, and what the watch cache answers. Consistent reads are of the present, and so is `resourceVersion=0`
    /// of events, which have no cache.
    Cache,
    /// Consistent reads as well: an etcd that answers without asking its peers, or was restored.
    EveryRead,
}

impl KubeApi {
    /// Cuts all connections to this server and starts it again; from then on it shows a resource as it was when this
    /// version was the newest one, until `catch_up`. A watch from a later version is silent until that has passed.
    /// Writes are applied to the present.
    pub fn go_back(&self, resource: &str, version: u64, past: Past) {
        let runs = !self.replica.is_stopping(&self.replica.lock());
        if runs {
            self.stop();
        }
        {
            let mut state = self.replica.lock();
            let moment = state.store.moment_of(version);
            let replica = self.replica.of(&mut state);
            for resource in Resource::matching(resource) {
                replica.go_back(resource, moment, past == Past::EveryRead);
            }
        }
        if runs {
            self.restart();
        }
    }

    /// Shows the present again, also to the watches that are open.
    pub fn catch_up(&self, resource: &str) {
        self.lag(resource, Duration::ZERO);
    }
}
