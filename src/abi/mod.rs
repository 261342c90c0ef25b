//! The border with Fluent Bit: the only unsafe code of the crate.
//!
//! | file | its one idea |
//! |---|---|
//! | `allocator` | aligns memory as Rust needs it, even where the host's malloc does not |
//! | `layout` | the host's structs, as far as they are the same in 2.2 to 5.1 |
//! | `symbols` | the host's exported functions, looked up one by one |
//! | `version` | the host's version |
//! | `config_map` | the table of keys in the host's form |
//! | `guard` | no panic crosses the border |
//! | `waker` | wakes the engine's thread from any other thread |
//! | `wake_flag` | whether the engine was already woken |
//! | `parked` | the flushes that wait for their result |
//! | `wait` | a flush waits without stopping the engine |
//! | `host` | an output instance's properties, log and metrics, on the host's threads |
//! | `registry` | the metrics in the host's own registry |
//! | `output` | the exported functions of the output, and the life cycle of an instance |
//! | `filter` | the exported struct of the filter, and the life cycle of an instance |
//! | `filter_host` | a filter instance's properties, context and log, on the host's threads |
//!
//! Rules for all of it: on the host's stack (24 KiB, without a guard page, before 5.1) the output only copies,
//! enqueues and waits. The filter has to return a result at once, so it works there, within half of that stack. The
//! engine's timer writes the output's logs and metrics. A host pointer is used only as long as its documentation
//! allows.
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
