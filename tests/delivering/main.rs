//! From a chunk to an acknowledgement, in the mini host.
//! Each file here asks one question.

mod acknowledgements;
mod audit_evasion;
mod batching;
#[path = "../support/cases.rs"]
mod cases;
mod changed_guarantee;
mod closed_gate;
mod correlated_delivery;
mod counts;
mod dead_gateway_memory;
mod dead_letters;
mod doubted_batches;
mod flavours;
#[path = "../support/golden.rs"]
mod golden;
mod hostile_records;
mod hostile_values;
mod kinds;
mod late_topology;
#[path = "../support/mark.rs"]
mod mark;
mod neighbours;
mod no_duplicates;
mod odd_records;
mod other_kinds;
mod other_versions;
#[path = "../support/posting.rs"]
mod posting;
mod redaction;
mod rejections;
mod restarts;
mod same_request;
mod secret_bodies;
#[path = "../support/secret_cases.rs"]
mod secret_cases;
mod secrets;
mod shared_batches;
mod strange;
mod summed;
#[path = "../support/mod.rs"]
mod support;
#[path = "../support/syscalls.rs"]
mod syscalls;
mod told_of_each;
mod unread;
mod whole;
#[path = "../support/wrapped.rs"]
mod wrapped;
mod wrappers;

use support::chunk;
