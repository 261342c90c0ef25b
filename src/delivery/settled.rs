//! [`SettledVersions`]: says to the verification of the source which versions this output has settled.

use std::sync::Arc;

use crate::record::identity::Versioned;
use crate::replicas::shared::SharedReplica;

/// Where settled versions are reported; nowhere if the source is not verified.
#[derive(Debug, Clone, Default)]
pub struct SettledVersions(Option<Arc<SharedReplica>>);

impl SettledVersions {
    /// Reports to this replica.
    #[must_use]
    pub fn to(replica: Arc<SharedReplica>) -> Self {
        Self(Some(replica))
    }

    /// These records are delivered, dead-lettered, excluded or repetitions. Audit records and violations may be among them;
    /// the verification knows only events.
    pub fn report(&self, records: impl IntoIterator<Item = Versioned>) {
        let Some(replica) = &self.0 else { return };
        let versions =
            records.into_iter().filter_map(|record| Some((record.identity.0, record.version.number()?)));
        replica.settle(versions);
    }

    /// Whether anybody asks for them.
    #[must_use]
    pub fn are_wanted(&self) -> bool {
        self.0.is_some()
    }
}
