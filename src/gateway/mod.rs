//! The way out: batches to the gateway, and what becomes of them.
//!
//! - `http`: one batch, one verdict, over a connection that is kept alive
//! - `agent`: the HTTP client and its limits
//! - `answer`: what a status means
//! - `gate`: the silence after a failure
//! - `dead_letter`: what the gateway will never take
//! - `credentials`, `tls`, `watched`: secrets and certificates from files that change
//! - `stop`, `resolver`: nothing here makes the host wait for its exit
//! - `failure`, `secrets`: what may be said about it all

mod agent;
mod answer;
pub mod batch;
mod credentials;
mod dead_letter;
mod failure;
mod gate;
mod http;
mod resolver;
mod secrets;
mod stop;
mod tls;
mod watched;

pub use answer::{ANSWER_KEPT_BYTES, Answer, LONGEST_RETRY_AFTER, Outcome, judge};
pub use dead_letter::{DeadLetterError, DeadLetterFile, Letter};
pub use gate::Gate;
pub use http::{Gateway, Post};
pub use stop::Stopper;
