//! Selects the transport by the scheme of `endpoint`.

use std::sync::Arc;

use super::file::Files;
use super::http::Gateway;
use super::interface::Transport;
use super::unix::Lines;
use crate::config::{ConfigError, Scheme, Settings};
use crate::format::{Format, Framing};
use crate::log::HostLog;
use crate::metrics::Metrics;

/// Opens the transport that the settings name. It reads the files that they name and makes no connection.
///
/// # Errors
/// All errors of those files, not just the first.
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

/// Checks that the transport can send the format: sockets and files take lines only.
///
/// # Errors
/// If the format does not write one line per record, or needs a response.
pub fn fits(settings: &Settings, format: &dyn Format) -> Result<(), ConfigError> {
    if settings.scheme.makes_requests() || format.fits_lines() {
        return Ok(());
    }
    let made = match format.framing() {
        Framing { is_alone: true, .. } => "requests of one record",
        Framing::LINES => "lines that need the service's response",
        _ => "requests that are not lines",
    };
    Err(ConfigError {
        key: "format",
        problem: format!("makes {made}, and endpoint {} takes lines", settings.endpoint.shown),
        expected: "a format of one line a record, such as native or raw".to_owned(),
    })
}
