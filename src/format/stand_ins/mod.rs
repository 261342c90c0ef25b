//! Formats that stand in for another exporter: they send the same documents.
//!
//! - `kubernetes_event_exporter`, `eventrouter`, `k8stream`: one file per exporter
//! - `core_event`: a core/v1 Event as client-go writes it; `go_json`: strings escaped as in Go

mod core_event;
mod eventrouter;
mod go_json;
mod k8stream;
mod kubernetes_event_exporter;

pub(super) use eventrouter::Eventrouter;
pub(super) use k8stream::K8stream;
pub(super) use kubernetes_event_exporter::KubernetesEventExporter;
