//! Sends batches, and settles each of their records: acknowledged, dead-lettered, or to be brought again by the host.
//!
//! - `deliver`: [`Delivery`], which the pipeline calls with a whole batch
//! - `part_sender`: posts one part of a batch and classifies the response
//! - `settlement`: what a response does to the ledger, the dead letters and the chunks
//! - `resend`: the same for a request of an earlier round or run
//! - `in_flight`: the request on its way, saved so that it can be resent unchanged; `saved_request` is its format in the
//!   file, and `binding` says for whom it was made
//! - `logged_ledger`, `dead_letter_sink`, `availability`: the ledger, the dead letters and the endpoint, each with the
//!   metrics and log lines about it
//! - `settled`: which versions are settled, for the verification of the source
//! - `batch_entry`: what they know of each record; `batch_limits`: how much one request may hold
//!
//! # One request, and what a kill after each step costs
//!
//! | step | `no_event_loss` | `no_duplicates` |
//! |---|---|---|
//! | save the request, or intend its records | the next start sends it | dead-lettered when they come again, though not sent |
//! | post it | the next start resends it, with the same `Idempotency-Key` | dead-lettered when they come again |
//! | commit, after a clear response | nothing: the ledger knows its records, so it is not resent | nothing: the same write ends the intent |
//! | end: mark the saved request as settled | nothing | there is none |
//!
//! Before the first step a kill costs nothing, and after the commit the chunk may come again, all of it repetitions. A power
//! loss may take the saved request with it, which is not synced: its records then come again in other requests.

mod availability;
mod batch_entry;
mod batch_limits;
mod binding;
mod dead_letter_sink;
mod deliver;
mod in_flight;
mod logged_ledger;
mod part_sender;
mod resend;
mod saved_request;
mod settled;
mod settlement;

pub use batch_entry::BatchEntry;
pub use dead_letter_sink::{AMBIGUOUS, DeadLetterEntry};
pub use deliver::Delivery;
pub use logged_ledger::LoggedLedger;
pub use settled::SettledVersions;
