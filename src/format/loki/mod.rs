//! `format loki`: a push to Loki in JSON, `POST /loki/api/v1/push`.
//!
//! A line is a native document, which `| json` takes apart in a query. Labels are only what has few values: the job,
//! the kind of record, the cluster, the namespace, the type or severity; each set of them is a stream of its own. The
//! rest that one asks for, the Services under impact among it, is structured metadata: Loki 3, or an earlier one with
//! `allow_structured_metadata`.
//!
//! What is larger than Loki takes is cut: of a line the largest members, texts at their end, others as their JSON.
//! Loki refuses an entry that is more than an hour behind the newest of its stream, which nobody here knows and which
//! may be of now. So an entry that is older than 50 minutes, or dated ahead, has the nearest time that Loki takes for
//! sure, and its own in `original_time`.
//!
//! 204 means that it has them all. A 400 is about single entries: Loki has taken the others, and takes what halving
//! repeats for what it is, the same entry at the same time. Several tenants: `headers X-Scope-OrgID: …`.

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

/// The streams of a push.
const STREAMS: Framing = Framing { before: "{\"streams\":[", between: ",", after: "]}", is_alone: false };

/// A request may be so long on its way, and the newest entry of its stream so much ahead ([`MARGIN_AHEAD`], twice).
const MARGIN_BEHIND: Duration = Duration::from_secs(600);
/// Clocks differ.
const MARGIN_AHEAD: Duration = Duration::from_secs(300);

/// Of structured metadata, all names and values together: seven short ones share what the Services leave.
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

/// Loki takes what is around its own time. What is not too far behind a stream's newest entry is not too old, either.
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

/// Texts only, and no map within.
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
