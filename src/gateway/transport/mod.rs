//! How a batch goes out, by the scheme of `endpoint`. A new way is a file of its own, a [`Scheme`] and a line in
//! [`open`].
//!
//! - `http`: one request, one answer; over TCP, or over a Unix socket
//! - `unix`: lines into a Unix socket, accepted when they are written
//! - `file`: lines into files of a folder, accepted when they are on the disk
//! - `tries`: the quick tries of one batch

mod file;
mod http;
mod tries;
mod unix;

use std::sync::Arc;
use std::time::Duration;

use crate::config::{ConfigError, Scheme, Settings};
use crate::format::{Format, Framing};
use crate::log::HostLog;
use crate::metrics::Metrics;
use crate::net::stop::Stopper;
use crate::response::Disposition;

use file::Files;
use http::Gateway;
use unix::Lines;

/// One batch to deliver.
#[derive(Clone, Copy)]
pub struct Post<'a> {
    pub body: Packed<'a>,
    /// A stream and files have no place for it, nor for the key.
    pub content_type: &'a str,
    /// The same on every try of the same batch; letters, digits and the like.
    pub idempotency_key: &'a str,
    /// Classifies the response.
    pub format: &'a dyn Format,
    /// How many records are in it.
    pub records: usize,
}

/// A body as it goes over the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packed<'a> {
    pub bytes: &'a [u8],
    pub is_gzip: bool,
}

/// A way out, as one instance of the output sees it.
pub trait Transport: Send {
    /// Delivers a batch, or says why not. The quick tries within take about two seconds, and the last of them up to
    /// a `timeout` more.
    fn post(&mut self, post: &Post<'_>) -> Disposition;

    /// What ends the deliveries from another thread.
    fn stopper(&self) -> Stopper;

    /// The key that the format puts into the body of each record.
    fn key_in_the_body(&self) -> Option<&str> {
        None
    }

    /// Does what is due though nothing is to be delivered. How long until something is again; `None`: nothing is
    /// before the next post.
    fn idle(&mut self) -> Option<Duration> {
        None
    }

    /// There will be no other post.
    fn finish(&mut self) {}
}

/// Opens the transport of the settings: reads the files that they name, and connects nothing.
///
/// # Errors
/// Everything that is wrong with those files, not just the first.
pub fn open(
    settings: &Settings,
    metrics: &Arc<Metrics>,
    log: &Arc<HostLog>,
) -> Result<Box<dyn Transport>, Vec<ConfigError>> {
    let (metrics, log) = (Arc::clone(metrics), Arc::clone(log));
    Ok(match &settings.scheme {
        Scheme::Http | Scheme::HttpOverUnix { .. } => Box::new(Gateway::open(settings, metrics, log)?),
        Scheme::Unix { socket } => Box::new(Lines::new(socket, settings.timeout, metrics, log)),
        Scheme::File(files) => Box::new(Files::open(files, metrics, log).map_err(|error| vec![error])?),
    })
}

/// What is wrong with a format where the transport knows nothing of requests, only of lines.
///
/// # Errors
/// When the format does not make one line a record, or counts on an answer.
pub fn fits(settings: &Settings, format: &dyn Format) -> Result<(), ConfigError> {
    if settings.scheme.makes_requests() || format.fits_lines() {
        return Ok(());
    }
    let made = match format.framing() {
        Framing { is_alone: true, .. } => "requests of one record",
        Framing::LINES => "lines that only its own service can answer",
        _ => "requests that are no lines",
    };
    Err(ConfigError {
        key: "format",
        problem: format!("makes {made}, and endpoint {} takes lines", settings.endpoint.shown),
        expected: "a format of one line a record, such as native or raw".to_owned(),
    })
}
