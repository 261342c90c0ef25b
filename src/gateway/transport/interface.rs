//! The trait of a transport, and what it sends.

use std::time::Duration;

use crate::format::Format;
use crate::net::stop::Stopper;
use crate::response::Disposition;

/// One batch to send.
#[derive(Clone, Copy)]
pub struct Post<'a> {
    /// The body, compressed if the settings say so.
    pub body: Packed<'a>,
    /// The type of the body; only requests use it.
    pub content_type: &'a str,
    /// The same for every try of the same batch, in ASCII letters and digits; only requests use it.
    pub idempotency_key: &'a str,
    /// Classifies the response.
    pub format: &'a dyn Format,
    /// The number of its records.
    pub records: usize,
}

/// A body as it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packed<'a> {
    /// The body.
    pub bytes: &'a [u8],
    /// Whether the body is compressed.
    pub is_gzip: bool,
}

/// Sends the batches of one output instance.
pub trait Transport: Send {
    /// Sends a batch. The quick tries take about two seconds, and the last of them up to a `timeout` more.
    fn post(&mut self, post: &Post<'_>) -> Disposition;

    /// The handle that stops sending from another thread.
    fn stopper(&self) -> Stopper;

    /// The API key, if the format writes it into the body of each record.
    fn key_in_the_body(&self) -> Option<&str> {
        None
    }

    /// Does work that is due without a batch. Returns how long until more is due; `None` if nothing is before the next
    /// batch.
    fn idle(&mut self) -> Option<Duration> {
        None
    }

    /// Ends the transport: no batch follows.
    fn finish(&mut self) {}
}
