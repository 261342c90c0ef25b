//! As much of the Kubernetes API as a client asks for that lists and watches: every object of the resources in
//! `kube_api/resource.rs`, and all the ways in which a real API server fails.
//!
//! The rules that clients rely on hold here too. One resourceVersion for everything only rises. The items of a
//! list have neither `kind` nor `apiVersion`, the objects of a watch have both. A watch from version N begins
//! with all that came after N, or is refused when some of it is forgotten. All pages of a list show one moment.
//!
//! Leases can be written as well, under the rules of the real server; `kube_api/write.rs` has them.
//!
//! It can be late, one of several servers over one store, not ready after a start, back in the past, or restored from
//! a backup.
//!
//! Not here: writing anything else, patches, selectors but for one name, protobuf, gzip and streaming lists. Asking
//! for one of them is refused rather than answered wrongly.

mod answer;
mod asked;
mod backup;
mod balancer;
mod counters;
mod faults;
mod lease;
mod lease_rules;
mod object;
mod pages;
mod past;
mod replica;
mod replica_state;
mod request;
mod request_faults;
mod resource;
mod serve;
mod shared;
mod status;
mod status_of_object;
mod store;
mod transport;
mod watch;
mod write;
mod write_log;

pub use backup::Backup;
pub use balancer::{Balancer, Choice};
pub use past::Past;
pub use replica_state::NotReady;
pub use request::Request;
pub use request_faults::{RequestFault, Requests};
pub use resource::ALL;
pub use shared::TooOld;
pub use transport::Delivery;
pub use write_log::Write;

use std::sync::Arc;

use rustls::ServerConfig;
use serde_json::Value;

use super::certificates::TlsFiles;
use super::server::Server;
use replica::Replica;
use resource::Resource;

/// The server, on a port of its own of 127.0.0.1. Dropping it ends all connections and threads.
pub struct KubeApi {
    replica: Replica,
    server: Server,
    tls: Option<Arc<ServerConfig>>,
}

impl KubeApi {
    pub fn start() -> Self {
        Self::with(None)
    }

    /// A server that speaks TLS with these files: `Certificates::server()`, whose authority is `ca.pem`.
    pub fn start_tls(files: &TlsFiles) -> Self {
        Self::with(Some(files.server_config()))
    }

    /// A server that has these events from the start, with the versions that they carry.
    pub fn holding(events: impl IntoIterator<Item = Value>) -> Self {
        let api = Self::start();
        api.fill(events.into_iter().map(|event| ("events", event)));
        api
    }

    fn with(tls: Option<Arc<ServerConfig>>) -> Self {
        Self::over(Replica::new(&Arc::default()), tls)
    }

    fn over(replica: Replica, tls: Option<Arc<ServerConfig>>) -> Self {
        let api = KubeApi { replica, server: Server::new("API server"), tls };
        api.restart();
        api
    }

    /// Without a slash at the end; for the option `kube_url`, for example.
    pub fn url(&self) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.server.address())
    }

    pub fn port(&self) -> u16 {
        self.server.address().port()
    }

    /// Objects that were always there: they keep the versions that they carry, no watch hears of them, and none
    /// can begin before them. Takes any number, one at a time.
    pub fn fill<'a>(&self, objects: impl IntoIterator<Item = (&'a str, Value)>) {
        for (resource, mut object) in objects {
            self.replica.lock().store.fill(Resource::named(resource), &mut object);
        }
    }

    /// Makes or changes an object, known by its uid, and tells the watches. The resourceVersion that it carries
    /// holds if it is above all before it; else it gets the next one. Returned is the object as it is served.
    pub fn put(&self, resource: &str, mut object: Value) -> Value {
        let resource = Resource::named(resource);
        self.replica.lock().store.put(resource, &mut object);
        self.replica.changed[resource.0].notify_all();
        object
    }

    /// Deletes an object, known by its uid. The watches get the state given, with a version of its own;
    /// one that is not there is left alone.
    pub fn remove(&self, resource: &str, mut object: Value) -> Value {
        let resource = Resource::named(resource);
        self.replica.lock().store.delete(resource, &mut object);
        self.replica.changed[resource.0].notify_all();
        object
    }

    /// `put` for the resource that the object's kind tells; without one it is an event.
    pub fn add(&self, object: Value) -> Value {
        self.put(resource_of(&object), object)
    }

    /// The same: whether it is new, the server knows itself.
    pub fn modify(&self, object: Value) -> Value {
        self.add(object)
    }

    pub fn delete(&self, object: Value) -> Value {
        self.remove(resource_of(&object), object)
    }

    /// The newest resourceVersion.
    pub fn version(&self) -> u64 {
        self.replica.lock().store.version
    }

    /// How many objects of a resource there are.
    pub fn count(&self, resource: &str) -> usize {
        self.replica.lock().store.of(Resource::named(resource)).objects.len()
    }

    /// Closes all connections as a process does that dies. Until `restart` new ones are refused, the port stays
    /// ours, and watches that begin afterwards get what changes meanwhile.
    pub fn stop(&self) {
        self.replica.of(&mut self.replica.lock()).stopping = true;
        self.replica.notify_all();
        self.server.stop();
    }

    /// Listens again after `stop`, on the same port and with everything remembered.
    pub fn restart(&self) {
        self.replica.starts();
        let (replica, tls) = (self.replica.clone(), self.tls.clone());
        self.server.run(move |stream, _number| {
            // A client that breaks off is one that was killed, or does not trust us: nothing to report.
            let _ = serve::serve(&replica, stream, tls.clone());
        });
    }
}

impl Drop for KubeApi {
    fn drop(&mut self) {
        self.stop();
    }
}

fn resource_of(object: &Value) -> &'static str {
    Resource::of_kind(object["kind"].as_str()).names().resource
}
