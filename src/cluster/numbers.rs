//! What is counted of a cluster. Every instance that uses it copies the values into its own metrics.

use crate::metrics::Number;
use crate::topology::kind::KINDS;
#[cfg(doc)]
use crate::topology::watch::LossReason;

#[derive(Debug, Default)]
pub struct Numbers {
    /// When a 200 or bytes of a watch last came, by kind, in Unix time.
    pub last_message_seconds: [Number; KINDS],
    /// Why a kind is not followed, by kind: 0 for one that is, else 1 + the place of the reason in [`LossReason::ALL`].
    pub unfollowed: [Number; KINDS],
    /// Objects held, those that are gone included.
    pub objects: Number,
    /// Objects and lines left out: too large, too deep, or not as Kubernetes writes them.
    pub skipped_objects: Number,
    /// Watches that ended and began again.
    pub watch_restarts: Number,
    /// Deleted objects forgotten before their time, because there were too many.
    pub evicted_tombstones: Number,
    /// Snapshots shown.
    pub snapshots: Number,
}

#[cfg(test)]
mod tests {
    use crate::metrics::cluster::{REASONS, RESOURCES};
    use crate::topology::kind::ObjectKind;
    use crate::topology::watch::LossReason;

    /// The metrics have a lower rank and name all this on their own.
    #[test]
    fn the_metrics_name_the_same_kinds_and_reasons() {
        assert_eq!(RESOURCES, ObjectKind::ALL.map(ObjectKind::resource));
        assert_eq!(REASONS, LossReason::ALL.map(LossReason::name));
    }
}
