//! The formats of services and tools that have their own: one file each, which says how it is sent, what it answers,
//! and what becomes of the kinds of records that it has no word for.
//!
//! All are made of the same columns ([`common`](super::common)) and of the impact; `words` has what several say alike.
//! Each but the stand-ins for other exporters takes records of all kinds.

pub(super) mod alertmanager;
mod core_event;
pub(super) mod datadog;
pub(super) mod eventrouter;
pub(super) mod falco;
mod go_json;
pub(super) mod k8stream;
pub(super) mod kubernetes_event_exporter;
pub(super) mod loki;
pub(super) mod pagerduty;
pub(super) mod splunk_hec;
mod words;
