//! `format loki`: a push to Loki in JSON, `POST /loki/api/v1/push`. `headers X-Scope-OrgID: …` selects a tenant.
//!
//! A request holds streams of one entry each. The line of an entry is a native document, which `| json` parses in a query.
//! Labels are columns with few values: the job, the kind of record, the cluster, the namespace and the severity. Other
//! columns that queries filter by, such as the Services under impact, are structured metadata. That needs Loki 3, or an
//! earlier one with `allow_structured_metadata`.
//!
//! A line above Loki's limit is cut: its largest members first, a text at its end, other values as their JSON. Loki
//! rejects an entry that is more than an hour older than the newest of its stream. The plugin does not know the newest
//! one, which may be from now. An entry older than 50 minutes, or dated ahead, therefore gets the nearest time that Loki
//! surely takes; `original_time` has the true one.
//!
//! A 204 means that Loki took all entries. A 400 concerns single entries; Loki took the others. The batch is split, and
//! Loki ignores an entry that it already has at the same time. `response` lists the responses that mean a refusal.

mod limits;
mod response;

use std::time::Duration;

use serde::Serialize;

use crate::format::common::Common;
use crate::format::framing::Framing;
use crate::format::interface::{Adjusted, Format, RenderError};
use crate::format::limit::Limit;
use crate::format::native::Native;
use crate::format::record::Record;
use crate::format::text::{self, Cutter, TextPairs};
use crate::format::times::{self, AcceptedTime};
use crate::format::{fit, json};
use crate::response::{Disposition, Response};

/// The streams of a push are an array in an object.
const STREAMS: Framing = Framing { before: "{\"streams\":[", between: ",", after: "]}", is_alone: false };

/// The time that a request may take, and that the stream's newest entry may be ahead (twice [`MARGIN_AHEAD`]).
const MARGIN_BEHIND: Duration = Duration::from_secs(600);
/// The difference between two clocks.
const MARGIN_AHEAD: Duration = Duration::from_secs(300);

/// The limit of one value of structured metadata. All names and values share [`limits::METADATA`]: seven short ones, and
/// the Services.
const MOST_METADATA: Limit = Limit { most: 4 << 10, ..limits::METADATA };
const MOST_SERVICES: Limit = Limit { most: 32 << 10, ..limits::METADATA };

pub(in crate::format) struct Loki {
    pub(in crate::format) native: Native,
}

impl Format for Loki {
    fn framing(&self) -> Framing {
        STREAMS
    }

    fn limits(&self) -> &'static [Limit] {
        limits::ALL
    }

    fn classify(&self, response: &Response<'_>) -> Option<Disposition> {
        response::classify(response)
    }

    fn render(&self, record: &Record<'_, '_>, out: &mut Vec<u8>) -> Result<Adjusted, RenderError> {
        let (common, cutter) = (Common::of(record), Cutter::default());
        let happened = happened(record);
        let mut line = Vec::new();
        json::write(&self.native.document(record), &mut line);
        if line.len() > limits::LINE.usize() {
            let cut = fit::fit(&line, limits::LINE.usize());
            line = cut.ok_or(RenderError::TooLarge { bytes: line.len(), limit: limits::LINE })?;
            cutter.leave_out();
        }
        let line = String::from_utf8_lossy(&line);
        let stream = self.labels(record, &common, &cutter);
        let nanos = i64::try_from(happened.time.unix_nanos()).unwrap_or(i64::MAX);
        let values = [(nanos.to_string(), &*line, metadata(record, &common, &happened, &cutter))];
        json::write(&Stream { stream, values }, out);
        Ok(Adjusted { time: happened.is_adjusted(), cut: cutter.has_cut(), ..Adjusted::default() })
    }
}

/// The time of an entry. A time within the limit behind the stream's newest entry is also within the limit of age.
fn happened(record: &Record<'_, '_>) -> AcceptedTime {
    let age = Duration::from_secs(limits::BEHIND.most).saturating_sub(MARGIN_BEHIND);
    let ahead = Duration::from_secs(limits::AHEAD.most).saturating_sub(MARGIN_AHEAD);
    times::within(record.time_or_now(), record.now.earlier(age), record.now.later(ahead))
}

#[derive(Serialize)]
struct Stream<'r> {
    stream: TextPairs<'r>,
    values: [(String, &'r str, TextPairs<'r>); 1],
}

impl Loki {
    fn labels<'r>(&'r self, record: &Record<'r, '_>, common: &Common<'r>, cutter: &Cutter) -> TextPairs<'r> {
        let mut labels = TextPairs::default();
        let mut add = |name, value: &'r str| labels.add(name, cutter.text(value, &limits::LABEL_VALUE));
        add("job", "event_gateway");
        add("kind", record.content.kind().name());
        add("cluster", self.native.cluster.as_str());
        add("namespace", common.object.namespace);
        add("level", common.severity.name());
        labels
    }
}

/// Structured metadata is a flat map of texts.
fn metadata<'r>(
    record: &Record<'r, '_>,
    common: &Common<'r>,
    happened: &AcceptedTime,
    cutter: &Cutter,
) -> TextPairs<'r> {
    let mut metadata = TextPairs::default();
    let mut add = |name, value: &'r str| metadata.add(name, cutter.text(value, &MOST_METADATA));
    add("id", record.id);
    add("reason", common.reason);
    add("action", common.action);
    add("object_kind", common.object.kind);
    add("object_name", common.object.name);
    add("node", common.node(record.impact));
    let services = text::services(record.impact).unwrap_or_default();
    metadata.add("services", cutter.text(services, &MOST_SERVICES));
    metadata.add("original_time", happened.original_text());
    metadata
}
