//! `format otlp` and `otlp_json`: OTLP logs 1.x over HTTP, for the path `/v1/logs` of a collector or a back end.
//!
//! An event is named as the OpenTelemetry collector's `k8seventsreceiver` names it, so that what reads the one reads
//! the other; what that has no name for (the Services under impact, audit records, violations) stands beside it under
//! names of the semantic conventions, or with a prefix of its own. Each record is a `ResourceLogs` of its own: what it
//! is about is its resource. A request is so many of them one behind the other, in protobuf without anything between.
//!
//! - `log`: what a record says, as attributes
//! - `proto`, `json`: the two encodings
//! - `response`, `protobuf`: partial success, in either encoding
//! - `limits`: what a collector takes

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

/// One behind the other: protobuf takes a repeated field in pieces.
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
