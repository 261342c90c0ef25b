//! The trait of a format: all that batches, transports and settings know of a service.

use std::borrow::Cow;
use std::fmt;

use super::framing::Framing;
use super::limit::Limit;
use super::record::Record;
use crate::response::{Disposition, Response};

/// How records are written for one service, and what its responses mean.
pub trait Format: Send + Sync {
    /// How records share a request.
    fn framing(&self) -> Framing {
        Framing::LINES
    }

    /// Of a request's body. The NDJSON specification names the type of lines.
    fn content_type(&self) -> Cow<'_, str> {
        if self.framing() == Framing::LINES { "application/x-ndjson" } else { "application/json" }.into()
    }

    /// What the receiver takes, as it documents it; empty where it documents nothing.
    fn limits(&self) -> &'static [Limit] {
        &[]
    }

    /// Whether its records can be written into a file or a stream: a line each, and no response is needed.
    fn fits_lines(&self) -> bool {
        self.framing() == Framing::LINES
    }

    /// Bytes of a response's body that `classify` needs of a 2xx. `None`: the status suffices, and only the beginning of
    /// the body is read, for the log.
    fn response_limit(&self) -> Option<usize> {
        None
    }

    /// What the response means for the batch, where its status does not say all. `None`: the status says all.
    fn classify(&self, response: &Response<'_>) -> Option<Disposition> {
        let _ = response;
        None
    }

    /// Appends the record, without what stands between records.
    ///
    /// # Errors
    /// Why this record cannot be rendered. What was appended stays; the caller truncates it.
    fn render(&self, record: &Record<'_, '_>, out: &mut Vec<u8>) -> Result<Adjusted, RenderError>;
}

/// What a format changed in a record so that its receiver takes it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Adjusted {
    /// The receiver gets another time than the true one, which is in a field.
    pub time: bool,
    /// Some of it was cut or left out.
    pub cut: bool,
    /// It claims more occurrences than are possible, and the count is bounded.
    pub count: bool,
}

/// Why a format cannot render a record. The caller dead-letters the record with this as the reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RenderError {
    /// The format holds Kubernetes events only; sending this kind needs another format.
    Kind { format: &'static str, kind: &'static str },
    /// The record is larger than its receiver takes, and cannot be cut any further.
    TooLarge { bytes: usize, limit: Limit },
    /// The user's template fails for this record.
    Template(String),
}

impl fmt::Display for RenderError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kind { format, kind } => {
                write!(out, "{format} holds Kubernetes events only, and this is a record of kind {kind}")
            }
            Self::TooLarge { bytes, limit: Limit { of, most, source, .. } } => {
                write!(out, "{of} has {bytes} bytes, and its receiver takes {most} ({source})")
            }
            Self::Template(why) => out.write_str(why),
        }
    }
}

impl std::error::Error for RenderError {}
