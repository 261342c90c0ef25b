//! Sends batches, and settles each of their records: acknowledged, dead-lettered, or to be brought again by the host.
//!
//! - `send`: [`Delivery`], which the pipeline calls
//! - `sender`: posts one part of a batch and classifies the response
//! - `settlement`: what a response does to the ledger, the dead letters and the chunks
//! - `resend`: the same for a request of an earlier round or run
//! - `in_flight`: the request on its way, saved so that it can be resent unchanged; `saved_request` is its format in the
//!   file, and `binding` says for whom it was made
//! - `logged_ledger`, `dead_letter_sink`, `availability`: the ledger, the dead letters and the endpoint, each with the
//!   metrics and log lines about it
//! - `limits`: how much one request may hold

mod availability;
mod batch_limits;
mod binding;
mod dead_letter_sink;
mod deliver;
mod in_flight;
mod logged_ledger;
mod part_sender;
mod resend;
mod saved_request;
mod settlement;

pub use dead_letter_sink::{AMBIGUOUS, DeadLetterEntry};
pub use deliver::{BatchEntry, Delivery};
pub use logged_ledger::LoggedLedger;
