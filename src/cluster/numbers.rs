//! Numbers about a cluster. Every instance that uses the cluster copies them into its own metrics.

use crate::metrics::Number;
use crate::topology::kind::KINDS;
#[cfg(doc)]
use crate::topology::watch::LossReason;

/// Atomic numbers of one cluster: reflectors write them, any thread reads them.
#[derive(Debug, Default)]
pub struct Numbers {
    /// Unix time of the last 200 or the last bytes of a watch, by kind.
    pub last_message_seconds: [Number; KINDS],
    /// Why a kind is not followed: 0 if it is followed, otherwise 1 + the index of the reason in
    /// [`LossReason::ALL`].
    pub unfollowed: [Number; KINDS],
    /// Number of objects, deleted ones included.
    pub objects: Number,
    /// Objects and lines that were dropped: too large, too deep, or not valid.
    pub skipped_objects: Number,
    /// Watches that ended and restarted.
    pub watch_restarts: Number,
    /// Tombstones that were removed early because there were too many.
    pub evicted_tombstones: Number,
    /// Published snapshots.
    pub snapshots: Number,
}

#[cfg(test)]
mod tests {
    use crate::metrics::cluster::{REASONS, RESOURCES};
    use crate::topology::kind::ObjectKind;
    use crate::topology::watch::LossReason;

    /// The metrics have a lower rank, so they list kinds and reasons themselves.
    #[test]
    fn the_metrics_name_the_same_kinds_and_reasons() {
        assert_eq!(RESOURCES, ObjectKind::ALL.map(ObjectKind::resource));
        assert_eq!(REASONS, LossReason::ALL.map(LossReason::name));
    }
}
