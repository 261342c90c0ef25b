//! Runs the protocol of the replicas against a real API server: one Lease says which replica delivers.
//!
//! `document` is the Lease as JSON, `state` the annotation in it.

mod document;
mod state;

pub use document::{Document, DocumentError, Finding, STATE_ANNOTATION, new_lease};
pub use state::{STATE_BYTES, StateError, exceptions_within};
