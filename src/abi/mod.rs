//! The border with Fluent Bit: the only unsafe code of the crate.
//!
//! | file | its one idea |
//! |---|---|
//! | `allocator` | memory aligned as Rust needs it, from a host whose malloc may not |
//! | `layout` | the host's structs, as far as they are the same in 2.2 to 5.1 |
//! | `symbols` | what the host exports, looked up one by one |
//! | `version` | which host this is |
//! | `config_map` | the keys, for the hosts that refuse misspelt ones |
//! | `guard` | no panic crosses |
//! | `waker` | calls the engine's thread from any other |
//! | `wake_flag` | whether the engine was called already |
//! | `parked` | the flushes that wait, each with what resumes it |
//! | `wait` | a flush waits without stopping the engine |
//! | `host` | the host's properties, log and metrics, on its own thread |
//! | `registry` | the metrics in the host's own registry |
//! | `output` | the exported functions of the output, and the life of an instance |
//! | `filter` | the exported struct of the filter, and the life of an instance |
//! | `filter_host` | what a filter asks of the host, on the host's threads |
//!
//! Rules that hold in all of it: on the host's stack (24 KiB, without a guard page, before 5.1) we copy,
//! enqueue and wait, nothing else; only the filter, which has to answer at once, does its work there, within
//! half of that stack. The output's logs and metrics go out from the engine's timer. Every host pointer is
//! used only as long as its documentation below says.
#![allow(unsafe_code)]

mod allocator;
mod config_map;
pub mod filter;
mod filter_host;
mod guard;
mod host;
mod layout;
pub mod output;
mod parked;
mod registry;
mod symbols;
mod version;
mod wait;
mod wake_flag;
mod waker;
