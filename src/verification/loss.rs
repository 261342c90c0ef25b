//! Decides when a loss of the watch is logged: once, if it lasts, and once when it is over.

use std::time::{Duration, Instant};

use crate::log::HostLog;
use crate::topology::watch::{LossReason, WatchStatus};

/// Whether the events are watched.
#[derive(Debug)]
pub(super) struct Losses {
    /// Whose events; `None`: those of the cluster.
    namespace: Option<String>,
    quiet: Duration,
    since: Option<Instant>,
    warned: bool,
}

impl Losses {
    pub(super) fn new(namespace: Option<String>, quiet: Duration) -> Self {
        Self { namespace, quiet, since: None, warned: false }
    }

    /// Notes the last change of status, if any. A loss goes on until a watch is accepted.
    pub(super) fn note(&mut self, status: Option<WatchStatus>, now: Instant, log: &HostLog) {
        match status {
            None | Some(WatchStatus::Ended) => {}
            Some(WatchStatus::Followed) => {
                self.since = None;
                if std::mem::take(&mut self.warned) {
                    log.info("events verified again", "the events of the API server are verified again");
                }
            }
            Some(WatchStatus::Lost { reason, why, .. }) => {
                let since = *self.since.get_or_insert(now);
                let lasted = now.saturating_duration_since(since);
                if lasted >= self.quiet && !std::mem::replace(&mut self.warned, true) {
                    log.warn("events not verified", self.text(reason, &why, lasted));
                }
            }
        }
    }

    fn text(&self, reason: LossReason, why: &str, lasted: Duration) -> String {
        let what = match reason {
            LossReason::Forbidden => {
                let role = match &self.namespace {
                    None => "the ClusterRole".to_owned(),
                    Some(namespace) => format!("the Role in {namespace}"),
                };
                format!("{role} needs list and watch on events in the group \"\" (403)")
            }
            LossReason::Unauthorized => format!("{why}, it refuses the token (look at kube_token_file)"),
            LossReason::Unreachable => format!("{why} (look at kube_url, and at the API server)"),
            _ => format!("{why} (look at the API server's own log)"),
        };
        let seconds = lasted.as_secs();
        format!(
            "the events of the API server have not been verified for {seconds} s: {what}; delivery continues, but \
             nobody notices what the input loses, and a standby holds what the leader has delivered"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;

    #[test]
    fn a_loss_that_lasts_is_logged_once_and_so_is_its_end() {
        let (log, now) = (HostLog::default(), clock::monotonic());
        let mut losses = Losses::new(Some("shop".to_owned()), Duration::from_secs(30));
        let lost = |reason| Some(WatchStatus::Lost { reason, why: "x".to_owned(), is_refused: false });
        let mut at = |seconds, status| {
            losses.note(status, now + Duration::from_secs(seconds), &log);
            log.drain(now).into_iter().map(|line| line.text).collect::<Vec<_>>()
        };
        assert_eq!(at(0, lost(LossReason::Unreachable)), [""; 0]);
        assert_eq!(at(29, Some(WatchStatus::Followed)), [""; 0]);
        assert_eq!(at(40, lost(LossReason::Forbidden)), [""; 0]);
        let said = at(70, lost(LossReason::Forbidden)).concat();
        assert!(said.contains("for 30 s: the Role in shop needs list and watch"), "{said}");
        assert_eq!(at(200, lost(LossReason::Unreachable)), [""; 0]);
        assert_eq!(at(201, Some(WatchStatus::Ended)), [""; 0]);
        assert_eq!(at(202, Some(WatchStatus::Followed)).len(), 1);
        assert_eq!(at(203, Some(WatchStatus::Followed)), [""; 0]);
    }
}
