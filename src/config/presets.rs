//! What only some formats ask for: those of services that have names, keys and limits of their own.

use std::time::Duration;

use super::format::{Compress, Format};
use super::{Reader, units};

/// Settings of single formats; the others pass them over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PresetSettings {
    /// Of `splunk_hec`: empty leaves the index to the token.
    pub splunk_index: String,
    pub splunk_source: String,
    pub splunk_sourcetype: String,
    /// Of `alertmanager`: an alert ends so long after its last occurrence. `None` leaves that to the
    /// Alertmanager's `resolve_timeout`.
    pub alertmanager_expires_after: Option<Duration>,
    /// Of `elasticsearch`: the index or data stream that documents are created in.
    pub elasticsearch_index: String,
}

impl Default for PresetSettings {
    /// As when none is set.
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
pub(super) fn read(from: &mut Reader<'_>) -> Option<PresetSettings> {
    let before = from.errors.len();
    let year = Duration::from_secs(365 * 86_400);
    let mut presets = PresetSettings {
        alertmanager_expires_after: from
            .parsed("alertmanager_expires_after", |text| units::time(text, Duration::from_secs(1), year)),
        ..PresetSettings::default()
    };
    for (key, field) in [
        ("splunk_index", &mut presets.splunk_index),
        ("splunk_source", &mut presets.splunk_source),
        ("splunk_sourcetype", &mut presets.splunk_sourcetype),
        ("elasticsearch_index", &mut presets.elasticsearch_index),
    ] {
        if let Some(text) = from.text(key) {
            *field = text;
        }
    }
    (from.errors.len() == before).then_some(presets)
}

impl Format {
    /// What `compress` is when nobody says: most services of these formats unpack nothing.
    pub(super) fn compress(self) -> Compress {
        match self {
            Self::Datadog
            | Self::Alertmanager
            | Self::PagerDuty
            | Self::Falco
            | Self::KubernetesEventExporter
            | Self::Eventrouter => Compress::None,
            _ => Compress::Gzip,
        }
    }

    /// Whether the service is known to unpack nothing: gzip would be no JSON to it, so that every record would end
    /// among the dead letters. Who takes the place of an exporter or of eventrouter may unpack.
    pub(super) fn takes_no_gzip(self) -> bool {
        matches!(self, Self::Datadog | Self::Alertmanager | Self::PagerDuty | Self::Falco)
    }
}
