//! `format otlp` and `otlp_json`: OTLP logs 1.x over HTTP, `POST /v1/logs` of a collector or a back end.
//!
//! A request holds one `ResourceLogs` per record; the object of the record is its resource. In protobuf they follow one
//! another without separators. The attributes of an event have the names of the OpenTelemetry collector's
//! `k8seventsreceiver`, so that the same queries read both. Columns without such a name (the Services under impact, audit
//! records, violations) have names of the semantic conventions, or a prefix of their own.
//!
//! A time outside of what 64 bits hold is replaced by the nearest one; `original_time` has the true one.
//!
//! A 2xx may report how many records were rejected, without naming them (`response`).
//!
//! - `log`: a record as attributes
//! - `proto`, `json`: the two encodings
//! - `response`, `protobuf`: partial success in either encoding
//! - `limits`: the limits of a collector

mod json;
mod limits;
mod log;
mod proto;
mod protobuf;
mod response;

use std::borrow::Cow;

use super::framing::Framing;
use super::interface::{Adjusted, Format, RenderError};
use super::limit::Limit;
use super::record::Record;
use crate::response::{Disposition, Response, partial_success};
use log::Log;

/// Protobuf allows the items of a repeated field one behind the other.
const MESSAGES: Framing = Framing { before: "", between: "", after: "", is_alone: false };
const DOCUMENT: Framing =
    Framing { before: "{\"resourceLogs\":[", between: ",", after: "]}", is_alone: false };

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Protobuf,
    Json,
}

pub(super) struct Otlp {
    pub(super) cluster: String,
    pub(super) encoding: Encoding,
}

impl Format for Otlp {
    fn framing(&self) -> Framing {
        match self.encoding {
            Encoding::Protobuf => MESSAGES,
            Encoding::Json => DOCUMENT,
        }
    }

    fn content_type(&self) -> Cow<'_, str> {
        match self.encoding {
            Encoding::Protobuf => "application/x-protobuf".into(),
            Encoding::Json => "application/json".into(),
        }
    }

    fn limits(&self) -> &'static [Limit] {
        limits::ALL
    }

    fn response_limit(&self) -> Option<usize> {
        Some(partial_success::BODY_BYTES)
    }

    fn classify(&self, response: &Response<'_>) -> Option<Disposition> {
        partial_success::classify(response, response::read)
    }

    fn render(&self, record: &Record<'_, '_>, out: &mut Vec<u8>) -> Result<Adjusted, RenderError> {
        let log = Log::of(record, &self.cluster);
        match self.encoding {
            Encoding::Protobuf => proto::write(&log, out),
            Encoding::Json => json::write(&log, out),
        }
        Ok(Adjusted { time: log.has_other_time, cut: false, ..Adjusted::default() })
    }
}
