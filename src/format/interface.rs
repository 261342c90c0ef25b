//! The trait of a format: batches, transports and settings know a service only through it.

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

    /// The content type of a request. The type of lines is that of the NDJSON specification.
    fn content_type(&self) -> Cow<'_, str> {
        if self.framing() == Framing::LINES { "application/x-ndjson" } else { "application/json" }.into()
    }

    /// The limits that the receiver documents; empty if it documents none.
    fn limits(&self) -> &'static [Limit] {
        &[]
    }

    /// Whether its records can be written to a file or a stream: one line per record, and no response is needed.
    fn fits_lines(&self) -> bool {
        self.framing() == Framing::LINES
    }

    /// The most bytes of a 2xx body that `classify` needs. `None`: the status suffices, and only the beginning of the body
    /// is read, for the log.
    fn response_limit(&self) -> Option<usize> {
        None
    }

    /// What the response means for the batch, if its status alone does not decide. `None`: the status decides.
    fn classify(&self, response: &Response<'_>) -> Option<Disposition> {
        let _ = response;
        None
    }

    /// Appends the record, without the bytes between records.
    ///
    /// # Errors
    /// Why this record cannot be rendered. Appended bytes stay; the caller truncates them.
    fn render(&self, record: &Record<'_, '_>, out: &mut Vec<u8>) -> Result<Adjusted, RenderError>;
}

/// What a format changed in a record so that its receiver takes it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Adjusted {
    /// The receiver gets another time; the true one is in a field.
    pub time: bool,
    /// A part was cut or left out.
    pub cut: bool,
    /// The record claims more occurrences than are possible, so the count is limited.
    pub count: bool,
}

/// Why a format cannot render a record. The caller dead-letters the record with this as the reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RenderError {
    /// The format holds Kubernetes events only; another format can send this kind.
    Kind {
        /// The word of the format.
        format: &'static str,
        /// The kind of the record.
        kind: &'static str,
    },
    /// The record is larger than its receiver takes, and cannot be cut further.
    TooLarge {
        /// Its size.
        bytes: usize,
        /// The receiver's limit.
        limit: Limit,
    },
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
                write!(out, "{of} has {bytes} bytes; its receiver takes {most} ({source})")
            }
            Self::Template(why) => out.write_str(why),
        }
    }
}

impl std::error::Error for RenderError {}
