//! The settings of the verification of the source.

use std::time::Duration;

use super::reader::Reader;
use super::topology::{CorrelationSettings, TopologySettings};
use super::units;

/// An event lives for an hour in the API server, and a person needs some of it.
const MOST_AFTER: Duration = Duration::from_secs(1_800);

/// How the source is verified.
#[derive(Debug, Clone, PartialEq)]
pub struct ReconcileSettings {
    /// Where the events are watched.
    pub api: TopologySettings,
    /// What is not settled so long after the API server has shown it is reported.
    pub after: Duration,
}

/// The outer `None`: there was an error. The inner one: the source is not verified.
pub(super) fn read(
    from: &mut Reader<'_>,
    correlation: Option<&CorrelationSettings>,
) -> Option<Option<ReconcileSettings>> {
    let is_on = from.parsed("reconcile", |text| units::choice(text, &[("off", false), ("report", true)]));
    let after = from.parsed("reconcile_after", |text| units::time(text, Duration::from_secs(1), MOST_AFTER));
    if !is_on? {
        return after.map(|_| None);
    }
    let api = correlation?.api.clone();
    if api.is_none() {
        from.refuse("kube_url", "is not set", "the API server, since reconcile is report outside of a pod");
    }
    Some(Some(ReconcileSettings { api: api?, after: after? }))
}
