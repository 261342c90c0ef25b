//! The way out: batches to the gateway, and what becomes of them.
//!
//! - `transport`: one batch, one verdict: over HTTP, into a socket, into files
//! - `answer`: what a status means; `dialect`: where a service means something else
//! - `outgoing`: how much of a body has gone
//! - `disposition`: what became of a batch
//! - `partial_success`: what a 2xx says beyond itself
//! - `gate`: the silence after a failure
//! - `shown_gate`: what the metrics tell of it
//! - `dead_letter`: what the gateway will never take
//! - `append`: one write into a file, all of it or nothing
//! - `batch`: what goes together
//! - `packer`, `gzip`: what makes it small
//!
//! The HTTP client, its credentials, certificates and its stop are in [`net`](crate::net).

mod answer;
mod append;
pub mod batch;
mod dead_letter;
mod dialect;
mod disposition;
mod gate;
mod gzip;
mod letter;
mod outgoing;
mod packer;
mod partial_success;
mod shown_gate;
pub mod transport;

pub use crate::net::retry_after::LONGEST_RETRY_AFTER;
pub use crate::net::stop::Stopper;
pub use answer::{Answer, judge};
pub use dead_letter::{DeadLetterError, DeadLetterFile};
pub use disposition::{ANSWER_KEPT_BYTES, Disposition, Doubt, RecordOutcome};
pub use gate::Gate;
pub use gzip::Gzip;
pub use letter::{Letter, Letters};
pub use packer::Packer;
pub use partial_success::classify_body;
pub use shown_gate::ShownGate;
pub use transport::{Packed, Post, Transport};
