//! Formats that take the place of another exporter: what it sends is what they send.
//!
//! - `kubernetes_event_exporter`, `eventrouter`, `k8stream`: one file per exporter
//! - `core_event`: a core/v1 Event as client-go writes it; `go_json`: strings as Go escapes them

mod core_event;
mod eventrouter;
mod go_json;
mod k8stream;
mod kubernetes_event_exporter;

pub(super) use eventrouter::Eventrouter;
pub(super) use k8stream::K8stream;
pub(super) use kubernetes_event_exporter::KubernetesEventExporter;
