//! `format kubernetes_event_exporter`: events as the webhook of kubernetes-event-exporter posts them without a layout, for
//! any path.
//!
//! A request holds one event: the fields of the Event without kind and apiVersion, `clusterName`, and an `involvedObject`
//! with its object's labels, annotations and whether it is deleted. `services`, the Services under impact, is added unless
//! correlation is off. `ownerReferences` are not known and are left out. Records of other kinds are
//! dead-lettered, because that tool has none.
//!
//! A 2xx means that the receiver took the event.

use serde::Serialize;

use super::core_event::{Metadata, Reference, Rest, event, involved_object, metadata, rest};
use crate::correlate::{Affected, Correlation, SelectedLabels};
use crate::format::framing::Framing;
use crate::format::interface::{Adjusted, Format, RenderError};
use crate::format::json;
use crate::format::record::Record;

pub(in crate::format) struct KubernetesEventExporter {
    pub(in crate::format) cluster: String,
}

impl Format for KubernetesEventExporter {
    fn framing(&self) -> Framing {
        Framing::ALONE
    }

    fn render(&self, record: &Record<'_, '_>, out: &mut Vec<u8>) -> Result<Adjusted, RenderError> {
        let event = event(record, "kubernetes_event_exporter")?;
        let impact = record.impact;
        let document = EnhancedEvent {
            metadata: metadata(record, event),
            rest: rest(record, event),
            cluster_name: &self.cluster,
            involved_object: InvolvedObject {
                reference: involved_object(event),
                labels: impact.labels,
                annotations: impact.annotations,
                deleted: impact.deleted.unwrap_or(false),
            },
            services: (impact.correlation != Correlation::Off).then_some(&impact.services),
        };
        json::write(&document, out);
        Ok(Adjusted::default())
    }
}

#[derive(Serialize)]
struct EnhancedEvent<'r> {
    metadata: Metadata<'r>,
    #[serde(flatten)]
    rest: Rest<'r>,
    #[serde(rename = "clusterName")]
    cluster_name: &'r str,
    #[serde(rename = "involvedObject")]
    involved_object: InvolvedObject<'r>,
    #[serde(skip_serializing_if = "Option::is_none")]
    services: Option<&'r Vec<Affected<'r>>>,
}

#[derive(Serialize)]
struct InvolvedObject<'r> {
    #[serde(flatten)]
    reference: Reference<'r>,
    #[serde(skip_serializing_if = "is_empty")]
    labels: SelectedLabels<'r>,
    #[serde(skip_serializing_if = "is_empty")]
    annotations: SelectedLabels<'r>,
    deleted: bool,
}

fn is_empty(chosen: &SelectedLabels<'_>) -> bool {
    chosen.iter().next().is_none()
}
