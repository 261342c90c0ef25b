//! `format loki`: a push to Loki in JSON, `POST /loki/api/v1/push`.
//!
//! A line is a native document, which `| json` takes apart in a query. Labels are only what has few values: the job,
//! the kind of record, the cluster, the namespace, the type or severity; each set of them is a stream of its own. The
//! rest that one asks for, the Services under impact among it, is structured metadata: Loki 3, or an earlier one with
//! `allow_structured_metadata`.
//!
//! 204 means that it has them all. A 400 is about single entries, those too old among them: Loki has taken the others,
//! and takes what halving repeats for what it is, the same entry at the same time. A record that tells no time cannot
//! be pushed. Several tenants: `headers X-Scope-OrgID: …`.

use serde::Serialize;

use super::super::common::Common;
use super::super::native;
use super::super::{Answers, Form, Record, json};
use super::words::{self, Pairs};

pub(in super::super) struct Layout {
    pub(in super::super) native: native::Layout,
}

impl super::super::Layout for Layout {
    fn form(&self) -> Form {
        Form::STREAMS
    }

    fn answers(&self) -> Answers {
        Answers::Loki
    }

    fn render(&self, record: &Record<'_, '_>, out: &mut Vec<u8>) -> Result<(), String> {
        let common = Common::of(record);
        // Loki counts nanoseconds in 64 bits: the years 1678 to 2262.
        let nanos = common.time.and_then(|time| i64::try_from(time.unix_nanos()).ok());
        let nanos = nanos.ok_or("it tells no time that Loki knows, and a push needs one")?;
        let mut line = Vec::new();
        json::write(&self.native.document(record), &mut line);
        let line = String::from_utf8_lossy(&line);
        let stream = self.labels(record, &common);
        let values = [(nanos.to_string(), &*line, metadata(record, &common))];
        json::write(&Stream { stream, values }, out);
        Ok(())
    }
}

#[derive(Serialize)]
struct Stream<'r> {
    stream: Pairs<'r>,
    values: [(String, &'r str, Pairs<'r>); 1],
}

impl Layout {
    fn labels<'r>(&'r self, record: &Record<'r, '_>, common: &Common<'r>) -> Pairs<'r> {
        let mut labels = Pairs::default();
        labels.add("job", "event_gateway");
        labels.add("kind", record.content.kind().name());
        labels.add("cluster", self.native.cluster.as_str());
        labels.add("namespace", record.content.namespace());
        labels.add("level", common.severity.name());
        labels
    }
}

/// Texts only, and no map within.
fn metadata<'r>(record: &Record<'r, '_>, common: &Common<'r>) -> Pairs<'r> {
    let mut metadata = Pairs::default();
    metadata.add("id", record.id);
    metadata.add("reason", common.reason);
    metadata.add("action", common.action);
    metadata.add("object_kind", common.object.kind);
    metadata.add("object_name", common.object.name);
    metadata.add("node", words::host(common, record.impact));
    metadata.add("services", words::services(record.impact).unwrap_or_default());
    metadata
}
