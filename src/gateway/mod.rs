//! The way to the gateway: batches, transports, backoff and dead letters. No service's name is known here.
//!
//! - `batch`: which records share a request
//! - `packer`, `gzip`: compression of a body
//! - `transport`: one batch, one disposition: over HTTP, into a socket, into files
//! - `outgoing`: how much of a body was sent
//! - `gate`: the backoff after a failure; `shown_gate`: the same with its metrics
//! - `dead_letter`, `letter`: records that the gateway will never take
//! - `append`: one write into a file, all of it or nothing
//!
//! The HTTP client, its credentials, certificates and its stop are in [`net`](crate::net); what a response means is in
//! [`response`](crate::response) and, where a service has rules of its own, in its [`format`](crate::format).

mod append;
pub mod batch;
mod dead_letter;
mod gate;
mod gzip;
mod letter;
mod outgoing;
mod packer;
mod shown_gate;
pub mod transport;

pub use crate::net::stop::Stopper;
pub use dead_letter::{DeadLetterError, DeadLetterFile};
pub use gate::Gate;
pub use gzip::Gzip;
pub use letter::{Letter, Letters};
pub use packer::Packer;
pub use shown_gate::ShownGate;
pub use transport::{Packed, Post, Transport};
