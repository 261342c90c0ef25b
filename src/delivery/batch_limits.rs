//! How much one request may hold: what the settings say, but no more than the format's receivers take.

use crate::config::Settings;
use crate::format::Renderer;
use crate::gateway::batch::BatchLimits;
use crate::log::HostLog;

/// The limits of a batch. A setting above what a receiver takes is no reason not to start, as it loses nothing: requests
/// are smaller than it says, and a log line says so.
pub(super) fn of(settings: &Settings, renderer: &Renderer, log: &HostLog) -> BatchLimits {
    let limits = BatchLimits { events: settings.batch_events, bytes: settings.batch_bytes };
    let receiver = renderer.request_limit().filter(|_| settings.scheme.makes_requests());
    let Some(receiver) = receiver.filter(|receiver| limits.bytes > receiver.usize()) else { return limits };
    log.warn(
        "batch_bytes",
        format!(
            "batch_bytes is {}, and receivers of this format take {} bytes in a request ({}); requests end there",
            limits.bytes, receiver.most, receiver.source
        ),
    );
    BatchLimits { bytes: receiver.usize(), ..limits }
}
