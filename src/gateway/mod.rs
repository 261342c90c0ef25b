//! Sends batches: batches, transports, backoff and dead letters. It names no service.
//!
//! - `batch`: the records that share a request
//! - `packer`, `gzip`: compression of a body
//! - `transport`: sends one batch over HTTP, into a socket or into files, and returns its disposition
//! - `outgoing`: how much of a body was sent
//! - `backoff`: whether the endpoint is open or closed after a failure; `endpoint_state`: the same with its metrics
//! - `dead_letter`: the file of records that will not be delivered; `dead_letter_line`: its lines
//! - `append`: one write to a file, all of it or nothing
//!
//! The HTTP client, its credentials, its certificates and its stop are in [`net`](crate::net). What a response means is
//! in [`response`](crate::response) and, for rules of one service, in its [`format`](crate::format).

mod append;
mod backoff;
pub mod batch;
mod dead_letter;
mod dead_letter_line;
mod endpoint_state;
mod gzip;
mod outgoing;
mod packer;
pub mod transport;

pub use crate::net::stop::Stopper;
pub use backoff::Backoff;
pub use dead_letter::{DeadLetterError, DeadLetterFile};
pub use dead_letter_line::{DeadLetterLine, DeadLetterLines};
pub use endpoint_state::EndpointState;
pub use gzip::Gzip;
pub use packer::Packer;
pub use transport::{Packed, Post, Transport};
