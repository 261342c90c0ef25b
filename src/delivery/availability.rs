//! Whether the endpoint takes requests now, and the log lines that say when that changes.

use std::sync::Arc;

use crate::clock;
use crate::gateway::EndpointState;
use crate::log::HostLog;
use crate::metrics::Metrics;
use crate::response::Disposition;

pub(super) struct Availability {
    /// The endpoint as log lines name it.
    endpoint: String,
    state: EndpointState,
    log: Arc<HostLog>,
}

impl Availability {
    pub(super) fn new(endpoint: String, metrics: &Arc<Metrics>, log: &Arc<HostLog>) -> Self {
        Self { endpoint, state: EndpointState::new(Arc::clone(metrics)), log: Arc::clone(log) }
    }

    pub(super) fn is_open(&self) -> bool {
        self.state.is_open(clock::monotonic())
    }

    /// Closes the endpoint for a while, and logs why. `is_in_doubt`: the records may have arrived and are dead-lettered.
    pub(super) fn failed(&mut self, disposition: &Disposition, is_in_doubt: bool) {
        let then = if is_in_doubt {
            "whether it took the records is open, so they are dead-lettered"
        } else {
            "records wait"
        };
        let line = |why: &str| format!("{}: {why}; {then}", self.endpoint);
        match disposition {
            Disposition::Retry { after, why, .. } => {
                self.log.warn("gateway retry", line(why));
                self.state.failed(clock::monotonic(), *after);
            }
            Disposition::Refused { why, .. } => {
                self.log.error("gateway refused", line(why));
                self.state.failed(clock::monotonic(), None);
            }
            _ => {}
        }
    }

    /// The endpoint responded to the records themselves, whether it took or rejected them.
    pub(super) fn succeeded(&mut self) {
        if let Some(since_seconds) = self.state.succeeded() {
            let seconds = clock::unix_seconds(clock::wall()).saturating_sub(since_seconds);
            self.log.info(
                "gateway again",
                format!("{}: the gateway takes records again, after {seconds} s", self.endpoint),
            );
        }
    }
}
