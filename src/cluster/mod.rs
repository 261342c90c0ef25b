//! The cluster as it is now: the threads that read the Kubernetes API, and the snapshot that they keep up.
//!
//! ```text
//! topology-<kind> ×14   request ─► bytes ─► Watch (topology) ─► changes ─► board     feeder, client, identity
//!                       whose turn it is while the API server is away                turns
//! topology-clock        what is gone for long is forgotten; what waits is shown      handle
//! topology-memory       the gone survive a restart                                   memory, unpacking
//! any thread            current(): an immutable snapshot, without waiting            board
//! ```
//! The connection of a feeder that is silent for long is given up (half-open connections look like that), and
//! what follows is the state machine's to say. `following` knows how far each kind can be believed, `lasting` what of it
//! is worth a line, and `words` says it.
//! `view` is what one instance sees of it. `shared` gives instances with equal settings one and the same.

mod board;
mod client;
mod feeder;
mod following;
mod handle;
mod identity;
mod lasting;
pub mod memory;
mod numbers;
mod shared;
mod timing;
mod turns;
mod unpacking;
mod view;
mod words;

pub use handle::Cluster;
pub use numbers::Numbers;
pub use shared::shared;
pub use timing::Timing;
pub use view::View;
