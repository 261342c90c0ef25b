//! `format splunk_hec`: events for Splunk's HTTP Event Collector, `POST /services/collector/event`.
//!
//! A request holds one object per line, without commas. `event` is a native document. Columns that are searched most,
//! such as the Services under impact, are also indexed fields (`fields`). Their names, and `source` and `sourcetype`, are
//! those of Splunk's OpenTelemetry collector.
//!
//! A time that Splunk would quarantine is replaced by the nearest one that it indexes; `event.time` has the true one.
//!
//! A 200 with code 0 means that the collector took all events. A 403 means that it does not know the token, a 503 that it
//! is busy. A 400 concerns an event or the token (`response`). HEC indexes the events before the one that it rejects, so
//! splitting the batch would duplicate them; but a valid event is rejected only for its index, and then HEC indexes none.
//! Tokens with indexer acknowledgement do not work, because the plugin does not ask for acknowledgements.

mod limits;
mod response;

use std::borrow::Cow;
use std::time::Duration;

use serde::Serialize;

use crate::config::ServiceSettings;
use crate::format::common::Common;
use crate::format::interface::{Adjusted, Format, RenderError};
use crate::format::limit::Limit;
use crate::format::native::{Native, NativeDocument};
use crate::format::record::Record;
use crate::format::{json, text, times};
use crate::response::{Disposition, Response};
use crate::time::Stamp;

/// A request may take this long to arrive.
const MARGIN: Duration = Duration::from_secs(3_600);

pub(in crate::format) struct SplunkHec {
    native: Native,
    index: String,
    source: String,
    sourcetype: String,
}

impl SplunkHec {
    pub(in crate::format) fn new(native: Native, settings: &ServiceSettings) -> Self {
        let ServiceSettings { splunk_index, splunk_source, splunk_sourcetype, .. } = settings.clone();
        Self { native, index: splunk_index, source: splunk_source, sourcetype: splunk_sourcetype }
    }
}

impl Format for SplunkHec {
    fn content_type(&self) -> Cow<'_, str> {
        "application/json".into()
    }

    fn limits(&self) -> &'static [Limit] {
        limits::ALL
    }

    /// A record is delivered only if the response says so.
    fn fits_lines(&self) -> bool {
        false
    }

    fn classify(&self, response: &Response<'_>) -> Option<Disposition> {
        response::classify(response)
    }

    fn render(&self, record: &Record<'_, '_>, out: &mut Vec<u8>) -> Result<Adjusted, RenderError> {
        let common = Common::of(record);
        let newest = record.now.later(Duration::from_secs(limits::AHEAD.most).saturating_sub(MARGIN));
        let happened = common.time.map(|time| times::within(time, Some(Stamp::EPOCH), newest));
        let event = Event {
            time: happened.map(|happened| times::unix_seconds(happened.time)),
            host: common.node(record.impact),
            source: &self.source,
            sourcetype: &self.sourcetype,
            index: &self.index,
            fields: self.fields(record, &common),
            event: self.native.document(record),
        };
        json::write(&event, out);
        Ok(Adjusted {
            time: happened.is_some_and(|happened| happened.is_adjusted()),
            cut: false,
            ..Adjusted::default()
        })
    }
}

impl SplunkHec {
    fn fields<'r>(&'r self, record: &Record<'r, 'r>, common: &Common<'r>) -> Fields<'r> {
        Fields {
            kind: record.content.kind().name(),
            cluster: &self.native.cluster,
            namespace: common.object.namespace,
            object_kind: common.object.kind,
            object_name: common.object.name,
            reason: common.reason,
            r#type: common.r#type,
            severity: common.severity.name(),
            services: record.impact.services.iter().map(text::service).collect(),
        }
    }
}

#[derive(Serialize)]
struct Event<'r> {
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<f64>,
    #[serde(skip_serializing_if = "str::is_empty")]
    host: &'r str,
    source: &'r str,
    sourcetype: &'r str,
    #[serde(skip_serializing_if = "str::is_empty")]
    index: &'r str,
    fields: Fields<'r>,
    event: NativeDocument<'r>,
}

/// Indexed fields; the collector refuses nested objects.
#[derive(Serialize)]
struct Fields<'r> {
    kind: &'static str,
    #[serde(rename = "k8s.cluster.name", skip_serializing_if = "str::is_empty")]
    cluster: &'r str,
    #[serde(rename = "k8s.namespace.name", skip_serializing_if = "str::is_empty")]
    namespace: &'r str,
    #[serde(rename = "k8s.object.kind", skip_serializing_if = "str::is_empty")]
    object_kind: &'r str,
    #[serde(rename = "k8s.object.name", skip_serializing_if = "str::is_empty")]
    object_name: &'r str,
    #[serde(rename = "k8s.event.reason", skip_serializing_if = "str::is_empty")]
    reason: &'r str,
    #[serde(rename = "type", skip_serializing_if = "str::is_empty")]
    r#type: &'r str,
    severity: &'static str,
    /// A field with several values, each `namespace/name`.
    #[serde(rename = "k8s.service.name", skip_serializing_if = "Vec::is_empty")]
    services: Vec<String>,
}
