//! The cluster as it is now: the threads that read the Kubernetes API, and the snapshot that they keep up.
//!
//! ```text
//! topology-<kind> ×14   request ─► bytes ─► Watch (topology) ─► changes ─► board     feeder, client, identity
//! topology-clock        what is gone for long is forgotten; what waits is shown      handle
//! topology-memory       the gone survive a restart                                   memory
//! any thread            current(): an immutable snapshot, without waiting            board
//! ```
//! The connection of a feeder that is silent for longer than the API server's bookmarks allow is given up
//! (half-open connections look like that), and what follows is the state machine's to say.
//! `view` is what one instance sees of it. `shared` gives instances with equal settings one and the same.

mod board;
mod client;
mod feeder;
mod handle;
mod identity;
pub mod memory;
mod numbers;
mod shared;
mod timing;
mod view;

pub use handle::Cluster;
pub use numbers::Numbers;
pub use shared::shared;
pub use timing::Timing;
pub use view::View;
