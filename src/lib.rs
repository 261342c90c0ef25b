//! Delivers Kubernetes events once and without loss: the output `event_gateway` of Fluent Bit, and the filter
//! `service_impact`.
//!
//! The API server keeps every event for an hour, and the input `kubernetes_events` without `db` reads all of them again
//! at every start. So this plugin needs no queue of its own. It needs a ledger, *event → delivered version*, that
//! advances only after the gateway's acknowledgement. After a crash the events are read again, and the ledger removes
//! the repeated ones.
//!
//! # The journey of a record
//! ```text
//! host's thread   flush(chunk): copy it into the queue, yield             abi/output, worker/queue
//! our thread      wait for the first lists, at most topology_wait         worker/queue, cluster/view
//!                 a round takes all chunks that wait: `Pipeline::round`   worker/queue, pipeline/mod
//!                 → resend: a saved request that is in doubt              delivery/part_sender, delivery/resend
//!                 → decode: records, borrowed; dead-letter unreadable     pipeline/decode, record
//!                 → select: by kind, namespace, type, reason, …           pipeline/stages, select
//!                 → defer: wait until the topology knows the object       pipeline/defer, topology
//!                 → deduplicate: new, update, duplicate or in flight      pipeline/deduplicate, ledger
//!                 → redact: what must not leave                           pipeline/prepare, record/redact
//!                 → correlate: the Services under impact                  pipeline/prepare, correlate
//!                 → render: text, into the batch                          pipeline/prepare, format
//!                 → send: a batch, in parts if some of it is rejected     delivery/deliver, delivery/part_sender,
//!                                                                         gateway/transport
//!                 → settle: dead-letter, commit, give each chunk its      delivery/settlement,
//!                   host result                                           delivery/dead_letter_sink, ledger, job
//! host's thread   the waker: resume the flush with OK or RETRY            abi/waker, abi/wait
//! ```
//! Other threads of the plugin follow the Kubernetes API and update the topology (cluster).
//!
//! The filter `service_impact` runs before other outputs and has to return at once, so all of it runs on the host's
//! thread: decode → deduplicate → correlate → rewrite ([`enrich`]).
//!
//! # The rooms
//! Each module below is a room. It uses only rooms of a lower rank; `tests/papers/rooms.rs` holds the table of ranks. Ranks
//! up to 4 read no clock and do no I/O, except for the ledger's file and [`disk`], which opens all files. Only [`abi`] has
//! `unsafe` code.

// A field or a variant without a doc leaves its unit, its empty value or the caller's duty to be guessed.
#![warn(missing_docs)]
// Nothing on the path of a record panics on purpose; the border catches any other panic. Tests may panic.
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
pub mod lease;
pub mod ledger;
pub mod log;
pub mod metrics;
pub mod net;
pub mod pattern;
pub mod pipeline;
pub mod record;
pub mod replicas;
pub mod response;
pub mod secrets;
pub mod select;
pub mod sync;
pub mod time;
pub mod topology;
pub mod verification;
pub mod worker;
