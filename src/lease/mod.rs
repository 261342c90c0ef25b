//! Runs the protocol of the replicas against a real API server: one Lease says which replica delivers.
//!
//! ```text
//! lease-elector   next ─► GET, POST or PUT ─► observe, written     elector, client, observer
//! lease-watch     GET, then a watch of the Lease ─► observe        watch, client, observer
//! any thread      whether records are delivered, held, settled     `SharedReplica` (replicas)
//! ```
//! `document` is the Lease as JSON, and `state` the annotation in it. `report` decides what is logged.

mod api_error;
mod client;
mod document;
mod elector;
mod lease_name;
mod leb128;
mod observer;
mod report;
mod state;
mod watch;

pub use document::{Document, DocumentError, Finding, STATE_ANNOTATION, new_lease};
pub use elector::Elector;
pub use lease_name::LeaseName;
pub use state::{STATE_BYTES, StateError, exceptions_within};
