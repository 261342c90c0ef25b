//! The cluster as it is now: the threads that read the Kubernetes API, and the snapshot that they keep up.
//!
//! ```text
//! topology-<kind> ×14   request ─► bytes ─► Watch (topology) ─► changes ─► publisher     reflector, client, auth
//!                       whose turn it is while the API server is away                turns
//! topology-clock        what is gone for long is forgotten; what waits is shown      handle
//! topology-memory       the gone survive a restart                                   snapshot_file, unpacking
//! any thread            current(): an immutable snapshot, without waiting            publisher
//! ```
//! The connection of a reflector that is silent for long is given up (half-open connections look like that), and
//! what follows is the state machine's to say. `following` knows how far each kind can be believed, `lasting` what of it
//! is worth a line, and `words` says it.
//! `view` is what one instance sees of it. `shared` gives instances with equal settings one and the same.

mod auth;
mod bounded_gunzip;
mod client;
mod coordinator;
mod followed_kinds;
mod handle;
mod log_decision;
mod log_text;
mod numbers;
mod publisher;
mod reflector;
mod shared;
pub mod snapshot_file;
mod timing;
mod view;

pub use handle::Cluster;
pub use numbers::Numbers;
pub use shared::shared;
pub use timing::Timing;
pub use view::View;
