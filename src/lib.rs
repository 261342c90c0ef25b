//! Kubernetes events that arrive once and are never lost: the output `event_gateway` of Fluent Bit, and the
//! filter `service_impact`.
//!
//! The API server keeps every event for an hour, and `kubernetes_events` without `db` reads it all again
//! on every start. So this plugin needs no queue of its own; it needs a ledger, *event → version
//! delivered*, that advances only after the gateway's acknowledgement. Reading again repairs every crash,
//! and the ledger removes every repetition.
//!
//! # The journey of a record
//! ```text
//! host's thread     flush(chunk): copy, enqueue, yield                          abi, worker
//! our thread        take all waiting chunks                                     worker
//!                   → envelopes, borrowed, what is none to the dead letters     record
//!                   → ours? by namespace, type and reason                       select
//!                   → new, update, duplicate or in flight?                      ledger
//!                   → which Services does it touch?                             topology, correlate
//!                   → text                                                      render
//!                   → batch, POST, halves, dead letters                         delivery, gateway
//!                   → commit, and an answer for every chunk                     ledger, job
//! host's thread     the waker: resume the flush with OK or RETRY                 abi
//! ```
//! Beside it, threads of their own follow the Kubernetes API and keep the topology up (cluster).
//!
//! The filter `service_impact` stands before other outputs and has to answer at once, so its whole journey
//! runs on the host's thread: records → seen before? → which Services? → rewritten ([`enrich`]).
//!
//! # The rooms
//! An arrow between rooms only ever points to a lower rank; `tests/papers/rooms.rs` holds the table of ranks.
//! Ranks below `net` read no clock and, but for the ledger's file and [`disk`], which opens all files, do no I/O. `unsafe` lives in
//! [`abi`] alone.

// Nothing on the path of a record panics on purpose; what is caught at the border is the rest. Tests may.
#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::unreachable, clippy::todo)
)]

pub mod abi;
pub mod clock;
pub mod cluster;
pub mod config;
pub mod correlate;
pub mod delivery;
pub mod disk;
pub mod enrich;
pub mod failpoint;
pub mod format;
pub mod gateway;
pub mod job;
pub mod kind;
pub mod ledger;
pub mod log;
pub mod metrics;
pub mod net;
pub mod pattern;
pub mod pipeline;
pub mod record;
pub mod response;
pub mod secrets;
pub mod select;
pub mod sync;
pub mod time;
pub mod topology;
pub mod worker;
