//! The formats by the words of the setting. This is the only file that names all of them.

use super::alertmanager::Alertmanager;
use super::cloudevents::CloudEvents;
use super::datadog::Datadog;
use super::elasticsearch::Elasticsearch;
use super::falco::Falco;
use super::framing::Framing;
use super::gelf::Gelf;
use super::interface::Format;
use super::loki::Loki;
use super::native::Native;
use super::otlp::{Encoding, Otlp};
use super::pagerduty::PagerDuty;
use super::raw::RawFormat;
use super::splunk_hec::SplunkHec;
use super::stand_ins::{Eventrouter, K8stream, KubernetesEventExporter};
use super::template::Template;
use crate::config::{ConfigError, FormatName, RenderSettings};

/// The format that the settings name.
///
/// # Errors
/// All errors of the files that the format needs.
pub(super) fn open(
    settings: &RenderSettings,
    body_key: Option<&str>,
) -> Result<Box<dyn Format>, Vec<ConfigError>> {
    let RenderSettings { format, cluster_name, audit_bodies, template, services } = settings;
    let cluster = cluster_name.clone();
    let native = Native { cluster: cluster.clone(), audit_bodies: *audit_bodies };
    Ok(match format {
        FormatName::Native => Box::new(native),
        FormatName::CloudEvents => Box::new(CloudEvents::new(native, Framing::ALONE)),
        FormatName::CloudEventsBatch => Box::new(CloudEvents::new(native, Framing::ARRAY)),
        FormatName::Raw => Box::new(RawFormat),
        FormatName::Template => Box::new(Template::open(template.as_ref(), native)?),
        FormatName::Otlp => Box::new(Otlp { cluster, encoding: Encoding::Protobuf }),
        FormatName::OtlpJson => Box::new(Otlp { cluster, encoding: Encoding::Json }),
        FormatName::Ecs => Box::new(Elasticsearch { cluster, index: None }),
        FormatName::Elasticsearch => Box::new(Elasticsearch::bulk(cluster, services)),
        FormatName::SplunkHec => Box::new(SplunkHec::new(native, services)),
        FormatName::Datadog => Box::new(Datadog { cluster }),
        FormatName::Loki => Box::new(Loki { native }),
        FormatName::Alertmanager => Box::new(Alertmanager::new(cluster, services)),
        FormatName::PagerDuty => Box::new(PagerDuty::new(native, body_key)),
        FormatName::Falco => Box::new(Falco { cluster }),
        FormatName::Gelf => Box::new(Gelf { cluster }),
        FormatName::KubernetesEventExporter => Box::new(KubernetesEventExporter { cluster }),
        FormatName::K8stream => Box::new(K8stream),
        FormatName::Eventrouter => Box::new(Eventrouter),
    })
}
