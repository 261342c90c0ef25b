//! How much goes in one request: what the settings say, and no more than the format's receivers take.

use crate::config::Settings;
use crate::format::Renderer;
use crate::gateway::batch::Limits;
use crate::log::HostLog;

/// The limits of a batch. A start does not fail of a setting that says more than a receiver takes, as it worked before
/// and loses nothing: requests end earlier, and a line says so.
pub(super) fn of(settings: &Settings, renderer: &Renderer, log: &HostLog) -> Limits {
    let limits = Limits { events: settings.batch_events, bytes: settings.batch_bytes };
    let receiver = renderer.request_limit().filter(|_| settings.scheme.makes_requests());
    let Some(receiver) = receiver.filter(|receiver| limits.bytes > receiver.usize()) else { return limits };
    log.warn(
        "batch_bytes",
        format!(
            "batch_bytes is {}, and receivers of this format take {} bytes in a request ({}); requests end there",
            limits.bytes, receiver.most, receiver.source
        ),
    );
    Limits { bytes: receiver.usize(), ..limits }
}
