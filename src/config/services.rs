//! The settings of single services.

use std::time::Duration;

use super::{Reader, units};

/// Settings of single formats; the others ignore them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceSettings {
    /// Of `splunk_hec`; empty: the token's own index.
    pub splunk_index: String,
    pub splunk_source: String,
    pub splunk_sourcetype: String,
    /// Of `alertmanager`: how long after its last occurrence an alert ends. `None`: the Alertmanager's
    /// `resolve_timeout` decides.
    pub alertmanager_expires_after: Option<Duration>,
    /// Of `elasticsearch`: the index or data stream in which documents are created.
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

/// `None` when an error was noted.
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
