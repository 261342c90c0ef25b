//! Follows a Kubernetes cluster: the threads that list and watch, and the snapshot that they maintain.
//!
//! ```text
//! topology-<kind> ×14   request ─► bytes ─► Watch (topology) ─► changes ─► publisher     reflector, client
//!                       turns during an outage of the API server                     coordinator
//! topology-clock        expires tombstones, publishes pending changes                handle
//! topology-snapshot     saves deleted and live objects for the next start            snapshot_file, bounded_gunzip
//! any thread            current(): an immutable snapshot, without waiting            publisher
//! ```
//! A reflector drops a connection that stays silent for too long, because a half-open connection looks the
//! same; the state machine decides what follows. `followed_kinds` tracks how fresh each kind is,
//! `log_decision` decides which losses are logged, and `log_text` words them. `view` is one plugin instance's
//! view of the cluster. `shared` lets instances with equal settings use one cluster. `connection` and `auth` serve
//! other rooms too that speak with the API server.

mod auth;
mod bounded_gunzip;
mod client;
mod connection;
mod coordinator;
mod followed_kinds;
mod handle;
mod log_decision;
mod log_text;
#[cfg(test)]
mod model;
mod numbers;
mod publisher;
mod reflector;
mod shared;
pub mod snapshot_file;
mod timing;
mod view;

pub(crate) use auth::Auth;
pub(crate) use client::Client;
pub(crate) use connection::{Connection, Cut};
pub use handle::Cluster;
pub use numbers::Numbers;
pub(crate) use reflector::{chance, shown};
pub use shared::shared;
pub use timing::Timing;
pub use view::View;
