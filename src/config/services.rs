//! Settings that one service uses.

use std::time::Duration;

use super::reader::Reader;
use super::units;

/// Settings that one format uses; the others ignore them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceSettings {
    /// The index for `splunk_hec`; empty: the token's own index.
    pub splunk_index: String,
    /// The `source` for `splunk_hec`.
    pub splunk_source: String,
    /// The `sourcetype` for `splunk_hec`.
    pub splunk_sourcetype: String,
    /// How long after its last occurrence an alert of `alertmanager` ends. `None`: the Alertmanager's `resolve_timeout`
    /// decides.
    pub alertmanager_expires_after: Option<Duration>,
    /// The index or data stream in which `elasticsearch` creates documents.
    pub elasticsearch_index: String,
}

impl Default for ServiceSettings {
    fn default() -> Self {
        Self {
            splunk_index: String::new(),
            splunk_source: "kubernetes".to_owned(),
            splunk_sourcetype: "kube:events".to_owned(),
            alertmanager_expires_after: None,
            elasticsearch_index: "logs-kubernetes.events-default".to_owned(),
        }
    }
}

/// `None` if an error was noted.
pub(super) fn read(from: &mut Reader<'_>) -> Option<ServiceSettings> {
    let before = from.errors.len();
    let year = Duration::from_secs(365 * 86_400);
    let mut services = ServiceSettings {
        alertmanager_expires_after: from
            .parsed("alertmanager_expires_after", |text| units::time(text, Duration::from_secs(1), year)),
        ..ServiceSettings::default()
    };
    for (key, field) in [
        ("splunk_index", &mut services.splunk_index),
        ("splunk_source", &mut services.splunk_source),
        ("splunk_sourcetype", &mut services.splunk_sourcetype),
        ("elasticsearch_index", &mut services.elasticsearch_index),
    ] {
        if let Some(text) = from.text(key) {
            *field = text;
        }
    }
    (from.errors.len() == before).then_some(services)
}
