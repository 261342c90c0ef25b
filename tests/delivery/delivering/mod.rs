//! From a chunk to an acknowledgement, in the mini host.
//! Each file here asks one question.

mod acknowledgements;
mod audit_evasion;
mod batching;
mod changed_guarantee;
mod closed_endpoint;
mod correlated_delivery;
mod counts;
mod dead_gateway_memory;
mod dead_letters;
mod doubted_batches;
mod flavours;
mod hostile_records;
mod hostile_values;
mod kinds;
mod late_topology;
mod neighbours;
mod no_duplicates;
mod odd_records;
mod other_kinds;
mod other_versions;
mod partial_success;
mod redaction;
mod rejections;
mod restarts;
mod same_request;
mod secret_bodies;
mod secrets;
mod settled_versions;
mod shared_batches;
mod strange;
mod summed;
mod unread;
mod verified_source;
mod whole;
mod wrappers;

use crate::syscalls;
use testkit as support;
use testkit::{cases, golden, mark, posting, secret_cases, wrapped};

use support::chunk;
